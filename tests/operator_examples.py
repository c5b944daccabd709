"""Every operator of the package in the shapes that the property tests run through."""

from dataclasses import fields, is_dataclass, replace
from typing import NamedTuple

import torch

from medtut.operators import Operator
from medtut.physics.blur import Blur, NonlinearBlur, SuperResolution, motion_kernel
from medtut.physics.mri import MRI, cartesian_mask, coil_maps
from medtut.physics.pixels import Downsample, Inpainting

BATCH = 3  # of all examples


def g(seed=0):
    return torch.Generator().manual_seed(seed)


class Example(NamedTuple):
    """An operator in double precision and the shape of its images; values for sample 1 if they differ."""

    A: Operator
    shape: tuple[int, ...]
    one: Operator | None = None  # the operator of sample 1 alone, where samples have operators of their own


def single(thing):
    """The same operator with all tensors in single precision."""
    if isinstance(thing, torch.Tensor):
        return thing.to(torch.complex64 if thing.is_complex() else torch.float32)
    if is_dataclass(thing):
        return replace(thing, **{f.name: single(getattr(thing, f.name)) for f in fields(thing)})
    return thing


def mri(n, h, w, batch=1):
    """Coil maps made rough, because with smooth ones A^H A is too ill-conditioned to invert to 1e-10."""
    coils = torch.cat([coil_maps(n, h, w, g(i)) for i in range(batch)]).to(torch.complex128)
    coils = coils + (n > 1) * torch.randn(coils.shape, generator=g(batch), dtype=torch.complex128)
    coils = coils / coils.abs().square().sum(1, keepdim=True).sqrt()
    masks = torch.stack([cartesian_mask(h, w, 3, 0.2, generator=g(i)) for i in range(batch)])
    return MRI(masks[0] if batch == 1 else masks[:, None], coils)


def taps(*shape, seed=0):
    """A rough kernel, whose response is nowhere nearly zero."""
    kernel = torch.rand(shape, generator=g(seed), dtype=torch.float64)
    return kernel / kernel.sum((-2, -1), keepdim=True)


MAPS, TAPS = mri(3, 9, 10, batch=BATCH), taps(BATCH, 1, 3, 5)

LINEAR = {
    "inpainting": Example(Inpainting((torch.rand(1, 1, 9, 7, generator=g()) > 0.4).double()), (3, 2, 9, 7)),
    "inpainting volume": Example(
        Inpainting((torch.rand(5, 4, 3, generator=g()) > 0.4).double()), (3, 1, 5, 4, 3)
    ),
    "downsample 2": Example(Downsample(2), (3, 1, 8, 6)),
    "downsample 3": Example(Downsample(3), (3, 2, 9, 15)),
    "one coil": Example(mri(1, 8, 10), (3, 2, 8, 10)),
    "one coil, odd": Example(mri(1, 9, 11), (3, 2, 9, 11)),
    "four coils": Example(mri(4, 8, 10), (3, 2, 8, 10)),
    "four coils, odd": Example(mri(4, 7, 11), (3, 2, 7, 11)),
    "a mask and maps per sample": Example(MAPS, (3, 2, 9, 10), MRI(MAPS.mask[1:2], MAPS.coils[1:2])),
    "blur": Example(Blur(taps(3, 5)), (3, 2, 8, 10)),
    "blur, odd": Example(Blur(taps(4, 3)), (3, 1, 7, 9)),
    "motion blur, with frequencies lost": Example(Blur(torch.ones(1, 4).double() / 4), (3, 1, 6, 8)),
    "a kernel per sample": Example(Blur(TAPS), (3, 2, 9, 8), Blur(TAPS[1:2])),
    "super-resolution": Example(SuperResolution(taps(3, 3), 2), (3, 2, 8, 6)),
    "super-resolution, odd": Example(SuperResolution(motion_kernel(5, g()).double(), 3), (3, 1, 9, 15)),
    "super-resolution, a kernel per sample": Example(
        SuperResolution(TAPS, 2), (3, 1, 8, 6), SuperResolution(TAPS[1:2], 2)
    ),
}
NONLINEAR = {
    "nonlinear blur": Example(NonlinearBlur(taps(3, 5)), (3, 1, 7, 8)),
    "nonlinear blur, a kernel per sample": Example(
        NonlinearBlur(TAPS), (3, 1, 8, 9), NonlinearBlur(TAPS[1:2])
    ),
}
