"""Checkers of chapter 1/05, diffusion in continuous time."""
import math

import torch

from ..checks import compare, exercise


@exercise("sde-1")
def sigma_subvp(answer):
    """answer(abar) -> the noise level of a sub-VP state [song2021sde]."""
    abar = torch.tensor([0.9, 0.5, 0.1], dtype=torch.float64)
    compare(answer(abar), (1 - abar) / abar.sqrt(), known={
        "that is VP's level; sub-VP has the standard deviation 1 - abar, not its root":
            ((1 - abar) / abar).sqrt(),
        "that is the standard deviation of the state; our x is the state divided by its scale": 1 - abar,
        "the image is scaled by the root of abar, not by abar": (1 - abar) / abar,
        "that is the square, a variance": (1 - abar) ** 2 / abar,
    }, otherwise="divide sqrt(abar) x0 + (1 - abar) eps by the factor of x0: what multiplies eps?")
    return "one division, and a sub-VP network speaks our language"


@exercise("sde-2")
def step_size(answer):
    """answer(z, score, r) -> 2 (r |z| / |score|)**2 of each sample [song2021sde]."""
    z, score = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    score = score * torch.tensor([[1.0], [2.0], [5.0]], dtype=torch.float64)
    r, a, b = 0.2, z.norm(dim=1), score.norm(dim=1)
    compare(answer(z, score, r), 2 * (r * a / b) ** 2, known={
        "these norms are averaged over the batch: a sample then depends on its neighbours":
            (2 * (r * a.mean() / b.mean()) ** 2).expand(3),
        "the ratio is upside down: a steep density needs small steps": 2 * (r * b / a) ** 2,
        "the factor 2 is missing": (r * a / b) ** 2,
        "the square is missing": 2 * r * a / b,
        "r belongs inside the square": 2 * r * (a / b) ** 2,
    }, otherwise="one number for each row: 2 (r |z| / |score|)^2")
    return "each sample has its own step"


@exercise("sde-3")
def bits(answer):
    """answer(log_p, d) -> bits per dimension of 8-bit data, for a density on [-1, 1]."""
    log_p, d = torch.tensor([2000.0, 3000.0], dtype=torch.float64), 784
    per = -log_p / (d * math.log(2))
    compare(answer(log_p, d), per + 7, known={
        "that is right for a density on [0, 1]; here a bin is twice as wide": per + 8,
        "a density is not yet a probability: the width of a bin is missing": per,
        "these are nats: one bit is log 2 of them": -log_p / d + 7 * math.log(2),
        "the sign of log p is wrong: likely images need few bits": -per + 7,
        "a wider bin holds more probability, and needs fewer bits, not more": per + 9,
    }, otherwise="-log2 of (density times bin width), for each dimension; the bin is 2 / 256 wide")
    return "7 = log2 256 - log2 2"


@exercise("sde-4")
def probe_variance(answer):
    """answer(J) -> variance of v . J v with Rademacher v, for symmetric J [hutchinson1990trace]."""
    J = torch.randn(5, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    J = J + J.T
    whole, diagonal = J.square().sum(), J.diagonal().square().sum()
    compare(answer(J), 2 * (whole - diagonal), known={
        "that is the Gaussian probe's: for signs the diagonal is exact": 2 * whole,
        "each pair i < j enters with 2 J_ij, so its square counts 4 times for two entries": whole - diagonal,
        "each pair i < j is counted once in the sum over i < j; you counted it twice": 4 * (whole - diagonal),
        "that is a standard deviation": (2 * (whole - diagonal)).sqrt(),
    }, otherwise="twice the sum of the squares off the diagonal")
    return "what is off the diagonal is the noise; average probes, or make the trace's matrix more diagonal"
