"""XML of unknown origin, read without what XML can do to its reader: no DTD, so no entities, and of bounded size."""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from stages import files
from stages.dataset.segmentation import FAR
from stages.problem import Problem

LARGEST = 20_000_000  # bytes, each of which takes up to 25 in memory; some twenty thousand outlines


class _NoDoctype(ElementTree.TreeBuilder):
    def doctype(self, *_: str | None) -> None:
        """Refuse, before anything that is declared there is used."""
        raise ValueError("it declares a document type (DTD), which no annotation tool does")


def read(path: Path, root: str) -> Element:
    """Return a file's element `root`; raise a Problem where it is no such file."""
    parser = ElementTree.XMLParser(target=_NoDoctype())
    try:
        parser.feed(files.bounded(path, LARGEST))
        found = parser.close()
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise Problem(f"{path}: not an annotation file: {error}") from None
    if found.tag != root:
        raise Problem(f"{path}: it holds <{found.tag}>, not <{root}>")
    return found


def number(text: str | None, what: str) -> float:
    """Return a number that stands in a file; `what` says where."""
    try:
        value = float(text or "")
    except ValueError:
        value = float("nan")
    if not isfinite(value):
        raise Problem(f"{what} is {text!r}, not a number")
    if abs(value) > FAR:
        raise Problem(f"{what} is {text!r}, which is in no photograph")
    return value


def size(text: str | None, what: str) -> int:
    """Return a photograph's width or height."""
    value = number(text, what)
    if value <= 0 or value != int(value):
        raise Problem(f"{what} is {text!r}, not a whole number of pixels")
    return int(value)
