"""Checkers of chapter 2/05, conditioning."""

import math

import torch

from ..checks import compare, exercise, require


@exercise("conditioning-1")
def gain_of_mean(answer):
    """answer(K) -> dB that the mean of K posterior draws gains on one of them."""
    for K in (4, 1, 1000):
        compare(answer(K), 10 * math.log10(2 / (1 + 1 / K)), known={
            "that is the gain of averaging pure noise; the truth's own variance V stays":
                10 * math.log10(K),
            "mean squared errors are compared with 10 log10, amplitudes with 20":
                20 * math.log10(2 / (1 + 1 / K)),
            "the sign is turned: the mean has the smaller error": -10 * math.log10(2 / (1 + 1 / K)),
            "that is the gain for K to infinity": 10 * math.log10(2),
        }, otherwise="the errors are 2V for one draw and (1 + 1/K) V for the mean", tol=1e-6)
    return "3.01 dB at most, and 2.04 dB for four draws"


@exercise("conditioning-2")
def paste(answer):
    """answer(drawn, known, mask, s_next, z) -> the state after pasting [lugmayr2022repaint, alg. 1]."""
    g = torch.Generator().manual_seed(0)
    drawn, known, z = torch.randn(3, 2, 1, 4, 4, generator=g)
    mask, s = (torch.rand(1, 1, 4, 4, generator=g) > 0.5).float(), 0.3
    noised = known + s * z
    compare(answer(drawn, known, mask, s, z), mask * noised + (1 - mask) * drawn, known={
        "the mask is turned: 1 means known": (1 - mask) * noised + mask * drawn,
        "the known pixels are pasted clean, into a state that is noisy": mask * known + (1 - mask) * drawn,
        "s_next is a standard deviation; its square is the misprint of the paper":
            mask * (known + s**2 * z) + (1 - mask) * drawn,
        "noise goes on the known pixels only; `drawn` has its own": mask * known + (1 - mask) * drawn + s * z,
    }, otherwise="known pixels: the clean image plus s_next times z; the others: `drawn`, untouched")
    return "two halves at one noise level"


@exercise("conditioning-3")
def calls(answer):
    """answer(n, jump, r) -> network calls of RePaint."""
    for n, jump, r in ((13, 3, 5), (250, 10, 10), (20, 1, 1), (6, 5, 2)):
        places = (n - 1) // jump
        compare(answer(n, jump, r), n + (r - 1) * jump * places, known={
            "the first way down is among the r: only r - 1 are further": n + r * jump * places,
            "each way back has to be walked down again over `jump` levels": n + (r - 1) * places,
            "that takes every level r times; the last is never repeated, nor are levels between jumps": n * r,
        }, otherwise="count the levels n - 1, n - 1 - jump, ... that have `jump` levels above them", tol=1e-9)
    return "r times the cost, almost; the paper's setting, 250 levels, makes 2410 calls"


@exercise("conditioning-4")
def swap_score(answer):
    """answer(found, told, own) -> share of draws nearer to what they were told."""
    g = torch.Generator().manual_seed(1)
    found, told, own = torch.rand(3, 7, 5, generator=g)
    nearer = (found - told).norm(dim=1) < (found - own).norm(dim=1)
    right = nearer.float().mean()
    value = answer(found, told, own)
    require(getattr(value, "ndim", 0) == 0, "give one number: the share over all draws")
    compare(value, right, known={
        "that is the share nearer to `own`": 1 - right,
        "that compares single block means; take one distance per draw":
            ((found - told).abs() < (found - own).abs()).float().mean(),
    }, otherwise="take the norm over axis 1, compare, and average over draws", tol=1e-6)
    return "0.5 would be a condition that is ignored, 1 one that always arrives"
