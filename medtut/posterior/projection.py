"""Samplers that move x0hat towards the data, without a gradient through the network."""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor

from ..denoisers import Denoiser
from ..errors import BadInput
from ..noise import Noise, randn_like
from ..operators import InverseProblem, Number, column, conjugate_gradient, dot
from ..samplers import State, renoise
from .steps import linear, only_linear, project


@torch.no_grad()
def dds(
    denoise: Denoiser,
    problem: InverseProblem,
    sigmas: Tensor,
    x: Tensor,
    *,
    gamma: Number = 1.0,
    cg_steps: int = 5,
    eta: Number = 0.85,
    generator: Noise = None,
) -> Iterator[State]:
    """Decomposed diffusion sampling [chung2024dds], the form for noisy data. Targets an approximation.

    `cg_steps` of conjugate gradients on (1 + gamma A^H A) x = x0hat + gamma A^H y from x0hat, then a step
    with the noise of the state *before* them. As in the authors' code the fresh part of the noise is eta
    s_next whatever the step. That is not DDIM's eta: 0 is DDIM, but 1 keeps only half of the prior variance
    where the data are silent. gamma is constant, not s^2 / noise_std^2, so the data weigh more or less than
    by Bayes' rule.
    """
    back = problem.A.adjoint(problem.y)
    for i, (s, s_next) in enumerate(pairwise(sigmas.tolist())):
        x0hat = denoise(x, s)  # Tweedie
        eps = (x - x0hat) / s
        x0hat = conjugate_gradient(
            lambda v: v + gamma * problem.A.gram(v), x0hat + gamma * back, x0hat, cg_steps
        )
        x = x0hat + s_next * (1 - eta**2) ** 0.5 * eps
        if eta > 0 and s_next > 0:
            x = x + s_next * eta * randn_like(x, generator)
        yield State(i, s_next, x, x0hat)


dds = only_linear(dds)


@torch.no_grad()
def song(
    denoise: Denoiser,
    problem: InverseProblem,
    sigmas: Tensor,
    x: Tensor,
    *,
    lam: Number = 1.0,
    cg_steps: int = 3,
    generator: Noise = None,
) -> Iterator[State]:
    """Blending with a path of noised measurements [song2022medical]. Targets an approximation for data
    without noise.

    Before each step, what is measured moves by lam towards y with the noise of the state, drawn afresh; then
    an ancestral step. The last estimate takes the data themselves, without noise, so the result fits the
    noise of y exactly. The paper adds a corrector, which its own tuning switches off for some tasks. cg_steps
    for A^+ unless it has a closed form: one is exact for a mask or a single coil, and with several coils more
    than a few amplify noise. Linear operators only.
    """
    A, y = linear(problem, "song"), problem.y
    for i, (s, s_next) in enumerate(pairwise(sigmas.tolist())):
        y_s = y + s * A(randn_like(x, generator))  # the measurement of the image with the noise of x
        x = project(problem, x, y_s, cg_steps, lam)
        x0hat = denoise(x, s)
        x = renoise(x, x0hat, s, s_next, 1.0, generator)
        if s_next == 0:
            x = project(problem, x, y, cg_steps)
        yield State(i, s_next, x, x0hat)


@torch.no_grad()
def score_mri(
    denoise: Denoiser,
    problem: InverseProblem,
    sigmas: Tensor,
    x: Tensor,
    *,
    snr: Number = 0.16,
    correctors: int = 1,
    cg_steps: int = 3,
    generator: Noise = None,
) -> Iterator[State]:
    """Predictor, corrector and projection in turn [chung2022scoremri, alg. 2]. Targets an approximation for
    data without noise.

    After every step what is measured becomes y. As in the authors' code the corrector comes first, at the
    level of x, its step set by snr (their inference: 0.16); the predictor is the reverse diffusion one, and
    its last step adds no noise. Their batch means of norms are one norm per sample here. For complex images
    [alg. 3] they apply a prior of magnitudes to real and imaginary part in turn; here the denoiser sees both
    channels. cg_steps as in `song`. Linear operators only.
    """
    linear(problem, "score_mri")
    for i, (s, s_next) in enumerate(pairwise(sigmas.tolist())):
        for _ in range(correctors):
            score, z = (denoise(x, s) - x) / s**2, randn_like(x, generator)
            size = column(2 * snr**2 * dot(z, z) / dot(score, score), x)
            x = project(problem, x + size * score + (2 * size).sqrt() * z, problem.y, cg_steps)
        x0hat = denoise(x, s)
        x = x + (s**2 - s_next**2) * (x0hat - x) / s**2
        if s_next > 0:
            x = x + (s**2 - s_next**2) ** 0.5 * randn_like(x, generator)
        x = project(problem, x, problem.y, cg_steps)
        yield State(i, s_next, x, x0hat)


def come_closer(
    guess: Tensor, sigmas: Tensor, sigma_start: Number, generator: Noise = None
) -> tuple[Tensor, Tensor]:
    """Come closer, diffuse faster [chung2022ccdf]: start any sampler from a noised guess, not from noise.

    guess (b, c, *space), for example zero filling or a network's reconstruction. Returns the levels of
    `sigmas` from the first that is at most sigma_start, and the guess with the noise of that level. The
    smaller sigma_start, the fewer steps, and the more of the guess's error and the less spread stay. Raises
    BadInput if no level above 0 is that small.
    """
    rest = sigmas[sigmas <= sigma_start]
    if len(rest) < 2:
        raise BadInput(
            f"got sigma_start = {sigma_start}, need at least the smallest positive level, "
            f"{float(sigmas[-2]):.3g}; use a larger one."
        )
    return rest, guess + float(rest[0]) * randn_like(guess, generator)


@torch.no_grad()
def ddnm(
    denoise: Denoiser,
    problem: InverseProblem,
    sigmas: Tensor,
    x: Tensor,
    *,
    eta: Number = 0.85,
    cg_steps: int = 3,
    generator: Noise = None,
) -> Iterator[State]:
    """Denoising diffusion null-space model [wang2023ddnm], for data without noise. Targets an approximation.

    x0hat [eq. 12] keeps its part in the null space of A; its other part is replaced by A^+ y. Then a step
    whose fresh noise is eta s_next, as in `dds`, which loses prior variance: that of the authors' code, which
    says that the paper's own is DDPM's. For noisy data use `ddnm_plus`. cg_steps as in `song`. Linear
    operators only.
    """
    linear(problem, "ddnm")
    for i, (s, s_next) in enumerate(pairwise(sigmas.tolist())):
        x0hat = denoise(x, s)  # Tweedie
        eps = (x - x0hat) / s
        x0hat = project(problem, x0hat, problem.y, cg_steps)  # A^+ y + (I - A^+ A) x0hat
        fresh = eta * s_next
        x = x0hat + (s_next**2 - fresh**2) ** 0.5 * eps
        if fresh > 0:
            x = x + fresh * randn_like(x, generator)
        yield State(i, s_next, x, x0hat)
