"""deepinv's DPS, DiffPIR and DDRM beside ours, as results/peers.json: `make peers`.

The same prior, operators, noise, measurements, noise levels and number of network calls; as many settings for
either to choose from, on the same two validation slices. Where the update rules differ, a third row gives one
of the two the other's rule: it says whether that is the reason of what differs.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import torch
from torch import Tensor
from tqdm.auto import tqdm

import medtut as mt
from medtut.physics.blur import Blur
from medtut.physics.spectral import svd
from medtut.posterior import ddrm, diffpir, dps
from medtut.schedules import geometric
from medtut.tasks import Task, make

from . import deepinv_peer as peer
from .reconstruction import interval, round_all
from .store import piece, write

NEEDS = "deepinv"  # not in the environment of the course
TASKS, STEPS, VALIDATION, TEST = ("inpainting", "gaussian-blur"), 20, range(1000, 1002), range(10)
TIMED, TIMED_STEPS, ROUNDS = 2, 5, 21  # slices, steps and repeats of the timing
MADE_FROM = sorted(
    {
        "brain-128",
        "benchmarks.deepinv_peer:physics_of",
        "benchmarks.deepinv_peer:dps",
        "benchmarks.deepinv_peer:diffpir",
        "benchmarks.deepinv_peer:ddrm",
        "benchmarks.peers:levels",
        "benchmarks.peers:ours",
        "benchmarks.peers:theirs",
        "benchmarks.peers:explained",
        "medtut.posterior.guidance:dps",
        "medtut.posterior.splitting:diffpir",
        "medtut.posterior.spectral:ddrm",
        "medtut.samplers.ancestral:renoise",
        "medtut.operators:simulate",
        "medtut.physics.pixels:Inpainting.__call__",
        "medtut.physics.pixels:Inpainting.prox",
        "medtut.physics.blur:Blur.__call__",
        "medtut.physics.blur:Blur.prox",
        "medtut.tasks:make",
        "medtut.tasks:measure",
        "medtut.data.brain:Brain",
    }
)
FACTORS = [(lam, zeta) for lam in (0.1, 0.3, 1.0, 3.0) for zeta in (0.5, 1.0)]
ETAS = [0.0, 0.3, 0.6, 0.75, 0.85, 1.0]
GRIDS = {  # method: ours, deepinv's; deepinv's lambda is twice ours, see `explained`
    "DPS": (
        [{"zeta": zeta} for zeta in (1.0, 2.0, 4.0, 6.0, 9.0, 14.0)],
        [{"weight": w} for w in (30.0, 60.0, 120.0, 250.0, 500.0, 1000.0)],
    ),
    "DiffPIR": (
        [{"lam": lam, "zeta": zeta} for lam, zeta in FACTORS],
        [{"lam": 2 * lam, "zeta": zeta} for lam, zeta in FACTORS],
    ),
    "DDRM": ([{"eta": eta} for eta in ETAS], [{"eta": eta} for eta in ETAS]),
}
WHY = {
    "DPS": "ours steps by zeta in VP variables at every level, as the authors' code does; deepinv multiplies "
    "its weight by s^2 - s_next^2, and clips x0hat to [-1, 1]. The third row is ours with both.",
    "DiffPIR": "the same rule; rho is lam noise_std^2 / s^2 with lam = lambda_ / 2, because deepinv's levels "
    "are those of 2 x - 1 and its proximal step has 2 rho. deepinv starts from A^T y, and its last call of "
    "the network is not used, so that its result keeps the noise of the last level.",
    "DDRM": "deepinv divides every noise by sqrt(2), which is right for the complex coordinates of its blur "
    "and halves the variance for a mask, and it takes singular values below noise_std for zero. The third "
    "row is, for the mask, deepinv's with the whole noise, and for the blur ours without the small values.",
}

EQUALS = {  # the row that `explained` must equal
    "DPS": {"inpainting": "deepinv", "gaussian-blur": "deepinv"},
    "DDRM": {"inpainting": "ours", "gaussian-blur": "deepinv"},
}


@dataclass(frozen=True, eq=False)
class Truncated(Blur):
    """A blur whose singular values below `floor` count as zero in `svd`."""

    floor: float = 0.0


@svd.register
def _(A: Truncated, x: Tensor):
    full = svd(Blur(A.kernel), x)
    return full._replace(values=torch.where(full.values > A.floor, full.values, 0))


def levels(method: str, task: Task, steps: int) -> Tensor:
    """Noise levels for both; DiffPIR's are deepinv's own, which cannot be chosen."""
    return peer.diffpir_levels(task.problem, steps) if method == "DiffPIR" else geometric(steps, 0.02, 5.0)


def ours(method: str, task: Task, sigmas: Tensor, knobs: dict) -> Tensor:
    """One sample of each slice by this package."""
    function = {"DPS": dps, "DiffPIR": diffpir, "DDRM": ddrm}[method]
    first, rng = task.start(sigmas, mt.generators(1, len(task.keys))), mt.generators(2, len(task.keys))
    return mt.last(function(task.denoise, task.problem, sigmas, first, **knobs, generator=rng))


def theirs(method: str, task: Task, sigmas: Tensor, knobs: dict) -> Tensor:
    """One sample of each slice by deepinv."""
    if method == "DiffPIR":
        return peer.diffpir(task.denoise, task.problem, len(sigmas) - 1, **knobs, seed=1)
    if method == "DDRM":
        return peer.ddrm(task.denoise, task.problem, sigmas, **knobs, eta_b=1.0, seed=1)
    first = task.start(sigmas, mt.generators(1, len(task.keys)))
    return peer.dps(task.denoise, task.problem, sigmas, first, **knobs, seed=1)


def explained(method: str, task: Task, sigmas: Tensor, knobs: dict) -> Tensor:
    """Ours with deepinv's rule for DPS, and for DDRM on a blur; for DDRM on a mask deepinv's with our noise.

    If the difference of the rules is the whole reason, the first two equal deepinv, and the last equals ours.
    """
    if method == "DDRM" and not isinstance(task.problem.A, Blur):
        normal = torch.randn_like
        with patch("torch.randn_like", lambda x: 2**0.5 * normal(x)):
            return theirs(method, task, sigmas, knobs)
    x, rng = task.start(sigmas, mt.generators(1, len(task.keys))), mt.generators(2, len(task.keys))
    if method == "DDRM":
        small = Truncated(task.problem.A.kernel, float(task.problem.noise_std))
        problem = mt.InverseProblem(small, task.problem.y, task.problem.noise_std)
        return mt.last(ddrm(task.denoise, problem, sigmas, x, **knobs, generator=rng))
    prior = task.denoise

    def clipped(x: Tensor, sigma: float) -> Tensor:
        return prior(x, sigma).clamp(-1, 1)

    for i, (s, s_next) in enumerate(pairwise(sigmas.tolist())):
        zeta = knobs["weight"] * (s**2 - s_next**2) / ((1 + s**2) * (1 + s_next**2)) ** 0.5
        x = mt.last(dps(clipped, task.problem, sigmas[i : i + 2], x, zeta=zeta, generator=rng))
    return x


def measured(run: Callable, method: str, task: Task, steps: int, knobs: dict) -> dict[str, Tensor]:
    """Scores of one sample of each slice, or what an earlier run of the same code and weights left."""

    def make_it() -> dict[str, Tensor]:
        x = run(method, task, levels(method, task, steps), knobs)
        return {"psnr": task.psnr(x), "chi_square": task.problem.chi_square(x)}

    values = "-".join(f"{v:g}" for v in knobs.values())
    stem = f"peers-{run.__name__}-{method}-{values}-{task.name}-{task.keys[0]}-{len(task.keys)}"
    return piece(stem, MADE_FROM, make_it)


def row(found: dict[str, Tensor]) -> dict:
    """For the file."""
    return {
        "psnr": interval(found["psnr"]),
        "psnr_of_each": round_all(found["psnr"]),
        "chi_square": round(float(found["chi_square"].mean()), 4),
    }


def compare(method: str, name: str, bar) -> dict:
    """Both on one task: what was tried on the validation slices, the best of it on the test slices."""
    validation, test, result, psnr = make(name, VALIDATION), make(name, TEST), {}, {}
    for label, run, grid in zip(("ours", "deepinv"), (ours, theirs), GRIDS[method], strict=True):
        tried = []
        for knobs in grid:
            found = measured(run, method, validation, STEPS, knobs)["psnr"]
            tried.append([knobs, round(float(found.mean()), 4)])
            bar.update(len(VALIDATION))
        best = max(tried, key=lambda r: r[1])[0]
        found = measured(run, method, test, STEPS, best)
        result[label], psnr[label] = {"knobs": best, "tried": tried, **row(found)}, found["psnr"]
        bar.update(len(TEST))
    result["ours - deepinv"] = interval(psnr["ours"] - psnr["deepinv"])
    result["levels"] = [round(s, 6) for s in levels(method, test, STEPS).tolist()]
    if method in EQUALS:
        other = EQUALS[method][name]
        found = measured(explained, method, test, STEPS, result[other]["knobs"])
        result["explained"] = {"equals": other, **row(found)}
        result["explained - its equal"] = interval(found["psnr"] - psnr[other])
        bar.update(len(TEST))
    return result


def timing() -> dict[str, dict]:
    """Wall time of ours over deepinv's with as many network calls: the median over interleaved repeats."""
    task, found = make(TASKS[0], range(TIMED)), {}
    for method, grids in tqdm(GRIDS.items(), desc="timing", unit="method"):
        sigmas, ratios, walls = levels(method, task, TIMED_STEPS), [], []
        for _ in range(ROUNDS + 1):  # the first warms up
            marks = [time.perf_counter()]
            for run, grid in zip((ours, theirs), grids, strict=True):
                run(method, task, sigmas, grid[3])
                marks.append(time.perf_counter())
            mine, other = marks[1] - marks[0], marks[2] - marks[1]
            ratios.append(mine / other)
            walls.append([mine / TIMED_STEPS, other / TIMED_STEPS])
        middle = torch.tensor(walls[1:]).median(0).values.tolist()
        found[method] = {
            "ratio": round(float(torch.tensor(ratios[1:]).median()), 4),
            "ratios": [round(r, 4) for r in ratios[1:]],
            "seconds_a_step": {"ours": middle[0], "deepinv": middle[1]},
        }
    return found


def main(out: Path) -> None:
    work = len(TASKS) * sum(
        len(VALIDATION) * (len(a) + len(b)) + len(TEST) * (2 + (method in EQUALS))
        for method, (a, b) in GRIDS.items()
    )
    with tqdm(total=work, desc="peers", unit="slice") as bar:
        quality = {name: {method: compare(method, name, bar) for method in GRIDS} for name in TASKS}
    settings = {
        "deepinv": version("deepinv"),
        "torch": version("torch"),
        "network_calls": STEPS,
        "validation": [VALIDATION.start, VALIDATION.stop],
        "test": [TEST.start, TEST.stop],
        "timing": {"slices": TIMED, "network_calls": TIMED_STEPS, "repeats": ROUNDS},
        "scores": "PSNR of one sample in the head, range 1; mean and 95 % bootstrap interval over slices",
        "cohort": "held-out warps of one template brain, not patients",
    }
    write(out, MADE_FROM, {"settings": settings, "why": WHY, "quality": quality, "timing": timing()})
