"""The same two photographs as annotation tools export them."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from stages.dataset import arrival
from stages.dataset.formats import convert

SIZES = {"1.png": (40, 32), "2.png": (16, 64)}
# A cup's box in each photograph, and the outline of a can in the first.
CUPS = {"1.png": (4, 6, 8, 12), "2.png": (1, 10, 12, 30)}
CAN = [(20, 3), (32, 3), (32, 12), (20, 8)]
THINGS = [("1.png", "can", (20, 3, 12, 9)), ("1.png", "cup", CUPS["1.png"]), ("2.png", "cup", CUPS["2.png"])]
FLAT = ("1.png", "2.png")
INSIDE = ("images/1.png", "images/2.png")
YOLO = {"classes.txt": "can\ncup\n"}


def put(folder, files, photographs=()):
    """Write texts by their names, and the two photographs where they are said to lie, perhaps by other names."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = text if isinstance(text, str | bytes) else json.dumps(text)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    for name, like in (
        photographs if isinstance(photographs, dict) else {n: Path(n).name for n in photographs}
    ).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        width, height = SIZES[like]
        noise = np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8)
        Image.fromarray(noise).save(path)
    return folder


def converted(place, files, photographs=FLAT):
    """Return what a folder of these texts and photographs is as COCO."""
    convert.convert(put(place / "from", files, photographs), place / "into")
    return arrival.read(place / "into")


def as_coco(names=("1.png", "2.png"), prefix=""):
    ids = {name: 7 + k for k, name in enumerate(names)}
    boxes = [(name, 30, CUPS[name], []) for name in names]
    if "1.png" in names:
        boxes.append(("1.png", 20, THINGS[0][2], [[v for corner in CAN for v in corner]]))
    return {
        "images": [dict(zip(("id", "file_name", "width", "height"), (ids[n], prefix + n, *SIZES[n]), strict=True))
                   for n in names],
        "categories": [{"id": 20, "name": "can"}, {"id": 30, "name": "cup"}],
        "annotations": [{"id": k, "image_id": ids[n], "category_id": c, "bbox": b, "segmentation": s}
                        for k, (n, c, b, s) in enumerate(boxes)],
    }  # fmt: skip


def yolo_text(name):
    width, height = SIZES[name]
    x, y, w, h = CUPS[name]
    lines = [f"1 {(x + w / 2) / width:.6f} {(y + h / 2) / height:.6f} {w / width:.6f} {h / height:.6f}"]
    if name == "1.png":
        lines.append("0 " + " ".join(f"{x / width:.6f} {y / height:.6f}" for x, y in CAN))
    return "\n".join(lines) + "\n"


def yolo_texts(first, second):
    return {f"{first}/1.txt": yolo_text("1.png"), f"{second}/2.txt": yolo_text("2.png")}


def voc_text(name, **changes):
    width, height = SIZES[name]
    objects = [
        f"<object><name>{label}</name><difficult>1</difficult><bndbox><xmin>{x + 1}</xmin><ymin>{y + 1}</ymin>"
        f"<xmax>{x + w}</xmax><ymax>{y + h}</ymax></bndbox></object>"
        for of, label, (x, y, w, h) in THINGS
        if of == name
    ]
    size = f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>"
    return f"<annotation><filename>{name}</filename>{size}{''.join(objects)}</annotation>"


def cvat_text(shapes="", names=("1.png", "2.png")):
    images = []
    for k, name in enumerate(names):
        width, height = SIZES[name]
        x, y, w, h = CUPS[name]
        box = f'<box label="cup" xtl="{x}.0" ytl="{y}" xbr="{x + w}" ybr="{y + h}"/>'
        points = ";".join(f"{x},{y}" for x, y in CAN)
        can = f'<polygon label="can" points="{points}"/>' + shapes if name == "1.png" else ""
        images.append(f'<image id="{k}" name="{name}" width="{width}" height="{height}">{box}{can}</image>')
    labels = "".join(f"<label><name>{name}</name></label>" for name in ("can", "cup"))
    meta = f"<meta><task><labels>{labels}</labels></task></meta>"
    return f'<?xml version="1.0"?><annotations><version>1.1</version>{meta}{"".join(images)}</annotations>'
