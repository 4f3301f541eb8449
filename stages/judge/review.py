"""Look through candidates and say what they are, in the browser, on this machine alone.

Each candidate stands beside the training image that it is nearest to, with the boxes of both. What is said goes to
data/reviews/<experiment>.csv; the next `dvc repro` honours it over the judge's own verdict.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import socket
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import uvicorn
from fastapi import FastAPI, HTTPException, Response
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse
from pydantic import BaseModel

from stages import command, files, paths
from stages.dataset import coco, photo
from stages.judge import candidate_pictures, judged_table, reference, review_records
from stages.judge.colours import COLOURS
from stages.problem import Problem

HOST, PORT = "127.0.0.1", 8712
PAGE = Path(__file__).with_name("review.html")
SHOWN = 256  # pixels of a training image
KEPT = {"Cache-Control": "max-age=3600"}  # by the browser, which need not ask again while one scrolls
LOCK = paths.REVIEWS.with_suffix(".lock")  # beside the folder: all in it is committed


class Saying(BaseModel):
    """What the page sends: a person's word on one candidate."""

    who: str
    id: str
    mark: str  # of the picture that was seen
    what: str
    value: str


class Undoing(BaseModel):
    who: str


@dataclass(frozen=True)
class TrainingImage:
    path: Path
    size: tuple[int, int]  # width and height that its annotations were made in
    boxes: list[list[float]]  # as shares of it


@dataclass(frozen=True)
class Shown:
    """One experiment, as the page shows it."""

    candidates: list[dict]
    marks: dict[str, str]  # of every candidate's picture
    training: dict[str, TrainingImage]  # by file name


def main() -> None:
    if not experiments():
        raise Problem(f"{paths.JUDGED}: no candidates were judged yet; run `dvc repro judged` first")
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, PORT))
        except OSError:
            listening.bind((HOST, 0))  # somebody else's already; any free one will do
        at = f"http://{HOST}:{listening.getsockname()[1]}"
        print(f"review: {at} (Ctrl-C ends it; all that is said is kept)", flush=True)
        server = uvicorn.Server(uvicorn.Config(application(), log_level="warning"))
        server.run(sockets=[listening])


def application() -> FastAPI:
    app = FastAPI(title="Tenfold: review", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])  # other sites' pages cannot ask

    @app.exception_handler(Problem)
    def refuse(_request: object, problem: Problem) -> JSONResponse:
        return JSONResponse({"detail": str(problem)}, 400)

    @app.exception_handler(RequestValidationError)
    def malformed(_request: object, error: RequestValidationError) -> JSONResponse:
        return JSONResponse({"detail": "; ".join(str(one["msg"]) for one in error.errors())}, 422)

    @app.get("/")
    def page() -> HTMLResponse:
        return HTMLResponse(PAGE.read_text(encoding="utf-8"))

    @app.get("/experiments")
    def listed() -> dict:
        return {"experiments": experiments(), "who": author(), "colours": COLOURS}

    @app.get("/experiments/{name}")
    def shown(name: str) -> dict:
        now = at_hand(name)
        return {
            "candidates": now.candidates,
            "training": {name: image.boxes for name, image in now.training.items()},
            "said": [
                {"who": row.who, "id": row.id, "what": row.what, "value": row.value}
                for row in review_records.read(review_records.path(name))
                if now.marks.get(row.id) == row.picture
            ],
        }

    @app.get("/pictures/{name}/{id_}/{mark}")
    def picture(name: str, id_: str, mark: str) -> FileResponse:
        if at_hand(name).marks.get(id_) != mark:
            raise HTTPException(404)
        return FileResponse(paths.CANDIDATES / name / f"{id_}.png", headers=KEPT)

    @app.get("/training/{name}")
    def training(name: str, image: str) -> Response:
        images = at_hand(name).training
        if image not in images:
            raise HTTPException(404)
        return Response(squashed(images[image].path, *images[image].size), media_type="image/jpeg", headers=KEPT)

    @app.post("/experiments/{name}/say")
    def say(name: str, saying: Saying) -> dict:
        marks = at_hand(name).marks
        if marks.get(saying.id) != saying.mark:
            raise Problem(f"{name} has no candidate {saying.id!r} with this picture any more; load the page again")
        if saying.what == review_records.PREFERENCE and saying.value not in marks:
            raise Problem(f"{name} has no candidate {saying.value!r}")
        row = review_records.new(saying.who, saying.id, saying.mark, saying.what, saying.value)
        with alone():
            review_records.write(review_records.path(name), [*review_records.read(review_records.path(name)), row])
        return {"when": row.when}

    @app.post("/experiments/{name}/undo")
    def undo(name: str, undoing: Undoing) -> dict:
        at_hand(name)
        with alone():
            rows, last = review_records.without_last(review_records.read(review_records.path(name)), undoing.who)
            if last:
                review_records.write(review_records.path(name), rows)
        return {"id": last.id if last else None}

    return app


def alone() -> contextlib.AbstractContextManager:
    """Let one request at a time read and write what is said: people may have several of these servers."""
    return files.locked(LOCK, lambda _: None)


def experiments() -> list[str]:
    """Return all experiments whose candidates the judge has seen."""
    return sorted(file.stem for file in paths.JUDGED.glob("*.csv"))


def at_hand(name: str) -> Shown:
    """Return an experiment as it is now: another `dvc repro` may have ended since the page was loaded."""
    if name not in experiments():
        raise HTTPException(404)
    return load(name, (paths.JUDGED / f"{name}.csv").stat().st_mtime_ns)


@lru_cache(maxsize=32)
def load(name: str, _changed: int) -> Shown:
    columns = ["id", "verdict", "reason", "nearest", "distance", "threshold", "boxes"]
    table = judged_table.read(name)
    marks = {id_: review_records.mark(paths.CANDIDATES / name / f"{id_}.png") for id_ in table["id"]}
    candidates = [
        row | {"boxes": json.loads(row["boxes"]), "mark": marks[row["id"]]}
        for row in table.loc[:, columns].to_dict("records")
    ]
    return Shown(candidates, marks, training_images(name))


def training_images(name: str) -> dict[str, TrainingImage]:
    """Return the images that the generator was trained on."""
    manifest = candidate_pictures.listed(paths.CANDIDATES / name)
    found = {}
    for folder in reference.parents(manifest):
        dataset = coco.read(folder / "annotations.json")
        annotations = coco.by_image(dataset)
        for image in dataset.images:
            frame = [image.width, image.height] * 2
            boxes = [[v / of for v, of in zip(a.bbox, frame, strict=True)] for a in annotations[image.id]]
            path, size = folder / "images" / image.file_name, (image.width, image.height)
            found[image.file_name] = TrainingImage(path, size, boxes)
    return found


def author() -> str:
    """Return whose word it is, unless the page says another name; nobody's, where the machine knows none."""
    try:
        named = subprocess.run(["git", "config", "user.name"], capture_output=True, text=True, check=False).stdout
    except OSError:
        named = ""
    with contextlib.suppress(KeyError):  # a container's user need have no name
        return named.strip() or getpass.getuser()
    return ""


@lru_cache(maxsize=512)
def squashed(path: Path, width: int, height: int) -> bytes:
    """Return a training image in the candidates' shape, as JPEG."""
    return cv2.imencode(".jpg", photo.squashed(photo.load(path, width, height), SHOWN)[..., ::-1])[1].tobytes()


if __name__ == "__main__":
    command.run(main, __doc__)
