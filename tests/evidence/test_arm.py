from pathlib import Path

import pytest
from msgspec.structs import replace

from stages import files, left_out, paths, settings
from stages.evidence import arm
from tests.helpers import projects


def folder(place: Path, images: int) -> Path:
    files.write_json(place / "annotations.json", {"images": [{"id": k} for k in range(images)]})
    return place


@pytest.mark.parametrize(
    ("fakes", "labelled", "known", "shares"),
    [
        ([], 0, False, [1.0]),
        ([1500], 0, False, [0.4, 0.6]),
        ([3], 0, False, [10 / 13, 3 / 13]),  # as often as real ones
        ([2, 3], 0, False, [10 / 15, 5 / 15]),
        ([300], 90, False, [0.4, 0.6]),
        ([20], 90, False, [100 / 120, 20 / 120]),
        ([1500], 0, True, [0.2, 0.3, 0.5]),
    ],
)
def test_few_fakes_are_seen_no_more_often_than_real_images(tmp_path, params, fakes, labelled, known, shares):
    rule = replace(params.evidence, real=0.4, known=0.5)
    made = [folder(tmp_path / f"fakes_{k}", count) for k, count in enumerate(fakes)]
    more = folder(tmp_path / "labelled", labelled) if labelled else None
    found = arm.parts(folder(tmp_path / "real", 10), more, made, 150, tmp_path if known else None, rule)
    assert [part.share for part in found] == pytest.approx(shares)


def test_of_fakes_the_ratio_is_what_counts(tmp_path, params):
    made = folder(tmp_path / "fakes", 300)
    found = arm.parts(folder(tmp_path / "real", 10), None, [made], 1, None, replace(params.evidence, real=0.1))
    assert [part.share for part in found] == [0.5, 0.5] and found[1].most == 10


def test_an_arm_to_skip_leaves_a_note_and_no_detector(tmp_path, monkeypatch):
    projects.smoke(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert settings.load().arms["mosaic"].skip
    arm.main("mosaic")
    place = paths.DETECTORS / "focus" / "mosaic"
    assert left_out.why(place) == arm.SKIPPED and not list(place.glob("*.pt"))
