"""Anatomy of a virtual subject: warps, skull and scalp, lesions, texture, phase; vectorised over a batch."""
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

SHARPEN = 2.0                                      # exponent on the tissue probabilities
PARAMETERS = 900                                   # random numbers a subject may use


@cache
def _bicubic(knots: int, size: int) -> Tensor:
    """Matrix (size, knots) that interpolates a line of knots; ten times faster than F.interpolate."""
    line = torch.eye(knots)[None, :, None]                            # each knot's own response
    return F.interpolate(line, size=(1, size), mode="bicubic", align_corners=True)[0, :, 0].T.contiguous()


class Draws:
    """Hands out the subject's random numbers, in order, as (b, n)."""

    def __init__(self, generators: list[torch.Generator]):
        self.normals = torch.stack([torch.randn(PARAMETERS, generator=g) for g in generators])
        self.used = 0

    def normal(self, *shape: int) -> Tensor:
        n = 1
        for d in shape:
            n *= d
        out = self.normals[:, self.used:self.used + n]
        self.used += n
        return out.reshape(-1, *shape)

    def uniform(self, *shape: int) -> Tensor:
        return 0.5 * (1 + torch.erf(self.normal(*shape) / 2**0.5))

    def field(self, channels: int, knots: int, size: int) -> Tensor:
        """Smooth random fields (b, channels, size, size) of about unit deviation."""
        basis = _bicubic(knots, size)
        return basis @ self.normal(channels, knots, knots) @ basis.T


def warp(draws: Draws, size: int) -> Tensor:
    """Sampling grid (b, size, size, 2): affine, a smooth warp a hemisphere, larger or smaller ventricles."""
    angle, scale = 0.06 * draws.normal(1)[:, 0], 1.05 + 0.03 * draws.normal(1)[:, 0]
    sx, sy = (scale[:, None] * (1 + 0.03 * draws.normal(2))).unbind(1)
    c, s = angle.cos(), angle.sin()
    turn = torch.stack([torch.stack([sx * c, -sy * s], 1), torch.stack([sx * s, sy * c], 1)], 1)
    theta = torch.cat([turn, 0.015 * draws.normal(2, 1)], 2)
    grid = F.affine_grid(theta, (len(theta), 1, size, size), align_corners=False)
    side = torch.sigmoid(grid[..., :1] / 0.05)      # 0 on one side of the midline, 1 on the other
    for weight in (side, 1 - side):           # the template is symmetric, subjects are not
        shift = 0.02 * draws.field(2, 5, size) + 0.01 * draws.field(2, 11, size)
        grid = grid + weight * shift.permute(0, 2, 3, 1)
    centre = torch.tensor([0.0, -0.02])
    offset = grid - centre
    reach = torch.exp(-(offset**2).sum(-1, keepdim=True) / (2 * 0.22**2))
    growth = (0.12 * draws.normal(1)).clamp(-0.25, 0.3)[:, :, None, None]
    return grid - growth * reach * offset


def _layer(distance: Tensor, inner: Tensor, outer: Tensor) -> Tensor:
    """Fraction of a pixel between two distances in mm from the brain's hull."""
    return torch.sigmoid((distance - inner) / 1.0) * torch.sigmoid((outer - distance) / 1.0)


def tissues(maps: Tensor, draws: Draws, skull: Tensor) -> Tensor:
    """Fractions (b, 7, h, w) in the order of contrast.TISSUES, with no lesion yet."""
    grey, white, distance = maps.split(1, 1)
    d = distance * 100
    inside = torch.sigmoid(-d / 0.6)
    grey, white = grey * inside, white * inside
    size = maps.shape[-1]
    thickness = torch.tensor([1.5, 6.5, 5.0]), torch.tensor([0.4, 1.0, 1.2])         # mm: mean, deviation
    layers = (thickness[0] + thickness[1] * draws.normal(3)).maximum(thickness[0] / 2)
    gap, bone, scalp = layers[:, :, None, None].split(1, 1)
    bone = bone * (1 + 0.15 * draws.field(1, 4, size))
    scalp = scalp * (1 + 0.20 * draws.field(1, 4, size))
    s = skull[:, None, None, None].float()
    fluid = torch.sigmoid((gap - d) / 0.6)                            # CSF fills the gap under the skull
    csf = (s * fluid + (1 - s) * inside - grey - white).clamp(0, 1)
    brain = torch.cat([csf, grey, white], 1)
    sharp = brain**SHARPEN              # an average of many brains has soft borders, one brain has not
    brain = brain.sum(1, keepdim=True) * sharp / sharp.sum(1, keepdim=True).clamp(min=1e-6)
    table = 0.3 * bone                                                # compact bone, marrow, compact bone
    shell, marrow = s * _layer(d, gap, gap + bone), s * _layer(d, gap + table, gap + bone - table)
    fat = s * _layer(d, gap + bone, gap + bone + scalp)
    return torch.cat([brain, fat, (shell - marrow).clamp(min=0), marrow, torch.zeros_like(fat)], 1)


def lesions(white: Tensor, generators: list[torch.Generator]) -> Tensor:
    """One to three irregular blobs of 3 to 8 pixels across, centred in white matter, (b, 1, h, w)."""
    size = white.shape[-1]
    yy, xx = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    out = torch.zeros_like(white)
    for i, g in enumerate(generators):
        weight = (white[i, 0] > 0.85).float().flatten() + 1e-9
        rough = F.interpolate(torch.randn(1, 1, 24, 24, generator=g), size=(size, size), mode="bicubic")[0, 0]
        for centre in torch.multinomial(weight, int(torch.randint(1, 4, (1,), generator=g)), generator=g):
            radius = (0.012 + 0.02 * torch.rand(2, generator=g)) * size
            r = (((yy - centre // size) / radius[0]) ** 2 + ((xx - centre % size) / radius[1]) ** 2).sqrt()
            out[i, 0] = torch.maximum(out[i, 0], torch.sigmoid(6 * (1 - r + 0.25 * rough)))
    return out


def smooth(x: Tensor, sigma: float) -> Tensor:
    """Gaussian blur with deviation in pixels: the resolution of a PET scanner."""
    r = int(3 * sigma) + 1
    k = torch.exp(-torch.arange(-r, r + 1) ** 2 / (2 * sigma**2))
    k = (k / k.sum())[None, None]
    x = F.conv2d(x, k[..., None, :], padding=(0, r))
    return F.conv2d(x, k[..., :, None], padding=(r, 0))


def texture(generators: list[torch.Generator], size: int) -> Tensor:
    """Fine structure that averaging removed: noise rising with frequency, unit deviation, (b, 1, h, w)."""
    noise = torch.stack([torch.randn(1, size, size, generator=g) for g in generators])
    f = torch.fft.fftfreq(size)
    radius = (f[:, None] ** 2 + f[None] ** 2).sqrt()
    gain = (radius / 0.2).clamp(max=1) * torch.exp(-((radius / 0.42) ** 4))
    gain = gain / gain.square().mean().sqrt()
    return torch.fft.ifft2(torch.fft.fft2(noise) * gain).real


def phase(draws: Draws, size: int) -> Tensor:
    """Smooth phase in radians (b, 1, h, w): a constant, a ramp and a field of about half a radian."""
    line = torch.linspace(-1, 1, size)
    ramp = 0.8 * (draws.normal(1, 1, 1) * line[:, None] + draws.normal(1, 1, 1) * line)
    return 2 * torch.pi * draws.uniform(1, 1, 1) + ramp + 0.5 * draws.field(1, 4, size)
