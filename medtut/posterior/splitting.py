"""Samplers that split the posterior: the prior's turn, then the data's, at a noise level that falls."""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor

from ..denoisers import Denoiser
from ..noise import Noise, randn_like
from ..operators import InverseProblem, LinearOperator, Number
from ..samplers import State, ddim, ddpm, last
from ..schedules import karras
from .steps import conditional_draw, conditional_mean, linear, noisy, white


@torch.no_grad()
def diffpir(
    denoise: Denoiser,
    problem: InverseProblem,
    sigmas: Tensor,
    x: Tensor,
    *,
    lam: Number = 1.0,
    zeta: Number = 0.3,
    cg_steps: int = 50,
    generator: Noise = None,
) -> Iterator[State]:
    """Plug-and-play restoration by diffusion [zhu2023diffpir, alg. 1]. Targets an approximation, whose
    moments are wrong in row and null space; by how much depends on lam and zeta.

    x0hat goes to argmin |y - A x|^2 + rho |x - x0hat|^2 with rho = lam noise_std^2 / s^2; lam = 1 is Bayes'
    rule if p(x0 | x) were N(x0hat, s^2 I). Then the noise that leads from *that* point to x is kept by
    sqrt(1 - zeta), and sqrt(zeta) of it is fresh. noise_std = 0 projects. Linear operators only.
    """
    linear(problem, "diffpir")
    for i, (s, s_next) in enumerate(pairwise(sigmas.tolist())):
        # alg. 1, lines 3 and 4, with rho_t of line 1
        x0hat = conditional_mean(problem, denoise(x, s), s**2 / lam, cg_steps)
        # line 5
        eps = (x - x0hat) / s
        # lines 6 and 7, divided by sqrt(abar) of the next level
        x = x0hat + s_next * (1 - zeta) ** 0.5 * eps
        if zeta > 0 and s_next > 0:
            x = x + s_next * zeta**0.5 * randn_like(x, generator)
        yield State(i, s_next, x, x0hat)


@torch.no_grad()
def daps(
    denoise: Denoiser,
    problem: InverseProblem,
    sigmas: Tensor,
    x: Tensor,
    *,
    ode_steps: int = 5,
    langevin_steps: int = 50,
    step: Number = 0.1,
    cg_steps: int = 50,
    generator: Noise = None,
) -> Iterator[State]:
    """Decoupled annealing [zhang2025daps]. Targets an approximation that is too wide where the data are
    silent: p(x0 | x) is taken for N(x0hat, s^2 I), and x0hat is a sample of it rather than its mean.

    x0hat is where `ode_steps` of the probability-flow equation lead from x; x0 is drawn from that Gaussian
    times the likelihood, and noised to the next level. With many levels the law is p(x)^c p(y | x), c = 1 for
    ode_steps = 1 (Tweedie's mean) and 1/2 for an exact path. A linear operator's draw is exact;
    for any other, Langevin steps of size step / (1 / s^2 + 1 / noise_std^2), stable for step < 2 if |A| <= 1.
    noise_std is the true one; the authors' setting is smaller.
    """
    white(problem, "daps")
    for i, (s, s_next) in enumerate(pairwise(sigmas.tolist())):
        x0hat = last(ddim(denoise, karras(ode_steps, s / 50 if ode_steps > 1 else s, s), x))
        if isinstance(problem.A, LinearOperator):
            x0 = conditional_draw(problem, x0hat, s**2, generator, cg_steps)
        else:
            x0, size = x0hat, step / (1 / s**2 + 1 / noisy(problem, "daps", "dps") ** 2)
            for _ in range(langevin_steps):
                slope = problem.grad(x0) / problem.noise_std**2 + (x0 - x0hat) / s**2
                x0 = x0 - size * slope + (2 * size) ** 0.5 * randn_like(x0, generator)
        x = x0 + s_next * randn_like(x0, generator) if s_next > 0 else x0
        yield State(i, s_next, x, x0hat)


@torch.no_grad()
def pnp_dm(
    denoise: Denoiser,
    problem: InverseProblem,
    sigmas: Tensor,
    x: Tensor,
    *,
    inner: int = 10,
    repeats: int = 1,
    cg_steps: int = 50,
    generator: Noise = None,
) -> Iterator[State]:
    """Split Gibbs sampling with a diffusion prior [wu2024pnpdm]. Targets the posterior: x and z are drawn in
    turn from p(x) p(y | z) N(z; x, s^2 I), whose x has the posterior as its law when s goes to 0.

    z from the likelihood times N(x, s^2 I), exactly; x from p(x0 | z) by `inner` ancestral steps down from s.
    `repeats` sweeps a level; few sweeps leave the mean behind, few inner steps x too narrow. The state of the
    sampler is a clean image at every step, and the start x is not noise but any guess, such as 0. Linear
    operators only.
    """
    linear(problem, "pnp_dm")
    for i, s in enumerate(sigmas[:-1].tolist()):
        for _ in range(repeats):
            z = conditional_draw(problem, x, s**2, generator, cg_steps)
            x = last(ddpm(denoise, karras(inner, s / 50, s), z, generator=generator))
        yield State(i, 0.0, x, x)
