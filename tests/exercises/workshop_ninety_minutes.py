"""Planted wrong answers of the workshop of ninety minutes."""

import math

NOTEBOOK = "notebooks/0_workshop/01_ninety_minutes.ipynb"


def namespace():
    """What stub and solution cells find defined."""
    import numpy as np

    import medtut as mt

    return {"np": np, "mt": mt}


WRONG = {
    "ninety-1": [
        (lambda x, eps_hat, sigma: x + sigma * eps_hat, "second time"),
        (lambda x, eps_hat, sigma: x - eps_hat, "eps alone has variance 1"),
        (lambda x, eps_hat, sigma: (x - eps_hat) / sigma, "do not divide"),
        (lambda x, eps_hat, sigma: sigma * eps_hat, "noise itself"),
        (lambda x, eps_hat, sigma: sigma * x - eps_hat, "in front of x"),
        (lambda x, eps_hat, sigma: x, "take the noise away"),
    ],
    "ninety-2": [
        (lambda s, s_next, kept: s_next - kept * s, "variances do"),
        (lambda s, s_next, kept: s_next**2 - (kept * s) ** 2, "take its root"),
        (lambda s, s_next, kept: s_next, "too high"),
        (lambda s, s_next, kept: (s_next**2 - kept**2) ** 0.5, "before it is shrunk"),
        (lambda s, s_next, kept: s_next * (1 - kept**2) ** 0.5, "not s_next"),
        (lambda s, s_next, kept: (s_next**2 - kept * s**2) ** 0.5, "squared in the variance"),
        (lambda s, s_next, kept: kept * s, "must be s_next^2"),
    ],
    "ninety-3": [
        (lambda n: 2 / (1 + 1 / n), "not yet in dB"),
        (lambda n: -10 * math.log10(2 / (1 + 1 / n)), "turn the ratio over"),
        (lambda n: 10 * math.log10(n), "variance of its own"),
        (lambda n: 20 * math.log10(2 / (1 + 1 / n)), "amplitudes"),
        (lambda n: 10 * math.log10(2), "infinitely many"),
        (lambda n: 10 * math.log10(1 / (1 + 1 / n)), "not V"),
        (lambda n: 10 * math.log10(n / 2), "2V"),
    ],
}
