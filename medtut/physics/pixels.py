"""Operators on pixels: missing ones and coarse ones."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from ..errors import BadInput
from ..operators import LinearOperator, column, require_real


@dataclass(frozen=True, eq=False)
class Inpainting(LinearOperator):
    """y = M x: pixels where the mask is 0 are not measured. mask: 0 or 1, broadcastable to (b, c, *space)."""

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


@dataclass(frozen=True, eq=False)
class Downsample(LinearOperator):
    """y = the mean over blocks of factor x factor pixels of (b, c, h, w); h, w multiples of factor."""

    factor: int

    def __call__(self, x: Tensor) -> Tensor:
        require_real(x, 4)
        if x.shape[-1] % self.factor or x.shape[-2] % self.factor:
            raise BadInput(
                f"got an image of {x.shape[-2]} x {x.shape[-1]} pixels, need multiples of "
                f"{self.factor}; use torch.nn.functional.pad(x, ...) to reach one."
            )
        return avg_pool2d(x, self.factor)

    def pinv(self, y: Tensor, iters: int = 0) -> Tensor:
        return y.repeat_interleave(self.factor, -1).repeat_interleave(self.factor, -2)

    def adjoint(self, y: Tensor) -> Tensor:
        return self.pinv(y) / self.factor**2

    def prox(self, z: Tensor, y: Tensor, rho, iters: int = 0) -> Tensor:
        rho = column(torch.as_tensor(rho, dtype=z.dtype, device=z.device), z)
        return z + self.adjoint(y - self(z)) / (1 / self.factor**2 + rho)  # A A^T = 1 / factor^2
