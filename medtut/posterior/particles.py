"""Sequential Monte Carlo: many states per sample, weighted by the data and drawn again.

The start x and every state hold the particles as an axis of their own, (b, n, c, *space): make them by
`start(sigmas, (b, n, c, *space), ...)`. Particles of one sample depend on each other; they are equally
weighted, and any one of them is a draw.
"""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor

from ..denoisers import Denoiser
from ..noise import Noise, randn
from ..operators import InverseProblem, Number
from ..physics.spectral import svd
from ..samplers import State
from .steps import noisy, white


def systematic(log_w: Tensor, generator: Noise = None) -> Tensor:
    """Which particle each is replaced by, (b, n), for log weights (b, n) up to a constant: n even steps
    through the cumulated weights from one random offset per sample."""
    n = log_w.shape[1]
    offset = torch.special.ndtr(randn((len(log_w), 1), generator, log_w))
    points = (torch.arange(n, device=log_w.device) + offset) / n
    return torch.searchsorted(log_w.softmax(1).cumsum(1), points).clamp(max=n - 1)


def _choose(log_w: Tensor, generator: Noise, *particles: Tensor) -> list[Tensor]:
    """Each of `particles`, (b n, ...), resampled by log weights (b n,) or (b, n)."""
    pick = systematic(log_w, generator)
    rows = (pick + pick.shape[1] * torch.arange(len(pick), device=pick.device)[:, None]).flatten()
    return [p[rows] for p in particles]


def _split(x: Tensor, b: int) -> Tensor:
    return x.reshape(b, -1, *x.shape[1:])


def _twist(denoise: Denoiser, problem: InverseProblem, x: Tensor, s: float, variance: Number) -> tuple:
    """x0hat, log N(y; A x0hat, (noise_std^2 + r^2) I) up to a constant, and its gradient in x."""
    r2 = variance * s**2 / (variance + s**2)
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        x0hat = denoise(x, s)
        log_p = -problem.loss(x0hat) / (problem.noise_std**2 + r2)
        (score,) = torch.autograd.grad(log_p.sum(), x)
    return x0hat.detach(), log_p.detach(), score


def tds(
    denoise: Denoiser,
    problem: InverseProblem,
    sigmas: Tensor,
    x: Tensor,
    *,
    variance: Number = 1.0,
    generator: Noise = None,
) -> Iterator[State]:
    """The twisted diffusion sampler [wu2023tds, alg. 1]. Targets the posterior as the number of particles
    grows [theorem 1].

    Each particle takes an ancestral step whose mean is moved by the gradient of the twisting function
    [eq. 9 and 10]; weights undo what that function adds [eq. 11]. The paper's function [eq. 8] is the
    likelihood at x0hat; here it is widened to N(y; A x0hat, noise_std^2 + r^2) with the r^2 of `pigdm`, which
    is the paper's own variance for inpainting [app. D.2.2]. The last step has no noise and is not twisted.
    x: (b, n, c, *space). Any differentiable operator with noise_std > 0.
    """
    noisy(problem, "tds", "dps")
    b, n = x.shape[:2]
    problem, x = problem.repeat(n), x.flatten(0, 1)
    x0hat, twist, score = _twist(denoise, problem, x, float(sigmas[0]), variance)
    log_w = twist
    for i, (s, s_next) in enumerate(pairwise(sigmas.tolist())):
        x, x0hat, twist, score = _choose(log_w.reshape(b, n), generator, x, x0hat, twist, score)
        mean, used = x0hat + (s_next / s) ** 2 * (x - x0hat), x0hat
        if s_next > 0:
            moved, std = mean + (s**2 - s_next**2) * score, s_next * (1 - (s_next / s) ** 2) ** 0.5
            x = moved + std * randn((b, n, *x.shape[1:]), generator, x).flatten(0, 1)
            before, (x0hat, twist, score) = twist, _twist(denoise, problem, x, s_next, variance)
            ratio = ((x - moved).square() - (x - mean).square()).flatten(1).sum(1) / (2 * std**2)
            log_w = ratio + twist - before
        else:
            log_w = -problem.loss(mean) / problem.noise_std**2 - twist
            x, used = _choose(log_w.reshape(b, n), generator, mean, x0hat)
        yield State(i, s_next, _split(x, b), _split(used, b))


@torch.no_grad()
def fps(
    denoise: Denoiser, problem: InverseProblem, sigmas: Tensor, x: Tensor, *, generator: Noise = None
) -> Iterator[State]:
    """Filtering posterior sampling [dou2024fps], with particles. Targets an approximation: choosing counts
    the noise of y once a level, as if it were drawn anew, so the variance is too small where A measures.

    A path of noised data y_s = y + s A z is drawn backwards as the image's own chain would be; at each level
    particles are chosen by how well they predict the next y_s, and then take it in exactly. The last step is
    Tweedie's. x: (b, n, c, *space). Needs an operator with `physics.spectral.svd`.
    """
    white(problem, "fps")
    b, n, *image = x.shape
    A = svd(problem.repeat(n).A, x.flatten(0, 1))

    def image_noise() -> Tensor:
        return randn((b, *image), generator, x)

    path, x = problem.y + float(sigmas[0]) * problem.A(image_noise()), x.flatten(0, 1)
    for i, (s, s_next) in enumerate(pairwise(sigmas.tolist())):
        a = (s_next / s) ** 2
        std, x0hat = s_next * (1 - a) ** 0.5, denoise(x, s)
        mean = A.vh(x0hat + a * (x - x0hat))
        path = problem.y + a * (path - problem.y) + std * problem.A(image_noise())
        if s_next == 0:
            x = A.v(mean)
        else:
            seen, data = A.values > 0, A.uh(path.repeat_interleave(n, 0))
            spread = std**2 * A.values**2 + problem.noise_std**2
            misfit = torch.where(seen, (data - A.values * mean).square() / spread, 0)
            (mean, x0hat) = _choose(-misfit.flatten(1).sum(1).reshape(b, n) / 2, generator, mean, x0hat)
            gain = torch.where(seen, std**2 * A.values / spread, 0)
            cov = std**2 * (1 - gain * A.values)
            z = randn((b, n, *x.shape[1:]), generator, x).flatten(0, 1)
            x = A.v(mean + gain * (data - A.values * mean) + cov.clamp(min=0).sqrt() * z)
        yield State(i, s_next, _split(x, b), _split(x0hat, b))


@torch.no_grad()
def mcgdiff(
    denoise: Denoiser,
    problem: InverseProblem,
    sigmas: Tensor,
    x: Tensor,
    *,
    kappa: Number = 1e-4,
    generator: Noise = None,
) -> Iterator[State]:
    """Monte Carlo guided diffusion [cardoso2024mcgdiff, alg. 1 and sec. 2]. Targets the posterior, given many
    particles. The proposal is eq. 7 and the weight eq. 8 of the paper, in the coordinates of A's SVD.

    A datum U^H y / s_i with noise nu = noise_std / s_i is what the state's coordinate is at level nu. Above
    it the coordinate is held near the datum by N(datum, s^2 - nu^2 + kappa (1 + nu^2)); below it is free, and
    the likelihood weights the particles once more at the end: with a small kappa and few particles that
    counts the datum twice, and kappa about 1 does not. x: (b, n, c, *space); A needs an SVD.
    """
    white(problem, "mcgdiff")
    b, n = x.shape[:2]
    many, x = problem.repeat(n), x.flatten(0, 1)
    A = svd(many.A, x)
    seen = (A.values > 0).expand_as(x)
    datum = torch.where(seen, A.uh(many.y) / A.values, 0)
    nu = torch.where(seen, problem.noise_std / A.values, torch.inf)

    def hold(mean: Tensor, std: float, s: float, z: Tensor) -> Tensor:  # N(mean, std^2) times the potential
        width = s**2 - nu**2 + kappa * (1 + nu**2)
        gain = torch.where(nu <= s, std**2 / (std**2 + width), 0)
        return mean + gain * (datum - mean) + std * (1 - gain).sqrt() * z

    def potential(at: Tensor, std: float, s: float) -> Tensor:  # its logarithm, widened by std^2
        width = std**2 + s**2 - nu**2 + kappa * (1 + nu**2)
        return -torch.where(nu <= s, (at - datum).square() / width, 0).flatten(1).sum(1) / 2

    top = float(sigmas[0])
    x = A.v(hold(torch.zeros_like(x), top, top, A.vh(x) / top))
    for i, (s, s_next) in enumerate(pairwise(sigmas.tolist())):
        x0hat, a = denoise(x, s), (s_next / s) ** 2
        mean, std = A.vh(x0hat + a * (x - x0hat)), s_next * (1 - a) ** 0.5
        log_w = -potential(A.vh(x), 0.0, s)
        if s_next > 0:
            log_w = log_w + potential(mean, std, s_next)
        elif problem.noise_std > 0:
            log_w = log_w - many.loss(A.v(mean)) / problem.noise_std**2
        mean, x0hat = _choose(log_w.reshape(b, n), generator, mean, x0hat)
        z = randn((b, n, *x.shape[1:]), generator, x).flatten(0, 1)
        x = A.v(hold(mean, std, s_next, z) if s_next > 0 else torch.where(nu == 0, datum, mean))
        yield State(i, s_next, _split(x, b), _split(x0hat, b))
