"""The process that commands are forked from: it has imported what takes each of them seconds, and waits.

`python -m flows.warm_server PIPE FOLDER MODULE…` listens in FOLDER until the other end of PIPE is closed, as its
starter's end closes it; what it has forked ends with it, and with whoever asked for it. It keeps nothing of the
project, whose code is another in each checkout, but how DVC writes dvc.lock.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import importlib
import io
import json
import os
import runpy
import selectors
import shutil
import signal
import socket
import struct
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from flows.warm_client import FORWARDED

SOCKET = "socket"
PATIENCE = 5  # seconds in which a client says all that it wants
DIE_WITH_PARENT = 1  # prctl's PR_SET_PDEATHSIG
# What a library reads once, when it is imported, and no import sets: who has another value starts by itself.
READ_ONCE = ("OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "MALLOC_", "LD_PRELOAD", "PYTHON", "PYTORCH_", "CUDA_",
             "MPL", "XDG_", "HOME", "TZ", "LANG", "LC_")  # fmt: skip


@dataclass(frozen=True)
class Command:
    """What is to be run, and where."""

    program: str
    arguments: list[str]
    environ: dict[str, str]
    cwd: str
    umask: int
    ignored: list[int]  # signals


@dataclass(eq=False)
class Forked:
    """A command that runs: who asked for it, from which session, and how it ended (None: not yet)."""

    pid: int
    session: int
    client: socket.socket
    ended: int | None = None


class Server:
    """Forks what clients ask for, hands signals on to it, and tells them how it ended."""

    def __init__(self, listening: socket.socket, starter: int, read: Mapping[str, str]):
        self.listening, self.read = listening, read
        self.running: list[Forked] = []
        self.selector = selectors.DefaultSelector()
        self.watch(listening, self.asked)
        self.watch(starter, self.end)

    def watch(self, what: socket.socket | int, then: Callable[[], Command | None]) -> None:
        self.selector.register(what, selectors.EVENT_READ, then)

    def serve(self) -> Command:
        """Serve for ever; return in every forked process, with what that is to run."""
        while True:
            for key, _ in self.selector.select():
                still = self.selector.get_map().get(key.fd)
                if still == key and (command := key.data()):
                    return command

    def asked(self) -> Command | None:
        """Fork what a client asks for. Without an answer it runs that by itself."""
        with contextlib.suppress(OSError):
            client, _ = self.listening.accept()
            client.settimeout(PATIENCE)
            command, descriptors = received(client)
            ending = None
            try:
                if command and read_once(command.environ) == self.read:
                    if (pid := os.fork()) == 0:
                        client.close()
                        self.forget_all()
                        for number, descriptor in enumerate(descriptors):
                            os.dup2(descriptor, number)
                        return command
                    ending = self.follow(Forked(pid, session_of(client), client))
            finally:
                for descriptor in descriptors:
                    os.close(descriptor)
                if ending is None:
                    client.close()
        return None

    def follow(self, forked: Forked) -> int:
        """Wait for a command and its client at once; return what tells that it has ended."""
        try:
            ending = os.pidfd_open(forked.pid)
        except OSError:
            kill(forked, signal.SIGKILL)
            os.waitpid(forked.pid, 0)
            raise
        self.running.append(forked)
        self.watch(forked.client, lambda: self.told(forked))
        self.watch(ending, lambda: self.over(forked, ending))
        with contextlib.suppress(OSError):
            forked.client.sendall(b"!")
        return ending

    def forget_all(self) -> None:
        """Close what only the server uses."""
        for key in list(self.selector.get_map().values()):
            key.fileobj.close() if isinstance(key.fileobj, socket.socket) else os.close(key.fd)
        self.selector.close()

    def told(self, forked: Forked) -> None:
        """Hand on signals; a client that is gone was killed, and takes all that it asked for with it."""
        try:
            signals = forked.client.recv(64)
        except OSError:
            signals = b""
        for number in signals or (signal.SIGKILL,):
            kill(forked, number)
        if not signals:
            self.selector.unregister(forked.client)

    def over(self, forked: Forked, ending: int) -> None:
        """Note how a command ended. One that was killed takes what it had started with it, and its client hears of it
        when all that has ended, too."""
        forked.ended = os.waitstatus_to_exitcode(os.waitpid(forked.pid, 0)[1])
        self.selector.unregister(ending)
        os.close(ending)
        if forked.ended < 0:
            kill(forked, signal.SIGKILL)
        for one in reversed(self.running[:]):  # what was started last is told first
            if one.ended is not None and not any(other.session == one.pid for other in self.running):
                self.tell(one)

    def tell(self, forked: Forked) -> None:
        """Tell a client how its command ended."""
        self.running.remove(forked)
        with contextlib.suppress(KeyError):
            self.selector.unregister(forked.client)
        with contextlib.suppress(OSError):
            forked.client.sendall(struct.pack("!i", forked.ended))
        forked.client.close()

    def end(self) -> NoReturn:
        """End, as the starter has."""
        for forked in self.running:
            kill(forked, signal.SIGKILL)
        shutil.rmtree(Path(self.listening.getsockname()).parent, ignore_errors=True)
        os._exit(0)


def main(pipe: str, folder: str, *modules: str) -> None:
    os.close(os.pidfd_open(os.getpid()))  # an older system has none: then there is no server
    ended: list[int] = []
    atexit.register(leave, ended)  # of those that the modules register as well, the first to come is the last to go
    read = read_once(os.environ)
    path = [entry for entry in sys.path[1:] if entry not in entries(os.environ)]
    for module in modules:
        importlib.import_module(module)
    if "dvc.cli" in modules:
        importlib.import_module("flows.lock_writer").install()
    for name in [name for name in sys.modules if name.partition(".")[0] in ("flows", "stages")]:
        del sys.modules[name]
    gc.freeze()  # else the first collection in each of the forked would copy all of it
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"{folder}/{SOCKET}")
        listening.listen(64)
        server = os.getpid()
        command = Server(listening, int(pipe), read).serve()
    enter(command, server)
    ended.append(status(lambda: run(command, path)))


def received(client: socket.socket) -> tuple[Command | None, list[int]]:
    """Return what a client asks for, if it says it whole, and its standard input, output and error."""
    size, descriptors, _, _ = socket.recv_fds(client, 4, 3)
    said, whole = b"", int.from_bytes(size, "big")
    with contextlib.suppress(OSError, ValueError, TypeError):
        while len(said) < whole and (part := client.recv(whole - len(said))):
            said += part
        return Command(**json.loads(said)), descriptors
    return None, descriptors


def read_once(environ: Mapping[str, str]) -> dict[str, str]:
    """Return those variables that libraries read when they are imported."""
    return {name: value for name, value in environ.items() if name.startswith(READ_ONCE) and name != "PYTHONPATH"}


def entries(environ: Mapping[str, str]) -> list[str]:
    """Return the folders of PYTHONPATH."""
    return [str(Path(entry).absolute()) for entry in environ.get("PYTHONPATH", "").split(os.pathsep) if entry]


def session_of(client: socket.socket) -> int:
    """Return the session of the process at the other end; 0 if it has ended."""
    pid, _, _ = struct.unpack("3i", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return 0


def kill(forked: Forked, number: int) -> None:
    """Send a signal to a command and to all of its process group, which outlives it."""
    try:
        os.killpg(forked.pid, number)
    except ProcessLookupError:
        if forked.ended is None:  # it has not got so far as to have one
            os.kill(forked.pid, number)


def enter(command: Command, server: int) -> None:
    """Make this process what it would be if it had been started by itself, in a session of its own."""
    os.setsid()
    ctypes.CDLL(None).prctl(DIE_WITH_PARENT, int(signal.SIGKILL))
    if os.getppid() != server:
        os._exit(1)
    for number in FORWARDED:
        usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        signal.signal(number, signal.SIG_IGN if number in command.ignored else usual)
    os.umask(command.umask)
    os.chdir(command.cwd)
    os.environ.clear()
    os.environ.update(command.environ)
    for name, stream in (("stdout", sys.__stdout__), ("stderr", sys.__stderr__)):  # which an import may have wrapped
        assert isinstance(stream, io.TextIOWrapper)
        stream.reconfigure(line_buffering=os.isatty(stream.fileno()) or name == "stderr")
        setattr(sys, name, stream)


def run(command: Command, path: list[str]) -> None:
    """Run it: a module for Python, or a script."""
    is_module = command.arguments[:1] == ["-m"]
    first = command.cwd if is_module else str(Path(command.program).parent)
    sys.path[:] = [first, *entries(command.environ), *path]
    if is_module:
        sys.argv = command.arguments
        del sys.argv[0]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = [command.program, *command.arguments]
        runpy.run_path(command.program, run_name="__main__")


def status(program: Callable[[], None]) -> int:
    """Run a program to its end, as Python does; its exit status, or minus the signal that it ends itself with."""
    try:
        program()
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return (end.code or 0) & 0xFF
        print(end.code, file=sys.stderr)
        return 1
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
        return -signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1
    return 0


def leave(ended: list[int]) -> None:
    """End a forked process, when its threads and exit handlers are through, without taking apart all that is imported:
    that takes longer than many a command."""
    for status in ended:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):  # the program may have closed it
                stream.flush()
        if status < 0:
            signal.signal(-status, signal.SIG_DFL)
            os.kill(os.getpid(), -status)
        os._exit(status)


if __name__ == "__main__":
    main(*sys.argv[1:])
