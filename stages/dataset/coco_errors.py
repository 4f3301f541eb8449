"""What is wrong with an annotation file, in the words of whoever has to mend it: which entry, which key, what."""

from __future__ import annotations

import json
import mmap
import re

import msgspec

CALLED = {"images": "image", "annotations": "annotation", "categories": "category"}
SHORT = 40  # characters of an id that are shown
NEARBY = 4000  # bytes around a fault in which its entry is looked for
NOT_FINITE = re.compile(rb"-?(NaN|Infinity)")  # Python writes them, JSON does not know them


class _Entry(msgspec.Struct):
    id: msgspec.Raw


def explain(data: mmap.mmap, error: Exception) -> str:
    """Return what msgspec found wrong with a file's content, with the entry's id where there is one.

    Of the file, which may be large, no more is parsed than that entry.
    """
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "not JSON: a text in it is not UTF-8"
    message, _, where = str(error).replace("`", "").partition(" - at $")
    if found := re.match(r"\.(images|annotations|categories)\[(\d+)\](\S*)", where):
        table, place, key = found[1], int(found[2]), found[3].lstrip(".")
        return f"{CALLED[table]} {_id(data, table, place)}{': ' + key if key else ''}: {message}"
    if byte := re.search(r"\(byte (\d+)\)", message):
        return _malformed(data, int(byte[1]), message)
    if not isinstance(error, msgspec.ValidationError):
        return f"not JSON: {message}"
    return f"{where.lstrip('.')}: {message}" if where else message


def _id(data: mmap.mmap, table: str, place: int) -> str:
    """Return the id of an entry as it is written, or its place in its table, where it has none."""
    entries = msgspec.defstruct("Entries", [(table, list[msgspec.Raw])])
    try:
        raw = getattr(msgspec.json.decode(data, type=entries), table)[place]
        return bytes(msgspec.json.decode(raw, type=_Entry).id).decode()[:SHORT]
    except (msgspec.DecodeError, IndexError, ValueError):
        return f"at place {place}"


def _malformed(data: mmap.mmap, byte: int, message: str) -> str:
    """Return what is wrong at a byte, where the content is no JSON any more."""
    if not (word := NOT_FINITE.match(data[max(byte - 1, 0) : byte + 9].lstrip(b", [:"))):
        return f"not JSON: {message}"
    begin, end = data.rfind(b"{", max(0, byte - NEARBY), byte), data.find(b"}", byte, byte + NEARBY)
    try:
        entry = json.loads(data[begin : end + 1])
        return f"annotation {entry['id']}: the box {entry['bbox']} has a number that is not finite"
    except (ValueError, KeyError, TypeError, RecursionError):
        return f"not JSON: {word[0].decode()} at byte {byte} is no finite number"
