"""Write dvc.lock in the time that one stage's lines take. DVC reads and writes all of it for each stage that ends,
through a parser that keeps comments: four seconds where there are 190 stages, in which no other stage can begin."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dvc import dvcfile
from dvc.stage import serialize
from dvc.utils.serialize import dumps_yaml

from stages import files

HEAD = "schema: '2.0'\nstages:\n"
ENTRY = re.compile(r"^  (\w[\w@.-]*):\n", re.MULTILINE)
MEANT = re.compile(r"[:-] \*(id\d+)$", re.MULTILINE)  # a value that is written out at another place
log = logging.getLogger(dvcfile.__name__)
dvc_writes = dvcfile.Lockfile.dump_stages


def install() -> None:
    """Let DVC, in this process and those forked from it, write dvc.lock this way; what is written is the same."""
    dvcfile.Lockfile.dump_stages = dump_stages


def dump_stages(self: dvcfile.Lockfile, stages: Iterable[Any], **kwargs: Any) -> None:
    """Note in dvc.lock what stages have read and made, as DVC does. A file that DVC has not written is left to it."""
    path, stages = Path(self.path), list(stages)
    before = path.read_text(encoding="utf-8") if files.there(path) else HEAD
    after = with_entries(before, {one.name: serialize.to_lockfile(one, **kwargs)[one.name] for one in stages})
    if after is None:
        dvc_writes(self, stages, **kwargs)
    elif after != before:
        log.info("Updating lock file '%s'", self.relpath)
        files.write(path, after)
        self.repo.scm_context.track_file(self.relpath)


def with_entries(text: str, entries: Mapping[str, Any]) -> str | None:
    """Return dvc.lock's text with these stages' entries, new ones at the end; None if it is not as DVC writes it."""
    body = text.removeprefix(HEAD)
    lines = body.split("\n")
    if not text.startswith(HEAD) or lines.pop() or not all(line.startswith("  ") for line in lines):
        return None
    first, *found = ENTRY.split(body)
    written = dict(zip(found[::2], found[1::2], strict=True))
    if first or len(written) * 2 != len(found) or not all(map(stands_alone, written.values())):
        return None
    for name, entry in entries.items():
        entry = {"stages": {name: unshared(entry)}}
        begins, written[name] = dumps_yaml(entry).removeprefix("stages:\n").split("\n", 1)
        if begins != f"  {name}:":
            return None
    return HEAD + "".join(f"  {name}:\n{entry}" for name, entry in written.items())


def stands_alone(entry: str) -> bool:
    """Return whether an entry says something, and nothing by pointing into another one, which may be replaced."""
    return bool(entry.strip()) and all(f"&{name}" in entry for name in MEANT.findall(entry))


def unshared(value: Any) -> Any:
    """Return a value in which nothing stands twice: it would be written once, and pointed to from the other place."""
    if isinstance(value, dict):
        return {key: unshared(of) for key, of in value.items()}
    return [unshared(of) for of in value] if isinstance(value, list) else value
