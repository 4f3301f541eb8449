"""YAML that somebody else wrote, read without what YAML can do to its reader: of bounded size, and by Python alone,
because nesting crashes the process in libyaml. It is YAML 1.2, as DVC reads it: 2e-4 is a number, off a word."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, SequenceNode

from stages import files
from stages.problem import Problem

LARGEST = 200_000  # bytes; the names of some ten thousand classes

# What reading raises for what is none. ValueError: a date that is none, or text that is not UTF-8. The last two: what
# is tagged as something that it is not.
BROKEN = (YAMLError, ValueError, LookupError, AttributeError)

MERGE = "tag:yaml.org,2002:merge"  # what `<<` means
MOST_TAKEN_OVER = 100_000  # entries of a file; of params.yaml 700

T = TypeVar("T")


class _TooMuch(Exception):
    """What `<<` takes over, which can grow until some hundred bytes take hours."""


class _Constructor(SafeConstructor):
    taken_over = 0  # entries, by all `<<` so far

    def flatten_mapping(self, node: MappingNode) -> None:
        """Put into a mapping what `<<` names, if that is one mapping: several could each be made of several."""
        if any(key.tag == MERGE and isinstance(value, SequenceNode) for key, value in node.value):
            raise _TooMuch("takes over a list; it may take over one mapping")
        own = len(node.value)
        super().flatten_mapping(node)
        self.taken_over += len(node.value) - own
        if self.taken_over > MOST_TAKEN_OVER:
            raise _TooMuch(f"takes over more than {MOST_TAKEN_OVER:,} entries")


def read(path: Path, type_: type[T]) -> T:
    """Return a file's content as a type; raise a Problem where it is none."""
    try:
        return msgspec.convert(load(path), type_)
    except msgspec.ValidationError as error:
        raise Problem(f"{path}: {error}") from None


def load(path: Path) -> Any:
    """Return a file's content; raise a Problem where it is no YAML."""
    text = files.bounded(path, LARGEST)
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Constructor
    yaml.composer.warn_double_anchors = False  # in several lines, of what is allowed
    try:
        found = yaml.load(text)
    except RecursionError:
        raise Problem(f"{path} is nested too deeply") from None
    except _TooMuch as error:
        raise Problem(f"{path}: `<<` {error}") from None
    except BROKEN as error:
        raise Problem(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    _check(found, path)
    return found


def _check(found: Any, path: Path) -> None:
    """Raise a Problem where something in what was read could not be written down again: a number of hundreds of digits,
    or text that is no Unicode. What is named in several places is looked at once."""
    todo, seen = [found], set()
    while todo:
        value = todo.pop()
        if isinstance(value, int) and not -(2**63) <= value < 2**63:
            raise Problem(f"{path}: a number of more than 19 digits is in it")
        if isinstance(value, str) and not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                raise Problem(f"{path}: it holds half a character, {value[:40]!a}") from None
        if isinstance(value, dict | list) and id(value) not in seen:
            seen.add(id(value))
            todo += [*value, *value.values()] if isinstance(value, dict) else value
