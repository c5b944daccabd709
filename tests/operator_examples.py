"""Every operator of the package in the shapes that the property tests run through."""

from dataclasses import fields, is_dataclass, replace
from typing import NamedTuple

import torch

from medtut.operators import Operator
from medtut.physics.blur import Blur, NonlinearBlur, SuperResolution, motion_kernel
from medtut.physics.ct import CT, BeamHardening, fan_beam, parallel_beam
from medtut.physics.likelihoods import Weighted
from medtut.physics.matrix import Matrix
from medtut.physics.mismatch import ColouredNoise, FineGrid, OffResonance, coil_mixing
from medtut.physics.mri import MRI, cartesian_mask, coil_maps
from medtut.physics.mri_motion import MotionMRI, line_groups, random_poses
from medtut.physics.mri_radial import RadialMRI, spokes
from medtut.physics.pet import PET
from medtut.physics.phase import PhaseRetrieval
from medtut.physics.pixels import Downsample, Inpainting

BATCH = 3  # of all examples
SINGLE = {torch.complex128: torch.complex64, torch.float64: torch.float32}


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
        return thing.to(SINGLE.get(thing.dtype, thing.dtype))
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


RATIOS, SHARES = torch.tensor([1.6, 0.6]).double(), torch.tensor([0.4, 0.6]).double()


def taps(*shape, seed=0):
    """A rough kernel, whose response is nowhere nearly zero."""
    kernel = torch.rand(shape, generator=g(seed), dtype=torch.float64)
    return kernel / kernel.sum((-2, -1), keepdim=True)


MAPS, TAPS = mri(3, 9, 10, batch=BATCH), taps(BATCH, 1, 3, 5)
POSES = torch.cat([random_poses(2, 20, 1.5, g(i)) for i in range(BATCH)]).double()
FIELD = torch.randn(BATCH, 7, 10, generator=g(), dtype=torch.float64)
RAYS = (torch.rand(BATCH, 1, 4, 10, generator=g()) > 0.3).double()
HALF = 0.4 + 0.5 * torch.rand(BATCH, 1, 3, 10, generator=g(), dtype=torch.float64)
WEIGHT = 0.5 + torch.rand(BATCH, 1, 4, 3, generator=g(), dtype=torch.float64)
HOLES = (torch.rand(BATCH, 1, 7, 5, generator=g()) > 0.4).double()
TWO, ODD, TINY = mri(2, 8, 10), mri(4, 7, 10), mri(2, 4, 5)

LINEAR = {
    "inpainting": Example(Inpainting((torch.rand(1, 1, 9, 7, generator=g()) > 0.4).double()), (3, 2, 9, 7)),
    "inpainting volume": Example(
        Inpainting((torch.rand(5, 4, 3, generator=g()) > 0.4).double()), (3, 1, 5, 4, 3)
    ),
    "inpainting, a mask per sample": Example(Inpainting(HOLES), (3, 2, 7, 5), Inpainting(HOLES[1:2])),
    "downsample 2": Example(Downsample(2), (3, 1, 8, 6)),
    "downsample 3": Example(Downsample(3), (3, 2, 9, 15)),
    "one coil": Example(mri(1, 8, 10), (3, 2, 8, 10)),
    "one coil, odd": Example(mri(1, 9, 11), (3, 2, 9, 11)),
    "four coils": Example(mri(4, 8, 10), (3, 2, 8, 10)),
    "four coils, odd": Example(mri(4, 7, 11), (3, 2, 7, 11)),
    "a mask and maps per sample": Example(MAPS, (3, 2, 9, 10), MRI(MAPS.mask[1:2], MAPS.coils[1:2])),
    "blur": Example(Blur(taps(3, 5)), (3, 2, 8, 10)),
    "blur, odd": Example(Blur(taps(4, 3)), (3, 1, 7, 9)),
    "super-resolution, a kernel that loses a frequency": Example(
        SuperResolution(torch.tensor([[0.25, 0, 0.5, 0, 0.25]]).double(), 2), (3, 2, 4, 8)
    ),
    "motion blur, with frequencies lost": Example(Blur(torch.ones(1, 4).double() / 4), (3, 1, 6, 8)),
    "a kernel per sample": Example(Blur(TAPS), (3, 2, 9, 8), Blur(TAPS[1:2])),
    "super-resolution": Example(SuperResolution(taps(3, 3), 2), (3, 2, 8, 6)),
    "super-resolution, odd": Example(SuperResolution(motion_kernel(5, g()).double(), 3), (3, 1, 9, 15)),
    "super-resolution, a kernel per sample": Example(
        SuperResolution(TAPS, 2), (3, 1, 8, 6), SuperResolution(TAPS[1:2], 2)
    ),
    "motion": Example(MotionMRI(TWO, line_groups(10, 2), POSES[:1]), (3, 2, 8, 10)),
    "motion, poses per sample": Example(
        MotionMRI(ODD, line_groups(10, 2), POSES),
        (3, 2, 7, 10),
        MotionMRI(ODD, line_groups(10, 2), POSES[1:2]),
    ),
    "fine grid": Example(FineGrid(mri(1, 8, 5), 2), (3, 2, 16, 10)),
    "fine grid, odd": Example(FineGrid(mri(3, 5, 7), 3), (3, 2, 15, 21)),
    "off-resonance": Example(OffResonance(mri(1, 7, 10), FIELD[:1]), (3, 2, 7, 10)),
    "off-resonance per sample": Example(
        OffResonance(ODD, FIELD), (3, 2, 7, 10), OffResonance(ODD, FIELD[1:2])
    ),
    "fine grid off resonance": Example(
        FineGrid(OffResonance(TINY, FIELD[:, :4, :5]), 2),
        (3, 2, 8, 10),
        FineGrid(OffResonance(TINY, FIELD[1:2, :4, :5]), 2),
    ),
    "motion on a fine grid": Example(
        MotionMRI(FineGrid(TINY, 2), line_groups(5, 2), POSES[:1]), (3, 2, 8, 10)
    ),
    "coloured noise off the grid": Example(
        ColouredNoise(
            RadialMRI(spokes(5, 8).double(), TWO.coils), coil_mixing(2, 0.5, g()).to(torch.complex128)
        ),
        (3, 2, 8, 10),
    ),
    "coloured noise": Example(
        ColouredNoise(TWO, coil_mixing(2, 0.5, g()).to(torch.complex128)), (3, 2, 8, 10)
    ),
    "parallel beam": Example(CT(parallel_beam(6, 8, 3)), (3, 1, 6, 8)),
    "parallel beam, limited and odd": Example(CT(parallel_beam(7, 5, 5, 60, 30)), (3, 2, 7, 5)),
    "parallel beam, rays per sample": Example(
        CT(parallel_beam(6, 6, 4), RAYS), (3, 1, 6, 6), CT(parallel_beam(6, 6, 4), RAYS[1:2])
    ),
    "fan beam": Example(CT(fan_beam(7, 8, 3)), (3, 2, 7, 8)),
    "weighted": Example(Weighted(Downsample(2), WEIGHT[:1]), (3, 1, 8, 6)),
    "weights per sample": Example(
        Weighted(Downsample(2), WEIGHT), (3, 1, 8, 6), Weighted(Downsample(2), WEIGHT[1:2])
    ),
    "PET": Example(PET(CT(parallel_beam(7, 6, 3)), HALF[:1], 0.4, 3.0), (3, 1, 7, 6)),
    "PET, a body per sample": Example(
        PET(CT(parallel_beam(7, 6, 3)), HALF, 0.4),
        (3, 1, 7, 6),
        PET(CT(parallel_beam(7, 6, 3)), HALF[1:2], 0.4),
    ),
    "matrix": Example(Matrix(torch.randn(3, 7, generator=g(), dtype=torch.float64)), (3, 1, 7)),
    "matrix of rank 2, images": Example(
        Matrix(taps(4, 2) @ torch.randn(2, 12, generator=g(), dtype=torch.float64), (1, 3, 4)), (3, 1, 3, 4)
    ),
    "matrix, overdetermined": Example(Matrix(torch.randn(9, 5, generator=g()).double()), (3, 1, 5)),
    "radial": Example(RadialMRI(spokes(5, 8).double(), mri(3, 6, 7).coils), (3, 2, 6, 7)),
    "radial, fast": Example(RadialMRI(spokes(5, 8).double(), mri(3, 6, 7).coils, fast=True), (3, 2, 6, 7)),
    "radial, maps per sample": Example(
        RadialMRI(spokes(6, 9, golden=True).double(), MAPS.coils),
        (3, 2, 9, 10),
        RadialMRI(spokes(6, 9, golden=True).double(), MAPS.coils[1:2]),
    ),
}
NONLINEAR = {
    "nonlinear blur": Example(NonlinearBlur(taps(3, 5)), (3, 1, 7, 8)),
    "nonlinear blur, a kernel per sample": Example(
        NonlinearBlur(TAPS), (3, 1, 8, 9), NonlinearBlur(TAPS[1:2])
    ),
    "phase retrieval": Example(PhaseRetrieval(), (3, 1, 6, 7)),
    "phase retrieval, odd": Example(PhaseRetrieval(1.5), (3, 2, 5, 7)),
    "beam hardening": Example(BeamHardening(CT(parallel_beam(6, 7, 4)), RATIOS, SHARES, 3.0), (3, 1, 6, 7)),
}
