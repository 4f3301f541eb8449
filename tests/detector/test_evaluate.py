from stages import files, paths
from stages.dataset import coco
from stages.detector import evaluate
from stages.doctor import _last_run
from stages.report import index
from tests.helpers import small_detector
from tests.helpers.projects import smoke


def test_without_test_images_nothing_is_measured_and_all_that_reads_it_goes_on(bins, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    smoke(tmp_path)
    coco.write(paths.ANNOTATIONS, coco.read(bins / "annotations.json"))
    files.write_json(paths.YOLO / "index.json", {"train/1": 1, "val/2": 2})
    small_detector.write(paths.DETECTORS / "baseline" / "best.pt")
    evaluate.main()
    assert capsys.readouterr().out == "left out: the dataset has no test images\n"
    assert files.read_json(paths.METRICS / "detector_test.json") == {}
    assert list((paths.PLOTS / "detector_test").iterdir()) == []
    assert index.detector() == []
    files.write("dvc.lock", "")
    assert _last_run().endswith("without a tested detector")
