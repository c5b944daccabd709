"""The variance of a reverse step: ancestral sampling with one that is learnt, and the bound that teaches it.

A step goes from noise level s to s_next. Its variance lies between two ends, both in our units, which are the
VP chain's divided by abar of the next level: "small" is the posterior's, right if x0 is known exactly;
"large" is beta of the forward step, right if x0 ~ N(0, I) [ho2020ddpm, sec. 3.2].
"""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from ..denoisers import Denoiser
from ..noise import Noise, randn_like
from .state import State

Image = Float[Tensor, "b *shape"]
Share = Float[Tensor, "..."] | float


def variance_ends(s: float, s_next: float) -> tuple[float, float]:
    """Small and large variance of the step from s to s_next > 0. Raises ValueError for s_next = 0."""
    if s_next <= 0:
        raise ValueError("the last step, to s_next = 0, has no variance to choose: it adds no noise.")
    small = s_next**2 * (1 - (s_next / s) ** 2)
    large = (s**2 - s_next**2) * (1 + s_next**2) / (1 + s**2)
    return small, large


def step_variance(nu: Share, s: float, s_next: float) -> Tensor:
    """exp(nu log large + (1 - nu) log small) [nichol2021improved]; nu = 0 is small, nu = 1 large.

    The formula is printed again in [dhariwal2021beat, eq. 1].
    """
    small, large = variance_ends(s, s_next)
    nu = torch.as_tensor(nu, dtype=None if isinstance(nu, Tensor) else torch.float64)
    return (nu * math.log(large) + (1 - nu) * math.log(small)).exp()


@torch.no_grad()
def ancestral(
    denoise: Denoiser,
    sigmas: Float[Tensor, " n1"],
    x: Image,
    *,
    variance: Callable[[Image, float, float], Share] | None = None,
    generator: Noise = None,
) -> Iterator[State]:
    """Ancestral sampling with a learnt variance [nichol2021improved].

    `variance(x, s, s_next)` returns nu of `step_variance`, a number or a tensor that broadcasts to x; None is
    the posterior's variance, `ddpm`. No noise is added at the last step.
    """
    for i, (s, s_next) in enumerate(pairwise(sigmas.tolist())):
        x0hat = denoise(x, s)
        mean = x0hat + (s_next / s) ** 2 * (x - x0hat)
        if s_next > 0:
            nu = 0.0 if variance is None else variance(x, s, s_next)
            mean = mean + step_variance(nu, s, s_next).to(x).sqrt() * randn_like(x, generator)
        x = mean
        yield State(i, s_next, x, x0hat)


def bound_term(x0: Image, x0hat: Image, nu: Share, s: float, s_next: float) -> Float[Tensor, " b"]:
    """KL(q(x_next | x, x0) || model), mean over pixels, in nats: one term of the bound [nichol2021improved].

    The bound is [ho2020ddpm, eq. 5]. q has the mean of `ddpm` with the true x0 and the small variance, the
    model has x0hat and `step_variance`.
    For the paper's L_vlb pass x0hat.detach(), so that this term teaches the variance alone. Needs s_next > 0.
    """
    small, _ = variance_ends(s, s_next)
    variance = step_variance(nu, s, s_next).to(x0)
    miss = (1 - (s_next / s) ** 2) * (x0 - x0hat)  # of the step's mean
    kl = 0.5 * ((variance / small).log() - 1 + (small + miss.square()) / variance)
    return kl.expand(x0.shape).flatten(1).mean(1)
