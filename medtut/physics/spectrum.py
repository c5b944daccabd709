"""The singular value decomposition of an operator, in real coordinates."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor


class Spectrum(NamedTuple):
    """A = U diag(values) V^T with V orthonormal and real; what the method `A.spectrum(image)` returns.

    White noise in the image is white in the coefficients V^T x, and white noise in the measurement is white
    in `data(y)`. So here the problem falls apart into numbers: data(A x) = values * analyse(x).
    """

    values: Tensor  # singular values >= 0, broadcastable to the coefficients
    analyse: Callable[[Tensor], Tensor]  # image -> V^T x
    synthesise: Callable[[Tensor], Tensor]  # coefficients c -> V c, the inverse of analyse
    data: Callable[[Tensor], Tensor]  # measurement -> U^T y laid out as the coefficients, 0 where values is 0
