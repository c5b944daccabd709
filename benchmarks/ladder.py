"""The ladder from toy to scanner, as results/ladder.json: what each step towards a real scan costs.

4x MRI with 8 coils. Each rung keeps the changes of those below it. DiffPIR and total variation with the
settings that were tuned for the rung "coil maps with errors", which is the leaderboard's task.
"""

from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

import medtut as mt
from medtut.calibration import identity_ratio
from medtut.metrics import magnitude
from medtut.operators import InverseProblem, simulate
from medtut.physics.mismatch import ColouredNoise, FineGrid, OffResonance, coil_mixing
from medtut.physics.mri import MRI, estimate_coils, smooth_phase
from medtut.posterior import diffpir, total_variation
from medtut.tasks import seeded

from .reconstruction import interval, round_all
from .scans import SIZE, Slices, network, real_images, scores
from .shifts import COILS, MEASURED, NOISE, brains, scan, with_phase
from .store import piece, write

TEST, SAMPLES, STEPS = range(16), 8, 40
KNOBS, WEIGHT = {"lam": 1.0, "zeta": 0.5, "cg_steps": 8}, 1e-3
MADE_FROM = [
    *MEASURED,
    "benchmarks.ladder:measure",
    "benchmarks.ladder:scanned",
    "benchmarks.ladder:draw",
    "medtut.calibration:identity_ratio",
    "medtut.physics.mri:estimate_coils",
]
RUNGS = [
    "same grid, no phase",
    "finer grid",
    "phase",
    "coil maps with errors",
    "estimated coil maps",
    "estimated noise",
    "coloured noise, off-resonance",
    "contrast never seen",
    "real images",
]


def images(rung: int) -> Slices:
    """The truths of a rung: without phase, with it, in a contrast the prior never saw, or real."""
    keys = list(TEST)
    slices = brains(keys)
    if rung < RUNGS.index("phase"):
        size = magnitude(slices.truth)
        return Slices(torch.cat([size, torch.zeros_like(size)], 1), slices.head, slices.label, keys)
    if rung == RUNGS.index("contrast never seen"):
        size = ((0.9 - magnitude(slices.truth)).clamp(min=0) * slices.head)[:, :1]
        return with_phase(size, slices.head, keys)
    if rung == RUNGS.index("real images"):
        parts = list(real_images().values())
        joined = (torch.cat([getattr(p, name) for p in parts]) for name in ("truth", "head", "label"))
        return Slices(*joined, [key for p in parts for key in p.keys])
    return slices


def scanned(slices: Slices, rung: int) -> tuple[Tensor, InverseProblem]:
    """The truth on the grid of the reconstruction, and the problem as the user believes it."""
    A, keys, truth = scan(slices), slices.keys, slices.truth
    true: Callable = A.scanner(seeded(keys, 3)) if rung >= RUNGS.index("coil maps with errors") else A
    if rung >= RUNGS.index("coloured noise, off-resonance"):
        field = torch.cat([smooth_phase((1, SIZE, SIZE), g) for g in seeded(keys, 6)])
        true = OffResonance(true, field / 1.5)
    if rung >= RUNGS.index("finer grid"):
        fine = F.interpolate(truth, scale_factor=2, mode="bicubic")
        true, truth = FineGrid(true, 2), F.avg_pool2d(fine, 2)
    else:
        fine = truth
    if rung >= RUNGS.index("coloured noise, off-resonance"):
        true = ColouredNoise(true, coil_mixing(COILS, 1.0, torch.Generator().manual_seed(7)))
    y, noise = simulate(true, fine, NOISE, seeded(keys, 3), A_recon=A).y, NOISE
    if rung >= RUNGS.index("estimated coil maps"):
        maps = [estimate_coils(y[i : i + 1], A.mask[i : i + 1]) for i in range(len(keys))]
        A = MRI(A.mask, torch.cat(maps))
    if rung >= RUNGS.index("estimated noise"):  # from corners of k-space, where there is little else
        corner = A.mask[:, :, :8].bool().expand(-1, COILS, -1, -1)
        noise = float(y[:, :, :8][corner].real.abs().median() / 0.6745)
    return truth, InverseProblem(A, y, noise)


def draw(problem: InverseProblem, slices: Slices) -> Tensor:
    """Samples (b, k, 2, h, w) of DiffPIR on the shipped prior."""
    rng = seeded([key * 100 + k for key in slices.keys for k in range(SAMPLES)], 4)
    sigmas = mt.schedules.geometric(STEPS, 0.02, 2.0)
    many = problem.repeat(SAMPLES).to(mt.device())
    told = mt.given(network(), slices.label.repeat_interleave(SAMPLES, 0).to(mt.device()))
    x = mt.start(sigmas, (len(rng), 2, SIZE, SIZE), rng, like=many.y.real)
    x = mt.last(diffpir(mt.turned(told, rng), many, sigmas, x, **KNOBS, generator=rng)).cpu()
    return x.reshape(len(slices.keys), SAMPLES, *x.shape[1:])


@torch.no_grad()
def measure(rung: int) -> dict[str, Tensor]:
    """PSNR of the mean of the samples and of total variation; R, chi-square and the noise level in use."""
    slices = images(rung)
    truth, problem = scanned(slices, rung)
    slices = Slices(truth, slices.head, slices.label, slices.keys)
    x, edges = draw(problem, slices), total_variation(problem.to(mt.device()), WEIGHT, 300).cpu()
    size = torch.stack([magnitude(x[:, k]) for k in range(SAMPLES)], 1) * slices.head[:, None]
    ratio = identity_ratio(size, magnitude(truth) * slices.head)
    return {
        "psnr": scores(x.mean(1), slices)["psnr"],
        "total variation": scores(edges, slices)["psnr"],
        "R": torch.tensor([ratio]),
        "chi_square": problem.chi_square(x[:, 0]),
        "noise": torch.tensor([problem.noise_std]),
    }


def main(out: Path) -> None:
    rows = {}
    for rung, name in enumerate(RUNGS):
        found = piece(f"ladder_{rung}", MADE_FROM, lambda rung=rung: measure(rung))
        rows[name] = {
            "DiffPIR": interval(found["psnr"]),
            "total variation": interval(found["total variation"]),
            "R": round(float(found["R"]), 3),
            "chi_square": round(float(found["chi_square"].mean()), 3),
            "noise_std": round(float(found["noise"]), 5),
            "psnr_of_each": round_all(found["psnr"]),
        }
    settings = {"samples": SAMPLES, "steps": STEPS, **KNOBS, "total variation": WEIGHT}
    write(out, MADE_FROM, {"settings": settings, "rungs": rows})
