"""Where every artefact lies. The paths are a contract: other tools read them."""

import os
from pathlib import Path
from typing import Literal

SOURCE = Path("data/source")  # as drawn, or as copied from the user's dataset
SOURCE_IMAGES = SOURCE / "images"
SOURCE_ANNOTATIONS = SOURCE / "annotations.json"

HEALTH = Path("data/health")
ANNOTATIONS = HEALTH / "annotations.json"  # the source's, after the declared fixes: what every later stage reads
NEAR_DUPLICATES = HEALTH / "near_duplicates.json"  # lists of image ids

PRODUCTS = Path("data/products")  # what has arrived, each in a folder of its name
SPLIT = Path("data/split.json")
SPLIT_REASONS = Path("data/split_reasons.csv")
YOLO = Path("data/yolo")
SUBSETS = Path("data/subsets")
DETECTORS = Path("models/detector")
RELEASED = Path("models/products")  # the detector to use for each product, in a folder of the product's name
GANS = Path("models/gan")
TEXTURES = Path("models/texture")
OBJECTS = Path("models/objects")
INPAINTS = Path("models/inpaint")
CANDIDATES = Path("data/candidates")
JUDGE = Path("data/judge")
JUDGE_TESTS = Path("data/judge_tests")
JUDGED = Path("data/judged")
REVIEWS = Path("data/reviews")
VERDICTS = Path("data/verdicts")
ACCEPTED = Path("data/accepted")
UNGATED, CHANCE = "ungated", "random"  # in an experiment's folder there: taken without a judge, or by chance
UNLABELLED = Path("data/unlabelled")  # photographs nobody annotated, in a folder of the name of their group
LABELLED = Path("data/labelled")  # … as detectors have labelled them, by product
LABELS = Path("data/labels")
EVIDENCE = Path("data/evidence")
FOLDS = Path("data/folds")
GATE = Path("data/gate")


def trained(product: str, detector: Literal["judge", "labeller", "known"]) -> Path:
    """Return the weights of a detector that is trained beside the arms; what it has seen lies there, too."""
    return DETECTORS / product / detector / "last.pt"


REPORTS = Path("reports")
METRICS = REPORTS / "metrics"
PLOTS = REPORTS / "plots"
DETECTIONS = REPORTS / "detections"  # in anybody's photographs, by `make detect`: never in git
STUDY = REPORTS / "evidence" / "study.json"  # by `make evidence`, in git
TIMING = REPORTS / "timing"  # seconds differ from run to run: never an output of a stage, never in git

# What a killed run continues from: outside every stage's outputs, ignored by git and DVC.
CHECKPOINTS = Path(os.environ.get("TENFOLD_CHECKPOINTS", ".checkpoints"))
