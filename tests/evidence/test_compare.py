import numpy as np

from stages import settings
from stages.evidence import compare
from stages.evidence.compare import OLD
from stages.evidence.roles import Roles, roles
from stages.evidence.statistics import Scores
from tests.helpers.checkouts import ROOT

PARAMS = settings.load(ROOT / "params.yaml")


def test_arms_are_known_by_what_they_are_made_of():
    part = roles(PARAMS.arms, PARAMS)
    assert part == Roles("ten", "ten_standard", "all", "warm_ten", "warm_paste")
    other = {name: arm for name, arm in PARAMS.more_arms.items() if arm.product == "other"}
    assert roles(other, PARAMS) == Roles("other_ten", "other_standard", None, None, None)


def test_each_arm_is_measured_against_its_own_kind_and_only_the_primary_one_goes_uncorrected():
    luck = np.random.default_rng(0).normal(0, 0.05, 1000)
    names = [*PARAMS.arms, OLD]
    scores = {name: Scores(np.full(2, 0.1 * k), np.full((2, 1), 0.1 * k) + luck) for k, name in enumerate(names)}
    part = roles(PARAMS.arms, PARAMS)
    found = compare.against(scores, PARAMS.arms, part, PARAMS)
    assert set(found["paste"]) == {"ten", "ten_standard"}
    assert set(found["ten_standard"]) == {"ten"}
    assert set(found["warm_paste"]) == {"warm_ten", OLD}
    assert OLD not in found and "ten" not in found
    paste, wgan = found["paste"]["ten_standard"], found["wgan_ten"]["ten_standard"]
    assert paste["corrected"] == paste["p"]
    assert wgan["corrected"] > wgan["p"]


def test_the_gate_takes_the_detector_that_the_evidence_chose():
    part = roles(PARAMS.arms, PARAMS)
    gain = {"value": 0.1, "low": 0.05, "high": 0.15, "p": 0.001}
    none = {"value": 0.0, "low": -0.05, "high": 0.05, "p": 0.9}
    held = {name: {"against": none | {"low": -0.01}} for name in ("warm_ten", "warm_paste")}
    differences = {"paste": {"ten_standard": gain}, "warm_ten": {OLD: none}, "warm_paste": {OLD: gain}}
    said = compare.decisions(differences, held, part, "paste", 0.03)
    assert (said["include_fakes"], said["promote_product"], said["chosen"]) == (1, 1, "warm_paste")
    differences["paste"]["ten_standard"] = none
    said = compare.decisions(differences, held, part, "paste", 0.03)
    assert (said["include_fakes"], said["promote_product"], said["chosen"]) == (0, 0, "warm_ten")
    assert compare.decisions({}, {}, part, "paste", 0.03)["promote_product"] == 0
