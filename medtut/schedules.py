"""Noise levels. A schedule is a decreasing float64 tensor of sigmas on the CPU that ends in 0; no class.

`n` is always the number of steps, so a schedule has n + 1 entries.
"""

import math

import torch
from jaxtyping import Float
from torch import Generator, Tensor

Schedule = Float[Tensor, " n1"]
Table = Float[Tensor, " t"]


def abar(sigma: Float[Tensor, "..."] | float) -> Float[Tensor, "..."] | float:
    """The share of signal variance of a VP state at noise level sigma: 1 / (1 + sigma**2)."""
    return 1 / (1 + sigma**2)


def sigma_of(abar: Float[Tensor, "..."] | float) -> Float[Tensor, "..."] | float:
    """The noise level of a VP state whose share of signal variance is abar: sqrt((1 - abar) / abar)."""
    return ((1 - abar) / abar) ** 0.5


# --- tables of a discrete VP chain -------------------------------------------------------------------------


def vp_table(T: int = 1000, kind: str = "linear") -> Table:
    """The noise levels of a chain of T steps, increasing, (T,). Entry 0 is one step from the clean image.

    "linear": beta from 1e-4 to 0.02 [ho2020ddpm, sec. 4]. "cosine": abar = cos(...)**2 with offset 0.008 and
    beta at most 0.999 [nichol2021improved, eq. 17].
    """
    if kind == "linear":
        beta = torch.linspace(1e-4, 0.02, T, dtype=torch.float64)
    elif kind == "cosine":
        u = torch.arange(T + 1, dtype=torch.float64) / T
        f = ((u + 0.008) / 1.008 * math.pi / 2).cos().square()
        beta = (1 - f[1:] / f[:-1]).clamp(max=0.999)
    else:
        raise ValueError(f"kind={kind!r} is no VP table: use 'linear' or 'cosine'.")
    return sigma_of(torch.cumprod(1 - beta, 0))


def trailing(table: Table, n: int) -> Schedule:
    """n of the table's levels, evenly spaced and counted from the noisiest, then 0."""
    i = torch.arange(n, 0, -1, dtype=torch.float64) * len(table) / n
    return _end(table[i.round().long() - 1])


def leading(table: Table, n: int) -> Schedule:
    """n of the table's levels, evenly spaced and counted from the cleanest, then 0.

    The noisiest levels are left out, and the start is then not pure noise: prefer `trailing`.
    """
    return _end(table[torch.arange(n - 1, -1, -1) * (len(table) // n)])


# --- levels by formula -------------------------------------------------------------------------------------


def karras(n: int, sigma_min: float = 0.002, sigma_max: float = 80.0, rho: float = 7.0) -> Schedule:
    """Levels that are evenly spaced in sigma**(1/rho), then 0 [karras2022edm, eq. 5]."""
    return _end(_even(n, sigma_min ** (1 / rho), sigma_max ** (1 / rho)) ** rho)


def geometric(n: int, sigma_min: float = 0.002, sigma_max: float = 80.0) -> Schedule:
    """Levels in geometric progression, then 0 [song2019ncsn]."""
    return _end(_even(n, math.log(sigma_min), math.log(sigma_max)).exp())


def cosine(n: int, sigma_min: float = 0.002, sigma_max: float = 80.0) -> Schedule:
    """Levels tan(angle) at even angles, then 0: even steps of `denoisers.cosine_clock`."""
    return _end(_even(n, math.atan(sigma_min), math.atan(sigma_max)).tan())


def stratified_cosine(
    b: int, generator: Generator | None = None, sigma_min: float = 0.002, sigma_max: float = 80.0
) -> Float[Tensor, " b"]:
    """Training levels: one uniform angle in each of b equal strata, sigma = tan(angle), (b,), increasing.

    A batch then covers all levels evenly, so the loss fluctuates less than with independent levels.
    """
    u = torch.rand(b, generator=generator, dtype=torch.float64)
    lo, hi = math.atan(sigma_min), math.atan(sigma_max)
    return (lo + (hi - lo) * (torch.arange(b) + u) / b).tan()


def _even(n: int, low: float, high: float) -> Float[Tensor, " n"]:
    """n evenly spaced numbers from high down to low; n=1 gives high."""
    return torch.linspace(high, low, n, dtype=torch.float64)


def _end(levels: Float[Tensor, " n"]) -> Schedule:
    return torch.cat([levels, levels.new_zeros(1)])
