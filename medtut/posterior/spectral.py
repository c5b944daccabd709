"""Samplers that treat each singular direction of A by its own noise level, noise_std / s_i."""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor

from ..denoisers import Denoiser
from ..noise import Noise, randn_like
from ..operators import InverseProblem, Number
from ..physics.spectral import svd
from ..samplers import State
from .steps import white


@torch.no_grad()
def ddrm(
    denoise: Denoiser,
    problem: InverseProblem,
    sigmas: Tensor,
    x: Tensor,
    *,
    eta: Number = 0.85,
    eta_b: Number = 1.0,
    generator: Noise = None,
) -> Iterator[State]:
    """Denoising diffusion restoration [kawar2022ddrm], in the coordinates of the SVD. Targets an
    approximation: the fresh noise is eta s_next, as in `dds`, so that the variance is too small.

    Each coordinate has the datum U^H y / s_i with noise nu = noise_std / s_i. Where the next level is above
    nu, x is drawn around the datum; below it, x0hat moves towards the datum; where s_i = 0, a step without
    data. The start x = sigmas[0] * z is drawn around the data too. Needs an operator that
    `physics.spectral.svd` knows.
    """
    white(problem, "ddrm")
    A = svd(problem.A, x)
    seen = (A.values > 0).expand_as(A.vh(x))
    datum = torch.where(seen, A.uh(problem.y) / A.values, 0)
    nu = torch.where(seen, problem.noise_std / A.values, torch.inf)
    top = float(sigmas[0])
    near = torch.where(nu < top, datum + (top**2 - nu**2).clamp(min=0).sqrt() / top * A.vh(x), A.vh(x))
    x = A.v(near)  # p(x_T | x0, y)
    for i, (s, s_next) in enumerate(pairwise(sigmas.tolist())):
        x0hat = denoise(x, s)
        mean, eps = A.vh(x0hat), A.vh(x - x0hat) / s
        z = randn_like(mean, generator)
        keep = s_next * (1 - eta**2) ** 0.5
        unseen = mean + keep * eps + s_next * eta * z
        below = mean + keep * (datum - mean) / nu + s_next * eta * z
        above = (1 - eta_b) * mean + eta_b * datum + (s_next**2 - (eta_b * nu) ** 2).clamp(min=0).sqrt() * z
        x = A.v(torch.where(seen, torch.where(nu > s_next, below, above), unseen))
        yield State(i, s_next, x, x0hat)


@torch.no_grad()
def ddnm_plus(
    denoise: Denoiser,
    problem: InverseProblem,
    sigmas: Tensor,
    x: Tensor,
    *,
    eta: Number = 0.85,
    generator: Noise = None,
) -> Iterator[State]:
    """DDNM+, the null-space model for noisy data [wang2023ddnm, eq. 17 and 51], in the coordinates of the
    SVD. Targets an approximation: the fresh noise is eta s_next, as in `dds`, so the variance is too small.

    Sigma_t takes less than the whole correction where the datum is noisier than the next level, and Phi_t
    keeps the noise of x at that level. Time travel is left out. Needs an operator that
    `physics.spectral.svd` knows.
    """
    white(problem, "ddnm_plus")
    A = svd(problem.A, x)
    seen = (A.values > 0).expand_as(A.vh(x))
    nu = torch.where(seen, problem.noise_std / A.values, 0)
    for i, (s, s_next) in enumerate(pairwise(sigmas.tolist())):
        x0hat = denoise(x, s)  # eq. 12
        mean, eps = A.vh(x0hat), A.vh(x - x0hat) / s
        keep = s_next * (1 - eta**2) ** 0.5
        lam = torch.where(nu > s_next, keep / nu, 1)  # Sigma_t
        error = torch.where(seen, mean - A.uh(problem.y) / A.values, 0)
        fresh = torch.where(seen & (nu <= s_next), (s_next**2 - nu**2).clamp(min=0).sqrt(), s_next * eta)
        kept = torch.where(seen, 0, keep)
        x = A.v(mean - lam * error + fresh * randn_like(mean, generator) + kept * eps)  # eq. 17, 51
        yield State(i, s_next, x, x0hat)
