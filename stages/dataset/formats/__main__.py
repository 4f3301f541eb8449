"""Turn a folder of annotated photographs (COCO, YOLO, Pascal VOC, CVAT) into images/ and annotations.json."""

from pathlib import Path

from stages import command
from stages.dataset.formats import convert


def main(folder: str, into: str) -> None:
    print(convert.convert(Path(folder), Path(into)))


if __name__ == "__main__":
    command.run(main, __doc__, folder="what an annotation tool exported, unpacked", into="an empty or a new folder")
