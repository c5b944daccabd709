"""Worlds whose posterior is known: a Gaussian, a mixture, a finite data set of vectors; a Gaussian image."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

import medtut as mt
from medtut.operators import InverseProblem, LinearOperator, to_complex, to_real
from medtut.physics.matrix import Matrix
from medtut.physics.mri import MRI, cartesian_mask, coil_maps, fft2c, ifft2c


def generator(seed: int) -> torch.Generator:
    """A CPU generator."""
    return torch.Generator().manual_seed(seed)


def rotation(n: int, seed: int) -> Tensor:
    """A random orthonormal basis, (n, n), in float64."""
    return torch.linalg.qr(mt.randn((n, n), generator(seed), torch.zeros(1).double()))[0]


@dataclass(frozen=True, eq=False)
class Blobs:
    """Component k with probability weights[k], at centres[k] (d,), all with the covariance cov (d, d).

    What a mixture of equal widths is before and after data are seen; with cov = 0 a finite data set.
    """

    weights: Tensor
    centres: Tensor
    cov: Tensor

    @cached_property
    def axes(self) -> tuple[Tensor, Tensor]:
        """Variances of the covariance, none negative, and its axes as columns."""
        variances, vectors = torch.linalg.eigh(self.cov)
        return variances.clamp(min=0), vectors

    def denoise(self, x: Tensor, sigma: float, label: Tensor | None = None) -> Tensor:
        """E[x0 | x] for x (b, 1, d)."""
        variances, vectors = self.axes
        z, c, total = x[:, 0] @ vectors, self.centres @ vectors, variances + sigma**2
        logits = self.weights.log() + (z / total) @ c.T - (c.square() / total).sum(1) / 2
        mean = logits.softmax(1) @ c
        return ((mean + variances / total * (z - mean)) @ vectors.T)[:, None]

    def sample(self, n: int, rng: torch.Generator) -> Tensor:
        """n draws, (n, 1, d)."""
        pick = torch.multinomial(self.weights, n, replacement=True, generator=rng)
        variances, vectors = self.axes
        z = mt.randn((n, len(variances)), rng, self.centres)
        return (self.centres[pick] + z * variances.sqrt() @ vectors.T)[:, None]

    def posterior(self, M: Tensor, y: Tensor, noise_std: float) -> "Blobs":
        """After y = M x0 + noise_std * noise; components that nearly nothing speaks for are dropped."""
        evidence = M @ self.cov @ M.T + noise_std**2 * torch.eye(len(M)).to(M)
        gain = self.cov @ M.T @ torch.linalg.inv(evidence)
        miss = y - self.centres @ M.T
        logits = self.weights.log() - (miss @ torch.linalg.inv(evidence) * miss).sum(1) / 2
        weights = logits.softmax(0)
        kept = weights > 1e-9
        centres = self.centres + miss @ gain.T
        return Blobs(weights[kept] / weights[kept].sum(), centres[kept], self.cov - gain @ M @ self.cov)

    def moments(self) -> tuple[Tensor, Tensor]:
        """Mean (d,) and covariance (d, d)."""
        mean = self.weights @ self.centres
        away = self.centres - mean
        return mean, self.cov + away.T @ (self.weights[:, None] * away)


@dataclass(frozen=True, eq=False)
class World:
    """A prior, an operator and noise; `posterior(y)` is exact for one measurement y (m,)."""

    prior: Blobs
    A: Matrix
    noise_std: float
    high: float  # the noise level that drowns the prior
    low: float = 0.01
    calls: int = 200  # of the network, the same for every sampler
    problems: int = 3

    def measure(self, n: int, seed: int) -> tuple[Tensor, Tensor]:
        """n truths (n, 1, d) and their measurements (n, m)."""
        rng = generator(seed)
        truth = self.prior.sample(n, rng)
        y = self.A(truth)
        return truth, y + self.noise_std * mt.randn_like(y, rng)

    def problem(self, y: Tensor) -> InverseProblem:
        """The inverse problem of a batch of measurements."""
        return InverseProblem(self.A, y, self.noise_std)

    def posterior(self, y: Tensor) -> Blobs:
        """p(x0 | y)."""
        return self.prior.posterior(self.A.M, y, self.noise_std)


def gaussian() -> World:
    """Eight dimensions, standard deviations from 1.4 to 0.14; four numbers measured, some of them badly."""
    variances = torch.logspace(0, -2, 8).double() * 2
    basis = rotation(8, 0)
    cov = basis @ torch.diag(variances) @ basis.T
    values = torch.tensor([1.0, 0.7, 0.4, 0.15]).double()
    M = rotation(4, 2) @ torch.diag(values) @ rotation(8, 1)[:4]
    prior = Blobs(torch.ones(1).double(), torch.zeros(1, 8).double(), (cov + cov.T) / 2)
    return World(prior, Matrix(M), 0.1, high=10.0)


def mixture() -> World:
    """The 25 modes of [cardoso2024mcgdiff], scaled to variance 1 per coordinate; two numbers measured."""
    step = torch.arange(-2.0, 3.0).double()
    modes = torch.cartesian_prod(step, step).repeat(1, 4) * 8 / 129**0.5  # 129 = 64 * 2 + 1
    rng = generator(10)
    weights = mt.randn((25,), rng, modes).square()
    values = mt.randn((2,), rng, modes).erf().abs().sort(descending=True).values
    M = torch.diag(values) @ rotation(8, 3)[:2]
    noise_std = 0.3 * float(values[0])
    prior = Blobs(weights / weights.sum(), modes, torch.eye(8).double() / 129)
    return World(prior, Matrix(M), noise_std, high=20.0)


def finite() -> World:
    """64 vectors, drawn once from the Gaussian world; its operator, with noise that leaves several."""
    from_prior = gaussian().prior.sample(64, generator(11))[:, 0]
    prior = Blobs(torch.full((64,), 1 / 64).double(), from_prior, torch.zeros(8, 8).double())
    return World(prior, gaussian().A, 0.4, high=10.0)


# --- images ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class ImageWorld:
    """Complex Gaussian images with a falling spectrum and single-coil MRI: independent in k-space."""

    spectrum: Tensor  # (h, w), centred: the variance of each real component
    A: LinearOperator
    noise_std: float
    high: float
    low: float = 0.01
    calls: int = 100
    problems: int = 2

    @property
    def prior(self) -> "ImageWorld":
        """This, as something with `denoise`."""
        return self

    def gains(self, sigma: float) -> Tensor:
        """What is left of each frequency after denoising."""
        return self.spectrum / (self.spectrum + sigma**2)

    def denoise(self, x: Tensor, sigma: float, label: Tensor | None = None) -> Tensor:
        """E[x0 | x], a filter."""
        return to_real(ifft2c(self.gains(sigma) * fft2c(to_complex(x))))

    def draw(self, n: int, spectrum: Tensor, rng: torch.Generator) -> Tensor:
        """n images with that spectrum and mean 0."""
        white = to_complex(mt.randn((n, 2, *spectrum.shape), rng))
        return to_real(ifft2c(spectrum.sqrt() * white))

    def measure(self, n: int, seed: int) -> tuple[Tensor, Tensor]:
        """n truths (n, 2, h, w) and their measurements."""
        truth = self.draw(n, self.spectrum, generator(seed))
        return truth, mt.simulate(self.A, truth, self.noise_std, generator(seed + 1), crime=True).y

    def problem(self, y: Tensor) -> InverseProblem:
        """The inverse problem of a batch of measurements."""
        return InverseProblem(self.A, y, self.noise_std)

    @cached_property
    def after(self) -> Tensor:
        """The spectrum of the posterior, the same for every y."""
        return torch.where(self.A.mask > 0, self.spectrum * (1 - self.gains(self.noise_std)), self.spectrum)

    def posterior_mean(self, y: Tensor) -> Tensor:
        """E[x0 | y] for a batch of measurements."""
        return to_real(ifft2c(self.gains(self.noise_std) * self.A.restrict(y)[:, 0]))

    def conditional(self, mean: Tensor) -> Callable:
        """The denoiser of the posterior with that mean."""

        def denoise(x: Tensor, sigma: float, label: Tensor | None = None) -> Tensor:
            gain = self.after / (self.after + sigma**2)
            return mean + to_real(ifft2c(gain * fft2c(to_complex(x - mean))))

        return denoise


def image(size: int = 64) -> ImageWorld:
    """4x accelerated single-coil MRI of images whose spectrum falls with the square of the frequency."""
    f = torch.fft.fftshift(torch.fft.fftfreq(size))
    spectrum = 1 / (1 + (f[:, None].square() + f.square()) / 0.05**2)
    spectrum = 0.1 * spectrum / spectrum.mean()
    mask = cartesian_mask(size, size, 4, 0.08, generator=generator(5))
    return ImageWorld(spectrum, MRI(mask, coil_maps(1, size, size)), 0.05, high=10.0)


WORLDS = {"gaussian": gaussian, "mixture": mixture, "finite": finite}
