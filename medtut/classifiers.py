"""Classifiers of noisy images, p(label | x, sigma): they steer a sampler, or judge what it drew."""

from collections.abc import Callable
from itertools import pairwise

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from .denoisers import Sigma, cosine_clock, levels, per_image
from .nets import Block, Clock


class Encoder(nn.Module):
    """Residual blocks that know the noise level, at four resolutions, and a mean over the image.

    x: (b, channels, h, w); c_noise: (b,); returns (b, classes).
    """

    def __init__(self, channels: int = 1, width: int = 24, classes: int = 6):
        super().__init__()
        w, emb = width, 2 * width
        self.clock = Clock(emb)
        self.stem = nn.Conv2d(channels, w, 3, stride=2, padding=1)
        self.blocks = nn.ModuleList([Block(w, w, emb), Block(w, 2 * w, emb), Block(2 * w, 2 * w, emb)])
        self.head = nn.Linear(2 * w, classes)

    def forward(self, x: Tensor, c_noise: Tensor) -> Tensor:
        emb, h = self.clock(c_noise, None), self.stem(x)
        for block in self.blocks:
            h = nn.functional.avg_pool2d(block(h, emb), 2)
        return self.head(h.mean((2, 3)))


class PlainCNN(nn.Module):
    """Four strided convolutions and a maximum over the image; it is not told the noise level."""

    def __init__(self, channels: int = 1, width: int = 16, classes: int = 6):
        super().__init__()
        widths = [channels, width, 2 * width, 3 * width, 4 * width]
        steps = [nn.Conv2d(a, b, 5, stride=2, padding=2) for a, b in pairwise(widths)]
        self.features = nn.Sequential(*[nn.Sequential(step, nn.LeakyReLU(0.1)) for step in steps])
        self.head = nn.Linear(widths[-1], classes)

    def forward(self, x: Tensor, c_noise: Tensor) -> Tensor:
        return self.head(self.features(x).amax((2, 3)))


class Classifier(nn.Module):
    """A raw network `net(x, c_noise) -> logits` seen as p(label | x, sigma), in physical units."""

    def __init__(self, net: nn.Module, shift: float = 0.0, scale: float = 1.0):
        super().__init__()
        self.net, self.shift, self.scale = net, shift, scale

    def forward(self, x: Float[Tensor, "b *shape"], sigma: Sigma = 0.0) -> Float[Tensor, "b k"]:
        """Logits (b, classes) for images at noise level sigma."""
        s = levels(sigma, len(x)) * self.scale
        x_net = (x - self.shift) * self.scale
        dtype = next(self.parameters()).dtype
        c_in = per_image((1 + s**2).rsqrt(), x)
        return self.net((c_in * x_net).to(dtype), cosine_clock(s).to(dtype)).to(x.dtype)


def classifier_guided(
    denoise: Callable, classify: Callable, w: float, label: Shaped[Tensor, "..."]
) -> Callable:
    """Classifier guidance: D + w sigma**2 grad log p(label | x, sigma) [dhariwal2021beat, eq. 14].

    By Tweedie's formula this is the denoiser of the score plus w times the classifier's gradient. `label`:
    class numbers, 0-d or (b,). One call of the denoiser, one of the classifier and its gradient.
    """

    def combined(x: Tensor, sigma: Sigma) -> Tensor:
        with torch.enable_grad():
            point = x.detach().requires_grad_()
            log_p = classify(point, sigma).log_softmax(1)
            chosen = torch.as_tensor(label, device=x.device).long().expand(len(x))
            (gradient,) = torch.autograd.grad(log_p.gather(1, chosen[:, None]).sum(), point)
        return denoise(x, sigma) + w * per_image(levels(sigma, len(x)), x) ** 2 * gradient

    return combined


CLASSIFIERS = {net.__name__: net for net in (Encoder, PlainCNN)}
