"""Networks that are told more than a class: words, or an image at low resolution.

Both are `nets.BrainNet` with another way in for the condition; -1 throughout means that nothing is given.
"""

import torch
import torch.nn.functional as F
from monai.networks.nets import DiffusionModelUNet
from torch import Tensor, nn

from .nets import coordinates
from .text import COLUMNS, WORDS


def patch_unet(c_in: int, c_out: int, widths, attention, context: int | None) -> DiffusionModelUNet:
    """MONAI's diffusion U-Net as the priors use it; with `context`, cross-attention to tokens that wide."""
    return DiffusionModelUNet(
        spatial_dims=2,
        in_channels=c_in,
        out_channels=c_out,
        channels=tuple(widths),
        attention_levels=tuple(attention),
        num_res_blocks=1,
        num_head_channels=32,
        norm_num_groups=16,
        with_conditioning=context is not None,
        cross_attention_dim=context,
    )


class TextNet(nn.Module):
    """A U-Net that reads a sentence by cross-attention [rombach2022ldm].

    x: (b, 1, h, w). label: (b, 4) word numbers of `text.tokens`, -1 for what is not said. Each word has a
    learned vector, and so has the silence of each column.
    """

    def __init__(self, patch: int = 2, widths=(32, 64), attention=(False, True), context: int = 32):
        super().__init__()
        self.patch = patch
        self.words = nn.Embedding(len(WORDS) + len(COLUMNS), context)
        self.unet = patch_unet(patch**2 + 3, patch**2, widths, attention, context)

    def forward(self, x: Tensor, c_noise: Tensor, label: Tensor | None = None) -> Tensor:
        dtype = next(self.parameters()).dtype
        label = torch.full((len(x), len(COLUMNS)), -1.0) if label is None else label
        if label.shape != (len(x), len(COLUMNS)):
            raise ValueError(f"got a label of shape {tuple(label.shape)}; need word numbers ({len(x)}, 4).")
        number = label.to(x.device).long()
        silence = len(WORDS) + torch.arange(len(COLUMNS), device=x.device).expand_as(number)
        patches = F.pixel_unshuffle(x, self.patch)
        place = coordinates(*patches.shape[-2:], x).expand(len(x), -1, -1, -1)
        out = self.unet(
            torch.cat([patches, place], 1).to(dtype),
            c_noise,
            context=self.words(torch.where(number < 0, silence, number)),
        )
        return F.pixel_shuffle(out, self.patch).to(x.dtype)


class ReducedNet(nn.Module):
    """A U-Net that is shown the image at low resolution, by concatenation [saharia2023sr3] or attention.

    x: (b, 1, h, w). label: (b, small**2), the block means row by row; -1 throughout: not given. "concat":
    the low-resolution image, interpolated to x, becomes channels. "attention": its blocks of 4 x 4 pixels
    become tokens for cross-attention, each with its place.
    """

    def __init__(
        self,
        how: str = "concat",
        small: int = 16,
        patch: int = 2,
        widths=(32, 64),
        attention=(False, True),
        context: int = 32,
    ):
        super().__init__()
        if how not in ("concat", "attention"):
            raise ValueError(f'how={how!r} is not "concat" or "attention".')
        self.how, self.small, self.patch = how, small, patch
        pixels = patch**2
        more = pixels + 1 if how == "concat" else 0  # the image, and whether it is given
        tokens = (small // 4) ** 2
        self.tokens = nn.Linear(16 + tokens, context) if how == "attention" else None
        self.unet = patch_unet(pixels + 3 + more, pixels, widths, attention, context if self.tokens else None)

    def forward(self, x: Tensor, c_noise: Tensor, label: Tensor | None = None) -> Tensor:
        dtype = next(self.parameters()).dtype
        b, n = len(x), self.small
        label = torch.full((b, n * n), -1.0) if label is None else label
        if label.shape != (b, n * n):
            found = tuple(label.shape)
            raise ValueError(f"got a label of shape {found}; need the block means ({b}, {n * n}).")
        told = label.to(x.device, x.dtype).reshape(b, 1, n, n)
        patches = F.pixel_unshuffle(x, self.patch)
        parts = [patches, coordinates(*patches.shape[-2:], x).expand(b, -1, -1, -1)]
        context = None
        if self.tokens is None:
            given = (told.amax((1, 2, 3), keepdim=True) >= 0).to(x.dtype)
            large = F.interpolate(told, size=x.shape[-2:], mode="bicubic", antialias=False)
            parts += [F.pixel_unshuffle(large * given, self.patch), given.expand(-1, 1, *patches.shape[-2:])]
        else:
            blocks = F.pixel_unshuffle(told, 4).flatten(2).transpose(1, 2)
            where = torch.eye(blocks.shape[1], device=x.device, dtype=x.dtype).expand(b, -1, -1)
            context = self.tokens(torch.cat([blocks, where], 2).to(dtype))
        out = self.unet(torch.cat(parts, 1).to(dtype), c_noise, context=context)
        return F.pixel_shuffle(out, self.patch).to(x.dtype)


CONDITIONAL = {net.__name__: net for net in (TextNet, ReducedNet)}
