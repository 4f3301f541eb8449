"""What stands for `python` and `dvc` while a warm server runs: it asks the server to fork the command (warm_server.py),
and ends as that ends; where the server does not, it becomes the command itself.

It is started for every stage, so it knows nothing but Python's smallest modules.
"""

import json
import os
import signal
import socket
import sys

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def main(address: str, program: str, *arguments: str) -> None:
    """Run a program, forked if that can be: a module of Python, or a script of this environment."""
    if arguments[:1] == ("-m",) or not program.endswith("/python"):
        with socket.socket(socket.AF_UNIX) as server:
            if begun(server, address, program, arguments):
                end_like(ended(server))
    os.execv(program, [program, *arguments])


def begun(server: socket.socket, address: str, program: str, arguments: tuple[str, ...]) -> bool:
    """Return whether the server has begun a command: it may not be there yet, or no more, or not want to."""
    umask = os.umask(0)
    os.umask(umask)
    here = os.getcwd()  # noqa: PTH109 - pathlib takes as long to import as all the rest
    asked = {
        "program": program, "arguments": arguments, "environ": dict(os.environ), "cwd": here, "umask": umask,
        "ignored": [number for number in FORWARDED if signal.getsignal(number) == signal.SIG_IGN],
    }  # fmt: skip
    message = json.dumps(asked).encode()
    try:
        server.connect(address)
        socket.send_fds(server, [len(message).to_bytes(4, "big")], [0, 1, 2])
        server.sendall(message)
        return bool(server.recv(1))
    except OSError:
        return False


def ended(server: socket.socket) -> int:
    """Hand signals on to a command until it has ended; return its exit status, or minus the signal that ended it."""

    def forward(number: int, _: object) -> None:
        try:  # noqa: SIM105 - contextlib, too
            server.send(bytes([number]))
        except OSError:  # it has ended
            pass

    for number in FORWARDED:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, forward)
    try:
        said = server.recv(4)
    except OSError:
        said = b""
    # Without a word of how it ended, it was killed with the server.
    return int.from_bytes(said, "big", signed=True) if said else -signal.SIGKILL


def end_like(status: int) -> None:
    """End as another process ended."""
    if status < 0:
        if -status != signal.SIGKILL:
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)


if __name__ == "__main__":
    main(*sys.argv[1:])
