"""Denoisers: every network, however it was trained, seen as D(x, sigma) ~ E[x0 | x].

The one noise convention of this package is x = x0 + sigma * eps, with eps ~ N(0, I).
A VP (DDPM) state is the same point, scaled: x_vp = x / sqrt(1 + sigma**2).
"""

import math
from collections.abc import Callable
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from .noise import Noise, randn, randn_like

Sigma = float | int | Float[Tensor, ""] | Float[Tensor, " b"]
Label = Shaped[Tensor, " b"] | Shaped[Tensor, "b k"]
Clock = Callable[[Tensor], Tensor]


@runtime_checkable
class Denoiser(Protocol):
    """Anything that maps a noisy image and its noise level to the posterior mean of the clean image."""

    def __call__(self, x: Tensor, sigma: Sigma, label: Tensor | None = None) -> Tensor:
        """Return x0hat, the shape of x. `label` -1 (or None) stands for "not told"."""
        ...


def levels(sigma: Sigma, batch: int) -> Float[Tensor, " b"]:
    """The noise level of each sample, (b,); a number becomes float64, so that coefficients are exact."""
    dtype = sigma.dtype if isinstance(sigma, Tensor) else torch.float64
    return torch.as_tensor(sigma, dtype=dtype).expand(batch)


def per_image(values: Float[Tensor, " b"], x: Float[Tensor, "b *rest"]) -> Tensor:
    """One number per sample, shaped (b, 1, ...) and cast so that it multiplies `x` without promoting it."""
    return values.to(x).reshape(-1, *[1] * (x.ndim - 1))


# --- what the network predicts: one row of four coefficients each -------------------------------------------


class Precond(NamedTuple):
    """Coefficients of D(x, sigma) = c_skip x + c_out F(c_in x, c_noise) [karras2022edm, eq. 7]."""

    c_skip: Clock
    c_out: Clock
    c_in: Clock
    c_noise: Clock


def cosine_clock(sigma: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """Network time in [0, 1000] with abar = cos(pi t / 2000)**2, that is sigma = tan(pi t / 2000)."""
    return 1000 * (2 / math.pi) * torch.atan(sigma)


def table_clock(table: Float[Tensor, " t"], nearest: bool = False) -> Clock:
    """Network time as an index (0 ... T-1) into a table of increasing sigmas, log-linear between entries.

    `nearest` rounds to a whole index, for networks that were only ever called at whole times.
    """
    log_table = table.log()

    def clock(sigma: Tensor) -> Tensor:
        logs = log_table.to(sigma)
        z = sigma.log().contiguous()
        j = torch.searchsorted(logs, z).clamp(1, len(logs) - 1)
        t = j - 1 + (z - logs[j - 1]) / (logs[j] - logs[j - 1])
        t = t.clamp(0, len(logs) - 1)
        return t.round() if nearest else t

    return clock


def _vp_in(s: Tensor) -> Tensor:
    return (1 + s**2).rsqrt()


def eps(clock: Clock = cosine_clock) -> Precond:
    """F predicts the noise eps, from the VP-scaled input [ho2020ddpm, eq. 14]."""
    return Precond(torch.ones_like, torch.neg, _vp_in, clock)


def x0(clock: Clock = cosine_clock) -> Precond:
    """F predicts the clean image itself, from the VP-scaled input."""
    return Precond(torch.zeros_like, torch.ones_like, _vp_in, clock)


def v(clock: Clock = cosine_clock) -> Precond:
    """F predicts v = (eps - sigma x0) / sqrt(1 + sigma**2), the VP velocity [salimans2022progressive]."""
    return Precond(lambda s: 1 / (1 + s**2), lambda s: -s * _vp_in(s), _vp_in, clock)


def score() -> Precond:
    """F predicts sigma times the score, from the unscaled input [karras2022edm, table 1, column VE]."""
    return Precond(torch.ones_like, lambda s: s, torch.ones_like, lambda s: (s / 2).log())


def flow_clock(sigma: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """The time t = sigma / (1 + sigma) of a straight path, 0 to 1."""
    return sigma / (1 + sigma)


def flow(clock: Clock = flow_clock) -> Precond:
    """F predicts eps - x0, the velocity of (1-t) x0 + t eps with t = sigma / (1 + sigma).

    The path is that of [lipman2023flow, eq. 22] with sigma_min = 0, whose time runs the other way.
    """
    return Precond(lambda s: 1 / (1 + s), lambda s: -s / (1 + s), lambda s: 1 / (1 + s), clock)


def edm(sd: float = 0.5) -> Precond:
    """F predicts a unit-variance mix of image and noise; `sd` is the data's [karras2022edm, table 1]."""
    return Precond(
        lambda s: sd**2 / (s**2 + sd**2),
        lambda s: s * sd * (s**2 + sd**2).rsqrt(),
        lambda s: (s**2 + sd**2).rsqrt(),
        lambda s: s.log() / 4,
    )


PARAMETRISATIONS = {"eps": eps, "x0": x0, "v": v, "score": score, "flow": flow, "edm": edm}


class Preconditioned(nn.Module):
    """A raw network `net(x, c_noise, label=None)` seen as a denoiser."""

    def __init__(self, net: Callable, precond: Precond):
        super().__init__()
        self.net, self.precond = net, precond

    def forward(
        self, x: Float[Tensor, "b *shape"], sigma: Sigma, label: Label | None = None
    ) -> Float[Tensor, "b *shape"]:
        """D(x, sigma), the estimate x0hat."""
        s = levels(sigma, len(x))
        c_skip, c_out, c_in, c_noise = (c(s) for c in self.precond)
        out = self.net(per_image(c_in, x) * x, c_noise.to(x), label=label)
        return per_image(c_skip, x) * x + per_image(c_out, x) * out


class Ranged(nn.Module):
    """A denoiser in physical units around one trained on x_net = (x - shift) * scale.

    Nothing else in the package knows of a network's range. Sigma is in physical units too.
    """

    def __init__(self, denoise: Callable, shift: float = 0.0, scale: float = 1.0):
        super().__init__()
        self.denoise, self.shift, self.scale = denoise, shift, scale

    def forward(
        self, x: Float[Tensor, "b *shape"], sigma: Sigma, label: Label | None = None
    ) -> Float[Tensor, "b *shape"]:
        """D(x, sigma) in physical units."""
        x_net = (x - self.shift) * self.scale
        return self.denoise(x_net, sigma * self.scale, label=label) / self.scale + self.shift


def denoising_loss(
    model: Preconditioned,
    x0: Float[Tensor, "b *shape"],
    sigma: Float[Tensor, " b"],
    label: Label | None = None,
    generator: Noise = None,
) -> Float[Tensor, " b"]:
    """Denoising score matching: mean over pixels of |F - target|**2, (b,) [vincent2011connection].

    The row of coefficients gives the target; for the row `eps` this is L_simple [ho2020ddpm, eq. 14].
    """
    c_skip, c_out, c_in, c_noise = (c(sigma) for c in model.precond)
    x = x0 + per_image(sigma, x0) * randn_like(x0, generator)
    target = (x0 - per_image(c_skip, x0) * x) / per_image(c_out, x0)
    out = model.net(per_image(c_in, x0) * x, c_noise.to(x0), label=label)
    return (out - target).square().flatten(1).mean(1)


# --- conditioning ------------------------------------------------------------------------------------------


def rows(label: Shaped[Tensor, "..."], batch: int) -> Tensor:
    """A label for each sample: 0-d and (k,) are repeated, (b, k) stays as it is."""
    label = torch.as_tensor(label)
    return label if label.ndim == 2 else label.expand(batch, *label.shape)


def given(denoise: Callable, label: Shaped[Tensor, "..."]) -> Callable:
    """The denoiser that is told `label`: one for all samples, 0-d or (k,), or one for each, (b, k)."""

    def conditional(x: Tensor, sigma: Sigma, label: Tensor = label) -> Tensor:
        return denoise(x, sigma, label=rows(label, len(x)).to(x.device))

    return conditional


def turned(denoise: Callable, generator: Noise = None) -> Callable:
    """For images (b, 2, h, w): turn the phase, mirror the sides, denoise, undo both [terris2024equivariant].

    Angle and side are drawn for each sample and call; `generator` as for noise. Where the prior has no
    preferred phase offset and no preferred side, the exact denoiser stays as it is, and a network's errors
    average out over the calls.
    """

    def equivariant(x: Tensor, sigma: Sigma, **label: Tensor) -> Tensor:
        z = randn((len(x), 2), generator, x)
        c, s = (per_image(f(2 * math.pi * torch.special.ndtr(z[:, 0])), x) for f in (torch.cos, torch.sin))
        side = per_image(z[:, 1], x) > 0
        re, im = x.split(1, 1)
        there = torch.cat([c * re - s * im, s * re + c * im], 1)
        found = denoise(torch.where(side, there.flip(-1), there), sigma, **label)
        re, im = torch.where(side, found.flip(-1), found).split(1, 1)
        return torch.cat([c * re + s * im, c * im - s * re], 1)

    return equivariant


def guided(
    denoise: Callable,
    w: float,
    label: Shaped[Tensor, "..."],
    base: Shaped[Tensor, "..."] | None = None,
    *,
    interval: tuple[float, float] = (0.0, math.inf),
    rescale: float = 0.0,
) -> Callable:
    """Classifier-free guidance D_base + w (D_label - D_base) [ho2022cfg, eq. 6]; w=1 is `label`, 0 `base`.

    `base=None` is the null label. The paper's weight is w - 1. One call on the doubled batch; outside
    `interval`, low < sigma <= high, one call of the labelled denoiser [kynkaanniemi2024interval]. `rescale`,
    0 to 1: how far each estimate's standard deviation goes back to the labelled one's [lin2024zerosnr].
    """
    base = torch.full_like(label, -1) if base is None else base
    low, high = interval

    def combined(x: Tensor, sigma: Sigma) -> Tensor:
        s = levels(sigma, len(x))
        inside = (s > low) & (s <= high)
        if not inside.any():
            return denoise(x, sigma, label=rows(label, len(x)).to(x.device))
        both = torch.cat([rows(base, len(x)), rows(label, len(x))]).to(x.device)
        s = s.repeat(2) if isinstance(sigma, Tensor) and sigma.ndim else sigma
        d_base, d_label = denoise(torch.cat([x, x]), s, label=both).chunk(2)
        out = d_base + per_image(torch.where(inside, w, 1.0), x) * (d_label - d_base)
        if rescale:
            ratio = d_label.flatten(1).std(1) / out.flatten(1).std(1)
            out = out * per_image(1 + rescale * (ratio - 1), out)
        return out

    return combined


# --- networks from other libraries -------------------------------------------------------------------------


class Adapted(nn.Module):
    """Another library's network, called as net(x, c_noise, label)."""

    def __init__(self, unet: nn.Module, call: Callable, classes: int | None):
        super().__init__()
        self.unet, self.call, self.classes = unet, call, classes

    def forward(self, x: Tensor, c_noise: Tensor, label: Tensor | None = None) -> Tensor:
        """The raw output. With class embeddings, the last of them is the null class."""
        if self.classes is not None:
            label = x.new_full((len(x),), -1) if label is None else label.reshape(len(x))
            label = torch.where(label < 0, self.classes - 1, label).long()
        return self.call(self.unet, x, c_noise, label)


def from_monai(unet: nn.Module) -> Adapted:
    """MONAI's DiffusionModelUNet as net(x, c_noise, label)."""
    return Adapted(unet, lambda u, x, t, c: u(x, timesteps=t, class_labels=c), unet.num_class_embeds)


def from_diffusers(unet: nn.Module) -> Adapted:
    """diffusers' UNet2DModel as net(x, c_noise, label)."""
    return Adapted(unet, lambda u, x, t, c: u(x, t, class_labels=c).sample, unet.config.num_class_embeds)
