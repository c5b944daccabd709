"""Planted wrong answers of chapter 3/08."""

import torch

NOTEBOOK = "notebooks/3_inverse_problems/08_particles.ipynb"


def namespace():
    """What stub and solution cells find defined."""
    import medtut as mt

    return {"torch": torch, "mt": mt}


def _counts(w, points):
    n = len(w)
    return torch.bincount(torch.searchsorted(w.cumsum(0), points).clamp(max=n - 1), minlength=n)


def _points(w):
    return torch.arange(len(w), dtype=w.dtype) / len(w)


WRONG = {
    "part-1": [
        (lambda v: 1 / v.softmax(0).square().sum() / len(v), "multiply by n"),
        (lambda v: v.softmax(0).square().sum(), "one over that"),
        (lambda v: 1 / v.softmax(0).max(), "largest weight alone"),
        (lambda v: v.sum() ** 2 / v.square().sum(), "as if they were weights"),
        (lambda v: 1 / v.exp().square().sum(), "normalise the weights"),
        (lambda v: v.exp().sum() ** 2 / v.exp().square().sum(), "NaN"),
        (lambda v: torch.tensor(20.0), "with n equal weights"),
    ],
    "part-2": [
        (lambda w, u: _counts(w, u + _points(w)), "divided by n too"),
        (lambda w, u: _counts(w, _points(w)), "without the offset"),
        (lambda w, u: len(w) * w, "copies are whole"),
        (lambda w, u: (len(w) * w).round(), "need not sum"),
        (lambda w, u: torch.searchsorted(w.cumsum(0), u / len(w) + _points(w)), "count them"),
        (lambda w, u: torch.tensor([4, 0, 0, 0]), "differ from n w"),
    ],
    "part-3": [
        (lambda r, m, k: k * r**m, "divide instead"),
        (lambda r, m, k: k / (r * m), "shares multiply"),
        (lambda r, m, k: r**m, "share left"),
        (lambda r, m, k: 1 / r**m, "size k is wanted"),
        (lambda r, m, k: k, "solve for n"),
    ],
    "part-4": [
        (lambda p, q, before, after: q - p + after - before, "target over proposal"),
        (lambda p, q, before, after: p - q + before - after, "functions are the wrong way"),
        (lambda p, q, before, after: p + after - before, "must be paid for"),
        (lambda p, q, before, after: p - q + after, "at every level"),
        (lambda p, q, before, after: after - before, "prior's own step"),
        (lambda p, q, before, after: 0.0, "in logarithms"),
    ],
}
