"""Planted wrong answers of chapter 3/04."""

import torch

NOTEBOOK = "notebooks/3_inverse_problems/04_what_each_sampler_samples.ipynb"


def namespace():
    """What stub and solution cells find defined."""
    import medtut as mt

    return {"torch": torch, "mt": mt}


WRONG = {
    "exact-1": [
        (lambda s, lam, noise: s**2 * lam / (lam + s**2), "adds its noise"),
        (lambda s, lam, noise: noise, "DPS"),
        (lambda s, lam, noise: s**2 + noise, "wider than x0"),
        (lambda s, lam, noise: lam + noise, "before x was seen"),
        (lambda s, lam, noise: s**2 / (1 + s**2) + noise, "variance 1 only"),
        (lambda s, lam, noise: s * lam, "two limits"),
    ],
    "exact-2": [
        (lambda y, mu, v, noise: (y - mu) ** 2 / noise, "misfit of the mean"),
        (lambda y, mu, v, noise: v / noise, "is not y"),
        (lambda y, mu, v, noise: 1.0, "average over all y"),
        (lambda y, mu, v, noise: ((y - mu) ** 2 + v + noise) / noise, "drawn already"),
        (lambda y, mu, v, noise: (y - mu) ** 2 + v, "divide by"),
        (lambda y, mu, v, noise: 0.0, "plus a deviation"),
    ],
    "exact-3": [
        (lambda c, bias: (1 + c) / c, "bias is missing"),
        (lambda c, bias: (1 + c + bias) / c, "by its square"),
        (lambda c, bias: 1 + c + bias**2, "divide by the variance"),
        (lambda c, bias: (c + bias**2) / c, "truth scatters"),
        (lambda c, bias: 2.0, "posterior itself only"),
        (lambda c, bias: 2 / c, "three terms"),
    ],
    "exact-4": [
        (lambda k, j: 1 - 2 * j / k, "k + 1 numbers"),
        (lambda k, j: 1 - j / (k + 1), "both sides"),
        (lambda k, j: (k - 2 * j) / (k + 1), "between the two"),
        (lambda k, j: 1 - 2 * (j - 1) / (k + 1), "ranks on each side"),
        (lambda k, j: 0.95, "equally likely ranks"),
    ],
}
