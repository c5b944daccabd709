"""What a training step minimises: the denoising loss, a classifier's, or that of a supervised network."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from .denoisers import denoising_loss, per_image
from .noise import randn_like
from .supervised import Scans

CONTRAST = "contrast"  # the task of a classifier


def objective(task: str, device: torch.device, seed: int = 0) -> Callable[..., Tensor]:
    """loss(model, x0, sigma, label, noise, key) for a recipe's task; the scalar mean over the batch.

    "": images in the network's range. "contrast": cross-entropy of the first column of the label, given the
    noisy image [dhariwal2021beat]. Else a task of supervised.Scans: squared error of the reconstruction, with
    images in physical units; `key` decides the measurement.
    """
    if not task:
        return denoising
    if task == CONTRAST:
        return classification
    scans = Scans(task, device, seed)

    def reconstruction(model, x0: Tensor, sigma: Tensor, label: Tensor, noise, key: int) -> Tensor:
        return (model(scans.problem(x0, key), label) - x0).square().mean()

    return reconstruction


def denoising(model, x0: Tensor, sigma: Tensor, label: Tensor, noise, key: int) -> Tensor:
    """Denoising score matching, mean over batch and pixels; images and sigma in the network's range."""
    return denoising_loss(model, x0, sigma, label, noise).mean()


def classification(model, x0: Tensor, sigma: Tensor, label: Tensor, noise, key: int) -> Tensor:
    """Cross-entropy of the contrast, given x0 + sigma * eps; physical units."""
    x = x0 + per_image(sigma, x0) * randn_like(x0, noise)
    return F.cross_entropy(model(x, sigma), label[:, 0].long())
