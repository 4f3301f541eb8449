"""msgspec's messages about params.yaml in the words of whoever wrote it: key, value, what is allowed."""

from __future__ import annotations

import re
import reprlib
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct


def explain(message: str, value: Any, type_: type, where: str) -> str:
    """Return msgspec's message as `key: value: what is allowed`."""
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
    if expected.startswith("Invalid enum value"):
        return f"{where}: {_short(value)} is not allowed: expected one of {', '.join(_words(type_, keys))}"
    return f"{where}: {_short(value)} is not allowed: {expected[0].lower() + expected[1:].replace('`', '')}"


def _fields(type_: Any, keys: list[str]) -> list[str]:
    """Return the keys of the block that the path `keys` leads to, or leads into."""
    *_, last = [of for of in _types(type_, keys) if isinstance(of, type) and issubclass(of, Struct)]
    return [f.name for f in msgspec.structs.fields(last)]


def _words(type_: Any, keys: list[str]) -> list[str]:
    """Return the words that are allowed at the end of the path `keys`."""
    return [str(word) for word in get_args(_types(type_, keys)[-1])]


def _types(type_: Any, keys: list[str]) -> list[Any]:
    """Return the types along a path of keys, from the block that it begins at."""
    found = [type_]
    for key in keys:
        if isinstance(type_, type) and issubclass(type_, Struct):
            type_ = get_type_hints(type_, include_extras=True).get(key, type_)
        while get_origin(type_) in (Annotated, list):
            type_ = get_args(type_)[0]
        found.append(type_)
    return found


def _short(value: Any) -> str:
    """Return what stands for a value in one line. Of what is nested, or named in many places, only a little is looked
    at: all of it may be endless."""
    brief = reprlib.Repr()
    brief.maxstring = brief.maxother = brief.maxlong = 80
    text = brief.repr(value)
    return text if len(text) <= 80 else text[:77] + "…"
