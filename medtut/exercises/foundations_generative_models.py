"""Checkers of chapter 1/03, six families of generative models."""

import math

import torch

from ..checks import compare, exercise, require


def _random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


@exercise("families-1")
def to_bits(answer):
    """answer(log_p, dims, levels) -> bits per dimension of data in [-1, 1] [theis2016note]."""
    log_p, dims, levels = torch.tensor([350.0, -120.0]), 100, 16
    per_dim = log_p / dims
    right = (math.log(levels / 2) - per_dim) / math.log(2)
    compare(
        answer(log_p, dims, levels),
        right,
        known={
            "that is in nats: divide by the logarithm of 2": right * math.log(2),
            "that takes the data to lie in [0, 1]: a bin of [-1, 1] is 2 / levels wide":
                (math.log(levels) - per_dim) / math.log(2),
            "the width of a bin is missing: a density is no probability yet": -per_dim / math.log(2),
            "that is for the whole image: divide by the number of pixels": right * dims,
            "the sign: a more probable image needs fewer bits": -right,
        },
        otherwise="test the uniform density of [-1, 1]: it must need log2(levels) bits",
    )
    return "density times the volume of a bin, in bits, for one pixel"


@exercise("families-2")
def invert(answer):
    """answer(y, s, t) -> x and log |det dx/dy| of an affine coupling [dinh2017realnvp]."""
    y, (a, b) = _random(5, 6).double(), _random(2, 3, 3).double()

    def s(h):
        return torch.tanh(h @ a)

    def t(h):
        return h @ b

    y1, y2 = y.chunk(2, 1)
    x, log_det = torch.cat([y1, (y2 - t(y1)) * (-s(y1)).exp()], 1), -s(y1).sum(1)
    wrong_order = torch.cat([y1, y2 * (-s(y1)).exp() - t(y1)], 1)
    got = answer(y, s, t)
    compare(
        tuple(got)[:1] if isinstance(got, tuple | list) else got,
        (x,),
        known={
            "the order: the map scales first and shifts last, so the inverse takes the shift off first":
                wrong_order,
            "that is the map itself, not its inverse": torch.cat([y1, y2 * s(y1).exp() + t(y1)], 1),
        },
        otherwise="put your x through the coupling: y must come back",
    )
    compare(
        tuple(got)[1],
        log_det,
        known={
            "x is right; the sign of the log determinant is that of the map from x to y": -log_det,
        },
        otherwise="x is right; the Jacobian is triangular, with exp(-s) on the diagonal of the changed half",
    )
    return "no network was inverted"


@exercise("families-3")
def tighter(answer):
    """answer(log_w) -> log of the mean weight over axis 0, (b,) [burda2016iwae]."""
    log_w = 3 * _random(8, 4).double() - 1000
    right = log_w.logsumexp(0) - math.log(8)
    got = answer(log_w)
    lost = isinstance(got, torch.Tensor) and bool(got.isinf().any())
    require(not lost, "the weights became 0 before the logarithm: use logsumexp")
    compare(
        got,
        right,
        known={
            "that is the mean of the logarithms: the bound of one code": log_w.mean(0),
            "that is the sum of the weights: take log K off for the mean": log_w.logsumexp(0),
        },
        otherwise="for equal weights the answer must be that weight",
        tol=1e-6,
    )
    return "the logarithm of a mean, which is at least the mean of the logarithms"


@exercise("families-4")
def neighbour_ratio(answer):
    """answer(x, train, other) -> median over x of nearest-training over nearest-unseen distance."""
    parts = _random(60, 4)
    x, train, other = parts[:20], parts[20:40] * 0.8, parts[40:]
    near, far = torch.cdist(x, train).amin(1), torch.cdist(x, other).amin(1)
    compare(
        answer(x, train, other),
        (near / far).median(),
        known={
            "upside down: a copy must give 0": (far / near).median(),
            "the ratio of the two medians mixes different draws: divide first": near.median() / far.median(),
            "that is the mean; one far-off draw would decide it": (near / far).mean(),
        },
        otherwise="for each draw: the smallest distance to the training set over that to the other set",
    )
    return "0 for copies, about 1 for images that favour neither set"
