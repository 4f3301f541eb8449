"""A project in which the gate has spoken, with detectors that have learnt nothing, and classes of awkward names."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from stages import files, paths, settings
from stages.dataset import coco, split
from tests.helpers import projects, small_detector
from tests.helpers.decided import NAMES, decide

INTERVAL = {"value": 0.5, "low": 0.4, "high": 0.6}
AGAINST = INTERVAL | {"p": 0.01, "corrected": 0.01, "word": "helps", "least": 0.1}


@pytest.fixture(scope="session")
def decided(bins, tmp_path_factory) -> Path:
    """A folder at scale smoke: dataset, split, subset, two arms, the old detector, what evidence and gate leave."""
    folder = tmp_path_factory.mktemp("product")
    projects.smoke(folder)
    shutil.copytree(bins, folder / paths.SOURCE)
    dataset = coco.read(bins / "annotations.json")
    for category in dataset.categories:
        category.name = NAMES.get(category.name, category.name)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        params = settings.load()
        coco.write(paths.ANNOTATIONS, dataset)
        files.write_json(paths.NEAR_DUPLICATES, [])
        places = split.draw(dataset, {}, [], params.split, 0)
        parts = {part: sorted(i for i, (p, _) in places.items() if p == part) for part in split.PARTS}
        files.write_json(paths.SPLIT, parts)
        projects.subset(bins, "tube_mint", 10, paths.SUBSETS / "ten")
        shutil.copytree(paths.SUBSETS / "ten", paths.ACCEPTED / "paste")
        accepted = files.read_json(paths.ACCEPTED / "paste" / "annotations.json")
        for image in accepted["images"]:
            image["lineage"] = {"parents": "data/subsets/ten"}
        files.write_json(paths.ACCEPTED / "paste" / "annotations.json", accepted)
        for picture in (paths.ACCEPTED / "paste" / "images").rglob("*.png"):
            picture.rename(paths.ACCEPTED / "paste" / "images" / picture.name)
        names = tuple(coco.class_names(dataset))
        for seed, name in enumerate(("known/last", "ten_standard/0", "paste/0", "paste/1")):
            small_detector.write(paths.DETECTORS / "focus" / f"{name}.pt", names, seed)
        files.write_json(paths.DETECTORS / "focus" / "known" / "images.json", {"train": parts["train"][-5:]})
        counts = {
            "ten_standard": {"data/subsets/ten": 10},
            "paste": {"data/subsets/ten": 10, "data/accepted/paste": 10},
        }
        for name, images in counts.items():
            files.write_json(paths.DETECTORS / "focus" / name / "run.json", {"images": images, "steps": 12})
        arms = {name: {"map50_95": 0.5, "low": 0.4, "high": 0.6, "seeds": [0.5, 0.5], "run": {"images": images},
                       "against": {"ten_standard": AGAINST}} for name, images in counts.items()}  # fmt: skip
        decision = {"include_fakes": 1, "include_fakes_why": "they help", "promote_product": 1,
                    "promote_product_why": "paste is <b>best</b>", "chosen": "paste", "detector_before": 1}  # fmt: skip
        roles = {"few": None, "baseline": "ten_standard", "ceiling": None}
        files.write_json(paths.EVIDENCE / "results.json", {"focus": {
            "group": "tube_mint", "test_images": 7, "roles": roles, "arms": arms, "gate": decision,
        }})  # fmt: skip
        files.write_json(paths.GATE / "folds.json", {})
        decide(params, decision)
    return folder


@pytest.fixture
def project(decided, tmp_path, monkeypatch) -> Path:
    """A copy of it to work in."""
    return projects.entered(decided, tmp_path, monkeypatch)


@pytest.fixture(scope="session")
def built(decided, tmp_path_factory) -> Path:
    """A copy of it in which the product has been built."""
    from stages.product import build

    folder = tmp_path_factory.mktemp("built") / "project"
    shutil.copytree(decided, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        build.main()
    return folder
