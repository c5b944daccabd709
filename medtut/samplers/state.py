"""What every sampler yields, and how to start and to finish."""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from ..noise import Noise, randn


class State(NamedTuple):
    """One step of a sampler. What is yielded is never written to again."""

    step: int  # 0, 1, ...
    sigma: float  # noise level of x, after the step
    x: Tensor  # (b, c, *space) the iterate, after the step
    x0hat: Tensor  # (b, c, *space) the estimate of the clean image that the step used


def start(
    sigmas: Float[Tensor, " n1"], shape: Sequence[int], generator: Noise = None, like: Tensor | None = None
) -> Tensor:
    """The starting point sigma_max * z, an image batch of `shape`."""
    return float(sigmas[0]) * randn(shape, generator, like)


def last(states: Iterable[State]) -> Tensor:
    """Run a sampler to its end and return the final x. Raises ValueError if there was no step."""
    final = deque(states, maxlen=1)
    if not final:
        raise ValueError("The sampler made no step: a schedule needs at least two levels.")
    return final[0].x
