"""The server's password. Without one, any web page that the operator looks at could have the worker run a command."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from prefect.settings import (
    PREFECT_API_AUTH_STRING,
    PREFECT_API_URL,
    PREFECT_SERVER_API_AUTH_STRING,
    temporary_settings,
)

from flows import child

FILE = Path(".prefect/password")
OF_SERVER, OF_CLIENT = PREFECT_SERVER_API_AUTH_STRING.name, PREFECT_API_AUTH_STRING.name


def made(checkout: Path) -> str:
    """Return the password of the server that a checkout has: the environment's, or one that is made once and that only
    its owner can read."""
    if OF_SERVER in os.environ:
        return os.environ[OF_SERVER]
    (checkout / FILE).parent.mkdir(parents=True, exist_ok=True)
    with open(checkout / FILE, "a+", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.seek(0)
        if not (password := file.read().strip()):
            password = new()
            file.write(f"{password}\n")
    return password


def new() -> str:
    return f"tenfold:{secrets.token_urlsafe(24)}"


def known(checkout: Path) -> str | None:
    """Return the password to give to a server, the environment's or that of the checkout's own; None, if there is
    none."""
    own = checkout / FILE
    return os.environ.get(OF_CLIENT) or (own.read_text().strip() if own.exists() else None)


@contextlib.contextmanager
def temporary() -> Iterator[None]:
    """Where no server is named, Prefect starts one for this process alone: have it ask for a password, too, and end
    with this process, whatever signal ends that."""
    child.tidy_when_ended()
    one = None if PREFECT_API_URL.value() else new()
    with temporary_settings({PREFECT_SERVER_API_AUTH_STRING: one, PREFECT_API_AUTH_STRING: one} if one else {}):
        yield
