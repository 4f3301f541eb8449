from PIL import Image

from stages import files, paths
from stages.dataset import coco, photo
from stages.report import first_sight


def test_photographs_with_their_boxes_stand_above_composed_pictures(bins, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    dataset = coco.read(bins / "annotations.json")
    some = coco.subset(dataset, [image.id for image in dataset.images[:6]])
    coco.write(paths.SUBSETS / "ten" / "annotations.json", some)
    for image in some.images:
        path = paths.SUBSETS / "ten" / "images" / image.file_name
        files.write(path, (bins / "images" / image.file_name).read_bytes())
        if image is some.images[0]:
            pixels = photo.read(path)
            photo.save(paths.CANDIDATES / "paste" / "paste_0000.png", pixels)
    with Image.open(first_sight.make("ten", "paste")) as sheet:
        columns, rows = sheet.width // first_sight.WIDTH, sheet.height // (first_sight.WIDTH * 9 // 16)
        above, below = (sheet.crop((0, top, first_sight.WIDTH, top + 180)).getcolors(1 << 20) for top in (0, 186))
    assert (columns, rows) == (first_sight.COLUMNS, 2)
    assert above != below  # the same picture, with boxes and without
