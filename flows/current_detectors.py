"""Which detector is in use for each product: what lies in models/products/, as git and DVC bring it there.

Of the product in focus it is an output of the stage `product`. When another comes into focus, a file of its own,
models/products/<name>.dvc, takes over what dvc.lock says of it; so a rollback in git is one of the detectors, too.
"""

from __future__ import annotations

from pathlib import Path

import yaml

from flows.repository import git, listed
from stages import files, paths

LOCK, STAGE = Path("dvc.lock"), "product"


def refocus(checkout: Path, focus: str) -> list[str]:
    """Keep the detector of the product that dvc.lock has in focus, if another is to be, and leave that of the new focus
    to the stage. Return the files that were written or taken away, to be committed."""
    changed, out = drop(checkout, focus), _locked(checkout)
    if out and (path := Path(out["path"])) != paths.RELEASED / focus:
        files.write(checkout / f"{path}.dvc", yaml.safe_dump({"outs": [out | {"path": path.name}]}, sort_keys=False))
        changed.append(f"{path}.dvc")
    return changed


def drop(checkout: Path, product: str) -> list[str]:
    """Take away the file that keeps a product's detector; return it, if git has it, to be committed."""
    file = f"{paths.RELEASED / product}.dvc"
    known = listed(checkout, "ls-files", "--", file)
    git(checkout, "rm", "--quiet", "--ignore-unmatch", "--", file)
    (checkout / file).unlink(missing_ok=True)  # not in git yet
    return known


def _locked(checkout: Path) -> dict | None:
    """Return what dvc.lock says of the stage's output; None, where it has not run."""
    lock = checkout / LOCK
    stages = (yaml.safe_load(lock.read_text()) or {}).get("stages", {}) if lock.exists() else {}
    return stages[STAGE]["outs"][0] if STAGE in stages else None
