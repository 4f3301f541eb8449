import re
import shutil

import msgspec
import numpy as np
import pytest
from PIL import Image

from stages import files, paths
from stages.dataset import coco, health, photo
from stages.problem import Problem
from tests.helpers.checkouts import ROOT


def settle(tmp_path, monkeypatch, fixes=(), few=0):
    """Make tmp_path a project whose data/source was put there, with these fixes declared."""
    lines = "\n".join(f"  - {fix}" for fix in fixes)
    text = (ROOT / "params.yaml").read_text().replace("\nscale: demo\n", "\nscale: smoke\n")
    start, end = text.index("  fixes:\n"), text.index("\nsplit:")
    text = text[:start] + (f"  fixes:\n{lines}\n" if fixes else "  fixes: []\n") + text[end:]
    text = text.replace("few_instances: 10", f"few_instances: {few}")
    (tmp_path / "params.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)


def source(tmp_path, annotations):
    (tmp_path / "data" / "source").mkdir(parents=True)
    (tmp_path / "images").rename(tmp_path / paths.SOURCE_IMAGES)
    annotations.rename(tmp_path / paths.SOURCE_ANNOTATIONS)


def found(kind=None):
    report = files.read_json(health.REPORT)
    return [f for f in report["findings"] if kind in (None, f["kind"])]


def test_the_bins_faults_are_found_fixed_and_recorded(tmp_path, monkeypatch, bins):
    shutil.copytree(bins, tmp_path / "data" / "source")
    settle(tmp_path, monkeypatch, ["{do: reclassify, image: 40006, to: 3}"], few=10)
    health.main()
    strangers = {f["images"][0]: (len(f["annotations"]), f["fixed"]) for f in found("class_against_group")}
    assert strangers == {40006: (6, True), 90003: (1, False)}
    assert [(f["says"][:12], f["fixed"]) for f in found("under_represented")] == [
        ("E: 7 objects", True),
        ("E: 1 objects", False),
    ]
    report = files.read_json(health.REPORT)
    assert report["fixes"] == [{"do": "reclassify", "image": 40006, "annotation": None, "to": 3, "changed": 6}]
    corrected = coco.read(paths.ANNOTATIONS)
    assert {a.category_id for a in corrected.annotations if a.image_id == 40006} == {3}
    assert report["classes"]["E"] == 1
    page = health.REPORT.with_suffix(".html").read_text()
    assert "40006" in page
    assert not re.search(r"(src|href)=\"(?!data:|#)|url\((?!#)", page)  # nothing is fetched


def test_no_class_of_many_is_a_stranger_in_its_group(tmp_path, monkeypatch, hand):
    categories = [(f"part {number}", number) for number in range(1, 13)]
    objects = [{"bbox": [5, 5, 10, 10], "category_id": number} for _, number in categories]
    source(tmp_path, hand([("g/a.png", 60, 40)], objects, categories=tuple(categories)))
    settle(tmp_path, monkeypatch)
    health.main()
    assert found("class_against_group") == []


def test_every_fault_has_its_finding(tmp_path, monkeypatch, hand):
    annotations = hand(
        [("g/a.png", 60, 40), ("g/b.png", 60, 40), ("g/c.png", 60, 40), ("g/d.png", 60, 40), ("g/e.png", 60, 40)],
        [
            {"bbox": [5, 5, 10, 10]},
            {"bbox": [5, 5, 0, 10], "image_id": 2},
            {"bbox": [50, 30, 20, 20], "image_id": 2},
            {"bbox": [5, 5, -3, 10], "image_id": 3},
            {"bbox": [5, 5, 9, 9], "image_id": 77},
            {"bbox": [50, 30, 20, 20], "image_id": 3, "iscrowd": 1},
        ],
        categories=(("thing", 1), ("never", 2)),
    )
    images = tmp_path / "images" / "g"
    shutil.copy(images / "a.png", images / "c.png")
    pixels = np.asarray(Image.open(images / "a.png")).astype(int) + 1
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(images / "d.png")
    exif = Image.Exif()
    exif[photo.ORIENTATION] = 3
    Image.open(images / "e.png").save(images / "e.png", exif=exif)
    source(tmp_path, annotations)
    settle(tmp_path, monkeypatch, few=1)
    health.main()
    kinds = {(f["kind"], tuple(f["images"]), tuple(f["annotations"])) for f in found()}
    assert kinds == {
        ("orphan", (), (5,)),
        ("under_represented", (), ()),
        ("empty_box", (2,), (2,)),
        ("empty_box", (3,), (4,)),
        ("crowd", (3,), (6,)),
        ("out_of_bounds", (2,), (3,)),
        ("no_annotations", (4,), ()),
        ("no_annotations", (5,), ()),
        ("turned", (5,), ()),
        ("duplicate", (1, 3), ()),
        ("near_duplicate", (1, 3, 4), ()),
    }
    assert len(coco.read(paths.ANNOTATIONS).annotations) == 5
    assert files.read_json(paths.NEAR_DUPLICATES) == [[1, 3, 4]]


def test_an_unusable_picture_stops_the_stage_after_the_report_until_it_is_dropped(tmp_path, monkeypatch, hand):
    annotations = hand([("a.png", 60, 40), ("b.png", 60, 40)], [{"bbox": [5, 5, 9, 9]}])
    whole = (tmp_path / "images" / "b.png").read_bytes()
    (tmp_path / "images" / "b.png").write_bytes(whole[: len(whole) // 2])
    source(tmp_path, annotations)
    settle(tmp_path, monkeypatch)
    with pytest.raises(Problem, match=r"image 2: .*b\.png.*do: drop, image: 2"):
        health.main()
    assert [f["images"] for f in found("unreadable")] == [[2]]
    assert not paths.HEALTH.exists()
    settle(tmp_path, monkeypatch, ["{do: drop, image: 2}"])
    health.main()
    assert [f["fixed"] for f in found("unreadable")] == [True]
    assert [i.id for i in coco.read(paths.ANNOTATIONS).images] == [1]


def test_a_dataset_of_one_picture_without_objects_is_healthy_enough(tmp_path, monkeypatch, hand, params):
    source(tmp_path, hand([("a.png", 60, 40)], []))
    settle(tmp_path, monkeypatch)
    health.main()
    assert [f["kind"] for f in found()] == ["no_annotations"]
    assert msgspec.json.decode(health.REPORT.read_bytes())["annotations"] == 0


def test_any_class_name_and_any_box_can_be_shown(tmp_path, monkeypatch, hand):
    names = (("coin_$1_$2", 1), ("x" * 5000, 2), ("two\nlines", 3))
    boxes = [[-1e300, 5, 1e308, 9], [5, 5, 1e300, 1e308], [1e15, 1e15, 5, 5], [5, 5, 9, 9]]
    source(tmp_path, hand([("g/a.png", 60, 40)], [{"bbox": box} for box in boxes], names))
    settle(tmp_path, monkeypatch)
    health.main()
    assert {f["kind"]: f["annotations"] for f in found()}["out_of_bounds"] == [2]
    assert "coin_$1_$2" in health.REPORT.with_suffix(".html").read_text()


def test_an_object_that_is_annotated_twice_counts_once(tmp_path, monkeypatch, hand):
    box, same, other = ({"bbox": [5, 5, 9, 9]}, {"bbox": [5, 5, 9, 9]}, {"bbox": [5, 5, 9, 9], "category_id": 2})
    source(tmp_path, hand([("a.png", 60, 40)], [box, same, other], (("thing", 1), ("part", 2))))
    settle(tmp_path, monkeypatch)
    health.main()
    assert [(f["annotations"], f["fixed"]) for f in found("double")] == [([1, 2], True)]
    assert [a.id for a in coco.read(paths.ANNOTATIONS).annotations] == [1, 3]


def test_an_outline_that_is_not_where_its_box_is_is_found(tmp_path, monkeypatch, hand):
    outlines = {
        "its own": [[5, 5, 25, 5, 25, 25, 5, 25]],
        "elsewhere": [[30, 5, 50, 5, 50, 25, 30, 25]],
        "shares": [[0.1, 0.1, 0.4, 0.1, 0.4, 0.4]],
        "unreadable": {"size": [40, 60], "counts": [1, 2]},
        "larger": [[3, 3, 27, 3, 27, 27, 3, 27]],
        "outside": [[70, 5, 90, 5, 90, 25]],
        "none": [],
    }
    objects = [{"bbox": [5, 5, 20, 20], "segmentation": of} for of in outlines.values()]
    counts = [40 * 5 + 5, 2, 38, 2, 40 * 60 - (40 * 6 + 7)]  # four pixels, whose middles are one pixel apart
    objects += [{"bbox": [5, 5, 2, 2], "segmentation": {"size": [40, 60], "counts": counts}}]
    classes = tuple((f"thing {k}", k) for k in range(1, len(objects) + 1))  # so that none is there twice
    objects = [of | {"category_id": k} for k, of in enumerate(objects, 1)]
    source(tmp_path, hand([("a.png", 60, 40)], objects, classes))
    settle(tmp_path, monkeypatch)
    health.main()
    assert [f["annotations"] for f in found("outline")] == [[2], [3], [4]]
    says = [f["says"] for f in found("outline")]
    assert says[0] == "an outline of 20.0 × 20.0 at 30.0, 5.0, a box of 20.0 × 20.0 at 5.0, 5.0"
    assert says[2].startswith("annotation 4: its segmentation cannot be read")
