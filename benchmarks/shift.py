"""A prior and a supervised network away from home, as results/shift.json.

DDS, DiffPIR, total variation and the supervised `mri-unrolled` on the scans of `benchmarks/shifts.py`. Every
setting was chosen on validation slices of the scan that the network was trained for, and then left alone.
Needs what `medtut train mri-unrolled` and then `python -m medtut.recipes mri-unrolled` make.
"""

from functools import cache
from pathlib import Path

import torch
from torch import Tensor

import medtut as mt
from medtut import weights
from medtut.posterior import dds, diffpir, total_variation
from medtut.tasks import seeded

from .reconstruction import interval, round_all
from .scans import network, scores
from .shifts import MEASURED, SHIFTS, Changed
from .store import piece, write

VALIDATION, TEST, SAMPLES, STEPS, NETWORK = range(1000, 1004), range(24), 4, 30, "mri-unrolled"
LEVELS = (0.02, 2.0)  # smallest and largest noise level
GRIDS = {
    "total variation": [{"weight": w} for w in (3e-4, 6e-4, 1e-3, 2e-3, 4e-3)],
    "DDS": [{"gamma": g, "eta": e} for g in (3.0, 10.0, 30.0, 100.0) for e in (0.85, 1.0)],
    "DiffPIR": [{"lam": lam, "zeta": z} for lam in (0.3, 1.0, 3.0, 10.0) for z in (0.5, 1.0)],
    "supervised": [{}],
}
SAMPLERS = {"DDS": dds, "DiffPIR": diffpir}
MADE_FROM = [
    *MEASURED,
    "benchmarks.shift:evaluate",
    "benchmarks.shift:draw",
    "benchmarks.shifts:known",
    "benchmarks.shifts:pictured",
    "benchmarks.shifts:scanner",
    "benchmarks.shifts:with_phase",
    "benchmarks.shifts:inverted",
    "benchmarks.shifts:tracer",
    "benchmarks.shifts:fine_grid",
    "benchmarks.shifts:estimated_maps",
    "medtut.data.phantoms:Phantoms",
    "medtut.physics.mri:cartesian_mask",
    "medtut.posterior.projection:dds",
    "medtut.unrolled:Unrolled",
]


@cache
def supervised() -> torch.nn.Module:
    """The trained network on the best device."""
    return mt.load(NETWORK)


def draw(name: str, changed: Changed, samples: int, knobs: dict) -> Tensor:
    """Samples (b, samples, 2, h, w) of a posterior sampler on the shipped prior, told the label."""
    keys, sigmas = changed.slices.keys, mt.schedules.geometric(STEPS, *LEVELS)
    rng = seeded([key * 100 + k for key in keys for k in range(samples)], 4)
    many = changed.problem.repeat(samples).to(mt.device())
    told = mt.given(network(), changed.slices.label.repeat_interleave(samples, 0).to(mt.device()))
    x = mt.start(sigmas, (len(rng), *changed.slices.truth.shape[1:]), rng, like=many.y.real)
    more = {"cg_steps": 8} if name == "DiffPIR" else {}
    x = mt.last(SAMPLERS[name](mt.turned(told, rng), many, sigmas, x, **knobs, **more, generator=rng)).cpu()
    return x.reshape(len(keys), samples, *x.shape[1:])


@torch.no_grad()
def evaluate(name: str, changed: Changed, samples: int, knobs: dict) -> dict[str, Tensor]:
    """PSNR of one sample and of the mean of all, and the chi-square of the first, per slice."""
    problem = changed.problem.to(mt.device())
    if name in SAMPLERS:
        x = draw(name, changed, samples, knobs)
    elif name == "supervised":
        x = supervised()(problem, changed.slices.label).cpu()[:, None]
    else:
        x = total_variation(problem, knobs["weight"], 300).cpu()[:, None]
    one, mean = (scores(image, changed.slices)["psnr"] for image in (x[:, 0], x.mean(1)))
    return {"one": one, "psnr": mean, "chi_square": changed.problem.chi_square(x[:, 0])}


def measured(shift: str, name: str, keys: range, samples: int, knobs: dict) -> dict[str, Tensor]:
    """`evaluate`, or what an earlier run of the same code and weights left."""
    sha = weights.manifest(weights.OWN)[NETWORK]["sha256"][:8] if name == "supervised" else ""
    setting = [f"{k}{v:g}" for k, v in knobs.items()]
    what = [shift, name, *setting, f"{keys[0]}-{keys[-1]}", f"{samples}s", sha]
    stem = "shift_" + "_".join(what).replace(" ", "-")
    return piece(stem, MADE_FROM, lambda: evaluate(name, SHIFTS[shift][1](list(keys)), samples, knobs))


def choose() -> dict[str, dict]:
    """For each method the setting that is best on the scan as trained."""

    def quality(name: str, knobs: dict) -> float:
        return float(measured("as trained", name, VALIDATION, 2, knobs)["psnr"].mean())

    return {name: max(grid, key=lambda knobs, n=name: quality(n, knobs)) for name, grid in GRIDS.items()}


def main(out: Path) -> None:
    chosen = choose()
    rows = {}
    for shift, (kind, _) in SHIFTS.items():
        found = {name: measured(shift, name, TEST, SAMPLES, knobs) for name, knobs in chosen.items()}
        rows[shift] = {"kind": kind, "methods": {}, "minus supervised": {}}
        for name, values in found.items():
            rows[shift]["methods"][name] = {
                "psnr": interval(values["psnr"]),
                "one": interval(values["one"]),
                "chi_square": round(float(values["chi_square"].mean()), 3),
                "psnr_of_each": round_all(values["psnr"]),
            }
            if name != "supervised":
                gap = values["psnr"] - found["supervised"]["psnr"]
                rows[shift]["minus supervised"][name] = interval(gap)
        print(f"  {shift}", flush=True)
    row = weights.manifest(weights.OWN)[NETWORK]
    trained = {key: row[key] for key in ("sha256", "recipe_sha256", "steps", "device", "minutes", "psnr")}
    settings = {"samples": SAMPLES, "steps": STEPS, "slices": len(TEST), "chosen": chosen}
    write(out, MADE_FROM, {"settings": settings, "supervised": trained, "shifts": rows})
