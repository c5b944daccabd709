"""Plug-and-play: an optimiser's step for the prior is replaced by a denoiser. Point estimates, no samples.

Each level of `sigmas` but the last is one iteration; a constant level n times and then 0 runs n iterations
to a fixed point. The state is a clean image at every step, and the start x is any guess, such as A^H y, or
noise of the first level.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from ..denoisers import Denoiser
from ..noise import Noise
from ..operators import InverseProblem, Number
from ..samplers import State
from .steps import conditional_mean, linear


@torch.no_grad()
def pnp_admm(
    denoise: Denoiser,
    problem: InverseProblem,
    sigmas: Tensor,
    x: Tensor,
    *,
    lam: Number = 1.0,
    cg_steps: int = 50,
    generator: Noise = None,
) -> Iterator[State]:
    """Plug-and-play ADMM [venkatakrishnan2013pnp] [chan2017plug]. Targets a point estimate: the mode under
    the penalty whose proximal map the denoiser is, which is -log p(x0) if p is a Gaussian, and else not.

    x goes to argmin |y - A x|^2 / (2 noise_std^2) + lam |x - (v - u)|^2 / (2 s^2), v to D(x + u, s), and the
    multiplier w = u / s^2 adds up (x - v) / s^2, which is 0 at a fixed point; kept like this, it stays right
    when s changes [boyd2011admm]. lam is the prior's weight, 1 by Bayes' rule, and lam / s^2 the papers' rho.
    Yields x, and v as x0hat. noise_std = 0 projects. Linear operators only; no randomness.
    """
    linear(problem, "pnp_admm")
    v, w = x, torch.zeros_like(x)
    for i, s in enumerate(sigmas[:-1].tolist()):
        x = conditional_mean(problem, v - s**2 * w, s**2 / lam, cg_steps)
        v = denoise(x + s**2 * w, s)
        w = w + (x - v) / s**2
        yield State(i, 0.0, x, v)


@torch.no_grad()
def red(
    denoise: Denoiser,
    problem: InverseProblem,
    sigmas: Tensor,
    x: Tensor,
    *,
    lam: Number = 1.0,
    cg_steps: int = 50,
    generator: Noise = None,
) -> Iterator[State]:
    """Regularisation by denoising, its fixed-point iteration [romano2017red, sec. 4.2]. Targets a point:
    where noise_std^-2 A^H (y - A x) = lam (x - D(x, s)) / s^2.

    If D is the posterior mean, the right side is -lam times the gradient of log p(x; s), the density of
    x0 + s eps [reehorst2019red]: the mode under a prior that is blurred by s. Yields the x that meets the
    data, and D(x) as x0hat. noise_std = 0 projects. Linear operators only; no randomness.
    """
    linear(problem, "red")
    for i, s in enumerate(sigmas[:-1].tolist()):
        x0hat = denoise(x, s)
        x = conditional_mean(problem, x0hat, s**2 / lam, cg_steps)
        yield State(i, 0.0, x, x0hat)


@torch.no_grad()
def single_shot_pnp(
    network: nn.Module,
    problem: InverseProblem,
    sigmas: Tensor,
    x: Tensor,
    *,
    first_steps: int = 60,
    fit_steps: int = 10,
    lr: Number = 1e-3,
    lam: Number = 1.0,
    cg_steps: int = 50,
    generator: Noise = None,
) -> Iterator[State]:
    """Plug-and-play without a training set [cheng2024singleshot]. Targets a point estimate: none that is
    known, for its prior is what a network draws easily, and it fits the noise if it is not stopped.

    `pnp_admm`, whose denoiser is a network that is called without an argument and returns images like x, such
    as `Implicit`; Adam [kingma2015adam, alg. 1] fits it to x + u in first_steps steps, then in fit_steps more
    an iteration. Few steps take the place of a noise level: s only weighs the data. Changes the network.
    """
    adam = torch.optim.Adam(network.parameters(), lr)

    def fit(z: Tensor, s: float) -> Tensor:
        for _ in range(fit_steps if adam.state else first_steps):
            with torch.enable_grad():  # per image, so that none reads another
                loss = (network() - z).square().flatten(1).mean(1).sum()
            adam.zero_grad()
            loss.backward()
            adam.step()
        return network().detach()

    yield from pnp_admm(fit, problem, sigmas, x, lam=lam, cg_steps=cg_steps)
