"""The straight path x_t = (1-t) x0 + t eps: the same points as x0 + sigma * eps, on another scale.

It is that of [lipman2023flow, eq. 22] with sigma_min = 0, whose time runs the other way. A sampler along it
needs no code of its own: an Euler step in t is a step of `ancestral.ddim` with eta=0 between
sigma = t / (1-t) and the next. What is new is a measure of how straight the walked paths are.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from ..denoisers import Denoiser, flow_clock
from .ancestral import ddim

Image = Float[Tensor, "b *shape"]


def path(denoise: Denoiser, sigmas: Float[Tensor, " n1"], x: Image) -> Float[Tensor, "n1 b *shape"]:
    """The points that Euler's method visits, in flow scaling x / (1 + sigma), from noise to data.

    `x` has noise level sigmas[0], as for `ddim`. The times are `flow_clock(sigmas)`.
    """
    states = [(float(sigmas[0]), x), *((s.sigma, s.x) for s in ddim(denoise, sigmas, x))]
    return torch.stack([x / (1 + sigma) for sigma, x in states])


def straightness(points: Float[Tensor, "n1 b *shape"], sigmas: Float[Tensor, " n1"]) -> Float[Tensor, " b"]:
    """Time average of |chord - velocity|**2 along each path, mean over values, (b,) [liu2023rectified].

    0 for a straight path that is walked at constant speed; one Euler step is then enough. `points` are those
    of `path`, or of any other walk through the same times. In squared image units.
    """
    times = flow_clock(sigmas).to(points)
    spans = times.diff()
    velocity = points.diff(dim=0) / spans.reshape(-1, *[1] * (points.ndim - 1))
    chord = (points[-1] - points[0]) / (times[-1] - times[0])
    share = spans / (times[-1] - times[0])
    return torch.einsum("n,nb->b", share, (velocity - chord).square().flatten(2).mean(2))
