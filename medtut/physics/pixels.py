"""Operators on pixels: missing ones and coarse ones."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from ..errors import BadInput
from ..noise import randn
from ..operators import LinearOperator, Number, column, require_real
from .blur import SuperResolution, require_multiples
from .likelihoods import Weighted

GAIN_ERROR = 0.02  # relative error of each pixel's gain that a simulated detector has and its user ignores


@dataclass(frozen=True, eq=False)
class Inpainting(LinearOperator):
    """y = M x: pixels where the mask is 0 are not measured. mask: 0 or 1, broadcastable to (b, c, *space).

    A mask per sample has four axes or more, (b, 1 or c, *space).
    """

    mask: Tensor

    def __post_init__(self):
        if self.mask.is_complex() or not ((self.mask == 0) | (self.mask == 1)).all():
            raise BadInput(
                "got a mask with entries other than 0 and 1, need a binary mask; use (mask > 0.5).float()."
            )

    def __call__(self, x: Tensor) -> Tensor:
        require_real(x, x.ndim)
        return self.mask.to(x) * x

    def adjoint(self, y: Tensor) -> Tensor:
        return self.mask.to(y) * y

    restrict = adjoint

    def pinv(self, y: Tensor, iters: int = 0) -> Tensor:
        return self.adjoint(y)

    def prox(self, z: Tensor, y: Tensor, rho, iters: int = 0) -> Tensor:
        rho = column(torch.as_tensor(rho, dtype=z.dtype, device=z.device), z)
        return (self.adjoint(y) + rho * z) / (self.mask.to(z) + rho)

    def repeat(self, n: int) -> "Inpainting":
        per_sample = self.mask.ndim >= 4 and len(self.mask) > 1
        return Inpainting(self.mask.repeat_interleave(n, 0)) if per_sample else self

    def scanner(self, generator=None) -> Weighted:
        """The same pixels behind a detector whose gains, one per pixel, differ by `GAIN_ERROR`."""
        if self.mask.ndim == 3:  # (c, h, w) or (d, h, w)? only the image could tell
            return super().scanner(generator)
        b = 1 if generator is None or isinstance(generator, torch.Generator) else len(generator)
        shape = (1,) * max(4 - self.mask.ndim, 0) + self.mask.shape
        error = randn((b, *shape[1:]), generator, self.mask.to(torch.get_default_dtype()))
        return Weighted(self, 1 + GAIN_ERROR * error)


@dataclass(frozen=True, eq=False)
class Downsample(LinearOperator):
    """y = the mean over blocks of factor x factor pixels of (b, c, h, w); h, w multiples of factor."""

    factor: int

    def __call__(self, x: Tensor) -> Tensor:
        require_real(x, 4)
        require_multiples(x, self.factor)
        return avg_pool2d(x, self.factor)

    def pinv(self, y: Tensor, iters: int = 0) -> Tensor:
        return y.repeat_interleave(self.factor, -1).repeat_interleave(self.factor, -2)

    def adjoint(self, y: Tensor) -> Tensor:
        return self.pinv(y) / self.factor**2

    def prox(self, z: Tensor, y: Tensor, rho, iters: int = 0) -> Tensor:
        rho = column(torch.as_tensor(rho, dtype=z.dtype, device=z.device), z)
        return z + self.adjoint(y - self(z)) / (1 / self.factor**2 + rho)  # A A^T = 1 / factor^2

    def scanner(self, generator=None) -> SuperResolution:
        """The same cells with a sensitivity that is not flat: each of their taps is off by `KERNEL_ERROR`."""
        flat = torch.full((self.factor, self.factor), 1 / self.factor**2)
        return SuperResolution(flat, self.factor).scanner(generator)


def random_mask(h: int, w: int, fraction: Number, generator: torch.Generator | None = None) -> Tensor:
    """Mask (h, w) for `Inpainting` with round(fraction h w) ones at random pixels."""
    if not 0 < fraction <= 1:
        raise BadInput(f"got a fraction of {fraction} pixels, need it in (0, 1]; use 0.3 to keep 30 %.")
    mask = torch.zeros(h * w)
    mask[torch.randperm(h * w, generator=generator)[: round(fraction * h * w)]] = 1
    return mask.reshape(h, w)


def box_mask(h: int, w: int, size: int, corner: tuple[int, int] | None = None) -> Tensor:
    """Mask (h, w) for `Inpainting` with a square hole; `corner`: first row and column, None: the middle."""
    top, left = ((h - size) // 2, (w - size) // 2) if corner is None else corner
    if not (0 <= top <= h - size and 0 <= left <= w - size):
        raise BadInput(
            f"got a hole of {size} pixels at {(top, left)}, need it inside the {h} x {w} image; "
            "use a smaller size or corner=None."
        )
    mask = torch.ones(h, w)
    mask[top : top + size, left : left + size] = 0
    return mask
