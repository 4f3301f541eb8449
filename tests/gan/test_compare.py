import re
import shutil

from PIL import Image

from stages import files, paths, settings
from stages.gan import compare
from tests.helpers.checkouts import ROOT

EXPERIMENTS = settings.load(ROOT / "params.yaml").experiments


def test_it_shows_what_has_run_and_lists_what_has_not(project):
    compare.main()
    ran = ("wgan_ten", "wgan_transfer", "size_1")
    assert files.read_json(paths.METRICS / "gan.json") == {
        f"{name}_{figure}": value for name in ran for figure, value in (("steps", 40), ("collapsed", 0))
    }
    html = compare.REPORT.read_text()
    assert re.findall(r"<h2 id='(\w+)'", html) == ["wgan_ten", "wgan_transfer", "size_1"]
    assert len(re.findall(r"<img ", html)) == 9 and len(re.findall(r"<svg ", html)) == 3
    assert html.count("not run") == len(EXPERIMENTS) - 3
    assert not re.search(r'(src|href)="(?!data:|#)', html)
    with Image.open(compare.OVERVIEW) as picture:
        assert picture.size == (190 + 10 * compare.TILE, 3 * compare.TILE)


def test_an_experiment_that_params_no_longer_names_is_left_out(project):
    shutil.copytree(paths.GANS / "wgan_ten", paths.GANS / "old_one")
    compare.main()
    assert "old_one" not in compare.REPORT.read_text()


def test_nothing_has_run(project):
    shutil.rmtree(paths.GANS)
    compare.main()
    assert files.read_json(paths.METRICS / "gan.json") == {}
    assert compare.REPORT.read_text().count("not run") == len(EXPERIMENTS)
