"""A matrix as a measurement: for small worlds in which everything is known exactly."""

from dataclasses import dataclass
from functools import cached_property
from math import prod

import torch
from torch import Tensor
from torch.nn.functional import pad

from ..errors import BadInput
from ..operators import LinearOperator, column, require_real


@dataclass(frozen=True, eq=False)
class Matrix(LinearOperator):
    """y = M x on images (b, *shape) read as vectors of d = prod(shape) numbers; y is (b, m), real.

    M: (m, d). shape: of one image, (1, d) unless given. prox and pinv are exact, from the decomposition.
    """

    M: Tensor
    shape: tuple[int, ...] | None = None

    def __post_init__(self):
        if self.M.ndim != 2 or self.M.is_complex() or prod(self.space) != self.M.shape[1]:
            raise BadInput(
                f"got a matrix {tuple(self.M.shape)} for images {self.space}, need a real (m, d) with as "
                "many columns as an image has numbers; use Matrix(M) for images of shape (1, d)."
            )

    @property
    def space(self) -> tuple[int, ...]:
        """The shape of one image."""
        return (1, self.M.shape[-1]) if self.shape is None else tuple(self.shape)

    def __call__(self, x: Tensor) -> Tensor:
        require_real(x, len(self.space) + 1)
        if tuple(x.shape[1:]) != self.space:
            raise BadInput(
                f"got an image of shape {tuple(x.shape)}, need (b, {', '.join(map(str, self.space))}); "
                "use x.reshape(len(x), *A.space)."
            )
        return x.flatten(1) @ self.M.T.to(x)

    def adjoint(self, y: Tensor) -> Tensor:
        return (y @ self.M.to(y)).reshape(len(y), *self.space)

    @cached_property
    def decomposition(self) -> tuple[Tensor, Tensor, Tensor]:
        """U (m, m), the d singular values with 0 where nothing is measured, V^H (d, d), for M = U S V^H."""
        u, s, vh = torch.linalg.svd(self.M)
        s = torch.where(s > 10 * torch.finfo(s.dtype).eps * s.amax(), s, 0)
        return u, pad(s, (0, self.M.shape[1] - len(s))), vh

    def vh(self, x: Tensor) -> Tensor:
        """Image to the coordinates of the decomposition, in the shape of an image."""
        return (x.flatten(1) @ self.decomposition[2].T.to(x)).reshape(x.shape)

    def v(self, z: Tensor) -> Tensor:
        """Coordinates to image."""
        return (z.flatten(1) @ self.decomposition[2].to(z)).reshape(z.shape)

    def uh(self, y: Tensor) -> Tensor:
        """Measurement to coordinates: 0 where nothing is measured."""
        z, d = y @ self.decomposition[0].to(y), self.M.shape[1]
        z = pad(z, (0, max(d - z.shape[1], 0)))[:, :d]
        return torch.where(self.decomposition[1] > 0, z, 0).reshape(len(y), *self.space)

    def values(self, like: Tensor) -> Tensor:
        """Singular values, (1, *shape), in the type of `like`."""
        return self.decomposition[1].to(like).reshape(1, *self.space)

    def prox(self, z: Tensor, y: Tensor, rho, iters: int = 0) -> Tensor:
        rho, s = column(torch.as_tensor(rho, dtype=z.dtype, device=z.device), z), self.values(z)
        return self.v((s * self.uh(y) + rho * self.vh(z)) / (s**2 + rho))

    def pinv(self, y: Tensor, iters: int = 0) -> Tensor:
        s = self.values(y)
        return self.v(torch.where(s > 0, self.uh(y) / s, 0))
