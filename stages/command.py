"""How every `python -m stages.…` starts and ends: arguments in; one clear line and exit code 2 if a person must act."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Callable

from stages.problem import Problem

DISK = {
    errno.ENOSPC: "no space left on the disk",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the disk is read-only",
    errno.EACCES: "no permission",
}


def run(main: Callable[..., None], about: str | None, **positional: str) -> None:
    """Parse the `positional` arguments (name → help), and call `main` with them."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, text in positional.items():
        parser.add_argument(name, help=text)
    arguments = parser.parse_args()
    end(lambda: main(**vars(arguments)))


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
    except KeyboardInterrupt:
        sys.exit(130)


def _refuse(line: str) -> int:
    print(f"tenfold: {line}", file=sys.stderr)
    return 2
