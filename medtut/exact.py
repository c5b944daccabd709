"""Closed-form worlds: priors whose denoiser, and for linear measurements whose posterior, is known exactly.

Every method of the course is checked in one of them. Images are (c, *space); a covariance is a (d, d)
matrix over the d values of the flattened image. `denoise` is a `Denoiser`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from .denoisers import Sigma, levels, per_image
from .noise import Noise, randn

Images = Float[Tensor, "b *shape"]


def matrix_of(A: Callable | Float[Tensor, "m d"], like: Float[Tensor, "*shape"]) -> Float[Tensor, "m d"]:
    """The matrix of a linear operator on images like `like`; a matrix is returned as it is.

    A complex measurement counts as twice as many real ones.
    """
    if isinstance(A, Tensor):
        return A.to(like)
    basis = torch.eye(like.numel(), dtype=like.dtype, device=like.device).reshape(-1, *like.shape)
    return real_values(A(basis)).flatten(1).T


def real_values(y: Shaped[Tensor, "..."]) -> Tensor:
    """A complex tensor as real and imaginary parts along a new last axis; a real one as it is."""
    return torch.view_as_real(y) if y.is_complex() else y


@dataclass(frozen=True)
class Gaussian:
    """x0 ~ N(mean, cov), with mean (c, *space) and cov (d, d)."""

    mean: Float[Tensor, "*shape"]
    cov: Float[Tensor, "d d"]

    @cached_property
    def axes(self) -> tuple[Float[Tensor, " d"], Float[Tensor, "d d"]]:
        """Variances along the principal axes, (d,), and the axes as columns, (d, d)."""
        variances, vectors = torch.linalg.eigh(self.cov)
        return variances.clamp(min=0), vectors

    def denoise(self, x: Images, sigma: Sigma, label: Tensor | None = None) -> Images:
        """E[x0 | x]: along each axis the deviation from the mean shrinks by var / (var + sigma**2)."""
        variances, vectors = self.axes
        s2 = levels(sigma, len(x)).to(x)[:, None] ** 2
        z = (x - self.mean).flatten(1) @ vectors * (variances / (variances + s2))
        return self.mean + (z @ vectors.T).reshape(x.shape)

    def sample(self, n: int, generator: Noise = None) -> Images:
        """n draws, (n, c, *space)."""
        variances, vectors = self.axes
        z = randn((n, len(variances)), generator, self.mean)
        return self.mean + (z * variances.sqrt() @ vectors.T).reshape(n, *self.mean.shape)

    def log_prob(self, x: Images, sigma: Sigma = 0.0) -> Float[Tensor, " b"]:
        """log p(x; sigma), the density of x0 + sigma * eps, one per image, in nats."""
        variances, vectors = self.axes
        total = variances + levels(sigma, len(x)).to(x)[:, None] ** 2
        z = (x - self.mean).flatten(1) @ vectors
        return -0.5 * (z**2 / total + (2 * torch.pi * total).log()).sum(1)

    def posterior(self, A: Callable | Tensor, y: Shaped[Tensor, "..."], noise_std: float) -> "Gaussian":
        """p(x0 | y) for y = A x0 + noise_std * noise; `y` is one measurement."""
        M = matrix_of(A, self.mean)
        gain = self.cov @ M.T @ torch.linalg.inv(_evidence_cov(self, M, noise_std))
        innovation = real_values(y).to(self.mean).flatten() - M @ self.mean.flatten()
        cov = self.cov - gain @ M @ self.cov
        return Gaussian(self.mean + (gain @ innovation).reshape(self.mean.shape), (cov + cov.T) / 2)


@dataclass(frozen=True)
class GaussianMixture:
    """x0 is drawn from component k with probability weights[k]; the label of an image is its component."""

    weights: Float[Tensor, " k"]
    means: Float[Tensor, "k *shape"]
    covs: Float[Tensor, "k d d"]

    @cached_property
    def components(self) -> tuple[Gaussian, ...]:
        """The components, one Gaussian each."""
        return tuple(Gaussian(m, c) for m, c in zip(self.means, self.covs, strict=True))

    def responsibilities(
        self, x: Images, sigma: Sigma, label: Shaped[Tensor, "..."] | None = None
    ) -> Float[Tensor, "b k"]:
        """p(component | x); a label of 0 or more fixes the component, -1 or None does not."""
        logits = torch.stack([g.log_prob(x, sigma) for g in self.components], 1) + self.weights.log()
        if label is not None:
            label = label.reshape(-1, 1).expand(len(x), 1)
            other = torch.arange(len(self.weights), device=x.device) != label
            logits = logits.masked_fill(other & (label >= 0), -torch.inf)
        return logits.softmax(1)

    def denoise(self, x: Images, sigma: Sigma, label: Shaped[Tensor, "..."] | None = None) -> Images:
        """E[x0 | x, label]: the components' denoisers, weighted by their responsibilities."""
        r = self.responsibilities(x, sigma, label)
        return sum(per_image(r[:, k], x) * g.denoise(x, sigma) for k, g in enumerate(self.components))

    def sample(self, n: int, generator: Noise = None) -> Images:
        """n draws, (n, c, *space)."""
        u = torch.special.ndtr(randn((n,), generator, self.means))
        pick = (u[:, None] > self.weights.cumsum(0)).sum(1).clamp(max=len(self.weights) - 1)
        draws = torch.stack([g.sample(n, generator) for g in self.components])
        return draws[pick, torch.arange(n)]

    def log_prob(self, x: Images, sigma: Sigma = 0.0) -> Float[Tensor, " b"]:
        """log p(x; sigma), one per image, in nats."""
        logits = torch.stack([g.log_prob(x, sigma) for g in self.components], 1) + self.weights.log()
        return logits.logsumexp(1)

    def posterior(
        self, A: Callable | Tensor, y: Shaped[Tensor, "..."], noise_std: float
    ) -> "GaussianMixture":
        """p(x0 | y), again a mixture: each component's posterior, weighted by how well it explains y."""
        M = matrix_of(A, self.means[0])
        flat = real_values(y).to(self.means).flatten()
        evidence = [
            Gaussian(M @ g.mean.flatten(), _evidence_cov(g, M, noise_std)).log_prob(flat[None])[0]
            for g in self.components
        ]
        after = [g.posterior(M, y, noise_std) for g in self.components]
        return GaussianMixture(
            (torch.stack(evidence) + self.weights.log()).softmax(0),
            torch.stack([g.mean for g in after]),
            torch.stack([g.cov for g in after]),
        )


def _evidence_cov(g: Gaussian, M: Float[Tensor, "m d"], noise_std: float) -> Float[Tensor, "m m"]:
    """Covariance of y = A x0 + noise."""
    return M @ g.cov @ M.T + noise_std**2 * torch.eye(len(M), dtype=M.dtype, device=M.device)


@dataclass(frozen=True)
class FiniteDataset:
    """x0 is one of `images` (n, c, *space), each equally likely: the prior that a training set *is*."""

    images: Float[Tensor, "n *shape"]

    def weights(self, x: Images, sigma: Sigma) -> Float[Tensor, "b n"]:
        """p(image i | x) = softmax(-|x - image_i|**2 / (2 sigma**2)), computed in float64."""
        data, points = self.images.flatten(1).double(), x.flatten(1).double()
        closeness = points @ data.T - data.square().sum(1) / 2
        s2 = levels(sigma, len(x)).to(points)[:, None] ** 2
        return (closeness / s2.clamp(min=1e-30)).softmax(1).to(x)

    def denoise(self, x: Images, sigma: Sigma, label: Tensor | None = None) -> Images:
        """E[x0 | x]: the mean of the images, weighted by how close each is to x [karras2022edm]."""
        return (self.weights(x, sigma) @ self.images.flatten(1)).reshape(x.shape)

    def sample(self, n: int, generator: Noise = None) -> Images:
        """n draws with replacement, (n, c, *space)."""
        u = torch.special.ndtr(randn((n,), generator, self.images.double()))
        return self.images[(u * len(self.images)).long().clamp(max=len(self.images) - 1)]


@dataclass(frozen=True)
class StationaryGaussian:
    """A Gaussian image whose covariance is the same everywhere: independent Fourier coefficients.

    `mean` and `spectrum` are (c, h, w); the spectrum holds the variances under the orthonormal FFT, not
    centred, and is the same at k and -k, as for every real image.
    """

    mean: Float[Tensor, "c h w"]
    spectrum: Float[Tensor, "c h w"]

    @classmethod
    def fit(cls, images: Float[Tensor, "n c h w"]) -> "StationaryGaussian":
        """The mean image and the mean power spectrum around it."""
        mean = images.mean(0)
        power = torch.fft.fft2(images - mean, norm="ortho").abs().square().sum(0) / (len(images) - 1)
        return cls(mean, power)

    def _filter(self, x: Tensor, gain: Tensor) -> Tensor:
        return torch.fft.ifft2(torch.fft.fft2(x, norm="ortho") * gain, norm="ortho").real

    def denoise(self, x: Images, sigma: Sigma, label: Tensor | None = None) -> Images:
        """E[x0 | x], the Wiener filter: each frequency shrinks by spectrum / (spectrum + sigma**2)."""
        s2 = per_image(levels(sigma, len(x)), x) ** 2
        return self.mean + self._filter(x - self.mean, self.spectrum / (self.spectrum + s2))

    def sample(self, n: int, generator: Noise = None) -> Images:
        """n draws, (n, c, h, w)."""
        z = randn((n, *self.mean.shape), generator, self.mean)
        return self.mean + self._filter(z, self.spectrum.sqrt())

    def dense(self) -> Gaussian:
        """The same prior with its (d, d) covariance written out; for small images."""
        basis = torch.eye(self.mean.numel()).to(self.mean).reshape(-1, *self.mean.shape)
        return Gaussian(self.mean, self._filter(basis, self.spectrum).flatten(1))

    def posterior(self, A: Callable | Tensor, y: Shaped[Tensor, "..."], noise_std: float) -> Gaussian:
        """p(x0 | y) through the dense covariance; for small images."""
        return self.dense().posterior(A, y, noise_std)
