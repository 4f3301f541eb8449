"""How fast the nearest of many images is found: ours beside FAISS's exact index and beside a bare matrix product.

At 64 px without shifts, block by block, the three one after another on the same block, so that all meet the same noise.
"""

from __future__ import annotations

import sys
import time

import faiss
import torch

from benchmarks.conditions import record
from stages.judge import novelty

SIDE, IMAGES = 64, 2151  # of the thesis: 151 and two thousand
CANDIDATES, BLOCK = 100_000, 5_000


def main(candidates: int = CANDIDATES) -> None:
    torch.manual_seed(0)
    known = torch.randn(IMAGES, 3 * SIDE * SIDE)
    index = faiss.IndexFlatL2(known.shape[1])
    index.add(known.numpy())
    spent = {"ours": 0.0, "faiss": 0.0, "matrix_product": 0.0}
    alike = 0
    for start in range(0, candidates, BLOCK):
        block = torch.randn(min(BLOCK, candidates - start), known.shape[1])
        found = {}
        for name, search in (
            ("ours", lambda: novelty.ranked(block, known[:, None], 1)[:, 0].numpy()),  # noqa: B023
            ("faiss", lambda: index.search(block.numpy(), 1)[1][:, 0]),  # noqa: B023
            ("matrix_product", lambda: block @ known.T),  # noqa: B023
        ):
            began = time.perf_counter()
            found[name] = search()
            spent[name] += time.perf_counter() - began
        alike += int((found["ours"] == found["faiss"]).sum())
    record("copy_search", {
        "candidates": candidates, "images": IMAGES, "side": SIDE,
        **{f"{name}_seconds": round(seconds, 2) for name, seconds in spent.items()},
        "share_of_matrix_product_speed": round(spent["matrix_product"] / spent["ours"], 3),
        "times_faiss_speed": round(spent["faiss"] / spent["ours"], 3),
        "same_nearest": round(alike / candidates, 6),
    }, ("torch", "faiss-cpu", "numpy"))  # fmt: skip


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
