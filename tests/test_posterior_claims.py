"""Every posterior sampler runs on every operator that it claims, and names one that can for all others."""

import inspect
import re
from importlib import import_module
from pkgutil import iter_modules

import pytest
import torch
from test_posterior import g

import medtut as mt
from medtut import schedules as sc
from medtut.errors import BadInput
from medtut.operators import InverseProblem, Operator
from medtut.physics.blur import Blur, NonlinearBlur, SuperResolution, gaussian_kernel
from medtut.physics.ct import CT, BeamHardening, metal_trace, parallel_beam
from medtut.physics.likelihoods import Weighted, emission, rician, speckle
from medtut.physics.mismatch import OffResonance
from medtut.physics.mri import MRI, cartesian_mask, coil_maps
from medtut.physics.mri_motion import MotionMRI, line_groups, random_poses
from medtut.physics.mri_radial import RadialMRI, spokes
from medtut.physics.pet import PET
from medtut.physics.phase import PhaseRetrieval
from medtut.physics.pixels import Downsample, Inpainting
from medtut.posterior import (
    blind,
    guidance,
    langevin,
    particles,
    plug_and_play,
    projection,
    spectral,
    splitting,
    variational,
    volume,
)

SHAPE = (2, 2, 6, 8)
MASK = cartesian_mask(6, 8, 2, 0.5, generator=g())
COILS = MRI(MASK, coil_maps(3, 6, 8, g()))
BEAM = CT(parallel_beam(6, 8, 3))
METAL = torch.zeros(6, 8)
METAL[2, 5] = 1
RAYS = (2, 1, BEAM.geometry.views, BEAM.geometry.bins)
BODIES = 0.3 + 0.6 * torch.rand(RAYS, generator=g())


class Magnitude(Operator):
    """y = |z| for a complex image z: the phase is lost."""

    def __call__(self, x):
        return (x.square().sum(1, keepdim=True) + 1e-6).sqrt()


OPERATORS = {  # with what they offer
    "inpainting": (Inpainting((torch.rand(6, 8, generator=g()) > 0.4).float()), {"any", "linear", "svd"}),
    "downsample": (Downsample(2), {"any", "linear", "svd"}),
    "super-resolution": (SuperResolution(gaussian_kernel(3, 0.6), 2), {"any", "linear", "svd", "kernel"}),
    "one coil": (MRI(MASK, coil_maps(1, 6, 8)), {"any", "linear", "svd"}),
    "three coils": (COILS, {"any", "linear"}),
    "motion": (MotionMRI(COILS, line_groups(8, 2), random_poses(2, 5.0, 0.5, g())), {"any", "linear"}),
    "off-resonance": (OffResonance(COILS, torch.ones(1, 6, 8)), {"any", "linear"}),
    "radial": (RadialMRI(spokes(4, 8), COILS.coils), {"any", "linear"}),
    "blur": (Blur(gaussian_kernel(3, 0.6)), {"any", "linear", "svd", "kernel"}),
    "parallel beam": (BEAM, {"any", "linear"}),
    "metal trace": (metal_trace(BEAM, METAL), {"any", "linear"}),
    "low dose": (Weighted(BEAM, BODIES), {"any", "linear"}),
    "PET": (PET(BEAM, BODIES, 0.5), {"any", "linear"}),
    "beam hardening": (BeamHardening(BEAM, torch.tensor([1.0]), torch.tensor([1.0]), 2.0), {"any"}),
    "nonlinear blur": (NonlinearBlur(gaussian_kernel(3, 0.6)), {"any", "kernel"}),
    "phase retrieval": (PhaseRetrieval(), {"any"}),
    "magnitude": (Magnitude(), {"any"}),
}
SAMPLERS = {  # what they need
    "any": [guidance.dps, langevin.score_ald, splitting.daps, variational.red_diff, particles.tds],
    "linear": [
        guidance.mcg,
        guidance.pigdm,
        guidance.moment_matching,
        langevin.preconditioned_ula,
        plug_and_play.pnp_admm,
        plug_and_play.red,
        plug_and_play.single_shot_pnp,
        projection.song,
        projection.score_mri,
        projection.ddnm,
        splitting.diffpir,
        splitting.pnp_dm,
        volume.dds_volume,
    ],
    "svd": [spectral.ddrm, spectral.ddnm_plus, particles.fps, particles.mcgdiff],
    "kernel": [blind.blind_dps, blind.bird],  # by default without a prior of the kernel, which is free
}
NEEDS = {f.__name__: (f, need) for need, found in SAMPLERS.items() for f in found}
NEEDS["dds"] = (projection.dds, "linear")
BY_GRADIENT = {"dps"}  # these take noise of any kind
COUNTED = {"tds", "fps", "mcgdiff"}  # these have particles


def denoise(x, sigma, label=None):
    """The exact denoiser of white noise of variance 1."""
    return x / (1 + sigma**2)


def run(name, A, noise_std):
    x0 = torch.randn(SHAPE, generator=g(1))
    solve(name, InverseProblem(A, A(x0), noise_std))


def solve(name, problem):
    sigmas = sc.geometric(3, sigma_min=0.1, sigma_max=3.0)
    shape = (2, 3, *SHAPE[1:]) if name in COUNTED else SHAPE
    prior = mt.nets_implicit.Implicit(SHAPE, width=8) if name == "single_shot_pnp" else denoise
    knobs = {"iterations": 3} if name == "bird" else {}  # its steps are not those of sigmas
    x = mt.start(sigmas, shape, g(2))
    states = list(NEEDS[name][0](prior, problem, sigmas, x, **knobs, generator=g(3)))
    assert len(states) == 3
    assert all(s.x.shape == shape and torch.isfinite(s.x).all() for s in states)


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("name", sorted(NEEDS))
def test_it_runs_or_names_one_that_does(name, operator):
    A, offers = OPERATORS[operator]
    if NEEDS[name][1] in offers:
        return run(name, A, 0.1)
    with pytest.raises(BadInput) as refusal:
        run(name, A, 0.1)
    instead = re.search(r"use (\w+)", str(refusal.value))[1]
    return run(instead, A, 0.1)


@pytest.mark.parametrize("operator", ["one coil", "magnitude"])
@pytest.mark.parametrize("name", sorted(NEEDS))
def test_without_noise_it_runs_or_names_one_that_does(name, operator):
    A = OPERATORS[operator][0]
    try:
        run(name, A, 0.0)
    except BadInput as refusal:
        run(re.search(r"use (\w+)", str(refusal))[1], A, 0.0)


COUNTS = {
    "counts": lambda x: emission(OPERATORS["PET"][0], 40 * x, 0.5, g(2), crime=True),
    "counts of another kind of image": lambda x: emission(OPERATORS["blur"][0], 9 * x, 0.5, g(2), crime=True),
    "magnitudes": lambda x: rician(OPERATORS["inpainting"][0], x, 0.2, g(2), crime=True),
    "speckle": lambda x: speckle(OPERATORS["super-resolution"][0], x, 2, g(2), crime=True),
}


@pytest.mark.parametrize("noise", COUNTS)
@pytest.mark.parametrize("name", sorted(NEEDS))
def test_noise_that_is_not_white_is_for_dps(name, noise):
    problem = COUNTS[noise](torch.rand(SHAPE, generator=g(1)))
    assert (problem.loss(torch.zeros(SHAPE)) >= 0).all()  # dps takes its root
    if name in BY_GRADIENT:
        return solve(name, problem)
    with pytest.raises(BadInput, match="white Gaussian noise; use dps"):
        solve(name, problem)
    return None


@pytest.mark.parametrize("baseline", [mt.posterior.zero_filled, mt.posterior.cg_sense])
def test_baselines_name_a_sampler_for_an_operator_that_is_not_linear(baseline):
    A = PhaseRetrieval()
    with pytest.raises(BadInput, match="not linear and has no adjoint, need a linear operator; use dps"):
        baseline(InverseProblem(A, A(torch.ones(1, 1, 4, 4)), 0.1))


def test_every_sampler_is_in_the_table():
    others = {"classical", "fitted", "retrieval", "steps", "tuned"}  # baselines, and what samplers share
    names = {module.name for module in iter_modules(mt.posterior.__path__)}
    assert others < names
    rooms = [import_module(f"medtut.posterior.{name}") for name in names - others]
    public = {
        name
        for room in rooms
        for name, f in inspect.getmembers(room, inspect.isfunction)
        if f.__module__ == room.__name__ and "problem" in inspect.signature(f).parameters and name[0] != "_"
    }
    assert public == set(NEEDS)
