"""Exponential integrators: solvers that take the linear part of the probability-flow equation exactly.

In lambda = -log(sigma) the equation is dx/dlambda = D(x) - x. Over a step of length h = log(s / s_next) the
state forgets itself by exp(-h) = s_next / s, and the rest is a weighted mean of D along the way. A solver is
a guess of that mean; a step with a given guess is `ancestral.renoise`.
"""

import math
from collections.abc import Iterator
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from ..denoisers import Denoiser
from ..noise import Noise
from .ancestral import renoise
from .state import State

Image = Float[Tensor, "b *shape"]


@torch.no_grad()
def dpmpp_2m(
    denoise: Denoiser, sigmas: Float[Tensor, " n1"], x: Image, *, eta: float = 0.0, generator: Noise = None
) -> Iterator[State]:
    """DPM-Solver++ of order two that looks back, 2M [lu2022dpmpp]: one denoiser call a step.

    D is extrapolated along a line in log(sigma) to the middle of the step; the first step and one that ends
    at sigma = 0 are DDIM. eta=1 solves the reverse SDE instead of the ODE (the paper's SDE form of 2M).
    """
    before = None
    for i, (s, s_next) in enumerate(pairwise(sigmas.tolist())):
        x0hat = denoise(x, s)
        x = renoise(x, _at_middle(x0hat, before, s, s_next), s, s_next, eta, generator)
        before = (s, x0hat)
        yield State(i, s_next, x, x0hat)


@torch.no_grad()
def dpmpp_2s(denoise: Denoiser, sigmas: Float[Tensor, " n1"], x: Image) -> Iterator[State]:
    """DPM-Solver++ of order two in single steps, 2S [lu2022dpmpp]: two denoiser calls a step.

    The second call is at the middle of the step in log(sigma). A step to sigma = 0 is DDIM, one call.
    """
    for i, (s, s_next) in enumerate(pairwise(sigmas.tolist())):
        x0hat = guess = denoise(x, s)
        if s_next > 0:
            s_middle = (s * s_next) ** 0.5
            guess = denoise(renoise(x, x0hat, s, s_middle), s_middle)
        x = renoise(x, guess, s, s_next)
        yield State(i, s_next, x, x0hat)


@torch.no_grad()
def unipc(denoise: Denoiser, sigmas: Float[Tensor, " n1"], x: Image) -> Iterator[State]:
    """UniPC of order two with B(h) = exp(h) - 1 on D itself [zhao2023unipc]: one denoiser call a step.

    It predicts as `dpmpp_2m`. The call at the predicted point then also corrects the step that led there,
    so a yielded x is a prediction still to be corrected. The last step, to sigma = 0, has no corrector.
    """
    older = before = came_from = None
    for i, (s, s_next) in enumerate(pairwise(sigmas.tolist())):
        x0hat = denoise(x, s)
        if before is not None:
            x = renoise(came_from, _over_step(x0hat, before, older, s), before[0], s)
        came_from = x
        x = renoise(x, _at_middle(x0hat, before, s, s_next), s, s_next)
        older, before = before, (s, x0hat)
        yield State(i, s_next, x, x0hat)


def _at_middle(x0hat: Image, before: tuple[float, Image] | None, s: float, s_next: float) -> Image:
    """D at the middle of the step, on the line in log(sigma) through the last two calls."""
    if before is None or s_next == 0:
        return x0hat
    s_before, x0hat_before = before
    r = math.log(s_before / s) / math.log(s / s_next)
    return x0hat + (x0hat - x0hat_before) / (2 * r)


def _over_step(
    arrived: Image, before: tuple[float, Image], older: tuple[float, Image] | None, s: float
) -> Image:
    """The weighted mean of D over the step that led to s, on the parabola through its last three values.

    With u from 0 to 1 along a step of length h, D is weighted by h exp(h (u - 1)) / (1 - exp(-h)); `first`
    and `second` are the means of u and of u**2. After the first step, without a third value, the mean of
    both ends.
    """
    s_before, left = before
    if older is None:
        return (left + arrived) / 2
    h = math.log(s_before / s)
    first = 1 / -math.expm1(-h) - 1 / h
    second = 1 / -math.expm1(-h) - 2 * first / h
    r = math.log(older[0] / s_before) / h
    slope, slope_before = arrived - left, (left - older[1]) / r
    bend = (slope - slope_before) / (1 + r)
    return left + first * (slope - bend) + second * bend
