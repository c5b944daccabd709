"""Planted wrong answers of chapter 3/13."""

import math

import torch

NOTEBOOK = "notebooks/3_inverse_problems/13_leaderboard.ipynb"


def namespace():
    """What stub and solution cells find defined."""
    import medtut as mt

    return {"torch": torch, "mt": mt}


WRONG = {
    "board-1": [
        (lambda K: 20 * math.log10(1 + 1 / K), "10 log10, not 20"),
        (lambda K: 10 * math.log10(2 / (1 + 1 / K)), "gains over one sample"),
        (lambda K: -10 * math.log10(1 + 1 / K), "counts as positive"),
        (lambda K: 10 * math.log(1 + 1 / K), "base 10"),
        (lambda K: 3.01 / K, "loses 3.01 dB"),
    ],
    "board-2": [
        (lambda a, b: ((a.var() + b.var()) / len(a)) ** 0.5, "different slices"),
        (lambda a, b: (a - b).std(), "not of their mean"),
        (lambda a, b: (a - b).std(correction=0) / len(a) ** 0.5, "n - 1"),
        (lambda a, b: (a - b).mean(), "not its error"),
        (lambda a, b: a.std() - b.std(), "differences first"),
    ],
    "board-3": [
        (lambda n, calls, gradients, k, weight=2: k * n * (calls + gradients), "two calls"),
        (lambda n, calls, gradients, k, weight=2: n * (calls + 2 * gradients), "each sample"),
        (lambda n, calls, gradients, k, weight=2: k * (n * calls + 2 * gradients), "every level"),
        (lambda n, calls, gradients, k, weight=2: n + calls, "samples times levels"),
    ],
}
