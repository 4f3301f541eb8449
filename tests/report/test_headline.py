from stages import files, paths
from stages.report import headline

EVIDENCE = {
    "roles": {"primary": "paste", "baseline": "ten_standard", "ceiling": "all", "few": "ten"},
    "arms": {
        "paste": {"map50_95": 0.62, "against": {"ten_standard": {"value": 0.02, "low": -0.01, "high": 0.03, "p": 0.2}}},
        "ten_standard": {"map50_95": 0.6}, "all": {"map50_95": 0.65}, "ten": {"map50_95": 0.2},
    },
}  # fmt: skip
GATE = {"include_fakes": 0, "include_fakes_why": "no", "promote_product": 1}
DETECTOR = {"map50_95": 0.7, "found": 90, "present": 100, "certainty": 0.8}
JUDGE = {"planted_accuracy": 0.9, "planted_copies_accepted": 0, "real_called_green": 0.95, "labelled_accuracy": 0.66}


def test_the_answer_its_interval_the_gate_the_detector_and_the_judge():
    found = headline.headline(EVIDENCE, GATE, DETECTOR, JUDGE)
    assert len(found) == 15
    assert (found["answer_gain"], found["answer_gain_low"], found["answer_gain_high"]) == (0.02, -0.01, 0.03)
    assert found["answer_with_fakes"] == 0.62 and found["answer_without_fakes"] == 0.6
    assert found["detector_found"] == 0.9 and found["gate_promote_product"] == 1


def test_what_was_not_measured_is_left_out(tmp_path, monkeypatch):
    """A product without test images has no answer but the gate's."""
    assert headline.headline({}, GATE, {}, {}) == {"gate_include_fakes": 0, "gate_promote_product": 1}
    monkeypatch.chdir(tmp_path)
    files.write_json(paths.EVIDENCE / "results.json", {})
    headline.main()
    assert files.read_json(headline.HEADLINE) == {}
