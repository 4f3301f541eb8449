import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from stages import paths
from stages.compose import candidates, classic, paste
from stages.dataset import coco, photo, segmentation
from tests.helpers.checkouts import ROOT, environment


@pytest.mark.parametrize("name", ["paste", "paste_alone", "classic", "paste_textured", "paste_emptied"])
def test_candidates_with_exact_labels_each_made_again_from_its_row(composing, name, capsys):
    composer = classic if name == "classic" else paste
    candidates.compose(name, composer.rows, composer.make)
    folder = paths.CANDIDATES / name
    rows = pd.read_csv(folder / "manifest.csv", keep_default_na=False).to_dict("records")
    dataset = coco.read(folder / "annotations.json")
    coco.check(dataset, folder / "annotations.json")
    labels = coco.by_image(dataset)
    assert len(rows) == len(dataset.images) == (30 if name == "paste" else 6)
    for row, image in zip(rows, dataset.images, strict=True):
        pixels = photo.load(folder / image.file_name, image.width, image.height)
        made, objects = composer.make(row)
        assert np.array_equal(made, pixels)
        assert len(objects) == len(labels[image.id])
        for (category, mask), annotation in zip(objects, labels[image.id], strict=True):
            assert annotation.category_id == category
            assert np.array_equal(segmentation.mask(annotation, image.width, image.height).astype(bool), mask)
            x, y, w, h = annotation.bbox
            ys, xs = np.nonzero(mask)
            assert (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1) == (x, y, x + w, y + h)
    assert ("whole objects" in capsys.readouterr().out) == (name != "classic")
    of = {"classic": [], "paste_alone": [], "paste_emptied": ["but_focus", "rest"]}.get(name, ["but_focus"])
    assert {row["parents"] for row in rows} == {";".join(f"data/subsets/{subset}" for subset in ("ten", *of))}


def what_it_may_use(row):
    import cv2
    import torch

    from stages import gpu

    assert torch.get_num_threads() == cv2.getNumThreads() == 1 and gpu.count() == 0
    return np.full((4, 5 if os.environ["CUDA_VISIBLE_DEVICES"] == "" else 6, 3), 9, np.uint8), []


def test_each_of_many_processes_keeps_to_its_core_and_off_the_gpu(tmp_path):
    rows = [{"id": str(number), "experiment": "any"} for number in range(3)]
    assert list(candidates._all(rows, what_it_may_use, tmp_path)) == 3 * [((5, 4), [])]


def test_composing_needs_no_torch_where_no_model_takes_part(composing):
    code = (
        "import sys\n"
        "from stages.compose import candidates, paste\n"
        "if __name__ == '__main__':\n"
        "    candidates.compose('paste', paste.rows, paste.make)\n"
        "    assert not {'torch', 'ultralytics', 'albumentations'} & sys.modules.keys()\n"
    )
    (composing / "compose.py").write_text(code)
    subprocess.run([sys.executable, "compose.py"], check=True, env=environment(ROOT))
    assert (paths.CANDIDATES / "paste" / "manifest.csv").exists()
