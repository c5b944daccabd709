"""Samplers that add the gradient of a data term to an unconditional step."""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor

from ..denoisers import Denoiser
from ..noise import Noise
from ..operators import InverseProblem, Number
from ..samplers import State, renoise


def dps(
    denoise: Denoiser,
    problem: InverseProblem,
    sigmas: Tensor,
    x: Tensor,
    *,
    zeta: Number = 1.0,
    eta: Number = 1.0,
    generator: Noise = None,
) -> Iterator[State]:
    """Diffusion posterior sampling [chung2023dps, Alg. 1]. Targets an approximation of the posterior.

    One ancestral step (eta = 1), then one step down |y - A x0hat(x)|, differentiated through the denoiser;
    the algorithm's zeta_i |.|^2 with zeta_i = zeta / (2 |.|) is the same. The authors' code takes one norm
    over the batch; here each sample has its own. zeta is the code's, in VP variables: the square root carries
    it over to ours. By the paper's definition, zeta' = zeta_i |.|, it is 2 zeta'. It must be tuned again when
    the number of steps changes.
    """
    for i, (s, s_next) in enumerate(pairwise(sigmas.tolist())):
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            x0hat = denoise(x, s)  # Tweedie
            residual = (2 * problem.loss(x0hat)).sqrt()  # |y - A x0hat|, one per sample
            (gradient,) = torch.autograd.grad(residual.sum(), x)
        x, x0hat = x.detach(), x0hat.detach()
        step = zeta * ((1 + s**2) * (1 + s_next**2)) ** 0.5  # zeta, from VP to x = x0 + sigma eps
        x = renoise(x, x0hat, s, s_next, eta, generator) - step * gradient
        yield State(i, s_next, x, x0hat)
