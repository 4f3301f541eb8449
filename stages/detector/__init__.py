"""The detector: the only room that knows ultralytics. It never reaches for the network and reports nothing home."""

import os

from stages import paths

# Read by ultralytics, and by what it imports, so they are set before anything in this room imports it.
os.environ.update(
    YOLO_OFFLINE="true",
    YOLO_AUTOINSTALL="false",
    YOLO_VERBOSE="false",
    ULTRALYTICS_SAFE_LOAD="true",  # weights are networks and numbers; a pickle may hold any program
    NO_ALBUMENTATIONS_UPDATE="1",  # else it asks the package index for a newer version
    YOLO_CONFIG_DIR=str(paths.CHECKPOINTS / "ultralytics"),
)
