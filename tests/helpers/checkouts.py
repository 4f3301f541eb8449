"""Checkouts of the project in which commands and flows run, as a person or a worker would run them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from ruamel.yaml import YAML

from flows import warm
from stages import settings

ROOT = Path(__file__).parents[2]


# Of every kind of stage, one that each other kind needs; a second one only where it is made in another way.
KEPT = {
    "subsets": ("ten", "group", "other_ten", "rest", "but_focus"),
    "experiments": ("wgan_ten", "wgan_transfer"),
    "textures": ("floor",),
    "inpaints": ("inpaint_ae_skip", "inpaint_ambient"),
    "compositions": ("paste", "deconstruct_learned", "classic"),
    "arms": ("ten", "ten_standard", "paste", "warm_ten", "warm_paste", "all"),
}


def few_experiments(path: Path) -> None:
    """Scale smoke; one experiment and its continuation for the other product; all kinds of compositions and arms.

    The GAN of objects hardly learns, which takes half a minute: no composition is left that draws with it.
    """
    yaml = YAML()
    params = yaml.load(path)
    params["scale"] = "smoke"
    for table, names in KEPT.items():
        params[table] = {name: params[table][name] for name in names}
    params["scales"]["smoke"]["objects"]["most_steps"] = 20
    params["study"] |= {
        "arms": ["ten_standard", "paste", "warm_ten"],
        "curve": ["ten_standard"],
        "choices": [],
        "chosen": [],
    }
    path.write_text(settings.written(params))


def fresh(folder: Path) -> Path:
    """Make a checkout of this working tree at scale smoke, committed, with a DVC cache of its own."""
    listed = run(ROOT, "git", "ls-files", "--cached", "--others", "--exclude-standard").stdout.splitlines()
    for path in listed:
        made = path.startswith("reports/") and not path.startswith("reports/benchmarks/")
        made &= not path.endswith(".gitkeep")
        if (ROOT / path).is_file() and not made and path != "dvc.lock":
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, target)
    few_experiments(folder / "params.yaml")
    for arguments in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "Start")):
        run(folder, "git", *arguments)
    return folder


def run(folder: Path, *arguments: str, ok: bool = True) -> subprocess.CompletedProcess:
    """Run a command in a checkout, with this environment's programs and the checkout's code."""
    done = subprocess.run(arguments, cwd=folder, env=environment(folder), capture_output=True, text=True)
    assert done.returncode == 0 or not ok, f"{' '.join(arguments)}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done


def flow(checkout: Path, server: dict[str, str], code: str, **more: str) -> subprocess.Popen:
    """A process that runs a flow as a worker would, in a session of its own."""
    environ = environment(ROOT) | server | more
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=checkout, env=environ, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def environment(folder: Path) -> dict[str, str]:
    return os.environ | {
        "PYTHONPATH": str(folder),
        "DVC_NO_ANALYTICS": "1",
        "GIT_AUTHOR_NAME": "Tester",
        "GIT_AUTHOR_EMAIL": "tester@example.org",
        "GIT_COMMITTER_NAME": "Tester",
        "GIT_COMMITTER_EMAIL": "tester@example.org",
    }


def cold() -> str:
    """Return PATH as it is without a warm process."""
    return os.pathsep.join(p for p in os.environ["PATH"].split(os.pathsep) if p != os.environ.get(warm.MARK))


def becomes(true: Callable[[], bool], seconds: float) -> bool:
    """Return whether something comes true in time."""
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.1)
    return true()
