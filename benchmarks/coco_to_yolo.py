"""COCO annotations of train2017's size to YOLO labels: ours beside ultralytics' convert_coco, in one run.

Makes a file of 118,287 images and 860,001 boxes with polygons (about 460 MB), then converts it in turn with both, as
boxes and (ours) as polygons, each in a process of its own. Prints seconds, peak memory, the ratio, and whether both
wrote the same boxes. `--images 2000` makes it small.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from benchmarks.conditions import record

IMAGES, BOXES, POINTS = 118_287, 860_001, 23  # points of a polygon: makes the file as large as the real one


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=IMAGES, help="images in the file (default: COCO's)")
    parser.add_argument("--rounds", type=int, default=2, help="times each conversion is measured")
    parser.add_argument("--keep", help="folder to work in (default: a temporary one)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.keep) as name:
        folder = Path(name)
        file = folder / "coco" / "instances_train.json"
        make(file, arguments.images, BOXES * arguments.images // IMAGES)
        runs: dict[str, list[tuple[float, float]]] = {"ours": [], "ultralytics": [], "ours_polygons": []}
        for turn in range(arguments.rounds):
            for how, of in runs.items():
                # Each into a folder of its own: ext4 is twenty times slower where files were just deleted.
                of.append(_measured(how, file, folder / f"{how}_{turn}"))
        same = agreement(folder / "ours_0" / "train", folder / "ultralytics_0" / "labels" / "train")
        figures = {"images": arguments.images, "file_mb": round(file.stat().st_size / 1e6)}
    for how, of in runs.items():
        figures[f"{how}_seconds"] = round(statistics.median(s for s, _ in of), 2)
        figures[f"{how}_peak_mb"] = round(max(m for _, m in of))
    figures["times_faster_as_boxes"] = round(figures["ultralytics_seconds"] / figures["ours_seconds"], 2)
    figures["label_files_compared"], figures["of_them_the_same"] = same
    record("coco_to_yolo", figures, ("msgspec", "numpy", "ultralytics-opencv-headless"))


def make(file: Path, images: int, boxes: int) -> None:
    """A COCO file with whole, non-empty boxes: the two converters may disagree about broken ones."""
    rng = np.random.default_rng(0)
    file.parent.mkdir(parents=True)
    categories = [i for i in range(1, 91) if i not in (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)]
    with file.open("w") as out:
        out.write('{"info": {}, "licenses": [], "images": [')
        for i in range(images):
            out.write(f'{", " * (i > 0)}{{"license": 3, "file_name": "{i:012}.jpg", "coco_url": "", "height": 480, '
                      f'"width": 640, "date_captured": "2013-11-14 11:18", "flickr_url": "", "id": {i}}}')  # fmt: skip
        out.write('], "annotations": [')
        angle = np.linspace(0, 2 * np.pi, POINTS, endpoint=False)
        for k in tqdm(range(boxes), desc="making the file", unit="box", disable=not sys.stderr.isatty()):
            x, y, w, h = rng.random(4) * (400, 300, 200, 150) + (1, 1, 20, 20)
            ring = np.stack([x + w / 2 * (1 + np.cos(angle)), y + h / 2 * (1 + np.sin(angle))], 1)
            polygon = ", ".join(f"{v:.2f}" for v in ring.ravel())
            out.write(f'{", " * (k > 0)}{{"segmentation": [[{polygon}]], "area": {w * h:.4f}, "iscrowd": 0, '
                      f'"image_id": {rng.integers(images)}, "bbox": [{x:.2f}, {y:.2f}, {w:.2f}, {h:.2f}], '
                      f'"category_id": {categories[rng.integers(80)]}, "id": {k + 1}}}')  # fmt: skip
        named = ", ".join(f'{{"supercategory": "thing", "id": {i}, "name": "thing {i}"}}' for i in categories)
        out.write(f'], "categories": [{named}]}}')


def _measured(how: str, file: Path, target: Path) -> tuple[float, float]:
    """Seconds of one conversion, as it reports them from a process of its own, and peak megabytes of its processes."""
    code = f"from benchmarks import coco_to_yolo as c; c.{how}({str(file)!r}, {str(target)!r})"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, _memory(process.pid))
        time.sleep(0.1)
    if process.returncode:
        sys.exit(f"{how} failed")
    assert process.stdout  # a pipe
    seconds = float(process.stdout.read().strip().splitlines()[-1])
    print(f"{how}: {seconds:.1f} s, {peak:.0f} MB", flush=True)
    return seconds, peak


def _memory(pid: int) -> float:
    """Megabytes of a process and its children; pages that they share count once."""
    total = 0.0
    with contextlib.suppress(OSError, StopIteration):
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        total = int(next(line for line in rollup.splitlines() if line.startswith("Pss:")).split()[1]) / 1024
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            total += _memory(int(child))
    return total


def ours(file: str, target: str, polygons: bool = False) -> None:
    from stages.dataset import coco, yolo, yolo_labels

    started = time.perf_counter()
    dataset = coco.read(file, masks=polygons)
    places = [("train", name) for name in yolo_labels.flat_names(dataset.images)]
    yolo.write_labels(dataset, polygons, places, Path(target))
    print(time.perf_counter() - started)


def ours_polygons(file: str, target: str) -> None:
    ours(file, target, polygons=True)


def ultralytics(file: str, target: str) -> None:
    import stages.detector  # noqa: F401  keeps ultralytics off the network

    os.environ["YOLO_VERBOSE"] = "false"
    from ultralytics.data.converter import convert_coco

    started = time.perf_counter()
    convert_coco(str(Path(file).parent), target, cls91to80=True)
    print(time.perf_counter() - started)


def agreement(a: Path, b: Path) -> tuple[int, int]:
    """Label files that ultralytics wrote, and how many of them hold our rows (to its six digits, in any order)."""
    theirs = sorted(b.glob("*.txt"))
    same = 0
    for path in theirs:
        rows = [np.array([line.split() for line in p.read_text().splitlines()], float) for p in (path, a / path.name)]
        rows = [r[np.lexsort(r.round(4).T)] for r in rows]  # rows may differ in the sixth digit
        same += rows[0].shape == rows[1].shape and np.allclose(*rows, atol=2e-5)
    return len(theirs), same


if __name__ == "__main__":
    main()
