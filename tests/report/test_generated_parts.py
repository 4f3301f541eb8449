import numpy as np
import pandas as pd
import pytest

from stages import files, paths
from stages.dataset import photo
from stages.report import generated_parts


def test_nothing_is_said_of_models_that_were_not_trained(tmp_path, monkeypatch, params):
    monkeypatch.chdir(tmp_path)
    assert generated_parts.section(params) == []


@pytest.mark.parametrize(("best", "word"), [(25.0, "beats"), (20.0, "does not beat")])
def test_pictures_and_whether_a_network_beats_what_has_learnt_nothing(tmp_path, monkeypatch, params, best, word):
    monkeypatch.chdir(tmp_path)
    for path in ("texture/floor.jpg", "objects/object_gan.jpg", "inpaint_compare/sides.jpg"):
        photo.save(paths.PLOTS / path, np.zeros((20, 40, 3), np.uint8))
    scores = pd.DataFrame({"network": ["telea", "inpaint_ae", "inpaint_gan"], "psnr": [23.0, 19.0, best]})
    files.write(paths.PLOTS / "inpaint_compare" / "scores.csv", scores.to_csv(index=False))
    text = "\n".join(generated_parts.section(params))
    assert text.count("<img") == 3
    assert f"inpaint_gan, {word} the classical filling (telea): {best:.1f} against 23.0 dB" in text
    for heading in ("Floors", "Objects", "What lay under an object"):
        assert f"<h3>{heading}</h3>" in text
