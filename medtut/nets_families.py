"""The networks of the six families: 10,000 weights each for the plane, 100,000 each for 32 x 32 pixels.

Equal means within five per cent, counted over all networks that a family trains.
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .families import GAN, VAE, Autoregressive, Coupling, Diffusion, Energy, Flow, Fold
from .nets import MLP, TinyUNet, coordinates

FAMILIES = ("VAE", "GAN", "flow", "autoregressive", "energy", "diffusion")
PLANE_LEVELS = 64  # bins per axis of the plane, for the autoregressive model
GREY_LEVELS = 32  # of a 5-bit image
SHAPE = (1, 32, 32)


def weights_of(model: nn.Module) -> int:
    """How many weights are trained; those that a causal mask cuts out do not count."""
    cut = sum(int((m.mask == 0).sum()) for m in model.modules() if isinstance(m, CausalConv))
    return sum(p.numel() for p in model.parameters()) - cut


def dense(*sizes: int) -> nn.Sequential:
    """Linear layers with SiLU between them."""
    layers = []
    for a, b in pairwise(sizes):
        layers += [nn.SiLU(), nn.Linear(a, b)]
    return nn.Sequential(*layers[1:])


class Magnified(nn.Module):
    """`net` on `factor` times its input: fresh layers are almost linear over [-1, 1]."""

    def __init__(self, net: nn.Module, factor: float = 4.0):
        super().__init__()
        self.net, self.factor = net, factor

    def forward(self, x: Tensor, *args: Tensor, **kwargs: Tensor | None) -> Tensor:
        return self.net(self.factor * x, *args, **kwargs)


class Pair(nn.Module):
    """Two values in turn: logits of the first are a table, those of the second depend on the first."""

    def __init__(self, width: int, levels: int):
        super().__init__()
        self.levels = levels
        self.first = nn.Parameter(torch.zeros(levels))
        self.second = nn.Sequential(nn.Linear(levels, width), nn.SiLU(), dense(width, width, levels))

    def forward(self, x: Tensor) -> Tensor:
        """(b, 2) -> (b, levels, 2)."""
        k = ((x[:, 0] + 1) / 2 * self.levels).long().clamp(0, self.levels - 1)
        second = self.second(F.one_hot(k, self.levels).to(x))
        return torch.stack([self.first.expand_as(second), second], 2)

    def at(self, x: Tensor, i: int) -> Tensor:
        return self(x)[:, :, i]


class CausalConv(nn.Conv2d):
    """A convolution that sees the rows above, and in its own row what stands to the left [oord2016pixel].

    With `itself` it sees its own place too (mask B), without it does not (mask A).
    """

    def __init__(self, c_in: int, c_out: int, size: int, itself: bool):
        super().__init__(c_in, c_out, size, padding=size // 2)
        mask = torch.ones_like(self.weight)
        mask[:, :, size // 2 + 1 :] = 0
        mask[:, :, size // 2, size // 2 + int(itself) :] = 0
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return self._conv_forward(x, self.weight * self.mask, self.bias)


class PixelNet(nn.Module):
    """Causal convolutions with coordinates: (b, 1, h, w) -> (b, levels, 1, h, w) [oord2016pixel]."""

    def __init__(self, width: int = 56, blocks: int = 5, levels: int = GREY_LEVELS, shape: tuple = SHAPE):
        super().__init__()
        self.reach = 3 + blocks
        self.first = CausalConv(1, width, 7, itself=False)
        self.place = nn.Conv2d(3, width, 1)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.SiLU(), nn.Conv2d(width, width, 1), nn.SiLU(), CausalConv(width, width, 3, itself=True)
            )
            for _ in range(blocks)
        )
        self.head = nn.Sequential(
            nn.SiLU(), nn.Conv2d(width, width, 1), nn.SiLU(), nn.Conv2d(width, levels, 1)
        )
        self.register_buffer("grid", coordinates(*shape[1:], torch.zeros(())), persistent=False)

    def run(self, x: Tensor, grid: Tensor) -> Tensor:
        h = self.first(x) + self.place(grid)
        for block in self.blocks:
            h = h + block(h)
        return self.head(h)[:, :, None]

    def forward(self, x: Tensor) -> Tensor:
        return self.run(x, self.grid)

    def at(self, x: Tensor, i: int) -> Tensor:
        """The logits of value i, (b, levels), from the patch that it depends on."""
        row, column = divmod(i, x.shape[-1])
        top, left = max(row - self.reach, 0), max(column - self.reach, 0)
        patch = (..., slice(top, row + 1), slice(left, column + self.reach + 1))
        return self.run(x[patch], self.grid[patch])[:, :, 0, row - top, column - left]


class Placed(nn.Module):
    """Three convolutions that are told where they are: (b, c_in, h, w) -> (b, c_out, h, w)."""

    def __init__(self, c_in: int, width: int, c_out: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(c_in + 3, width, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(width, width, 1),
            nn.SiLU(),
            nn.Conv2d(width, c_out, 3, padding=1),
        )
        nn.init.zeros_(self.layers[-1].weight)  # the flow begins as the identity
        nn.init.zeros_(self.layers[-1].bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(torch.cat([x, coordinates(*x.shape[-2:], x).expand(len(x), -1, -1, -1)], 1))


def down(width: int, out: int) -> nn.Sequential:
    """32 x 32 pixels to `out` numbers."""
    layers, c = [], 1
    for k in (1, 2, 2):
        layers += [nn.Conv2d(c, k * width, 4, stride=2, padding=1), nn.SiLU()]
        c = k * width
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(16 * c, out))


def up(latent: int, width: int, out: int, end: nn.Module | None = None) -> nn.Sequential:
    """`latent` numbers to `out` channels of 32 x 32 pixels."""
    layers, c = [nn.Linear(latent, 32 * width), nn.Unflatten(1, (2 * width, 4, 4))], 2 * width
    for k in (2, 1, 1):
        layers += [nn.SiLU(), nn.Upsample(scale_factor=2), nn.Conv2d(c, k * width, 3, padding=1)]
        c = k * width
    layers += [nn.SiLU(), nn.Conv2d(c, out, 3, padding=1)]
    return nn.Sequential(*layers, *([end] if end else []))


def folded_flow(widths=(36, 36, 23), each=(4, 4, 2)) -> Flow:
    """Couplings on 16 x 16, 8 x 8 and 4 x 4 squares; the orders of channels come from a seed."""
    steps, c, generator = [], 1, torch.Generator().manual_seed(0)
    for width, count in zip(widths, each, strict=True):
        steps, c = [*steps, Fold()], 4 * c
        for _ in range(count):
            order = torch.randperm(c, generator=generator).tolist()
            steps.append(Coupling(Placed(c // 2, width, c), order))
    return Flow(steps, (c, 4, 4))


def plane() -> dict[str, nn.Module]:
    """The six families for points of the plane."""
    couplings = [Coupling(Magnified(dense(1, 33, 33, 2)), [1, 0]) for _ in range(8)]
    return {
        "VAE": VAE(Magnified(dense(2, 67, 67, 4)), Magnified(dense(2, 67, 67, 4), 2.0), latent=2),
        "GAN": GAN(dense(2, 67, 67, 2), dense(2, 68, 68, 1), latent=2),
        "flow": Flow(couplings, (2,)),
        "autoregressive": Autoregressive(Pair(54, PLANE_LEVELS), (2,), PLANE_LEVELS),
        "energy": Energy(Magnified(dense(2, 69, 69, 69, 1)), (2,), stored=1024),
        "diffusion": Diffusion(Magnified(MLP(dim=2, width=44)), (2,)),
    }


def brain() -> dict[str, nn.Module]:
    """The six families for images of 32 x 32 pixels."""
    return {
        "VAE": VAE(down(20, 32), up(16, 21, 2), latent=16),
        "GAN": GAN(up(32, 23, 1, nn.Tanh()), down(21, 1), latent=32),
        "flow": folded_flow(),
        "autoregressive": Autoregressive(PixelNet(), SHAPE, GREY_LEVELS),
        "energy": Energy(down(32, 1), SHAPE, step=10.0, noise=0.005, cut=0.03),
        "diffusion": Diffusion(TinyUNet(width=20), SHAPE),
    }
