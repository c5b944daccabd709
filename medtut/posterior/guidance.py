"""Samplers that add the gradient of a data term to an unconditional step."""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor

from ..denoisers import Denoiser
from ..noise import Noise, randn_like
from ..operators import InverseProblem, Number, conjugate_gradient
from ..samplers import State, renoise
from .steps import conditional_mean, linear, project


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


def mcg(
    denoise: Denoiser,
    problem: InverseProblem,
    sigmas: Tensor,
    x: Tensor,
    *,
    alpha: Number = 1.0,
    cg_steps: int = 3,
    generator: Noise = None,
) -> Iterator[State]:
    """Manifold constrained gradient [chung2022mcg]: a DPS step, then a projection. Targets an approximation
    for data without noise.

    What is measured is replaced by the data, noised like the state; the last time without noise, so that the
    result fits the noise of y exactly. As in the authors' code the gradient is that of the norm, with W = 1;
    its part along the data, which the paper removes, is replaced here too. alpha is in VP variables, like the
    zeta of `dps`, cg_steps as in `song`. Linear operators only.
    """
    A = linear(problem, "mcg")
    for i, s_next in enumerate(sigmas[1:].tolist()):
        step = dps(denoise, problem, sigmas[i : i + 2], x, zeta=alpha, generator=generator)
        _, _, x, x0hat = next(step)
        y = problem.y  # y_{i-1} ~ p(y_{i-1} | y)
        if s_next > 0:
            y = y + s_next * A(randn_like(x, generator))
        x = project(problem, x, y, cg_steps)
        yield State(i, s_next, x, x0hat)


def pigdm(
    denoise: Denoiser,
    problem: InverseProblem,
    sigmas: Tensor,
    x: Tensor,
    *,
    eta: Number = 1.0,
    variance: Number = 1.0,
    adaptive: bool = False,
    cg_steps: int = 50,
    generator: Noise = None,
) -> Iterator[State]:
    """Pseudo-inverse guidance [song2023pigdm]. Targets the posterior if the prior is
    N(mean, variance I), for any other prior an approximation.

    p(x0 | x) is taken for N(x0hat, r^2 I), with r^2 = variance s^2 / (variance + s^2); the paper's variance
    is 1. Then DDIM with eta. adaptive=True weights the guidance by r^2 instead of s^2, as the authors' code
    does with its square root of abar. noise_std = 0 takes the pseudo-inverse. A variance far below the
    prior's diverges. Linear operators only.
    """
    linear(problem, "pigdm")
    for i, (s, s_next) in enumerate(pairwise(sigmas.tolist())):
        r2 = variance * s**2 / (variance + s**2)
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            x0hat = denoise(x, s)  # Tweedie
            # r^2 A^H (r^2 A A^H + noise_std^2)^-1 (y - A x0hat), then its product with the Jacobian
            pull = conditional_mean(problem, x0hat.detach(), r2, cg_steps) - x0hat.detach()
            (g,) = torch.autograd.grad(x0hat, x, pull)
        x, x0hat = x.detach(), x0hat.detach() + (1 if adaptive else s**2 / r2) * g
        x = renoise(x, x0hat, s, s_next, eta, generator)
        yield State(i, s_next, x, x0hat)


def moment_matching(
    denoise: Denoiser,
    problem: InverseProblem,
    sigmas: Tensor,
    x: Tensor,
    *,
    cg_steps: int = 3,
    eta: Number = 1.0,
    generator: Noise = None,
) -> Iterator[State]:
    """Tweedie's mean and covariance for p(x0 | x) [boys2024tmpd] by conjugate gradients [rozet2024mmps].
    Targets the posterior if the prior is Gaussian, for any other prior an approximation.

    One ancestral step (eta = 1) along the mean of N(x0hat, Cov[x0 | x]) given y. The covariance is s^2 times
    the Jacobian of the denoiser and is never formed: each of the cg_steps is one product with it. Linear
    operators only.
    """
    linear(problem, "moment_matching")
    for i, (s, s_next) in enumerate(pairwise(sigmas.tolist())):
        x0hat = _tweedie_mean(denoise, problem, x, s, cg_steps)
        x = renoise(x, x0hat, s, s_next, eta, generator)
        yield State(i, s_next, x, x0hat)


def _tweedie_mean(denoise: Denoiser, problem: InverseProblem, x: Tensor, s: float, cg_steps: int) -> Tensor:
    """x0hat + C A^H (A C A^H + noise_std^2)^-1 (y - A x0hat), with C = Cov[x0 | x] [rozet2024mmps]."""
    A = problem.A
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        x0hat = denoise(x, s)

    def spread(v: Tensor) -> Tensor:  # C A^H v, with C = s^2 d x0hat / d x
        return s**2 * torch.autograd.grad(x0hat, x, A.adjoint(v), retain_graph=True)[0]

    b = problem.y - A(x0hat.detach())
    v = conjugate_gradient(
        lambda v: A(spread(v)) + problem.noise_std**2 * v, b, torch.zeros_like(b), cg_steps
    )
    return x0hat.detach() + spread(v)
