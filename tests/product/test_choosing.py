import numpy as np

from stages.product import choosing


def looks(*greys):
    return [np.full((8, 8, 3), grey, np.float32) for grey in greys]


def test_the_first_is_the_one_in_most_doubt_and_the_others_are_unlike_it():
    # The second is as doubtful as the third, but looks like the first.
    assert choosing.chosen([3.0, 2.0, 2.0, 0.1], looks(0.1, 0.15, 0.9, 0.5), [], 2) == [0, 2]
    assert choosing.chosen([3.0, 2.0, 2.0, 0.1], looks(0.1, 0.15, 0.9, 0.5), [], 9) == [0, 2, 1, 3]


def test_of_photographs_that_look_the_same_the_more_doubtful_come_first():
    assert choosing.chosen([1.0, 3.0, 2.0], looks(0.5, 0.5, 0.5), [], 3)[0] == 1
    assert choosing.chosen([0.0, 0.0, 0.0], looks(0.1, 0.2, 0.9), [], 2) == [0, 2]  # none in doubt: the unlike ones


def test_near_duplicates_are_never_taken_twice():
    greys = looks(0.1, 0.2, 0.9)
    assert choosing.chosen([1.0, 2.0, 0.5], greys, [[0, 1]], 3) == [1, 2]
    assert choosing.chosen([1.0, 2.0, 0.5], greys, [[0, 1, 2]], 3) == [1]


def test_a_photograph_from_afar_is_its_colours_place_by_place():
    pixels = np.zeros((90, 160, 3), np.uint8)
    pixels[:, 80:] = (255, 0, 0)
    seen = choosing.afar(pixels)
    assert seen.shape == (8, 8, 3)
    assert seen[0, -1].tolist() == [1, 0, 0] and not seen[:, :4].any()
