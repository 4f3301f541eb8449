"""What tests share: a small bins world, a small COCO dataset made by hand, a Prefect server, checkouts in which the
real `dvc` runs."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import shutil
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from flows import warm
from stages import files, gpu, paths, settings
from stages.dataset.bins import world
from tests.helpers import projects, servers
from tests.helpers.checkouts import ROOT, fresh, run

if warm.MARK not in os.environ:  # the programs of this environment, wherever pytest is started
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
# Whatever test starts it first: the server that processes are forked from has imported what takes seconds.
multiprocessing.set_forkserver_preload(["torch._dynamo", "stages.gan.trainer", "stages.inpaint.trainer"])


@pytest.fixture(scope="session")
def params() -> settings.Settings:
    """The project's own params.yaml, at scale smoke."""
    return msgspec.structs.replace(settings.load(ROOT / "params.yaml"), scale="smoke")


@pytest.fixture(scope="session")
def bins(tmp_path_factory, params) -> Path:
    """The bins world at scale smoke: a folder with images/, annotations.json and truth.json."""
    folder = tmp_path_factory.mktemp("bins")
    world.generate(params.now.bins, params.seed, folder)
    return folder


@pytest.fixture
def hand(tmp_path):
    """A maker of small COCO datasets in tmp_path, with pictures: `hand(images, annotations, categories)`."""

    def make(images, annotations, categories=(("thing", 1),), pictures=True) -> Path:
        entries = []
        for number, (name, width, height) in enumerate(images, 1):
            entries.append({"id": number, "file_name": name, "width": width, "height": height})
            if pictures:
                path = tmp_path / "images" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                noise = np.random.default_rng(number).integers(0, 256, (height, width, 3), np.uint8)
                Image.fromarray(noise).save(path)
        boxes = [
            {"id": k, "image_id": 1, "category_id": categories[0][1], "iscrowd": 0} | annotation
            for k, annotation in enumerate(annotations, 1)
        ]
        named = [{"id": id_, "name": name} for name, id_ in categories]
        path = tmp_path / "annotations.json"
        files.write_json(path, {"images": entries, "annotations": boxes, "categories": named})
        return path

    return make


@pytest.fixture(scope="session")
def checkout(tmp_path_factory):
    """A maker of fresh checkouts of this working tree at scale smoke, committed, each with a DVC cache of its own."""

    def make(name: str) -> Path:
        return fresh(tmp_path_factory.mktemp(name) / "tenfold")

    return make


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The address of a server of its own, on this machine alone."""
    with servers.prefect(tmp_path_factory.mktemp("prefect")) as address:
        yield address


@pytest.fixture(scope="session")
def complete(checkout, tmp_path_factory) -> Path:
    """The checkout in which plain DVC has run all stages. The first process that asks makes it; nobody changes it."""
    base = tmp_path_factory.getbasetemp()
    place = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "complete"
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            folder = checkout("one")
            run(folder, "dvc", "repro")
            folder.rename(place)
    return place


@pytest.fixture(scope="module")
def done(complete, tmp_path_factory) -> Path:
    """A copy of that checkout, for one module's tests."""
    return shutil.copytree(complete, tmp_path_factory.mktemp("done") / "tenfold", symlinks=True)


@pytest.fixture(scope="session")
def browser():
    """Debian's chromium, driven."""
    if not (chromium := shutil.which("chromium")):
        pytest.skip("pages are tested in Debian's chromium, which is not installed here (.ci/debian-packages)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-quic"])
        yield started
        started.close()


def pytest_configure(config: pytest.Config) -> None:
    """The slow tests start hundreds of stages: all from one warm process, the test processes' own starter's."""
    if config.option.markexpr == "slow" and "PYTEST_XDIST_WORKER" not in os.environ:
        warm.start()


def pytest_itemcollected(item: pytest.Item) -> None:
    """What needs the checkout in which all stages have run is slow, and a module's tests share a process and a copy."""
    if needs(item, "complete") or needs(item, "browser"):
        item.add_marker("slow")
    if needs(item, "complete"):
        item.add_marker(pytest.mark.xdist_group(item.path.stem))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what makes that checkout, which takes longest; end with what else needs it, when it is there."""

    def turn(item: pytest.Item) -> int:
        if not needs(item, "complete"):
            return 1
        return 0 if item.path.stem == "test_dag" else 2

    items.sort(key=turn)


def needs(item: pytest.Item, fixture: str) -> bool:
    return fixture in getattr(item, "fixturenames", ())


@pytest.fixture
def bright_squares(hand, tmp_path):
    """A maker of one-image subsets: bright squares on a dark bin where the annotations are."""

    def make(*annotations):
        hand([("a.png", 80, 60)], list(annotations))
        pixels = np.random.default_rng(0).integers(60, 70, (60, 80, 3), np.uint8)
        for annotation in annotations:
            x, y, w, h = (int(v) for v in annotation["bbox"])
            pixels[y : y + h, x : x + w] = (220, 200, 60)
        Image.fromarray(pixels).save(tmp_path / "images" / "a.png")
        return tmp_path

    return make


@pytest.fixture
def on_meta(monkeypatch):
    """Put torch's meta device in a GPU's place: what is computed there cannot be fetched, and fails when it is."""
    import torch

    monkeypatch.setattr(gpu, "device", lambda _rank=0: torch.device("meta"))
    return pytest.raises(NotImplementedError, match="meta")


@pytest.fixture(scope="session")
def composed(bins, tmp_path_factory) -> Path:
    """A project folder at scale smoke in which what is composed with is trained: a texture, a network that fills."""
    from stages.inpaint import train as inpaint
    from stages.texture import train as texture

    folder = tmp_path_factory.mktemp("compose")
    projects.smoke(folder)
    for name in ("ten", "rest"):
        projects.subset(bins, "tube_mint", 10, folder / paths.SUBSETS / name)
    projects.subset(bins, "bottle_azure", 10, folder / paths.SUBSETS / "but_focus")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        texture.main("floor")
        inpaint.main("inpaint_ae_skip")
    return folder


@pytest.fixture
def composing(composed, tmp_path, monkeypatch) -> Path:
    """A copy of it to work in."""
    return projects.entered(composed, tmp_path, monkeypatch)
