"""What this machine has, in ten lines, and what is missing."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
import time
from pathlib import Path

from stages import command, dvc_listing, files, gpu, paths, provenance, settings
from stages.problem import Problem

PACKAGES = ("torch", "torchvision", "ultralytics-opencv-headless", "dvc", "prefect", "pycocotools", "albumentations")
NEEDS = paths.REPORTS / "benchmarks" / "scale_needs.json"  # what benchmarks/scale_needs.py has counted


def main() -> None:
    try:
        params: settings.Settings | None = settings.load()
        said = f"scale {params.scale}, source {params.dataset.source}"
    except Problem as problem:
        params, said = None, f"cannot be used: {problem}"
    lines = [
        ("machine", f"{platform.system()} {platform.machine()}, {provenance.cores()} cores, {_memory()}"),
        ("python", _python()),
        ("packages", _packages()),
        ("gpu", _gpu()),
        ("disk", _disk(params.scale if params else "demo")),
        ("settings", said),
        ("commit", _said("git", "log", "-1", "--format=%h %s") or "none: `dvc exp run` and diffs need one"),
        ("remote", " ".join(_said("dvc", "remote", "list").split()) or "none: see docs/operating.md, 'Sharing data'"),
        ("locks", _locks()),
        ("last run", _last_run()),
    ]
    for name, text in lines:
        print(f"{name:<9} {text}")


def _memory() -> str:
    pages, free = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_AVPHYS_PAGES")
    size = os.sysconf("SC_PAGE_SIZE") / 2**30
    return f"{pages * size:.0f} GB memory, {free * size:.0f} free"


def _python() -> str:
    version = platform.python_version()
    fits = (3, 11) <= tuple(int(p) for p in version.split(".")[:2]) <= (3, 12)
    return version if fits else f"{version} MISSING: 3.11 or 3.12"


def _packages() -> str:
    def version(name: str) -> str:
        try:
            return f"{name.removesuffix('-opencv-headless')} {importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            return f"{name} MISSING (make setup)"

    return ", ".join(version(name) for name in PACKAGES)


def _gpu() -> str:
    asked = "--query-gpu=name,memory.total,driver_version,compute_cap"
    found = [_card(line.split(", ")) for line in _said("nvidia-smi", asked, "--format=csv,noheader").splitlines()]
    return "; ".join(found) or "none; smoke and demo need none, thesis would take weeks"


def _card(facts: list[str]) -> str:
    """Return a line about a GPU, by what the driver says of it."""
    name, memory, driver, capability = facts
    major, _, minor = capability.partition(".")
    lacks = [gpu.shortcoming((int(major), int(minor)))]
    if int(driver.partition(".")[0]) < gpu.DRIVER:
        lacks.append(f"driver TOO OLD for this torch, which needs {gpu.DRIVER}")
    return ", ".join([name, memory, f"driver {driver}", *filter(None, lacks)])


def _disk(scale: str) -> str:
    free, wanted = shutil.disk_usage(".").free / 1e9, files.read_json(NEEDS)["figures"].get(f"{scale}_disk_gb")
    if wanted is None:  # a scale of the user's own
        return f"{free:.0f} GB free; nobody has counted what scale {scale} leaves"
    return f"{free:.0f} GB free" + (
        "" if free > wanted else f", TOO LITTLE: scale {scale} leaves {wanted:.0f} with DVC's cache"
    )


def _locks() -> str:
    """Return DVC's and our own locks that a dead process may have left."""
    try:
        listed = dvc_listing.held(dvc_listing.LISTING)
    except ValueError:
        return f"{dvc_listing.LISTING} is half written, as after a kill; the next run through `make` mends it"
    held = [f"{one.path} by {'running' if one.running else 'DEAD'} process {one.process}" for one in listed]
    begun = {path.parent for name in ("state.pt", "lock") for path in paths.CHECKPOINTS.rglob(name)}
    resumable = sorted(str(folder.relative_to(paths.CHECKPOINTS)) for folder in begun)
    text = "; ".join(held[:3]) if held else "none"
    return text + (f"; resumable training in {paths.CHECKPOINTS}: {', '.join(resumable)}" if resumable else "")


def _last_run() -> str:
    lock = Path("dvc.lock")
    if not lock.exists():
        return "never (make demo)"
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(lock.stat().st_mtime))
    metrics = paths.METRICS / "detector_test.json"
    test = files.read_json(metrics) if metrics.exists() else {}
    if not test:
        return f"{when}, without a tested detector"
    return f"{when}, detector found {test['found']} of {test['present']}, mAP50 {test['map50']:.3f}"


def _said(*arguments: str) -> str:
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=30)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


if __name__ == "__main__":
    command.run(main, __doc__)
