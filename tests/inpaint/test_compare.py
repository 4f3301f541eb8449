import numpy as np
import pandas as pd
import pytest

from stages import files, paths, settings
from stages.dataset import photo
from stages.inpaint import compare

NAMES = ["telea", "inpaint_ae_skip", "inpaint_ambient"]  # the others have not been trained


def test_all_ways_side_by_side(project):
    compare.main()
    metrics = files.read_json(paths.METRICS / "inpaint.json")
    assert set(metrics) == {
        *(f"{name}_{metric}" for name in NAMES for metric in ("dice", "jaccard", "cosine", "ssim", "psnr")),
        *(f"{name}_{fact}" for name in NAMES[1:] for fact in ("steps", "best_step", "held_out")),
    }
    assert all(isinstance(value, int | float) for value in metrics.values())
    table = pd.read_csv(compare.PLOTS / "scores.csv", index_col="network")
    assert list(table.index) == NAMES
    assert table.loc["telea", "psnr"] == metrics["telea_psnr"]
    picture = photo.read(compare.PLOTS / "sides.jpg")
    assert picture.shape[1] == (len(NAMES) + 2) * (compare.TILE + 6) - 6
    before = files.fingerprint(compare.PLOTS)
    compare.main()
    assert files.fingerprint(compare.PLOTS) == before


def test_no_image_of_the_product_and_none_that_a_network_saw(project):
    params = settings.load()
    tried = compare.cases(params)
    split = files.read_json(paths.SPLIT)
    images = {image["id"]: image["file_name"] for image in files.read_json(paths.ANNOTATIONS)["images"]}
    others = [paths.SOURCE_IMAGES / images[id_] for id_ in split["val"] if not images[id_].startswith("tube_mint")]
    truths = [photo.read(path) for path in others]
    assert len(tried) == len(truths) > 3
    assert all(any(np.array_equal(case.truth, truth) for truth in truths) for case in tried)
    assert all(case.hole.any() and not case.masked[case.hole].any() for case in tried)


def test_the_truth_itself_has_the_best_of_all_scores(project):
    tried = compare.cases(settings.load())[:3]
    best = compare.score(tried, [case.truth for case in tried])
    assert best == pytest.approx({"dice": 1, "jaccard": 1, "cosine": 1, "ssim": 1, "psnr": 80}, abs=1e-3)
    empty = compare.score(tried, [case.masked for case in tried])
    assert all(empty[name] < best[name] for name in best)


def test_without_another_product_there_is_nothing_to_compare_on(project, capsys):
    files.write_json(paths.SPLIT, {"train": [], "val": [], "test": []})
    compare.main()
    assert "nothing to compare" in capsys.readouterr().out
    assert "telea_psnr" not in files.read_json(paths.METRICS / "inpaint.json")
