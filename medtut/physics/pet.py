"""Positron emission tomography in two dimensions: attenuated, blurred projections, counted.

Scatter and randoms enter as a known background of a `PoissonProblem`.
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..errors import BadInput
from ..operators import LinearOperator, Number
from .blur import gaussian_kernel
from .ct import CT
from .likelihoods import PoissonProblem

WIDTH_ERROR = 0.1  # relative error of the resolution that a simulated scanner has and its user does not know


@dataclass(frozen=True, eq=False)
class PET(LinearOperator):
    """Mean counts of true coincidences, sensitivity * survival * P(k * x), (b, 1, views, bins).

    projector: CT over 180 degrees. survival: (b or 1, 1, views, bins), the share of photon pairs that leave
    the body, see `survival`. width: standard deviation of the resolution kernel k, in pixels; 0 for none.
    sensitivity: counts per unit of line integral. The kernel does not depend on place: a simplification.
    """

    projector: CT
    survival: Tensor
    width: Number
    sensitivity: Number = 1.0

    def __post_init__(self):
        shape = (1, self.projector.geometry.views, self.projector.geometry.bins)
        if self.survival.shape[1:] != shape or not ((self.survival >= 0) & (self.survival <= 1)).all():
            raise BadInput(
                f"got survival of shape {tuple(self.survival.shape)}, need (b or 1, *{shape}) with entries "
                "from 0 to 1; use survival(projector, attenuation, depth)."
            )
        if not 0 <= 3 * self.width <= min(self.projector.geometry[:2]):
            raise BadInput(
                f"got a resolution of {self.width} pixels, need 0 or more and at most a third of the image; "
                "use about 2."
            )

    def _factor(self, like: Tensor) -> Tensor:
        return self.sensitivity * self.survival.to(like)

    def _blurred(self, x: Tensor) -> Tensor:
        """k * x, circular and its own adjoint; by direct sums: an FFT would make some counts negative."""
        if not self.width:
            return x
        reach = math.ceil(3 * self.width)
        profile = gaussian_kernel(2 * reach + 1, self.width).sum(0).to(x)
        flat = torch.nn.functional.pad(x, 4 * [reach], mode="circular").flatten(0, 1)[:, None]
        rows = torch.nn.functional.conv2d(flat, profile[None, None, :, None])
        return torch.nn.functional.conv2d(rows, profile[None, None, None]).unflatten(0, x.shape[:2])[:, :, 0]

    def __call__(self, x: Tensor) -> Tensor:
        return self._factor(x) * self.projector(self._blurred(x))

    def adjoint(self, y: Tensor) -> Tensor:
        return self._blurred(self.projector.adjoint(self._factor(y) * y))

    def restrict(self, y: Tensor) -> Tensor:
        return self.projector.restrict(y)

    def repeat(self, n: int) -> "PET":
        survival = self.survival.repeat_interleave(n, 0) if len(self.survival) > 1 else self.survival
        return replace(self, projector=self.projector.repeat(n), survival=survival)

    def scanner(self, generator=None) -> "PET":
        """The same scan with a resolution kernel that is wider by `WIDTH_ERROR`."""
        return replace(self, width=self.width * (1 + WIDTH_ERROR))


def survival(projector: CT, attenuation: Tensor, depth: Number) -> Tensor:
    """exp(-depth P mu): share of photon pairs that leave a body of attenuation mu, (b, 1, h, w).

    Both photons together cross the whole line, wherever they start. depth: attenuation, in nepers, of value 1
    across the whole side of the image.
    """
    return torch.exp(-depth * projector(attenuation))


def background(trues: Tensor, scatter: Number, randoms: Number, width: Number = 0.15) -> Tensor:
    """Expected scatter and randoms, (b, 1, views, bins), as shares of the mean of the true coincidences.

    Scatter is their sinogram smoothed by a Gaussian over the bins, `width` of all of them wide; randoms are
    uniform. Scanners estimate both; here they are taken to be known exactly.
    """
    bins = trues.shape[-1]
    step = torch.arange(bins, device=trues.device)
    smooth = torch.exp(-(((step[:, None] - step) / (width * bins)) ** 2) / 2).to(trues)
    smooth = smooth / smooth.sum(0)  # each true coincidence is spread, none is lost
    return scatter * trues @ smooth.mT + randoms * trues.mean((-2, -1), keepdim=True)


def mlem(problem: PoissonProblem, iters: int) -> Tensor:
    """Maximum likelihood by expectation maximisation [shepp1982mlem], (b, 1, h, w), from a uniform image.

    Each step raises the likelihood and keeps x >= 0. Pixels that no ray meets stay 0. A must be a `PET` or
    another linear operator without negative entries.
    """
    A, y = problem.A, problem.y
    seen = A.adjoint(torch.ones_like(y))
    x = (seen > 0).to(y)
    for _ in range(iters):
        mean = A(x) + problem.background
        ratio = torch.where(mean > 0, y / mean, 0)
        x = torch.where(seen > 0, x / seen * A.adjoint(ratio), 0)
    return x
