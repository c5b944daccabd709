"""Planted wrong answers of chapter 1/03."""

import math

import torch

NOTEBOOK = "notebooks/1_foundations/03_generative_models.ipynb"


def namespace():
    """What stub and solution cells find defined."""
    import medtut as mt

    return {"mt": mt, "math": math, "torch": torch}


def halves(y):
    return y.chunk(2, 1)


def coupled(x, s, t):
    x1, x2 = halves(x)
    return torch.cat([x1, x2 * s(x1).exp() + t(x1)], 1)


def inverse(y, s, t):
    y1, y2 = halves(y)
    return torch.cat([y1, (y2 - t(y1)) * (-s(y1)).exp()], 1)


def near(x, y):
    return torch.cdist(x, y).amin(1)


WRONG = {
    "families-1": [
        (lambda p, d, n: math.log(n / 2) - p / d, "in nats"),
        (lambda p, d, n: (math.log(n) - p / d) / math.log(2), "[0, 1]"),
        (lambda p, d, n: -p / d / math.log(2), "no probability yet"),
        (lambda p, d, n: (d * math.log(n / 2) - p) / math.log(2), "whole image"),
        (lambda p, d, n: (p / d - math.log(n / 2)) / math.log(2), "the sign"),
        (lambda p, d, n: (math.log(n / 2) + p / d) / math.log(2), "uniform density"),
    ],
    "families-2": [
        (lambda y, s, t: (coupled(y, lambda h: -s(h), lambda h: -t(h)), 0), "order"),
        (lambda y, s, t: (coupled(y, s, t), 0), "map itself"),
        (lambda y, s, t: (y, 0), "must come back"),
        (lambda y, s, t: (inverse(y, s, t), s(y[:, :3]).sum(1)), "the sign of the log determinant"),
        (lambda y, s, t: (inverse(y, s, t), -s(y[:, :3])), "the shape is (5, 3)"),
        (lambda y, s, t: (inverse(y, s, t), torch.zeros(5)), "triangular"),
    ],
    "families-3": [
        (lambda w: w.exp().mean(0).log(), "became 0"),
        (lambda w: w.mean(0), "mean of the logarithms"),
        (lambda w: w.logsumexp(0), "take log K off"),
        (lambda w: w.amax(0), "equal weights"),
    ],
    "families-4": [
        (lambda x, a, b: (near(x, b) / near(x, a)).median(), "upside down"),
        (lambda x, a, b: near(x, a).median() / near(x, b).median(), "divide first"),
        (lambda x, a, b: (near(x, a) / near(x, b)).mean(), "far-off draw"),
        (lambda x, a, b: near(x, a).median(), "for each draw"),
    ],
}
