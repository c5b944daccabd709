"""Phase retrieval before diffusion: projections in turn between the data and what is known of the object."""

import torch
from torch import Tensor
from torch.nn.functional import pad

from ..errors import BadInput
from ..operators import InverseProblem, Number
from ..physics.phase import PhaseRetrieval


@torch.no_grad()
def hybrid_input_output(
    problem: InverseProblem, x: Tensor, *, iters: int = 120, reductions: int = 30, beta: Number = 0.9
) -> Tensor:
    """Hybrid input-output, then error reduction [fienup1982phase]. Targets a point: an image with these data.

    x (b, c, h, w): a first guess, such as noise. In each step the padded image takes the measured magnitudes
    and keeps its own phases. Where the result g' is negative or lies in the padding, error reduction puts 0,
    and hybrid input-output g - beta g', which leads out of the places where error reduction stops. iters = 0
    is error reduction alone. Nothing in it knows of noise. Phase retrieval only; raises BadInput for others.
    """
    if not isinstance(problem.A, PhaseRetrieval):
        raise BadInput(
            f"got a {type(problem.A).__name__}, but hybrid_input_output needs PhaseRetrieval; use dps, which "
            "needs only a gradient."
        )
    (h, w), (rows, columns) = x.shape[-2:], problem.y.shape[-2:]
    sides = (0, columns - w, 0, rows - h)  # where the image lies in the frame does not change |F x|
    size = torch.fft.ifftshift(problem.y.clamp(min=0), dim=(-2, -1))
    inside, g = pad(torch.ones_like(x), sides) > 0, pad(x, sides)
    for i in range(iters + reductions):
        phase = torch.fft.fft2(g, norm="ortho").angle()
        found = torch.fft.ifft2(torch.polar(size.expand_as(phase), phase), norm="ortho").real
        allowed = inside & (found >= 0)
        g = torch.where(allowed, found, g - beta * found if i < iters else 0)
    return g[..., :h, :w]
