from stages.evidence import remade_arm
from stages.schema import CHEAP


def test_what_settings_take_for_cheap_can_be_composed_anew():
    assert set(remade_arm.COMPOSERS) == set(CHEAP)
