"""The main job on the built-in bins world at scale demo: a tested detector and a first GAN's candidates, in short."""

from __future__ import annotations

import subprocess
import sys
import time

from stages import command, files, paths, settings
from stages.problem import Problem

CORE = ["detector_test", "gan_sample@wgan_ten"]
COLLECTORS = ["gan_compare"]  # they show what has run; alone, because they depend on every experiment


def main() -> None:
    params = settings.load()
    for key, value, wanted in (("scale", params.scale, "demo"), ("dataset.source", params.dataset.source, "bins")):
        if value != wanted:
            raise Problem(f"params.yaml: {key}: {value}; the demo runs {wanted} (for what is there: make repro)")
    started = time.monotonic()
    for targets in (CORE, ["-s", *COLLECTORS]):
        if code := subprocess.run(["dvc", "repro", *targets]).returncode:
            sys.exit(code)
    test = files.read_json(paths.METRICS / "detector_test.json")
    print(
        f"\nThe detector finds {test['found']} of {test['present']} objects on {test['images']} test images "
        f"it never saw, {100 * test['certainty']:.1f} % sure on average.\n"
        f"mAP50 {test['map50']:.3f} (95 % interval {test['map50_low']:.3f} to {test['map50_high']:.3f}), "
        f"mAP50-95 {test['map50_95']:.3f} ({test['map50_95_low']:.3f} to {test['map50_95_high']:.3f}); "
        f"{time.monotonic() - started:.0f} seconds.\n"
        f"Look at {paths.REPORTS}/health.html, {paths.PLOTS}/detector_test/contact_sheet.jpg, and at what a GAN makes "
        f"of ten images: {paths.REPORTS}/gan.html."
    )


if __name__ == "__main__":
    command.run(main, __doc__)
