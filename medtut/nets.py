"""Networks `net(x, c_noise, label=None)`: the brain prior, a small U-Net and an MLP for chapters.

`x` is what the preconditioning hands over, `c_noise` the net's own clock, (b,), 0 to 1000.
In a label column -1 means null: that condition is not given. `label=None` gives none of them.
"""

import math

import torch
import torch.nn.functional as F
from monai.networks.nets import DiffusionModelUNet
from torch import Tensor, nn


class BrainNet(nn.Module):
    """MONAI's diffusion U-Net on patches, with coordinate channels, contrast and slice position.

    Pixel-unshuffle by `patch` (the inverse of [shi2016espcn]) folds each patch into channels, so that an
    image of 128 x 128 costs as much as one of 32 x 32. x: (b, channels, h, w), h and w multiples of
    4 * patch. label: (b, 2): contrast index in 0 .. contrasts - 1, and position in [0, 1]; -1 is null.
    """

    def __init__(
        self,
        channels: int = 1,
        patch: int = 4,
        widths=(64, 96, 128),
        attention=(False, True, True),
        contrasts: int = 6,
    ):
        super().__init__()
        self.patch, self.contrasts = patch, contrasts
        pixels = channels * patch**2
        self.unet = DiffusionModelUNet(
            spatial_dims=2,
            in_channels=pixels + 5,
            out_channels=pixels,
            channels=tuple(widths),
            attention_levels=tuple(attention),
            num_res_blocks=1,
            num_head_channels=32,
            norm_num_groups=16,
            num_class_embeds=contrasts + 1,
        )  # the last row is the null class

    def forward(self, x: Tensor, c_noise: Tensor, label: Tensor | None = None) -> Tensor:
        dtype = next(self.parameters()).dtype
        patches = F.pixel_unshuffle(x, self.patch)
        b, _, h, w = patches.shape
        if label is None:
            label = torch.full((b, 2), -1.0, device=x.device)
        elif label.shape != (b, 2):
            raise ValueError(
                f"got a label of shape {tuple(label.shape)}; BrainNet needs ({b}, 2): contrast, position"
            )
        contrast, position = label[:, 0].long(), label[:, 1].to(x.dtype)
        given = (position >= 0).to(x.dtype)
        place = torch.stack([given * (2 * position - 1), given], 1)[:, :, None, None].expand(b, 2, h, w)
        stem = torch.cat([patches, coordinates(h, w, x).expand(b, 3, h, w), place], 1)
        null = torch.full_like(contrast, self.contrasts)
        out = self.unet(stem.to(dtype), c_noise, class_labels=torch.where(contrast < 0, null, contrast))
        return F.pixel_shuffle(out, self.patch).to(x.dtype)


def coordinates(h: int, w: int, like: Tensor) -> Tensor:
    """Channels x, y in [-1, 1] and x^2 + y^2, (1, 3, h, w) [liu2018coordconv]."""
    y = torch.linspace(-1, 1, h, device=like.device, dtype=like.dtype)[:, None].expand(h, w)
    x = torch.linspace(-1, 1, w, device=like.device, dtype=like.dtype)[None].expand(h, w)
    return torch.stack([x, y, x**2 + y**2])[None]


class Clock(nn.Module):
    """Sine and cosine features of c_noise and an embedding of the class, (b,) -> (b, width) [ho2020ddpm]."""

    def __init__(self, width: int, classes: int = 0):
        super().__init__()
        self.half = width // 2
        self.mlp = nn.Sequential(nn.Linear(2 * self.half, width), nn.SiLU(), nn.Linear(width, width))
        self.classes = nn.Embedding(classes + 1, width)  # the last row is the null class

    def forward(self, c_noise: Tensor, label: Tensor | None) -> Tensor:
        rate = torch.exp(-math.log(10_000.0) * torch.arange(self.half, device=c_noise.device) / self.half)
        angle = c_noise.to(rate.dtype)[:, None] * rate
        null = torch.full_like(c_noise, self.classes.num_embeddings - 1, dtype=torch.long)
        index = null if label is None else label.reshape(len(c_noise), -1)[:, 0].long()
        return self.mlp(torch.cat([angle.sin(), angle.cos()], 1)) + self.classes(
            torch.where(index < 0, null, index)
        )


class Block(nn.Module):
    """Residual block: two 3 x 3 convolutions, the clock added between them."""

    def __init__(self, c_in: int, c_out: int, emb: int):
        super().__init__()
        self.first = nn.Sequential(nn.GroupNorm(4, c_in), nn.SiLU(), nn.Conv2d(c_in, c_out, 3, padding=1))
        self.emb = nn.Linear(emb, c_out)
        self.second = nn.Sequential(nn.GroupNorm(4, c_out), nn.SiLU(), nn.Conv2d(c_out, c_out, 3, padding=1))
        self.skip = nn.Conv2d(c_in, c_out, 1) if c_in != c_out else nn.Identity()

    def forward(self, x: Tensor, emb: Tensor) -> Tensor:
        return self.skip(x) + self.second(self.first(x) + self.emb(emb)[:, :, None, None])


class TinyUNet(nn.Module):
    """A two-level U-Net [ronneberger2015unet] for images of about 32 x 32 that trains in a page.

    x: (b, channels, h, w), h and w multiples of 4. label: (b,) or (b, k), only column 0 is used; -1 is null.
    """

    def __init__(self, channels: int = 1, width: int = 24, classes: int = 0):
        super().__init__()
        w, emb = width, 2 * width
        self.clock = Clock(emb, classes)
        self.stem = nn.Conv2d(channels + 3, w, 3, padding=1)
        self.down = nn.ModuleList([Block(w, w, emb), Block(w, 2 * w, emb)])
        self.middle = Block(2 * w, 2 * w, emb)
        self.up = nn.ModuleList([Block(4 * w, w, emb), Block(2 * w, w, emb)])
        self.head = nn.Sequential(nn.GroupNorm(4, w), nn.SiLU(), nn.Conv2d(w, channels, 3, padding=1))

    def forward(self, x: Tensor, c_noise: Tensor, label: Tensor | None = None) -> Tensor:
        emb = self.clock(c_noise, label)
        h = self.stem(torch.cat([x, coordinates(*x.shape[-2:], x).expand(len(x), -1, -1, -1)], 1))
        skips = []
        for block in self.down:
            h = block(h, emb)
            skips.append(h)
            h = F.avg_pool2d(h, 2)
        h = self.middle(h, emb)
        for block in self.up:
            h = block(torch.cat([F.interpolate(h, scale_factor=2), skips.pop()], 1), emb)
        return self.head(h)


class MLP(nn.Module):
    """Three hidden layers for points in a few dimensions. x: (b, dim); label: (b,), -1 is null."""

    def __init__(self, dim: int = 2, width: int = 128, classes: int = 0):
        super().__init__()
        self.clock = Clock(width, classes)
        self.inside = nn.Linear(dim, width)
        self.hidden = nn.ModuleList(nn.Linear(width, width) for _ in range(3))
        self.outside = nn.Linear(width, dim)

    def forward(self, x: Tensor, c_noise: Tensor, label: Tensor | None = None) -> Tensor:
        emb = self.clock(c_noise, label)
        h = self.inside(x)
        for layer in self.hidden:
            h = h + layer(F.silu(h + emb))
        return self.outside(F.silu(h))


NETS = {net.__name__: net for net in (BrainNet, TinyUNet, MLP)}
