"""How far pictures are from real ones: what a classifier makes of the difference (Lopez-Paz and Oquab 2017)."""

from __future__ import annotations

import numpy as np
from scipy.stats import mannwhitneyu

FOLDS = 5
RIDGE = 1.0  # on standardised features: there are more of them than pictures
LEAST = 2 * FOLDS  # pictures on either side


def auc(fake: np.ndarray, real: np.ndarray, seed: int) -> float | None:
    """Return how surely a linear classifier of features tells the two apart: 0.5 not at all, 1 always; None: too few.

    Ridge regression, judged on pictures that it was not fitted to.
    """
    if min(len(fake), len(real)) < LEAST:
        return None
    features = np.concatenate([fake, real])
    truth = np.concatenate([np.ones(len(fake)), -np.ones(len(real))])
    # Each side counts the same, however many pictures it has.
    weight = np.concatenate([np.full(len(of), len(features) / (2 * len(of))) for of in (fake, real)])
    order = np.random.default_rng(seed).permutation(len(features))
    said = np.empty(len(features))
    for fold in range(FOLDS):
        out = order[fold::FOLDS]
        fit = np.setdiff1d(order, out)
        mean, spread = features[fit].mean(0), features[fit].std(0).clip(1e-6)
        known, asked = (features[fit] - mean) / spread, (features[out] - mean) / spread
        known, asked = (np.concatenate([x, np.ones((len(x), 1))], 1) for x in (known, asked))
        weighed = known * weight[fit, None]
        penalty = RIDGE * len(fit) * np.eye(known.shape[1])
        penalty[-1, -1] = 0
        said[out] = asked @ np.linalg.solve(weighed.T @ known + penalty, weighed.T @ truth[fit])
    wins = mannwhitneyu(said[truth > 0], said[truth < 0]).statistic
    return float(wins / (len(fake) * len(real)))
