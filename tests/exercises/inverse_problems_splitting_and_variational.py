"""Planted wrong answers of chapter 3/07."""

NOTEBOOK = "notebooks/3_inverse_problems/07_splitting_and_variational.ipynb"


def namespace():
    """What stub and solution cells find defined."""
    import torch

    import medtut as mt

    return {"torch": torch, "mt": mt}


def _mixed(y, x0hat, rho):
    return (y + rho * x0hat) / (1 + rho)


WRONG = {
    "split-1": [
        (lambda y, x, lam, v, s: _mixed(y, x, lam * v / s), "square both levels"),
        (lambda y, x, lam, v, s: _mixed(y, x, lam * s**2 / v**2), "the data win"),
        (lambda y, x, lam, v, s: _mixed(y, x, v**2 / s**2 / lam), "lam multiplies"),
        (lambda y, x, lam, v, s: _mixed(x, y, lam * v**2 / s**2), "weighs the guess"),
        (lambda y, x, lam, v, s: y + lam * v**2 / s**2 * x, "division by 1 + rho"),
        (lambda y, x, lam, v, s: (x + y) / 2, "must be 0"),
    ],
    "split-2": [
        (lambda c, variance: variance, "for every c"),
        (lambda c, variance: variance * c, "must be larger"),
        (lambda c, variance: variance / (2 * c), "not s^2"),
        (lambda c, variance: (variance / c) ** 0.5, "standard deviation"),
        (lambda c, variance: variance / c**2, "first order"),
    ],
    "split-3": [
        (lambda variance, v, s: 1 / (1 / variance + 1 / v**2), "makes the datum noisier"),
        (lambda variance, v, s: 1 / (1 / variance + 1 / (v + s) ** 2), "levels do not"),
        (lambda variance, v, s: 1 / (1 / s**2 + 1 / v**2), "for one x"),
        (lambda variance, v, s: variance + v**2 + s**2, "precisions add"),
        (lambda variance, v, s: 1 / variance + 1 / (v**2 + s**2), "its inverse"),
        (lambda variance, v, s: variance, "two precisions"),
    ],
    "split-4": [
        (lambda mu, x, s, eps, lam: lam * (x - mu) / mu.numel(), "must point from"),
        (lambda mu, x, s, eps, lam: lam * s * (mu - x) / mu.numel(), "lam s times 1/s"),
        (lambda mu, x, s, eps, lam: lam / s * (mu - x) / mu.numel(), "s eps/s is eps"),
        (lambda mu, x, s, eps, lam: lam * (mu + s * eps - x) / mu.numel(), "noise cancels too"),
        (lambda mu, x, s, eps, lam: lam * (mu - x), "number of pixels"),
        (lambda mu, x, s, eps, lam: lam * mu, "simplify"),
    ],
}
