"""What the live page (`book/live.md`) computes, measured in torch on held-out slices: masks, methods, lesion.

The page's scan has one coil, a real slice and a smooth phase that is known: `RealMRI`. Noise 0.02.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

import medtut as mt
from medtut.data.brain import Brain
from medtut.metrics import psnr
from medtut.operators import LinearOperator
from medtut.physics.mri import MRI, cartesian_mask, smooth_phase
from medtut.posterior import ddnm, dds, diffpir
from medtut.schedules import geometric

from .store import ROOT, write

NETWORK = "brain-64"
SETTINGS = ROOT / "book" / "_static" / "live" / "live.json"
CONTRASTS = ("T1", "T2", "FLAIR")
SLICES, NOISE, DRAWS = 24, 0.02, 8
MASKS = {  # kind, acceleration, lines in the centre
    "4x random": ("random", 4, 5),
    "8x random": ("random", 8, 3),
    "4x random, no centre": ("random", 4, 0),
    "4x even": ("uniform", 4, 0),
    "4x centre": ("random", 4, 16),
    "all lines": ("random", 1, 64),
}
LESION, RADIUS = 0.35, 2.0  # dark in T1, bright in the others
PHASE_ERROR = 0.3  # of the phase itself
MADE_FROM = [
    NETWORK,
    "medtut.posterior.splitting:diffpir",
    "medtut.posterior.projection:dds",
    "medtut.posterior.projection:ddnm",
    "medtut.physics.mri:MRI",
    "medtut.physics.mri:cartesian_mask",
    "medtut.physics.mri:smooth_phase",
    "medtut.data.brain:Brain",
    "benchmarks.live:RealMRI",
    "benchmarks.live:World",
    "benchmarks.live:measure",
    "benchmarks.live:shown_lesion",
]


@dataclass(frozen=True, eq=False)
class RealMRI(LinearOperator):
    """y = M F (P x) for real images x (b, 1, h, w); the phase factor P stands where MRI has its coil map."""

    scan: MRI

    def __call__(self, x: Tensor) -> Tensor:
        return self.scan(torch.cat([x, torch.zeros_like(x)], 1))

    def adjoint(self, y: Tensor) -> Tensor:
        return self.scan.adjoint(y)[:, :1]

    def restrict(self, y: Tensor) -> Tensor:
        return self.scan.restrict(y)


class World:
    """Held-out slices, each with its own mask and phase, and the page's sampler on them."""

    def __init__(self):
        batch = Brain("heldout", 64, contrasts=CONTRASTS).batch(range(SLICES))
        self.x0, self.label, self.white = batch.image, batch.label, batch.tissue[:, 2]
        self.denoise = mt.load(NETWORK, "cpu")
        self.knobs = json.loads(SETTINGS.read_text(encoding="utf-8"))["reconstruction"]
        self.phase = smooth_phase((SLICES, 64, 64), mt.generators(0, SLICES))

    def masks(self, name: str) -> Tensor:
        kind, acceleration, centre = MASKS[name]
        generators = mt.generators(1, SLICES)
        rows = [cartesian_mask(64, 64, acceleration, centre / 64, kind, g) for g in generators]
        return torch.stack(rows)[:, None]

    def problem(self, mask: Tensor, truth: Tensor, phase: Tensor | None = None, assumed=None):
        """The scan of `truth` under `phase`; the reconstruction believes in `assumed`."""
        phase = self.phase if phase is None else phase
        assumed = phase if assumed is None else assumed
        scans = [RealMRI(MRI(mask, torch.polar(torch.ones_like(p), p)[:, None])) for p in (phase, assumed)]
        n = torch.view_as_complex(mt.randn((*truth.shape, 2), mt.generators(2, len(truth))))
        return mt.InverseProblem(scans[1], scans[0](truth) + NOISE * scans[0].restrict(n), NOISE)

    def draw(self, problem, calls: int = 8, told: bool = True, seed: int = 3, method=None, **knobs) -> Tensor:
        denoise = mt.given(self.denoise, self.label if told else torch.full_like(self.label, -1))
        sigmas = geometric(calls, self.knobs["sigma_min"], self.knobs["sigma_max"])
        generators = mt.generators(seed, SLICES)
        if method is None:
            method, knobs = diffpir, {name: self.knobs[name] for name in ("lam", "zeta", "cg_steps")} | knobs
        x = mt.start(sigmas, self.x0.shape, generators)
        return mt.last(method(denoise, problem, sigmas, x, generator=generators, **knobs))

    def spots(self) -> Tensor:
        """A round soft spot in the white matter of each slice, (b, 1, 64, 64), 0 to 1, as in scan.js."""
        near = torch.nn.functional.avg_pool2d(self.white[:, None], 5, stride=1, padding=2)[:, 0]
        near[:, :, 24:40] = 0
        at = near.flatten(1).argmax(1)
        rows, columns = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
        distance = torch.hypot(rows - at[:, None, None] // 64, columns - at[:, None, None] % 64.0)
        return torch.sigmoid(3 * (RADIUS - distance))[:, None]


def zero_filled(problem) -> Tensor:
    """|F^H M y|."""
    return problem.A.scan.adjoint(problem.y).square().sum(1, keepdim=True).sqrt()


def measure() -> dict:
    world = World()

    def score(x, truth=world.x0):
        return float(psnr(x, truth).mean())

    masks, problems = {}, {name: world.problem(world.masks(name), world.x0) for name in MASKS}
    for name, problem in problems.items():
        draws = [world.draw(problem, seed=3 + k) for k in range(DRAWS if name == "4x random" else 1)]
        masks[name] = {
            "zero filling": score(zero_filled(problem)),
            "reconstruction": score(draws[0]),
            "2 calls": score(world.draw(problem, 2)),
            "not told": score(world.draw(problem, told=False)),
        }
        if len(draws) > 1:
            masks[name]["mean of draws"] = score(torch.stack(draws).mean(0))
    fast = problems["4x random"]
    methods = {f"DiffPIR, zeta = {zeta}": score(world.draw(fast, zeta=zeta)) for zeta in (0.0, 0.3, 1.0)}
    methods["DiffPIR, 20 conjugate gradients"] = score(world.draw(fast, cg_steps=20))
    methods["DDS"] = score(world.draw(fast, method=dds, gamma=10.0, eta=1.0))
    methods["DDNM"] = score(world.draw(fast, method=ddnm, eta=0.85))
    mask, unsure = world.masks("4x random"), (1 + PHASE_ERROR) * world.phase
    phase = {
        "smooth, known": masks["4x random"]["reconstruction"],
        "none": score(world.draw(world.problem(mask, world.x0, torch.zeros_like(world.phase)))),
        "smooth, wrong": score(world.draw(world.problem(mask, world.x0, assumed=unsure))),
    }
    lesion = {name: shown_lesion(world, name) for name in ("all lines", "4x random", "8x random")}
    return {"masks": masks, "methods": methods, "phase": phase, "lesion": lesion}


def shown_lesion(world: World, name: str) -> dict:
    """The share of the spot's signal that reconstructions show, with the spot in the truth and without."""
    added = world.spots() * torch.where(world.label[:, 0] == 0, -LESION, LESION)[:, None, None, None]
    shown = {}
    for what, truth in (("there", world.x0 + added), ("not there", world.x0)):
        x = world.draw(world.problem(world.masks(name), truth))
        share = (added * (x - world.x0)).flatten(1).sum(1) / added.square().flatten(1).sum(1)
        shown[what] = {"mean": float(share.mean()), "least": float(share.min()), "most": float(share.max())}
    return shown


def main(out: Path) -> None:
    settings = {"slices": SLICES, "noise": NOISE, "draws": DRAWS}
    settings |= {"lesion": LESION, "phase_error": PHASE_ERROR}
    write(out, MADE_FROM, {"settings": settings, **measure()})
