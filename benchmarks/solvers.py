"""How many calls a slice of brain-128 takes: the solvers' error from the same noise, and what it is worth.

`error` holds, for each list of levels, solver and number of network calls, the difference of eight slices to
those of a fine solution from the same noise. `distance` holds how far sets of samples, told contrast and
position of held-out slices, are from other held-out slices.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from tqdm.auto import tqdm

import medtut as mt
from medtut import schedules
from medtut.data.brain import Brain
from medtut.metrics import mmd2_test, nrmse, radial_power_spectrum
from medtut.samplers import churn, ddim, dpmpp_2m, dpmpp_2s, heun, last, start, unipc

from .features import Scale, responses
from .store import piece, write

SIGMA_MIN, SIGMA_MAX = 0.005, 40.0
FINE = {"told": 100, "guided": 50}  # steps of Heun's method behind the fine solution
SLICES, SETS, REFERENCE, TRAINING, PERMUTATIONS = 8, 32, 256, 512, 300
CALLS, FEW, SHORT = (5, 7, 10, 15, 20, 30, 40), (5, 10, 20, 40), (5, 10, 20)
WEIGHT = 4.0  # of guidance
SOLVERS = {  # calls a step; the last step, to 0, takes one
    "DDIM": (1, ddim),
    "Heun": (2, heun),
    "DPM-Solver++ 2M": (1, dpmpp_2m),
    "DPM-Solver++ 2S": (2, dpmpp_2s),
    "UniPC": (1, unipc),
}
DRAWN = {  # how the sets of samples are drawn; the last two add fresh noise
    "DDIM": SOLVERS["DDIM"],
    "DPM-Solver++ 2M": SOLVERS["DPM-Solver++ 2M"],
    "2M, SDE form": (1, partial(dpmpp_2m, eta=1.0)),
    "Heun with churn": (2, partial(churn, s_churn=10.0, s_min=0.05, s_max=10.0)),
}
SAMPLERS = [
    "medtut.samplers.ancestral:ddim",
    "medtut.samplers.ancestral:renoise",
    "medtut.samplers.ode:heun",
    "medtut.samplers.ode:churn",
    "medtut.samplers.exponential:dpmpp_2m",
    "medtut.samplers.exponential:dpmpp_2s",
    "medtut.samplers.exponential:unipc",
]
DRAWN_FROM = [
    "brain-128",
    *SAMPLERS,
    "medtut.data.brain:Brain",
    "medtut.metrics:nrmse",
    "benchmarks.solvers:run",
]
MADE_FROM = [
    *DRAWN_FROM,
    "medtut.metrics:mmd2_test",
    "medtut.metrics:radial_power_spectrum",
    "benchmarks.features:responses",
    "benchmarks.solvers:errors",
    "benchmarks.solvers:distances",
]


def steps_of(calls: int, each: int) -> int:
    """The steps that make at most `calls` calls with `each` calls a step and one in the last."""
    return (calls + each - 1) // each


def run(denoise: Callable, solver: tuple, levels: Tensor, seeds: list[int], device: torch.device) -> Tensor:
    """One slice for each seed, on the CPU; start and fresh noise are the seed's own."""
    noise = [torch.Generator().manual_seed(seed) for seed in seeds]
    x = start(levels, (len(seeds), 1, 128, 128), noise).to(device)
    random = solver not in SOLVERS.values()
    return last(solver[1](denoise, levels, x, **({"generator": noise} if random else {}))).cpu()


def errors(denoise: Callable, name: str, count: int, plan: dict[str, tuple], device: torch.device) -> dict:
    """NRMSE of `count` slices to the fine solution of the same denoiser from the same noise.

    `plan` is {levels: (solvers, numbers of calls)}.
    """
    seeds = list(range(count))
    fine = schedules.karras(FINE[name], 0.002, SIGMA_MAX)
    exact = piece(
        f"{name} fine", DRAWN_FROM, lambda: {"x": run(denoise, SOLVERS["Heun"], fine, seeds, device)}
    )
    found = {}
    for kind, (solvers, counts) in plan.items():
        for solver in tqdm(solvers, desc=f"{name}, {kind}", unit="solver"):

            def make(kind=kind, solver=solver, counts=counts):
                rows = {}
                for calls in counts:
                    n = steps_of(calls, SOLVERS[solver][0])
                    levels = getattr(schedules, kind)(n, SIGMA_MIN, SIGMA_MAX)
                    rows[str(calls)] = nrmse(run(denoise, SOLVERS[solver], levels, seeds, device), exact["x"])
                return rows

            rows = piece(f"{name} {kind} {solver}", DRAWN_FROM, make)
            found.setdefault(kind, {})[solver] = {str(c): rows[str(c)].tolist() for c in counts}
    return found


def fine_detail(x: Tensor) -> Tensor:
    """Mean power above 0.2 cycles per pixel of each image, (b,)."""
    frequency, power = radial_power_spectrum(x)
    return power[:, frequency > 0.2].mean(1)


def distances(denoise: Callable, device: torch.device) -> dict:
    """MMD2 and fine detail of sets of samples beside held-out slices; other slices are the control."""
    cohort = Brain("heldout")
    real = torch.cat([cohort.batch(range(i, i + 64)).image for i in range(0, REFERENCE, 64)])
    told = cohort.batch(range(REFERENCE, REFERENCE + SETS))
    scale = Scale.fit(responses(Brain("train").batch(range(TRAINING)).image))
    reference, power = scale(responses(real)), fine_detail(real).mean()
    sets = {"held-out slices": {"-": told.image}}
    seeds = [10_000 + k for k in range(SETS)]
    for name, solver in DRAWN.items():
        for calls in tqdm(SHORT, desc=name, unit="set"):
            levels = schedules.karras(steps_of(calls, solver[0]), SIGMA_MIN, SIGMA_MAX)

            def make(solver=solver, levels=levels):
                parts = [
                    run(mt.given(denoise, told.label[i : i + 16]), solver, levels, seeds[i : i + 16], device)
                    for i in range(0, SETS, 16)
                ]
                return {"x": torch.cat(parts)}

            sets.setdefault(name, {})[str(calls)] = piece(f"set {name} {calls}", DRAWN_FROM, make)["x"]
    found = {}
    for name, by_calls in sets.items():
        for calls, x in by_calls.items():
            x = x.clamp(min=0)
            g = torch.Generator().manual_seed(0)
            test = mmd2_test(scale(responses(x)), reference, PERMUTATIONS, generator=g)
            row = dict(zip(("value", "low", "high", "p"), test, strict=True))
            found.setdefault(name, {})[calls] = row | {"detail": (fine_detail(x).mean() / power).item()}
    return found


def main(out: Path) -> None:
    """Measure and store all; print the mean errors."""
    denoise = mt.load("brain-128", device=mt.device())
    device = next(denoise.parameters()).device
    label = Brain("heldout").batch(range(SLICES)).label
    others = ["DDIM", "DPM-Solver++ 2M", "UniPC"]
    plan = {"karras": (list(SOLVERS), CALLS), "geometric": (others, FEW), "cosine": (others, FEW)}
    error = errors(mt.given(denoise, label), "told", SLICES, plan, device)
    with_guidance = mt.guided(denoise, WEIGHT, label[: SLICES // 2])
    guided = errors(with_guidance, "guided", SLICES // 2, {"karras": (others, SHORT)}, device)["karras"]
    settings = {
        "sigma_min": SIGMA_MIN,
        "sigma_max": SIGMA_MAX,
        "slices": SLICES,
        "fine": {name: 2 * n - 1 for name, n in FINE.items()},
        "weight": WEIGHT,
        "samples": SETS,
        "reference": REFERENCE,
    }
    distance = distances(denoise, device)
    write(out, MADE_FROM, {"settings": settings, "error": error, "guided": guided, "distance": distance})
    for kind, table in [*error.items(), ("guided", guided)]:
        for name, row in table.items():
            means = "  ".join(f"{c}: {sum(v) / len(v):.4f}" for c, v in row.items())
            print(f"{kind:10s} {name:16s} {means}")
    for name, row in distance.items():
        print(f"{name:18s}", {c: (round(1e3 * v["value"], 1), round(v["detail"], 2)) for c, v in row.items()})
