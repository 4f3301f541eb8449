import numpy as np
import pandas as pd
import pytest

from stages import files, paths, tables
from stages.dataset import photo
from stages.judge import detect_fakes
from tests.helpers import projects, small_detector


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with candidates of one experiment, of which the second is green."""
    projects.smoke(tmp_path)
    monkeypatch.chdir(tmp_path)
    small_detector.write(paths.DETECTORS / "baseline" / "best.pt")
    row = {"step": 40, "parents": "data/subsets/ten", "boxes": "", "frame_width": 96, "frame_height": 54}
    rows = [{"id": f"wgan_ten_{k}"} | row for k in range(4)]
    for k, row in enumerate(rows):
        photo.save(paths.CANDIDATES / "wgan_ten" / f"{row['id']}.png", small_detector.noise(32, 32, k))
    tables.write(paths.CANDIDATES / "wgan_ten" / "manifest.csv", pd.DataFrame(rows))
    judged = [{"id": row["id"], "verdict": "green" if k == 1 else "red"} for k, row in enumerate(rows)]
    tables.write(paths.VERDICTS / "wgan_ten.csv", pd.DataFrame(judged[::-1]))  # in an order of its own


def test_every_candidate_and_the_green_ones_apart(project):
    detect_fakes.main()
    said = files.read_json(paths.METRICS / "detect_fakes.json")
    assert (said["wgan_ten_pictures"], said["wgan_ten_green_pictures"]) == (4, 1)
    assert 0 < said["wgan_ten_green_found"] < said["wgan_ten_found"]
    assert 0.25 <= said["wgan_ten_certainty"] <= 1
    green = paths.CANDIDATES / "wgan_ten" / "wgan_ten_1.png"
    (alone,) = detect_fakes.confidences(paths.DETECTORS / "baseline" / "best.pt", [green], [(96, 54)], 128, 0.25)
    assert said["wgan_ten_green_found"] == len(alone)
    assert said["wgan_ten_green_certainty"] == pytest.approx(alone.mean(), abs=1e-3)
    assert not any(name.startswith("wgan_twenty") for name in said)  # not run


def test_no_object_has_no_certainty():
    assert detect_fakes.summary("a", [np.empty(0)]) == {"a_pictures": 1, "a_found": 0}
    assert detect_fakes.summary("a", []) == {"a_pictures": 0, "a_found": 0}
