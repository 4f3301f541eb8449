"""The whole loop on the built-in bins world at scale demo, in short: does it help?

A detector of all products, a GAN pretrained on other products and fine-tuned on ten images, candidates drawn and
composed, a verdict on each, and what is accepted as training data for a few detectors, tested on real images. One seed
and few steps: the answer is indicative. `make repro` and `make evidence` give the one that counts.
"""

from __future__ import annotations

import time
from pathlib import Path

from flows import checkout_lock, password, run_progress
from flows.reproduce import reproduce
from stages import command, files, paths, provenance, settings
from stages.evidence import first_look
from stages.problem import Problem
from stages.report import answer, first_sight, index

FIRST = ["compose@paste"]
CORE = ["detector_test", "verdicts@wgan_pretrained_ten", "accepted_composed@paste", "subset"]


def main() -> None:
    params = settings.load()
    for key, value, wanted in (("scale", params.scale, "demo"), ("dataset.source", params.dataset.source, "bins")):
        if value != wanted:
            raise Problem(f"params.yaml: {key}: {value}; the demo runs {wanted} (for what is there: make repro)")
    started = time.monotonic()
    with password.temporary(), run_progress.looked_at():
        reproduce(targets=FIRST, slots=provenance.cores())
        print(f"The first pictures, photographs above composed ones: {first_sight.make('ten', 'paste')}")
        reproduce(targets=CORE, slots=provenance.cores())
    print("Training a detector in each of a few ways:")
    with checkout_lock.alone(Path.cwd()):
        first_look.main()
        index.main()
    found = files.read_json(first_look.RESULT)
    print("\nIndicative, with one seed and few steps (docs/evidence.md has the answer that counts):")
    for line in answer.sentences(found["focus"], params.arms, params):
        print(line)
    print(f"{(time.monotonic() - started) / 60:.0f} minutes. The report, to be opened in a browser: {index.REPORT}")
    print(f"The detector of composed pictures, {first_look.DETECTOR}; to see what it finds: .venv/bin/yolo predict "
          f"model={first_look.DETECTOR} imgsz={params.now.evidence.imgsz} "
          f"source={paths.SOURCE_IMAGES / params.group('focus')}")  # fmt: skip


if __name__ == "__main__":
    command.run(main, __doc__)
