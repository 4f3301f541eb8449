"""The detector: the only room that knows ultralytics. It never reaches for the network and reports nothing home."""

import os

from stages import paths

# Read by ultralytics when it is imported, so they are set before anything in this room imports it.
os.environ.update(
    YOLO_OFFLINE="true",
    YOLO_AUTOINSTALL="false",
    YOLO_VERBOSE="false",
    YOLO_CONFIG_DIR=str(paths.CHECKPOINTS / "ultralytics"),
)
