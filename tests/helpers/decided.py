"""What the gate leaves in a project of small detectors, whose classes have awkward names."""

from __future__ import annotations

from stages import files, paths, settings
from stages.dataset import coco
from stages.evidence import look_at_unseen, unseen_results
from stages.evidence.arm_roles import OLD
from stages.evidence.decision import put_to_use

NAMES = {"T": "<script>alert(1)</script>", "B": "瓶"}


def decide(params: settings.Settings, decision: dict) -> None:
    """Leave what the gate leaves after a decision."""
    files.write_json(paths.METRICS / "gate.json", decision)
    name = put_to_use(decision)
    weights = paths.DETECTORS / "focus" / ("known/last.pt" if name == OLD else f"{name}/0.pt")
    seen = look_at_unseen.unseen(name, "focus", weights, {}, params)
    files.write_json(paths.GATE / "unseen.json", files.rounded(unseen_results.written(seen)))


def without_tests(group: str) -> None:
    """Take the test and validation images of a group out of the split."""
    parts = files.read_json(paths.SPLIT)
    images = coco.read(paths.ANNOTATIONS, masks=False).images
    mine = {image.id for image in images if image.file_name.startswith(f"{group}/")}
    files.write_json(paths.SPLIT, {part: [i for i in ids if part == "train" or i not in mine] for part, ids in
                                   parts.items()})  # fmt: skip
