from stages.evidence import decision
from stages.evidence.arm_roles import OLD
from stages.evidence.decision import Offer
from stages.evidence.statistics import Difference, Interval


def gain(value, wide=0.02):
    return Difference(value, value - wide, value + wide, 0.01, 0.03)


def share(value, wide=0.02):
    return Interval(value, value - wide, value + wide)


def offer(name, score, found=0.9, against=0.3, kept=None):
    return Offer(name, share(score), share(found), gain(against), kept)


def promote(*offers):
    return decision.promote(offers, margin=0.03, least_found=0.5)


def test_fakes_are_included_only_if_they_help():
    assert decision.include_fakes("paste", "ten_standard", gain(0.1)).yes
    for apart in (gain(0.01), gain(-0.1), None):
        assert not decision.include_fakes("paste", "ten_standard", apart).yes
    assert "+0.010 (-0.010 to +0.030)" in decision.include_fakes("paste", "ten_standard", gain(0.01)).why


def test_the_detector_of_the_highest_lower_bound_is_chosen():
    shaky = Offer("shaky", share(0.75, 0.1), share(0.9), gain(0.3), None)
    said = promote(offer("ten_standard", 0.7), shaky)
    assert said.yes and said.chosen == "ten_standard"
    assert "looks for this product alone" in said.why


def test_a_detector_with_which_the_known_products_do_not_hold_is_not_chosen():
    forgets = offer("warm_paste", 0.8, kept=(gain(-0.1), gain(0.0)))
    misses = offer("warm_ten", 0.8, kept=(gain(0.0), gain(-0.1)))
    holds = offer("warm", 0.75, kept=(gain(0.0), gain(0.0)))
    assert promote(forgets, misses, holds).chosen == "warm"
    assert promote(forgets, offer("ten_standard", 0.6)).chosen == "ten_standard"
    refused = promote(forgets, misses)
    assert not refused.yes and "known products hold" in refused.why


def test_one_that_is_no_better_or_finds_too_little_is_not_promoted():
    assert "not shown to be better" in promote(offer("ten_standard", 0.7, against=0.01)).why
    poor = promote(offer("ten_standard", 0.3, found=0.4))
    assert not poor.yes and "50 % are asked for" in poor.why
    assert not promote().yes


def test_the_best_of_many_has_to_be_better_by_more_than_luck():
    one = offer("warm", 0.75)
    assert promote(one, *(offer(f"arm_{k}", 0.6) for k in range(3))).yes
    said = promote(one, *(offer(f"arm_{k}", 0.6) for k in range(12)))  # thirteen that say so with p = 0.01
    assert not said.yes and said.chosen == "warm" and "not shown to be better" in said.why


def test_where_there_was_none_before_a_detector_has_to_find_enough():
    def alone(found):
        return promote(Offer("paste", share(0.6), share(found), None, None))

    assert alone(0.9).yes and "there was no detector before" in alone(0.9).why
    assert not alone(0.4).yes and alone(0.4).chosen == "paste"


def test_what_is_put_to_use_is_the_chosen_one_the_old_one_or_all_there_is():
    def used(promoted, before):
        return decision.put_to_use({"promote_product": promoted, "chosen": "paste", "detector_before": before})

    assert [used(1, 1), used(0, 1), used(1, 0), used(0, 0)] == ["paste", OLD, "paste", "paste"]
