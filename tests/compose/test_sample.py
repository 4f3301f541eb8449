import shutil

import numpy as np
import pandas as pd
import pytest

from stages import paths
from stages.compose import sample
from stages.dataset import coco, photo
from stages.inpaint import train as inpaint
from stages.texture import train as texture
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def project(tmp_path_factory, bins):
    """Ten images of one product of the bins world as a subset, smoke's settings, a texture and a network that fills."""
    folder = tmp_path_factory.mktemp("compose")
    text = (ROOT / "params.yaml").read_text().replace("scale: demo", "scale: smoke", 1)
    (folder / "params.yaml").write_text(text)
    dataset = coco.read(bins / "annotations.json")
    chosen = coco.subset(dataset, [i.id for i in dataset.images if i.file_name.startswith("tube_mint/")][:10])
    for image in chosen.images:
        target = folder / paths.SUBSETS / "ten" / "images" / image.file_name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(bins / "images" / image.file_name, target)
    coco.write(folder / paths.SUBSETS / "ten" / "annotations.json", chosen)
    shutil.copytree(folder / paths.SUBSETS / "ten", folder / paths.SUBSETS / "rest")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        texture.main("floor")
        inpaint.main("inpaint_ae_skip")
    return folder


@pytest.mark.parametrize("experiment", ["paste", "classic", "paste_textured", "paste_emptied"])
def test_candidates_with_exact_labels_each_made_again_from_its_row(project, monkeypatch, experiment, capsys):
    monkeypatch.chdir(project)
    sample.main(experiment)
    folder = paths.CANDIDATES / experiment
    rows = pd.read_csv(folder / "manifest.csv", keep_default_na=False).to_dict("records")
    dataset = coco.read(folder / "annotations.json")
    coco.check(dataset, folder / "annotations.json")
    labels = coco.by_image(dataset)
    assert len(rows) == len(dataset.images) == 6
    for row, image in zip(rows, dataset.images, strict=True):
        pixels = photo.load(folder / image.file_name, image.width, image.height)
        made, objects = sample.make(row)
        assert np.array_equal(made, pixels)
        assert len(objects) == len(labels[image.id])
        for (category, mask), annotation in zip(objects, labels[image.id], strict=True):
            assert annotation.category_id == category
            assert np.array_equal(coco.mask(annotation, image.width, image.height).astype(bool), mask)
            x, y, w, h = annotation.bbox
            ys, xs = np.nonzero(mask)
            assert (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1) == (x, y, x + w, y + h)
    assert ("objects that stand alone" in capsys.readouterr().out) == (experiment != "classic")
    learnt_from = {"paste_emptied": "data/subsets/ten;data/subsets/rest"}.get(experiment, "data/subsets/ten")
    assert {row["parents"] for row in rows} == {learnt_from}
