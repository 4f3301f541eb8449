"""msgspec's messages about params.yaml in the words of whoever wrote it: key, value, what is allowed."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import Struct


def explain(message: str, value: Any, type_: type, where: str) -> str:
    """msgspec's message as `key: value: what is allowed`."""
    expected, _, inner = message.partition(" - at `")
    keys = re.findall(r"[^.\[\]`$]+", inner.removeprefix("key in ").replace("[...]", ""))
    for key in keys:
        value = value[int(key)] if isinstance(value, list) else value.get(key, value)
    where = ".".join([where, *keys] if where else keys)
    if missing := re.search(r"missing required field `(.+?)`", expected):
        return f"{'.'.join(filter(None, [where, missing[1]]))}: this key is missing"
    if unknown := re.search(r"unknown field `(.+?)`", expected):
        known = ", ".join(_fields(type_, keys))
        return f"{'.'.join(filter(None, [where, unknown[1]]))}: unknown key; allowed here: {known}"
    if isinstance(value, dict) and "`" not in expected:  # a rule between keys of one block
        return f"{where + ': ' if where else ''}{_short(value) if where else ''}: {expected}".lstrip(": ")
    return f"{where}: {_short(value)} is not allowed: {expected[0].lower() + expected[1:].replace('`', '')}"


def _fields(type_: Any, keys: list[str]) -> list[str]:
    for key in keys:
        if isinstance(type_, type) and issubclass(type_, Struct):
            type_ = {f.name: f.type for f in msgspec.structs.fields(type_)}.get(key, type_)
        if getattr(type_, "__origin__", None) is list:
            type_ = type_.__args__[0]
    return [f.name for f in msgspec.structs.fields(type_)]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"
