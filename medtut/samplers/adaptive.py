"""The probability-flow equation by an adaptive solver, in which every sample has its own steps."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from scipy.integrate import RK45
from torch import Tensor

from ..denoisers import Denoiser, per_image
from ..errors import BadInput
from .sde import SDE, VE

LOG_SIGMA = VE()  # its time is log sigma, up to a factor and a shift
Rows = Int[Tensor, " a"]
Slope = Callable[[Float[Tensor, " a"], Float[Tensor, "a d"], Rows], Float[Tensor, "a d"]]


class Solved(NamedTuple):
    """Where each sample arrived, and how many evaluations each needed."""

    x: Tensor  # (b, ...)
    calls: Tensor  # (b,)


def rk45(
    slope: Slope,
    y: Float[Tensor, "b d"],
    start: float,
    stop: float,
    *,
    rtol: float = 1e-5,
    atol: float = 1e-5,
    first: float | None = None,
    most: int = 10_000,
) -> Solved:
    """Dormand and Prince's pair of orders 5 and 4, scipy's tableau and step control, for each row by itself.

    `slope(t, y, rows)` is dy/dt of the rows that are still on their way, t being (a,). A step is accepted if
    the root mean square of error / (atol + rtol |y|) is at most 1. scipy would take this norm over the whole
    batch. `first` is the first step, a hundredth of the way by default. Raises BadInput after `most` calls.
    """
    tableau = [torch.as_tensor(a, dtype=y.dtype, device=y.device) for a in (RK45.A, RK45.B, RK45.E)]
    t = torch.full((len(y),), start, dtype=torch.float64)
    h = torch.full_like(t, abs(stop - start) / 100 if first is None else first)
    calls, after_rejection = torch.ones(len(y), dtype=torch.long), torch.zeros(len(y), dtype=torch.bool)
    y, way, rows = y.clone(), 1.0 if stop > start else -1.0, torch.arange(len(y))
    k_first = slope(t, y, rows)
    while len(rows):
        if calls.max() > most:
            raise BadInput(f"got a tolerance of {rtol:g} that needs over {most} calls; use a larger one.")
        step = torch.minimum(h[rows], (stop - t[rows]).abs())
        arrives = step == (stop - t[rows]).abs()
        y_new, k_last, error = _try(slope, t[rows], way * step, y[rows], k_first[rows], rows, tableau)
        calls[rows] += 6
        size = error / (atol + rtol * torch.maximum(y[rows].abs(), y_new.abs()))
        norm = size.square().mean(1).sqrt().double().cpu()
        if not norm.isfinite().all():
            raise BadInput("got NaN or infinity on the way; use a denoiser that is finite at all its levels.")
        good = norm < 1
        factor = 0.9 * norm.clamp(min=1e-12) ** (-1 / 5)
        factor = torch.where(good, factor.clamp(max=10), factor.clamp(min=0.2))
        h[rows] = step * torch.where(good & after_rejection[rows], factor.clamp(max=1), factor)
        after_rejection[rows] = ~good
        done = rows[good]
        y[done], k_first[done] = y_new[good], k_last[good]
        t[done] = torch.where(arrives[good], stop, t[done] + way * step[good])
        rows = rows[~(good & arrives)]
    return Solved(y, calls)


def _try(slope, t, step, y, k, rows, tableau):
    """One step: the fifth-order result, the slope there, and the estimated error."""
    A, B, E = tableau
    h = step.to(y)[:, None]
    ks = [k]
    for a, c in zip(A[1:], RK45.C[1:], strict=True):
        ks.append(slope(t + c * step, y + h * _mix(a, ks), rows))
    y_new = y + h * _mix(B, ks)
    ks.append(slope(t + step, y_new, rows))
    return y_new, ks[-1], h * _mix(E, ks)


def _mix(weights, ks):
    return sum(w * k for w, k in zip(weights, ks, strict=False))


def flow_slope(denoise: Denoiser, sde: SDE, u: Tensor, t: Float[Tensor, " b"]) -> Tensor:
    """The velocity du/dt = f u - g**2 / 2 * score [song2021sde, eq. 13]; u (b, ...), t (b,)."""
    scale, std = per_image(sde.scale(t), u), per_image(sde.std(t), u)
    score = (scale * denoise(u / scale, sde.sigma(t)) - u) / std**2
    return per_image(sde.drift(t), u) * u - 0.5 * per_image(sde.diffusion(t), u) ** 2 * score


@torch.no_grad()
def probability_flow(
    denoise: Denoiser,
    x: Float[Tensor, "b *shape"],
    start: float,
    stop: float,
    *,
    sde: SDE = LOG_SIGMA,
    rtol: float = 1e-5,
    atol: float = 1e-5,
) -> Solved:
    """Carry x from noise level `start` to `stop`, down or up, by an adaptive solver [song2021sde, app. D.4].

    The equation [eq. 13] is solved in the variables of `sde`, which say what the tolerances mean: for VE
    they are x and log sigma. Both levels must be positive.
    """
    if min(start, stop) <= 0:
        raise BadInput(f"got levels {start:g} and {stop:g}, need positive ones; end at a small one.")
    ends = torch.tensor([start, stop], dtype=torch.float64)
    t, t_next = sde.time(ends).tolist()
    scale, scale_next = sde.scale(sde.time(ends)).tolist()

    def slope(times, u, rows):
        return flow_slope(denoise, sde, u.reshape(-1, *x.shape[1:]), times).flatten(1)

    solved = rk45(slope, scale * x.flatten(1), t, t_next, rtol=rtol, atol=atol)
    return Solved((solved.x / scale_next).reshape(x.shape), solved.calls)
