"""Noise that is not white and Gaussian: counts, magnitudes, speckle, and log-counts with their weights.

Each problem is an `InverseProblem` whose loss is -log p(y | x) plus a term without x that keeps it from
becoming negative. Of the samplers `dps` takes them, because it needs nothing but that loss; the others
need white noise and refuse. Each has a function that draws its data, with the two operators of `simulate`.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from ..errors import BadInput
from ..noise import randn_like
from ..operators import InverseProblem, LinearOperator, Number, Operator, two_operators

FLOOR = 0.1  # counts; below this rate the logarithm goes on as a straight line, so that x < 0 is pushed back


@dataclass(frozen=True, eq=False)
class Likelihood(InverseProblem, ABC):
    """A measurement y of A(x) with noise of its own kind, which no single noise_std describes."""

    noise_std: Number = field(init=False, repr=False, default=float("nan"))

    def __post_init__(self):
        if self.y.is_complex() or not (torch.isfinite(self.y) & (self.y >= 0)).all():
            raise BadInput(
                "got data that are complex, negative or not finite, need counts, magnitudes or intensities; "
                "use A.restrict(y) to drop what was not measured."
            )

    @abstractmethod
    def loss(self, x: Tensor) -> Tensor:
        """-log p(y | x) per sample, (b,), plus a term without x: never negative."""

    def grad(self, x: Tensor) -> Tensor:
        """The gradient of `loss`, with the shape of x."""
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            return torch.autograd.grad(self.loss(x).sum(), x)[0]

    def repeat(self, n: int) -> "Likelihood":
        """The same problem n times, sample by sample: batch (b,) becomes (b n,)."""
        return replace(self, A=self.A.repeat(n), y=self.y.repeat_interleave(n, 0))

    def _sum(self, terms: Tensor) -> Tensor:
        return self.A.restrict(terms).flatten(1).sum(1)


@dataclass(frozen=True, eq=False)
class PoissonProblem(Likelihood):
    """y counts with mean A(x) + background; the background, known, is a number or (b or 1, ...) like y.

    The loss is half the deviance: 0 where the mean equals the counts.
    """

    background: Tensor | Number = 0.0

    def loss(self, x: Tensor) -> Tensor:
        rate = self.A(x) + (self.background.to(x) if isinstance(self.background, Tensor) else self.background)
        line = (rate - FLOOR) / FLOOR + torch.tensor(FLOOR).log().to(rate)
        log = torch.where(rate > FLOOR, rate.clamp(min=FLOOR).log(), line)
        return self._sum(rate - self.y + torch.xlogy(self.y, self.y) - self.y * log)

    def repeat(self, n: int) -> "PoissonProblem":
        same = not isinstance(self.background, Tensor) or len(self.background) == 1
        again = super().repeat(n)
        return again if same else replace(again, background=self.background.repeat_interleave(n, 0))


@dataclass(frozen=True, eq=False)
class RicianProblem(Likelihood):
    """y = |A(x) + n|, n complex with noise_std per component: a magnitude image [gudbjartsson1995rician]."""

    noise_std: Number = 1.0

    def __post_init__(self):
        super().__post_init__()
        if not self.noise_std > 0:
            raise BadInput(
                f"got noise_std = {self.noise_std}, need a number > 0; use InverseProblem without noise."
            )

    def loss(self, x: Tensor) -> Tensor:
        a, variance = self.A(x).abs(), self.noise_std**2
        bessel = torch.special.i0e(self.y * a / variance).log()  # log I0(z) - z, which does not overflow
        return self._sum((self.y - a) ** 2 / (2 * variance) - bessel)


@dataclass(frozen=True, eq=False)
class SpeckleProblem(Likelihood):
    """y = A(x) g, g the mean of `looks` exponentials: gamma speckle of mean 1 and variance 1 / looks.

    A(x) > 0 is an intensity; below `floor` it counts as `floor`.
    """

    looks: int = 1
    floor: Number = 1e-3

    def __post_init__(self):
        super().__post_init__()
        if not self.looks >= 1:
            raise BadInput(f"got {self.looks} looks, need 1 or more; use 1 for fully developed speckle.")

    def loss(self, x: Tensor) -> Tensor:
        a, best = self.A(x).clamp(min=self.floor), self.y.clamp(min=self.floor)
        return self.looks * self._sum((a / best).log() + self.y / a - self.y / best)


@dataclass(frozen=True, eq=False)
class Weighted(LinearOperator):
    """weight * A x, with weights (b or 1, ...) like y, 1 over the noise of each: what makes it white."""

    A: LinearOperator
    weight: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        return self.weight.to(x) * self.A(x)

    def adjoint(self, y: Tensor) -> Tensor:
        return self.A.adjoint(self.weight.to(y) * y)

    def restrict(self, y: Tensor) -> Tensor:
        return self.A.restrict(y)

    def repeat(self, n: int) -> "Weighted":
        weight = self.weight.repeat_interleave(n, 0) if len(self.weight) > 1 else self.weight
        return Weighted(self.A.repeat(n), weight)


def poisson(rate: Tensor, generator=None) -> Tensor:
    """Counts of that mean, drawn on the CPU; generator as for `randn`. Rounding below 0 is taken for 0."""
    if not (rate >= -1e-5 * rate.abs().max()).all():
        raise BadInput("got a negative or undefined mean count, need all >= 0; use x.clamp(min=0).")
    mean = rate.cpu().clamp(min=0)
    if generator is None or isinstance(generator, torch.Generator):
        return torch.poisson(mean, generator).to(rate)
    return torch.stack([torch.poisson(m, g) for m, g in zip(mean, generator, strict=True)]).to(rate)


def emission(
    A: Operator, x: Tensor, background: Tensor | Number = 0.0, generator=None, crime=False, A_recon=None
) -> PoissonProblem:
    """Draw counts of mean A(x) + background, both in counts."""
    simulator, A_recon = two_operators(A, x, generator, crime, A_recon)
    y = simulator.restrict(poisson(simulator(x) + background, generator))
    return PoissonProblem(A_recon, y, background)


def rician(A: Operator, x: Tensor, noise_std: Number, generator=None, crime=False, A_recon=None):
    """Draw magnitudes |A(x) + n| with noise_std per component; A(x) real or complex."""
    simulator, A_recon = two_operators(A, x, generator, crime, A_recon)
    clean = simulator(x).abs()
    n = randn_like(torch.stack([clean, clean], -1), generator)
    y = torch.hypot(clean + noise_std * n[..., 0], noise_std * n[..., 1])
    return RicianProblem(A_recon, simulator.restrict(y), noise_std)


def speckle(A: Operator, x: Tensor, looks: int, generator=None, crime=False, A_recon=None):
    """Draw A(x) times the mean intensity of `looks` complex Gaussian waves of unit power."""
    simulator, A_recon = two_operators(A, x, generator, crime, A_recon)
    clean = simulator(x)
    waves = randn_like(clean[..., None].expand(*clean.shape, 2 * looks), generator)
    return SpeckleProblem(A_recon, simulator.restrict(clean * waves.square().mean(-1)), looks)


def low_dose(
    A: LinearOperator, x: Tensor, photons: Number, depth: Number, generator=None, crime=False, A_recon=None
) -> InverseProblem:
    """Transmission CT of few photons: counts, their logarithm, and weights that make its noise about white.

    Counts have mean photons * exp(-depth A x); depth is the attenuation, in nepers, of value 1 across the
    whole side: about 9 for 24 cm, if water is 0.5 and attenuates 0.19 per cm. The problem is
    Weighted(A, w) x = w y + white noise of 1, with the line integrals y = log(photons / counts) / depth and
    w = depth sqrt(counts); a count of 0 is taken for 1. So y is problem.y / problem.A.weight.
    """
    simulator, A_recon = two_operators(A, x, generator, crime, A_recon)
    counts = poisson(photons * torch.exp(-depth * simulator(x)), generator).clamp(min=1)
    weight = depth * counts.sqrt()
    y = simulator.restrict(torch.log(photons / counts) / depth)
    return InverseProblem(Weighted(A_recon, weight), weight * y, 1.0)
