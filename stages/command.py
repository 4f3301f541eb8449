"""How every `python -m stages.…` starts and ends: arguments in; one clear line and exit code 2 if a person must act."""

from __future__ import annotations

import argparse
import errno
import inspect
import os
import sys
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool

from stages import left_out
from stages.problem import Problem

DISK = {
    errno.ENOSPC: "no space left on the disk",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "no permission",
    errno.EFBIG: "the file is too large for the disk",
    errno.EIO: "the disk cannot be read or written",
    errno.ENAMETOOLONG: "the name is too long",
    errno.EEXIST: "there is something else of this name",
    errno.ENOTDIR: "a part of this is no folder",
    errno.EISDIR: "this is a folder, and should be a file",
}


def run(main: Callable[..., None], about: str | None, **arguments: str) -> None:
    """Parse the arguments of `main` (name → help), and call it with them.

    An argument with a default is an option of the default's type.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    declared = inspect.signature(main).parameters
    for name, text in arguments.items():
        default = declared[name].default
        if default is inspect.Parameter.empty:
            parser.add_argument(name, help=text)
        else:
            parser.add_argument(f"--{name}", type=type(default), default=default, help=f"{text} (default {default})")
    given = vars(parser.parse_args())
    end(lambda: _unless_left_out(lambda: main(**given)))


def _unless_left_out(main: Callable[[], None]) -> None:
    """Do a stage's work; where the dataset lacks what it is made of, say so, and leave a note in its place."""
    stage = left_out.at_work()
    if stage and (why := left_out.reason(stage)):
        print(f"left out: {why}")
        left_out.leave(stage, why)
    else:
        main()


def end(work: Callable[[], int | None]) -> None:
    """Do some work, which may return an exit code, and turn what a person can mend into a line."""
    try:
        if code := work():
            sys.exit(code)
    except Problem as problem:
        sys.exit(_refuse(str(problem)))
    except BrokenPipeError:
        os._exit(1)  # whoever read our output went away
    except OSError as error:
        if error.errno not in DISK:
            raise
        sys.exit(_refuse(f"{error.filename or 'writing'}: {DISK[error.errno]}; nothing half-written was left"))
    except (BrokenProcessPool, MemoryError):  # which another try may survive
        sys.exit(_refuse("a process was killed, or got no memory: there is too little of it for what runs now", 1))
    except RecursionError:
        sys.exit(_refuse("something that was read is nested too deeply"))
    except KeyboardInterrupt:
        sys.exit(130)


def _refuse(line: str, code: int = 2) -> int:
    print(f"tenfold: {line}", file=sys.stderr)
    return code
