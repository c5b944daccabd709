"""Checkers of chapter 3/07, splitting and variational methods."""

import torch

from ..checks import compare, exercise


@exercise("split-1")
def data_turn(answer):
    """answer(y, x0hat, lam, sigma_y, s) -> DiffPIR's moved guess of one measured pixel [zhu2023diffpir]."""
    y, x0hat = 2.0, 0.5
    for lam, sigma_y, s in ((3.0, 0.4, 0.7), (0.5, 0.5, 2.0)):
        rho = lam * sigma_y**2 / s**2

        def mixed(r):
            return (y + r * x0hat) / (1 + r)

        compare(
            answer(y, x0hat, lam, sigma_y, s),
            mixed(rho),
            known={
                "rho is a ratio of variances: square both levels": mixed(lam * sigma_y / s),
                "rho falls as s grows: at a high level the data win": mixed(lam * s**2 / sigma_y**2),
                "lam multiplies rho": mixed(sigma_y**2 / s**2 / lam),
                "rho weighs the guess, not the datum": (rho * y + x0hat) / (1 + rho),
                "the division by 1 + rho is missing": y + rho * x0hat,
            },
            otherwise="the derivative (v - y) + rho (v - x0hat) must be 0",
        )
    return "a weighted mean, in which the guess gains weight as its noise level falls"


@exercise("split-2")
def settled_variance(answer):
    """answer(c, variance) -> the variance that slow decoupled annealing settles at [zhang2025daps]."""
    for c, variance in ((0.8, 0.3), (0.5, 2.0), (1.0, 1.5)):
        compare(
            answer(c, variance),
            variance / c,
            known={
                "that is Tweedie's case for every c: a smaller c pulls less": variance,
                "a smaller c pulls less, so the variance must be larger": variance * c,
                "the noise has the variance 2 s^2, not s^2": variance / (2 * c),
                "that is a standard deviation": (variance / c) ** 0.5,
            },
            otherwise="V = (1 - c s^2 / variance)^2 V + 2 s^2, to the first order in s^2",
        )
    return "with c = 1/2, the exact path, the prior's variance is doubled"


@exercise("split-3")
def gibbs_variance(answer):
    """answer(variance, sigma_y, s) -> the variance of x under split Gibbs at one level [wu2024pnpdm]."""
    for variance, sigma_y, s in ((1.0, 0.5, 0.7), (2.0, 0.3, 1.1)):
        noise = sigma_y**2 + s**2
        compare(
            answer(variance, sigma_y, s),
            1 / (1 / variance + 1 / noise),
            known={
                "that is the posterior for s = 0: the coupling makes the datum noisier": 1
                / (1 / variance + 1 / sigma_y**2),
                "variances add, levels do not: use sigma_y^2 + s^2": 1
                / (1 / variance + 1 / (sigma_y + s) ** 2),
                "that is the variance of z given x, for one x": 1 / (1 / s**2 + 1 / sigma_y**2),
                "precisions add, variances do not": variance + noise,
                "that is the precision; its inverse is asked for": 1 / variance + 1 / noise,
            },
            otherwise="one over the sum of two precisions",
        )
    return "a true posterior, of noisier data"


@exercise("split-4")
def pull(answer):
    """answer(mu, x0hat, s, eps, lam) -> the prior's part of RED-diff's gradient [mardani2024reddiff]."""
    g = torch.Generator().manual_seed(0)
    mu, x0hat, eps = torch.randn(3, 2, 3, generator=g, dtype=torch.float64).unbind(0)
    s, lam = 0.7, 0.25
    right = lam * (mu - x0hat) / mu.numel()
    compare(
        answer(mu, x0hat, s, eps, lam),
        right,
        known={
            "a descent step subtracts this: it must point from the denoised image to mu": -right,
            "the level cancels: lam s times 1/s": right * s,
            "the level cancels: s eps/s is eps, and lam s times 1/s is lam": right / s,
            "the noise cancels too": lam * (mu + s * eps - x0hat) / mu.numel(),
            "d, the number of pixels, is missing": right * mu.numel(),
        },
        otherwise="insert the noise prediction and simplify",
    )
    return "add noise, denoise, and be pulled to the result"
