"""Checkers of chapter 3/13, the leaderboard."""

import math

import torch

from ..checks import compare, exercise


@exercise("board-1")
def lost_to_the_mean(answer):
    """answer(K) -> dB that the mean of K posterior draws loses to the posterior mean."""
    for K in (8, 1, 3):
        right = 10 * math.log10(1 + 1 / K)
        compare(
            answer(K),
            right,
            known={
                "a ratio of mean squares is 10 log10, not 20": 2 * right,
                "that is what the mean gains over one sample": 10 * math.log10(2 / (1 + 1 / K)),
                "a loss counts as positive here": -right,
                "decibels have the logarithm to the base 10": 10 * math.log(1 + 1 / K),
            },
            otherwise="one sample, K = 1, loses 3.01 dB",
        )
    return "8 samples lose half a decibel, 100 samples 0.04"


@exercise("board-2")
def paired_error(answer):
    """answer(a, b) -> standard error of the mean of a - b."""
    g = torch.Generator().manual_seed(0)
    common = 3 * torch.randn(16, generator=g, dtype=torch.float64)
    a, b = (common + 0.2 * torch.randn(16, generator=g, dtype=torch.float64) for _ in range(2))
    n = len(a)
    compare(
        answer(a, b),
        (a - b).std() / n**0.5,
        known={
            "that treats the slices of a and b as different slices": ((a.var() + b.var()) / n) ** 0.5,
            "that is the spread of the differences, not of their mean": (a - b).std(),
            "divide by n - 1 in the standard deviation: the mean was estimated": (a - b).std(correction=0)
            / n**0.5,
            "that is the mean difference, not its error": (a - b).mean(),
        },
        otherwise="take the differences first, then the standard error of their mean",
    )
    return "what is hard about a slice is hard for both, and drops out"


@exercise("board-3")
def cost(answer):
    """answer(steps, calls, gradients, samples) -> cost in network calls, a gradient counted as two."""
    for steps, calls, gradients, samples in ((100, 1, 1, 8), (20, 5, 0, 8), (50, 2, 3, 1)):
        right = samples * steps * (calls + 2 * gradients)
        compare(
            answer(steps, calls, gradients, samples),
            right,
            known={
                "a gradient counts as two calls": samples * steps * (calls + gradients),
                "each sample pays": steps * (calls + 2 * gradients),
                "gradients are taken at every level": samples * (steps * calls + 2 * gradients),
            },
            otherwise="samples times levels times what a level costs",
        )
    return "DPS with 8 samples of 100 levels costs as much as 2,400 calls"
