"""Ultralytics' trainer, made to go on after a kill and to end the same, and to leave weights without date or path.

Ultralytics' own resume keeps the optimiser in half precision and no random state. Here every epoch draws its random
numbers from a seed of its own, and the state after one every minute is kept in full: a run that was killed and resumed
ends with the same weights as one that was not (on a CPU, bit for bit).
"""

# Ultralytics says None or str of what it sets before it trains.
# pyright: reportOptionalMemberAccess=false, reportAttributeAccessIssue=false, reportOperatorIssue=false
# pyright: reportArgumentType=false, reportIncompatibleMethodOverride=false

from __future__ import annotations

import copy
import io
import math
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import ultralytics
from torch.utils.data import RandomSampler
from tqdm import tqdm
from ultralytics import settings as ultralytics_settings
from ultralytics.models.yolo.detect import DetectionTrainer
from ultralytics.utils import callbacks
from ultralytics.utils.ops import resample_segments

from stages import files, progress
from stages.detector import random_view

# What a later user of the weights needs to know of how they were made; ultralytics would add paths and the date.
KEPT = ("task", "imgsz", "single_cls")
COLUMNS = {
    "train/box_loss": "train_box",
    "train/cls_loss": "train_cls",
    "train/dfl_loss": "train_dfl",
    "val/box_loss": "val_box",
    "val/cls_loss": "val_cls",
    "val/dfl_loss": "val_dfl",
    "metrics/mAP50(B)": "map50",
    "metrics/mAP50-95(B)": "map50_95",
}

KEEP_EVERY = 60  # seconds between two states, at least: an epoch may take one, and a state of YOLOv5x is 1.6 GB

# Its loggers and reporters. The one for DVC cannot be configured; this project writes its own metrics.
_INTEGRATIONS = ("clearml", "comet", "dvc", "hub", "mlflow", "neptune", "raytune", "tensorboard", "wandb", "sync")
ultralytics_settings.update({k: False for k in _INTEGRATIONS if k in ultralytics_settings})


class Trainer(DetectionTrainer):
    """Trains one detector in `folder`, where a killed run left its state, if there was one.

    crop: pixels of the squares that are cut out of its pictures to train on; 0: it trains on whole ones.
    drawn: pictures that an epoch draws of all; 0: all.

    Attributes:
        curves: one row an epoch: epoch, losses, and after a validation its mAP (ultralytics', for monitoring).
    """

    def __init__(
        self, overrides: dict[str, Any], folder: Path, validations: int, title: str, crop: int = 0, drawn: int = 0
    ):
        self.state_file = folder / "state.pt"
        self.kept_at = -math.inf  # when this process last wrote it
        self.validations, self.crop, self.drawn = validations, crop, drawn
        self.title = title
        self.curves: list[dict[str, float]] = []
        self.shown: tqdm | None = None
        super().__init__(overrides=overrides, _callbacks=copy.deepcopy(callbacks.default_callbacks))
        self.add_callback("on_train_epoch_start", Trainer._begin_epoch)
        self.add_callback("on_train_batch_end", Trainer._show)
        self.add_callback("on_fit_epoch_end", Trainer._end_epoch)

    def _setup_train(self) -> None:
        super()._setup_train()
        if self.device.type == "cpu":
            for group in self.optimizer.param_groups:
                group |= {"fused": True, "foreach": False}
            if fast_in_bf16():
                self.model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
                self.model.predict = in_bf16(self.model.predict)  # of this instance: what is saved is the average's
        done = 0
        if self.state_file.exists():
            self._restore(torch.load(self.state_file, map_location=self.device, weights_only=True))
            done = self.start_epoch
        batches = len(self.train_loader)
        self.shown = progress.bar(total=self.epochs * batches, what=self.title, unit="step")
        self.shown.update(done * batches)

    def build_dataset(self, img_path: str, mode: str = "train", batch: int | None = None) -> Any:
        dataset = super().build_dataset(img_path, mode, batch)
        if mode == "train":
            dataset.update_labels_info = outlined_by_corners(dataset.update_labels_info)
            random_view.replace_in(dataset.transforms, self.crop)
        return dataset

    def get_dataloader(self, dataset_path: str, batch_size: int = 16, rank: int = 0, mode: str = "train") -> Any:
        loader = super().get_dataloader(dataset_path, batch_size, rank, mode)
        if mode == "train" and self.drawn:
            some = RandomSampler(loader.dataset, num_samples=self.drawn, generator=loader.generator)
            loader.batch_sampler.sampler.sampler = some
        return loader

    def _begin_epoch(self) -> None:
        seed = (self.args.seed * 1_000_003 + self.epoch) % 2**31
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
        self.train_loader.generator.manual_seed(seed)
        self.train_loader.reset()
        # Validate whenever another share of the epochs is done; the last epoch completes the last share.
        self.args.val = (
            self.epoch + 1
        ) * self.validations // self.epochs > self.epoch * self.validations // self.epochs

    def _show(self) -> None:
        loss = float(sum(self.tloss.values()))
        best = f", mAP50 {self.curves[-1]['map50']:.3f}" if self.curves and "map50" in self.curves[-1] else ""
        self.shown.set_postfix_str(f"epoch {self.epoch + 1}/{self.epochs}, loss {loss:.2f}{best}", refresh=False)
        self.shown.update()

    def _end_epoch(self) -> None:
        if self.epoch + 1 == self.epochs:
            self.shown.close()

    def save_model(self) -> bool:
        """Keep the best weights so far, and, once in a while, all that is needed to go on after this epoch."""
        values = self.label_loss_items(self.tloss) | (self.metrics if self.args.val else {})
        row = {name: round(float(values[key]), 5) for key, name in COLUMNS.items() if key in values}
        self.curves.append({"epoch": self.epoch + 1, **row})
        if self.args.val and self.best_fitness == self.fitness:
            save_weights(self.ema.ema, vars(self.args), self.best)
        ends = self.epoch + 1 == self.epochs
        if ends:
            save_weights(self.ema.ema, vars(self.args), self.last)
        if ends or time.monotonic() - self.kept_at >= KEEP_EVERY:
            _replace(self.state_file, self._state())
            self.kept_at = time.monotonic()
        return True

    def _state(self) -> dict[str, Any]:
        return {
            "epoch": self.epoch,
            "model": self.model.state_dict(),
            "ema": self.ema.ema.state_dict(),
            "updates": self.ema.updates,
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "best_fitness": None if self.best_fitness is None else float(self.best_fitness),
            "curves": self.curves,
        }

    def _restore(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.ema.ema.load_state_dict(state["ema"])
        self.ema.updates = state["updates"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        self.best_fitness = state["best_fitness"]
        self.curves = state["curves"]
        self.start_epoch = state["epoch"] + 1
        self.scheduler.last_epoch = self.start_epoch - 1

    def final_eval(self) -> None:
        """Do nothing: the weights are whole as they are, and testing is a stage of its own."""


def outlined_by_corners(update: Callable[[dict], dict]) -> Callable[[dict], dict]:
    """Return how a dataset turns a label into its objects, with outlines of as few points as they have corners.

    Ultralytics draws 1,000 for each, a tenth of a step on small pictures; boxes need the corners alone.
    """

    def updated(label: dict) -> dict:
        outlines = label.pop("segments", [])
        done = update(label)
        if len(outlines):
            points = max(map(len, outlines)) + 1  # one more, and all corners are kept
            done["instances"].segments = np.stack(resample_segments(outlines, n=points))
        return done

    return updated


def fast_in_bf16() -> bool:
    """Return whether this processor multiplies in bf16; others only imitate it."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def in_bf16(predict: Callable[..., Any]) -> Callable[..., Any]:
    """Return a network's forward pass with its convolutions in bf16; what comes out, and so the loss, is in fp32.

    Twice as fast as fp32 (benchmarks/detector_speed.py). Ultralytics' own autocast knows bf16 on GPUs alone.
    """

    def forward(pictures: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        with torch.autocast("cpu", torch.bfloat16):
            said = predict(pictures.contiguous(memory_format=torch.channels_last), *args, **kwargs)
        return _in_fp32(said)

    return forward


def _in_fp32(said: Any) -> Any:
    if isinstance(said, torch.Tensor):
        return said.float()
    if isinstance(said, dict):
        return {name: _in_fp32(of) for name, of in said.items()}
    return type(said)(_in_fp32(of) for of in said)


def save_weights(model: torch.nn.Module, arguments: dict[str, Any], path: Path) -> None:
    """Write a model as ultralytics loads it, with nothing in it that differs between two equal runs."""
    model = copy.deepcopy(model).half().cpu()
    kept = {name: arguments[name] for name in KEPT}
    model.args, model.criterion = kept, None
    if hasattr(model, "pt_path"):
        del model.pt_path
    for module in model.modules():  # cached grids, remade at the first picture
        for name in ("anchors", "strides"):
            if isinstance(module.__dict__.get(name), torch.Tensor):
                setattr(module, name, torch.empty(0))
        if hasattr(module, "shape"):
            module.shape = None
    _replace(path, {"epoch": -1, "model": model, "train_args": kept, "version": ultralytics.__version__})


def _replace(path: Path, content: dict[str, Any]) -> None:
    """Write what torch.save makes of something. Written by Python, so that a full disk is told as one."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    files.write(path, buffer.getbuffer())
