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


def sigmoid_table(
    T: int = 1000, start: float = -3.0, end: float = 3.0, tau: float = 1.0, least: float = 1e-9
) -> Table:
    """The levels of a chain whose abar falls like a sigmoid, increasing, (T,) [chen2023importance].

    abar is the sigmoid between start / tau and end / tau, turned over and stretched to run from 1 to 0; a
    larger tau brings it near a straight line. The last abar, 0, is replaced by `least`.
    """
    u = torch.arange(1, T + 1, dtype=torch.float64) / T
    lo, hi = (torch.sigmoid(torch.tensor(z / tau, dtype=torch.float64)) for z in (start, end))
    share = (hi - torch.sigmoid((start + (end - start) * u) / tau)) / (hi - lo)
    return sigma_of(share.clamp(min=least))


def zero_terminal(table: Table, sigma_max: float = 1000.0) -> Float[Tensor, " n"]:
    """The table stretched until it ends in pure noise, cut off at `sigma_max` [lin2024zerosnr, alg. 1].

    sqrt(abar) is moved down until its last entry is 0, then scaled so that its first is as before. The last
    sigma is then infinite; `sigma_max` stands in for it and for all levels above. Increasing, at most (T,).
    Raises ValueError if nothing of the table would be left.
    """
    signal = abar(table).sqrt()
    moved = (signal - signal[-1]) * signal[0] / (signal[0] - signal[-1])
    levels = sigma_of(moved.square())
    levels = levels[levels < sigma_max]
    if not len(levels):
        raise ValueError(f"sigma_max={sigma_max} is not above the table's first level {float(table[0]):.3g}.")
    return torch.cat([levels, levels.new_tensor([sigma_max])])


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


def flow(n: int, sigma_max: float = 80.0) -> Schedule:
    """Levels t / (1 - t) at even times t of the straight path, from sigma_max to 0 [liu2023rectified].

    The path starts at t = 1, where sigma is infinite; sigma_max stands in.
    """
    t = torch.linspace(sigma_max / (1 + sigma_max), 0, n + 1, dtype=torch.float64)
    return t / (1 - t)


def stratified_cosine(
    b: int, generator: Generator | None = None, sigma_min: float = 0.002, sigma_max: float = 80.0
) -> Float[Tensor, " b"]:
    """Training levels: one uniform angle in each of b equal strata, sigma = tan(angle), (b,), increasing.

    A batch then covers all levels evenly, so the loss fluctuates less than with independent levels.
    """
    u = torch.rand(b, generator=generator, dtype=torch.float64)
    lo, hi = math.atan(sigma_min), math.atan(sigma_max)
    return (lo + (hi - lo) * (torch.arange(b) + u) / b).tan()


def log_normal(
    b: int, generator: Generator | None = None, mean: float = -1.2, std: float = 1.2
) -> Float[Tensor, " b"]:
    """Training levels: log sigma ~ N(mean, std**2), (b,) [karras2022edm, table 1].

    mean=0, std=1 is the logit-normal of [esser2024rectified], whose time is sigma / (1 + sigma).
    """
    return (mean + std * torch.randn(b, generator=generator, dtype=torch.float64)).exp()


def from_table(table: Table, b: int, generator: Generator | None = None) -> Float[Tensor, " b"]:
    """Training levels: b steps of a VP chain, each equally likely, (b,) [ho2020ddpm, alg. 1]."""
    return table[torch.randint(len(table), (b,), generator=generator)]


def stratified_flow(
    b: int, generator: Generator | None = None, sigma_min: float = 0.002, sigma_max: float = 80.0
) -> Float[Tensor, " b"]:
    """Training levels with t = sigma / (1 + sigma) uniform, one in each of b strata [liu2023rectified]."""
    u = torch.rand(b, generator=generator, dtype=torch.float64)
    lo, hi = sigma_min / (1 + sigma_min), sigma_max / (1 + sigma_max)
    t = lo + (hi - lo) * (torch.arange(b) + u) / b
    return t / (1 - t)


def _even(n: int, low: float, high: float) -> Float[Tensor, " n"]:
    """n evenly spaced numbers from high down to low; n=1 gives high."""
    return torch.linspace(high, low, n, dtype=torch.float64)


def _end(levels: Float[Tensor, " n"]) -> Schedule:
    return torch.cat([levels, levels.new_zeros(1)])
