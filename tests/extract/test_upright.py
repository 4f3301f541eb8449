from dataclasses import replace

import cv2
import numpy as np
import pytest

from stages.extract import upright
from stages.extract.placeable import CutOut

LONG, WIDE = 60, 24


def lying(angle, image="a.png"):
    """A bottle: pale, with a green head that is thinner than its body, turned clockwise by so many degrees."""
    side = 100
    mask, pixels = np.zeros((side, side), np.float32), np.full((side, side, 3), 90, np.float32)
    left, top = (side - WIDE) // 2, (side - LONG) // 2
    mask[top + 15 : top + LONG, left : left + WIDE] = 1
    mask[top : top + 15, left + 6 : left + WIDE - 6] = 1
    pixels[mask > 0] = (230, 230, 220)
    pixels[top : top + 15][mask[top : top + 15] > 0] = (20, 140, 60)
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), -angle, 1)
    turned = cv2.warpAffine(mask, turn, (side, side)) > 0.5
    shown = cv2.warpAffine(pixels, turn, (side, side), borderMode=cv2.BORDER_REPLICATE).astype(np.uint8)
    return CutOut(image, shown, turned[None], (3,), ("mask",))


def is_green(pixels):
    return (pixels[..., 1] > pixels[..., 0] + 50) & (pixels[..., 1] > pixels[..., 2] + 50)


@pytest.mark.parametrize("noise", [0, 25])
def test_objects_stand_and_point_the_same_way(noise):
    rng = np.random.default_rng(0)
    units = [lying(angle) for angle in range(0, 360, 15)]
    units = [
        CutOut(u.image, (u.pixels + rng.normal(0, noise, u.pixels.shape)).clip(0, 255), u.masks, u.categories, u.cut)
        for u in units
    ]
    ends = set()
    for one in upright.upright(units):
        height, width = one.mask.shape
        assert abs(height - LONG) <= 2 * upright.EDGE + 2 and abs(width - WIDE) <= 2 * upright.EDGE + 2
        green = np.nonzero(is_green(cv2.blur(one.pixels, (5, 5))) & (one.mask > 0.5))[0].mean()
        ends.add("head up" if green < height / 2 else "head down")
    assert len(ends) == 1


def test_what_is_hidden_or_cut_off_is_no_example():
    alone, pair = lying(0), lying(40)
    hidden = pair.masks[0].copy()
    hidden[:, :50] = False
    both = CutOut("b.png", pair.pixels, np.stack([pair.masks[0], hidden]), (3, 3), ("mask", "mask"))
    cut = replace(lying(20), image="c.png", sides=("left",))
    assert [one.image for one in upright.upright([alone, both, cut])] == ["a.png"]


def test_a_class_of_which_none_lies_alone_has_no_whole_objects():
    one = lying(0)
    pair = CutOut("b.png", one.pixels, np.stack([one.masks[0], one.masks[0]]), (3, 3), ("mask", "mask"))
    assert upright.upright([pair]) == []
