"""Diffusion in continuous time: three equations, their reversal, and predictor-corrector sampling.

An equation du = f(t) u dt + g(t) dW on 0 <= t <= 1 moves a scaled state u = scale(t) * x, where x is our
x0 + sigma(t) * eps. Two functions of time say everything: scale(t) and sigma(t). The samplers take levels of
sigma, walk in u, and yield x.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from ..denoisers import Denoiser
from ..noise import Noise, randn_like
from .state import State

Image = Float[Tensor, "b *shape"]
Times = Float[Tensor, "*n"]


@dataclass(frozen=True)
class VP:
    """The variance-preserving equation, DDPM's chain in the limit of small steps [song2021sde, eq. 11].

    beta(t) runs along a line from `beta_min` to `beta_max` [eq. 32], which are 1000 times DDPM's betas.
    """

    beta_min: float = 0.1
    beta_max: float = 20.0

    def beta(self, t: Times) -> Times:
        """The rate at which noise comes in."""
        return self.beta_min + t * (self.beta_max - self.beta_min)

    def log_abar(self, t: Times) -> Times:
        """log abar(t), minus the integral of beta from 0 to t."""
        return -(self.beta_min * t + 0.5 * t**2 * (self.beta_max - self.beta_min))

    def drift(self, t: Times) -> Times:
        """f(t), the factor of u in the drift."""
        return -0.5 * self.beta(t)

    def diffusion(self, t: Times) -> Times:
        """g(t)."""
        return self.beta(t).sqrt()

    def scale(self, t: Times) -> Times:
        """E[u(t) | x0] is scale(t) * x0."""
        return (0.5 * self.log_abar(t)).exp()

    def std(self, t: Times) -> Times:
        """Standard deviation of u(t) given x0."""
        return (-torch.expm1(self.log_abar(t))).sqrt()

    def sigma(self, t: Times) -> Times:
        """Our noise level at time t, std / scale."""
        return self.std(t) / self.scale(t)

    def time(self, sigma: Times) -> Times:
        """The time at which the noise level is sigma."""
        return self._time(torch.log1p(sigma**2))

    def _time(self, spent: Times) -> Times:
        """The root of -log_abar(t) = spent, in the form that loses no digits near 0."""
        slope = self.beta_max - self.beta_min
        return 2 * spent / (self.beta_min + (self.beta_min**2 + 2 * slope * spent).sqrt())


@dataclass(frozen=True)
class SubVP(VP):
    """The sub-VP equation: VP's drift and less noise [song2021sde, eq. 12].

    The variance of u(t) given x0 is (1 - abar(t))**2, the square of VP's [eq. 29].
    """

    def diffusion(self, t: Times) -> Times:
        """g(t)."""
        return (-self.beta(t) * torch.expm1(2 * self.log_abar(t))).sqrt()

    def std(self, t: Times) -> Times:
        """Standard deviation of u(t) given x0."""
        return -torch.expm1(self.log_abar(t))

    def time(self, sigma: Times) -> Times:
        """The time at which the noise level is sigma = 2 sinh(-log(abar) / 2)."""
        return self._time(2 * torch.asinh(sigma / 2))


@dataclass(frozen=True)
class VE:
    """The variance-exploding equation, NCSN's levels in the limit [song2021sde, eq. 9]; u is x itself.

    sigma(t) is geometric from `sigma_min` to `sigma_max` [eq. 30 and 31]: time 0 is an image that is already
    a little noisy.
    """

    sigma_min: float = 0.01
    sigma_max: float = 50.0

    def _rate(self) -> float:
        return math.log(self.sigma_max / self.sigma_min)

    def drift(self, t: Times) -> Times:
        """f(t) = 0."""
        return torch.zeros_like(t)

    def diffusion(self, t: Times) -> Times:
        """g(t), the root of d sigma**2 / dt."""
        return self.sigma(t) * (2 * self._rate()) ** 0.5

    def scale(self, t: Times) -> Times:
        """E[u(t) | x0] is x0."""
        return torch.ones_like(t)

    def std(self, t: Times) -> Times:
        """Standard deviation of u(t) given x0."""
        return self.sigma(t)

    def sigma(self, t: Times) -> Times:
        """Our noise level at time t."""
        return self.sigma_min * (self._rate() * t).exp()

    def time(self, sigma: Times) -> Times:
        """The time at which the noise level is sigma."""
        return (sigma / self.sigma_min).log() / self._rate()


SDE = VP | VE  # SubVP is a VP
Rule = Callable[[SDE, Times, Times], tuple[float, float]]


def euler_maruyama(sde: SDE, t: Times, t_next: Times) -> tuple[float, float]:
    """Decay h f(t) and noise variance h g(t)**2 of a step from t back to t_next [song2021sde, sec. 4.1]."""
    h = t - t_next
    return float(h * sde.drift(t)), float(h * sde.diffusion(t) ** 2)


def reverse_diffusion(sde: SDE, t: Times, t_next: Times) -> tuple[float, float]:
    """The same from the exact forward step t_next -> t, u' = (1 + decay) u + noise [song2021sde, eq. 46].

    For VP the variance is the beta of the chain with only these levels, for VE the difference of sigma**2.
    """
    growth = sde.scale(t) / sde.scale(t_next)
    return float(growth - 1), float(sde.std(t) ** 2 - (growth * sde.std(t_next)) ** 2)


@torch.no_grad()
def reverse_sde(
    denoise: Denoiser,
    sigmas: Float[Tensor, " n1"],
    x: Image,
    *,
    sde: SDE = VP(),
    rule: Rule = euler_maruyama,
    generator: Noise = None,
) -> Iterator[State]:
    """The reverse-time equation [anderson1982reverse] by steps of `rule`, one call each [song2021sde, eq. 6].

    The step to sigma = 0 returns the estimate x0hat, without noise.
    """
    yield from predictor_corrector(denoise, sigmas, x, sde=sde, rule=rule, corrections=0, generator=generator)


@torch.no_grad()
def predictor_corrector(
    denoise: Denoiser,
    sigmas: Float[Tensor, " n1"],
    x: Image,
    *,
    sde: SDE = VP(),
    rule: Rule = reverse_diffusion,
    corrections: int = 1,
    snr: float = 0.16,
    generator: Noise = None,
) -> Iterator[State]:
    """A step of the reverse equation, then Langevin steps at the new level [song2021sde, alg. 2 and 3].

    Each correction costs one more call; `snr` is that of `langevin_step`. The step to 0 returns x0hat.
    """
    levels = sigmas.tolist()
    times = sde.time(sigmas[:-1] if levels[-1] == 0 else sigmas)
    for i, (s, s_next) in enumerate(pairwise(levels)):
        x0hat = denoise(x, s)
        if s_next == 0:
            yield State(i, 0.0, x0hat, x0hat)
            return
        decay, variance = rule(sde, times[i], times[i + 1])
        scale, scale_next = float(sde.scale(times[i])), float(sde.scale(times[i + 1]))
        u = scale * x
        score = (x0hat - x) / (s**2 * scale)  # of the density of u
        u = u - decay * u + variance * score + variance**0.5 * randn_like(x, generator)
        x = u / scale_next
        for _ in range(corrections):
            x = langevin_step(denoise, x, s_next, snr, generator)
        yield State(i, s_next, x, x0hat)


def langevin_step(denoise: Denoiser, x: Image, s: float, snr: float = 0.16, generator: Noise = None) -> Image:
    """One Langevin step at level s, of size 2 (snr |z| / |score|)**2 for each sample [song2021sde, alg. 4].

    The norms are those of the one sample. The paper suggests and its code takes averages over a large batch,
    so there a sample depends on its neighbours. In VP variables the step lands on the same point. (There
    algorithm 5 also shrinks the size by 1 - beta of the chain, which tends to 1 with small steps.)
    """
    score = (denoise(x, s) - x) / s**2
    z = randn_like(x, generator)
    ratio = z.flatten(1).norm(dim=1) / score.flatten(1).norm(dim=1)
    size = (2 * (snr * ratio) ** 2).reshape(-1, *[1] * (x.ndim - 1))
    return x + size * score + (2 * size).sqrt() * z
