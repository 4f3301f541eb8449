import re

import numpy as np
from matplotlib import pyplot as plt

from stages import drawing, page


def test_what_comes_from_outside_is_escaped():
    evil = "<script>alert(1)</script>"
    for made in (
        page.table([evil], [[evil]]),
        page.tiles({evil: evil}),
        page.picture(np.zeros((2, 2, 3), np.uint8), evil),
    ):
        assert "<script" not in made
    assert page.table(["a"], [[page.raw("<b>x</b>")]]).count("<b>x</b>") == 1
    assert "<script" not in page.page(evil, "")


def test_columns_of_numbers_are_set_to_the_right():
    made = page.table(["name", "count", "empty"], [["a", 1000, ""], ["b", "", ""]])
    assert "<th class=n>count" in made and "<th>name" in made and "<th>empty" in made
    assert "1\u202f000" in made


def test_drawings_on_one_page_do_not_share_ids_and_are_the_same_each_time():
    def drawn(title):
        figure, axis = plt.subplots()
        axis.plot([1, 2, 3])
        return page.figure(figure, title)

    one, two = drawn("One"), drawn("Two")
    ids = [set(re.findall(r'id="([^"]+)"', svg)) for svg in (one, two)]
    assert ids[0] and not ids[0] & ids[1]
    assert 'aria-label="One"' in one
    assert one == drawn("One")


def test_a_sheet_holds_all_pictures():
    pictures = [np.full((4, 6, 3), k, np.uint8) for k in range(5)]
    sheet = drawing.sheet(pictures, columns=2, gap=1)
    assert sheet.shape == (4 * 3 + 2, 6 * 2 + 1, 3)
    assert [int(sheet[r, c, 0]) for r, c in ((0, 0), (0, 7), (5, 0), (5, 7), (10, 0))] == [0, 1, 2, 3, 4]
    assert (sheet[10:, 7:] == 255).all()


def test_a_box_at_the_edge_keeps_its_name_inside():
    pixels = np.zeros((60, 80, 3), np.uint8)
    drawing.box(pixels, (0, 0, 30, 20), drawing.SURE, "T 97")
    assert (pixels[:12, :20] == drawing.SURE).all(-1).any()
