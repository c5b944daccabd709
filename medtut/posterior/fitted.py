"""A Gaussian prior fitted to images: the strongest prior whose posterior is known exactly."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import BadInput
from ..noise import Noise, randn
from ..operators import to_complex, to_real
from ..physics.mri import fft2c, ifft2c


@dataclass(frozen=True, eq=False)
class FittedGaussian:
    """N(mean, L^T L + F^H diag(spectrum) F) over complex images, (2, h, w) real.

    mean (2, h, w). factors L (r, 2, h, w): a low-rank part that knows where things are. spectrum (h, w) > 0:
    a stationary part that knows how smooth the rest is, the variance of each real component per frequency.
    """

    mean: Tensor
    factors: Tensor
    spectrum: Tensor

    def _filter(self, x: Tensor, h: Tensor) -> Tensor:
        return to_real(ifft2c(h * fft2c(to_complex(x))))

    def covariance(self, x: Tensor) -> Tensor:
        """Sigma x for x (b, 2, h, w)."""
        low_rank = torch.einsum("br,rchw->bchw", torch.einsum("rchw,bchw->br", self.factors, x), self.factors)
        return low_rank + self._filter(x, self.spectrum)

    def inverse(self, gain: Tensor) -> Callable[[Tensor], Tensor]:
        """x -> (F^H diag(1 / gain) F + L^T L)^-1 x by Woodbury's identity; gain >= 0, (h, w) or (b, h, w)."""
        gain = gain.reshape(-1, *gain.shape[-2:])
        lowered = to_real(ifft2c(gain[:, None] * fft2c(to_complex(self.factors))).flatten(0, 1))
        lowered = lowered.reshape(len(gain), *self.factors.shape)
        small = torch.einsum("rchw,bqchw->brq", self.factors, lowered) + torch.eye(len(self.factors)).to(
            lowered
        )
        factor = torch.linalg.cholesky((small + small.mT) / 2)

        def apply(x: Tensor) -> Tensor:
            u = torch.einsum("brchw,bchw->br", lowered, x)
            u = torch.cholesky_solve(u[..., None], factor)[..., 0]
            return self._filter(x, gain) - torch.einsum("br,brchw->bchw", u, lowered)

        return apply

    def denoise(self, x: Tensor, sigma, label=None) -> Tensor:
        """E[x0 | x] = x - sigma^2 (Sigma + sigma^2)^-1 (x - mean), exactly; sigma is one number for all."""
        variance = float(torch.as_tensor(sigma).flatten()[0]) ** 2
        return x - variance * self.inverse(1 / (self.spectrum + variance))(x - self.mean)

    def sample(self, n: int, generator: Noise = None) -> Tensor:
        """n draws, (n, 2, h, w)."""
        white = randn((n, *self.mean.shape), generator, self.mean)
        u = randn((n, len(self.factors)), generator, self.mean)
        return (
            self.mean
            + torch.einsum("br,rchw->bchw", u, self.factors)
            + self._filter(white, self.spectrum.sqrt())
        )


def fit_gaussian(images: Tensor, rank: int = 64) -> FittedGaussian:
    """Fit mean, `rank` principal components and the spectrum of the rest to images (n, 2, h, w) [wiener1949].

    The components come from the even images, the spectrum from the odd ones, which the components have not
    seen: otherwise the spectrum would be too small. Raises if there are fewer than 2 * rank images.
    """
    if images.ndim != 4 or images.shape[1] != 2 or len(images) < 2 * rank:
        raise BadInput(
            f"got images of shape {tuple(images.shape)} for rank {rank}, need (n, 2, h, w) with n at "
            f"least {2 * rank}; use a smaller rank or more images."
        )
    mean = images.mean(0)
    seen, unseen = (images[0::2] - mean).flatten(1), (images[1::2] - mean).flatten(1)
    values, vectors = torch.linalg.eigh((seen @ seen.T).double())
    axes = (vectors[:, -rank:] / values[-rank:].sqrt()).to(seen).T @ seen  # orthonormal rows
    part = unseen @ axes.T
    rest = (unseen - part @ axes).reshape(-1, *images.shape[1:])
    spectrum = fft2c(to_complex(rest)).abs().square().mean(0) / 2
    # variance along an axis, less what the stationary part puts there already
    factors = axes.reshape(rank, *images.shape[1:])
    stationary = fft2c(to_complex(factors)).abs().square().mul(spectrum).sum((1, 2))
    extra = (part.square().mean(0) - stationary).clamp(min=0)
    return FittedGaussian(mean, factors * extra.sqrt()[:, None, None, None], spectrum.clamp(min=1e-8))
