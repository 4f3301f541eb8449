import json
import shutil

from flows import product_loop
from stages import settings
from tests.helpers.checkouts import ROOT, run

COLLECT = """stages:
  trained: {cmd: mkdir made, outs: [made]}
  evidence: {cmd: echo 1 > found.csv, deps: [made], outs: [found.csv]}
  gate: {cmd: cp asked.json reports/metrics/gate.json, deps: [found.csv, asked.json], outs: [reports/metrics/gate.json]}
  product: {cmd: cp reports/metrics/gate.json card.json, deps: [reports/metrics/gate.json], outs: [card.json]}
  report: {cmd: ls made plots > page.html, deps: [made, plots, reports/metrics/gate.json], outs: [page.html]}
  headline: {cmd: cp reports/metrics/gate.json first.json, deps: [reports/metrics/gate.json], outs: [first.json]}
"""


def test_what_collects_runs_where_not_everything_has(pipeline, monkeypatch, capsys):
    """Only what the product needs is brought up to date: of the rest there is not even a folder."""
    (pipeline / "dvc.yaml").write_text(COLLECT)
    shutil.copyfile(ROOT / settings.PARAMS, pipeline / settings.PARAMS)
    (pipeline / "asked.json").write_text(json.dumps({"promote_product": 0}))
    (pipeline / "reports" / "metrics").mkdir(parents=True)
    brought = []
    monkeypatch.setattr(product_loop, "bring", lambda checkout, targets, means: brought.append(targets))
    assert product_loop.run(pipeline, product_loop.Means()) == {"promote_product": 0}
    said = capsys.readouterr().out
    assert "Running stage 'product'" in said and "dvc.lock" not in said and "dvc push" not in said
    assert "arm@paste" in brought[0]
    assert (pipeline / "page.html").exists() and (pipeline / "card.json").exists()
    assert "trained" in run(pipeline, "dvc", "status").stdout
