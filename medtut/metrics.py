"""Measures of images and of samples: per sample, with a mask and a stated data range.

Images are `(b, c, h, w)`, a mask `(b|1, 1, h, w)` of bool or 0/1. Two channels count as real and imaginary
part: pass `magnitude(x)` where the magnitude is meant. Results are `(b,)` unless the name says otherwise.
"""
from collections.abc import Callable
from typing import NamedTuple

import torch
from monai.metrics.regression import compute_ssim_and_cs
from torch import Tensor

from .noise import generators, randn_like


class Interval(NamedTuple):
    """A value with the ends of its interval; `p` is the permutation p-value where there is one."""

    value: float
    low: float
    high: float
    p: float | None = None


def magnitude(x: Tensor) -> Tensor:
    """Complex image (b, 2, h, w) as magnitude (b, 1, h, w)."""
    return x.square().sum(1, keepdim=True).sqrt()


def mse(x: Tensor, ref: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mean squared error per sample, over the masked pixels and all channels."""
    if x.shape != ref.shape:
        raise ValueError(f"got shapes {tuple(x.shape)} and {tuple(ref.shape)}; give equal shapes")
    if mask is None:
        return (x - ref).square().flatten(1).mean(1)
    mask = mask.to(x.dtype).expand(x.shape)
    return ((x - ref).square() * mask).flatten(1).sum(1) / mask.flatten(1).sum(1)


def psnr(x: Tensor, ref: Tensor, mask: Tensor | None = None, data_range: float = 1.0) -> Tensor:
    """Peak signal-to-noise ratio in dB, 10 log10(data_range^2 / mse)."""
    return 10 * torch.log10(data_range**2 / mse(x, ref, mask))


def nrmse(x: Tensor, ref: Tensor, mask: Tensor | None = None) -> Tensor:
    """Root of mse(x, ref) over root of the reference's mean square, in the mask; 0 is perfect, no unit."""
    return (mse(x, ref, mask) / mse(ref, torch.zeros_like(ref), mask)).sqrt()


def ssim(x: Tensor, ref: Tensor, mask: Tensor | None = None, data_range: float = 1.0) -> Tensor:
    """Structural similarity [wang2004ssim], MONAI's map (11-pixel Gaussian window) averaged over the mask.

    The window must fit: pixels closer than 5 to an edge are left out.
    """
    size = (11,) * (x.ndim - 2)
    values, _ = compute_ssim_and_cs(x, ref, len(size), size, (1.5,) * len(size), data_range)
    if mask is None:
        return values.flatten(1).mean(1)
    inside = mask[(..., *(slice(5, -5),) * len(size))].to(values.dtype).expand(values.shape)
    return (values * inside).flatten(1).sum(1) / inside.flatten(1).sum(1)


def chi_square(y: Tensor, prediction: Tensor, noise_std: float, mask: Tensor | None = None) -> Tensor:
    """|y - prediction|^2 / (m noise_std^2) per sample: near 1 if the residual is noise of that level.

    m counts real numbers, a complex measurement as two; `mask` (broadcastable to y) says which were measured.
    Its expectation under the posterior given one y is not exactly 1: it averages to 1 over truths and noise.
    """
    energy = (y - prediction).abs().square()
    measured = torch.ones_like(energy) if mask is None else mask.to(energy.dtype).expand(energy.shape)
    count = measured.flatten(1).sum(1) * (2 if y.is_complex() else 1)
    return (energy * measured).flatten(1).sum(1) / (count * noise_std**2)


def spread(samples: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation over the first axis: (s, b, c, h, w) -> two of (b, c, h, w).

    The standard deviation says how far the samples differ; whether errors are as large is another question.
    """
    if samples.shape[0] < 2:
        raise ValueError("one sample has no spread; give two or more along the first axis")
    return samples.mean(0), samples.std(0)


def pairwise_distances(x: Tensor, y: Tensor | None = None) -> Tensor:
    """Root-mean-square differences between all pairs, (n, ...) and (m, ...) -> (n, m)."""
    x = x.flatten(1)
    y = x if y is None else y.flatten(1)
    return torch.cdist(x.double(), y.double()) / x.shape[1]**0.5


def diversity(samples: Tensor) -> float:
    """Mean root-mean-square difference over all pairs of different samples, in image units."""
    n = len(samples)
    return float(pairwise_distances(samples).sum() / (n * (n - 1)))


def radial_power_spectrum(x: Tensor, bins: int = 32) -> tuple[Tensor, Tensor]:
    """Mean power per ring of frequencies: (bins,) cycles per pixel up to 0.5, and (b, bins) power.

    Channels are averaged; the transform is orthonormal, so white noise of std s has power s^2 everywhere.
    """
    h, w = x.shape[-2:]
    power = torch.fft.fft2(x.double(), norm="ortho").abs().square().mean(1).flatten(1)
    radius = (torch.fft.fftfreq(h)[:, None]**2 + torch.fft.fftfreq(w)[None]**2).sqrt().flatten()
    edges = torch.linspace(0, 0.5, bins + 1)
    ring = (torch.bucketize(radius, edges, right=True) - 1).to(x.device)
    inside = ring < bins
    rings = torch.nn.functional.one_hot(ring[inside], bins).double()
    return (edges[1:] + edges[:-1]) / 2, power[:, inside] @ rings / rings.sum(0)


def mmd2_unbiased(x: Tensor, y: Tensor, bandwidths: Tensor | None = None) -> float:
    """Unbiased squared maximum mean discrepancy of samples (n, ...) and (m, ...) [gretton2012mmd].

    The kernel is the mean of Gaussians exp(-|u - v|^2 / (2 h^2)); the default h are 1/4, 1/2, 1, 2, 4 times
    the median distance of the pooled sample. Its mean is zero for equal distributions: it may be negative.
    """
    return _mmd2(_kernel(torch.cat([x, y]), bandwidths), len(x))


def mmd2_test(x: Tensor, y: Tensor, permutations: int = 500, bandwidths: Tensor | None = None,
              generator: torch.Generator | None = None) -> Interval:
    """`mmd2_unbiased` with the central 95 % of its values under random relabelling, and the p-value."""
    kernel = _kernel(torch.cat([x, y]), bandwidths)
    value = _mmd2(kernel, len(x))
    null = []
    for _ in range(permutations):
        order = torch.randperm(len(kernel), generator=generator).to(kernel.device)
        null.append(_mmd2(kernel[order][:, order], len(x)))
    null = torch.tensor(null, dtype=torch.float64)
    low, high = null.quantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return Interval(value, low, high, float((1 + (null >= value).sum()) / (1 + permutations)))


def bootstrap_ci(values: Tensor, level: float = 0.95, resamples: int = 2000,
                 generator: torch.Generator | None = None) -> Interval:
    """Mean of `values` (n,) with its percentile bootstrap interval; paired differences compare two methods.

    The n values must be independent: one per subject, not one per slice of the same subject.
    """
    values = values.detach().double().cpu()
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"got shape {tuple(values.shape)}; give two or more numbers, one per subject")
    draws = torch.randint(len(values), (resamples, len(values)), generator=generator)
    ends = torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64)
    low, high = values[draws].mean(1).quantile(ends).tolist()
    return Interval(float(values.mean()), low, high)


def neighbour_ratio(samples: Tensor, train: Tensor, strangers: Tensor) -> Tensor:
    """Distance of each sample to the nearest training image over that to the nearest stranger, (n,).

    Near 0 for copies, near 1 for new images; the test for a copy in [carlini2023extracting] is stricter.
    ValueError unless there are as many strangers as training images.
    """
    if len(train) != len(strangers):
        raise ValueError(f"got {len(train)} training images, {len(strangers)} strangers; give equally many")
    near, far = (pairwise_distances(samples, images).amin(1) for images in (train, strangers))
    return near / far


@torch.no_grad()
def denoising_gap(denoise: Callable, seen: Tensor, new: Tensor, sigma: float, seed: int = 0) -> Interval:
    """PSNR on training subjects minus that on new ones, in dB [kadkhodaie2024generalization].

    0 without memory. Images (n, c, h, w), one a subject. The interval: 95 %, bootstrap over subjects.
    """
    scores = []
    for images in (seen, new):
        x = images + sigma * randn_like(images, generators(seed, len(images)))
        scores.append(psnr(denoise(x, sigma), images).double().cpu())
    g = torch.Generator().manual_seed(seed)
    one, two = (v[torch.randint(len(v), (2000, len(v)), generator=g)].mean(1) for v in scores)
    low, high = (one - two).quantile(torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return Interval(float(scores[0].mean() - scores[1].mean()), low, high)


def _kernel(pooled, bandwidths):
    distance = torch.cdist(pooled.flatten(1).double(), pooled.flatten(1).double())
    if bandwidths is None:
        upper = torch.ones_like(distance).triu(1).bool()
        bandwidths = distance[upper].median() * torch.tensor([0.25, 0.5, 1, 2, 4], device=distance.device)
    return sum(torch.exp(-distance.square() / (2 * h**2)) for h in bandwidths) / len(bandwidths)


def _mmd2(kernel, n):
    m = len(kernel) - n
    xx, yy, xy = kernel[:n, :n], kernel[n:, n:], kernel[:n, n:]
    within = (xx.sum() - xx.trace()) / (n * (n - 1)) + (yy.sum() - yy.trace()) / (m * (m - 1))
    return float(within - 2 * xy.mean())
