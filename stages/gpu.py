"""The GPU that this process may use, and what it cannot do; what there is none for, the processor computes."""

from __future__ import annotations

import ctypes
import os
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

HIDE = {"CUDA_VISIBLE_DEVICES": ""}  # the environment of a process that is to use no GPU
OLDEST = (7, 5)  # compute capability (Turing) that the torch of requirements.lock has kernels for
BF16 = (8, 0)  # … and that multiplies in bf16 (Ampere)
DRIVER = 580  # the oldest driver that this torch's CUDA runs on


@cache
def count() -> int:
    """Return how many GPUs this process can use. Where there is one that it cannot use, a line says why.

    Without NVIDIA's driver there is none, and torch, which takes seconds to import, need not be asked.
    """
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    import torch

    if not torch.cuda.is_available():
        if os.environ.get("CUDA_VISIBLE_DEVICES") != "":
            print("NVIDIA's driver is here, but torch can use no GPU; `make doctor` says what is missing", flush=True)
        return 0
    capability = torch.cuda.get_device_capability()
    if lack := shortcoming(capability):
        print(f"{torch.cuda.get_device_name()}: {lack}", flush=True)
    return torch.cuda.device_count() if capability >= OLDEST else 0


def device(rank: int = 0) -> torch.device:
    """Return the GPU that is number `rank` of those that this process can use; the processor, if it can use none."""
    import torch

    return torch.device("cuda", rank) if count() else torch.device("cpu")


def multiplies_in_bf16(on: torch.device) -> bool:
    """Return whether bf16 can be asked of a device: of every processor, and of GPUs that have it."""
    import torch

    return on.type == "cpu" or torch.cuda.get_device_capability(on) >= BF16


def shortcoming(capability: tuple[int, int]) -> str:
    """Return what a GPU of some compute capability cannot do, and what is done instead; nothing, if it can do all."""
    if capability < OLDEST:
        return f"too old for this torch, which needs compute capability {_said(OLDEST)}: the processor is used instead"
    return f"no bf16 before compute capability {_said(BF16)}: fp32 is used instead" if capability < BF16 else ""


def _said(capability: tuple[int, int]) -> str:
    return ".".join(map(str, capability))
