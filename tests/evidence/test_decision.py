from stages.evidence import decision
from stages.evidence.statistics import Difference

BETTER, UNSURE, WORSE = (Difference(v, v - 0.02, v + 0.02, 0.01) for v in (0.1, 0.01, -0.1))


def test_fakes_are_included_only_if_they_help():
    assert decision.include_fakes("paste", "ten_standard", BETTER).yes
    for gain in (UNSURE, WORSE, None):
        assert not decision.include_fakes("paste", "ten_standard", gain).yes
    assert "+0.010 mAP50-95 (-0.010 to +0.030)" in decision.include_fakes("paste", "ten_standard", UNSURE).why


def test_a_product_is_promoted_if_it_gains_and_the_known_ones_hold():
    assert decision.promote("warm_ten", BETTER, UNSURE, 0.03).yes
    assert not decision.promote("warm_ten", UNSURE, UNSURE, 0.03).yes
    lost = decision.promote("warm_ten", BETTER, WORSE, 0.03)
    assert not lost.yes and "may lose 0.03 at most" in lost.why
    assert not decision.promote("warm_ten", BETTER, None, 0.03).yes
