"""Every method on every task of `medtut.tasks`, as results/leaderboard.json and medtut/posterior/tuned.json.

`python -m benchmarks.leaderboard TASK ...` measures only those tasks into pieces, so that several processes
can share the work; the word `write` writes the results of what is there. `python -m benchmarks leaderboard`
measures what is missing first. All methods may try at most ten settings on the same validation slices, where
the mean of samples is scored. A sample may use 100 network calls, or 20.
"""

import json
import sys
import time
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

import medtut as mt
from medtut import calibration, tasks
from medtut.metrics import magnitude, ssim
from medtut.tasks import Task, seeded

from .baselines import CLASSICAL
from .graphs import Graphed
from .methods import CG_STEPS, METHODS, draw, fits, levels
from .rankings import quick_ones, rankings, row
from .store import ROOT, piece, piece_path, write

VALIDATION, TEST, SAMPLES, STEPS = range(2000, 2004), range(16), 8, (100, 20)
TRIED = 4  # samples of each validation slice
SEARCHED = ("inpainting", "super-resolution", "gaussian-blur", "motion-blur", "mri-4x-8", "mri-8x-8", "ct-20")
CONTRAST, RADIUS = 0.12, 2.5  # of the lesion that is looked for; pixels
COMMON = [
    "benchmarks.leaderboard:evaluate",
    "benchmarks.leaderboard:with_lesion",
    "benchmarks.methods:draw",
    "medtut.tasks:make",
    "medtut.tasks:Task",
    "medtut.physics.mri:MRI",
    "medtut.physics.ct:CT",
    "medtut.operators:simulate",
    "medtut.operators:conjugate_gradient",
    "medtut.data.brain:Brain",
    "medtut.calibration:energy_score",
    "brain-128",
    "brain-128-complex",
]
SOURCES = {name: [m.source] for name, m in METHODS.items()} | {
    "zero filling": ["benchmarks.baselines:simplest"],
    "Tikhonov": ["benchmarks.baselines:tikhonov", "medtut.posterior.classical:cg_sense"],
    "total variation": ["benchmarks.baselines:edges", "medtut.posterior.classical:total_variation"],
    "fitted Gaussian": ["benchmarks.baselines:wiener", "medtut.posterior.fitted:fit_gaussian"],
    "supervised network": ["medtut.unrolled:Unrolled", "medtut.unrolled:AfterFBP"],
}
MADE_FROM = sorted({*COMMON, *(source for sources in SOURCES.values() for source in sources)})


def sharp(image: Tensor) -> Tensor:
    """What is scored: the magnitude of a complex image."""
    return magnitude(image) if image.shape[1] == 2 else image


def with_lesion(task: Task) -> tuple[Task, Tensor]:
    """The same slices, measured alike, with a small bright lesion in tissue, and its profile (b, 1, h, w)."""
    sample = tasks.cohort(task.name).batch(task.keys)
    rows = torch.arange(tasks.SIZE).float()
    profile = []
    for white, g in zip(sample.tissue[:, 1:3].sum(1), seeded(task.keys, 5), strict=True):
        inside = torch.nn.functional.avg_pool2d((white > 0.5).float()[None], 11, 1, 5)[0] > 0.9
        places = (inside if inside.any() else white == white.max()).nonzero()
        r, c = places[int(torch.randint(len(places), (1,), generator=g))].tolist()
        profile.append(torch.exp(-((rows - r)[:, None] ** 2 + (rows - c)[None] ** 2) / (2 * RADIUS**2)))
    profile = torch.stack(profile)[:, None]
    size = sharp(sample.image).clamp(min=1e-6)
    truth = sample.image * (1 + CONTRAST * profile / size)  # along the phase of a complex image
    return tasks.measure(task.name, sample._replace(image=truth), task.keys), profile


def evaluate(name: str, task: Task, setting, steps: int, samples: int, lesion: bool = False) -> dict:
    """Per slice: scores of one sample and of the mean, calibration, data fit, cost; `lesion`: its signal."""
    start = time.perf_counter()
    x = reconstructions(name, task, setting, steps, samples)
    if x.is_cuda:
        torch.cuda.synchronize()
    seconds = time.perf_counter() - start
    k, mean, head = x.shape[1], x.mean(1), task.head
    size, truth = torch.stack([sharp(x[:, i]) for i in range(k)], 1), sharp(task.truth)
    chi = [task.problem.chi_square(x[:, i]) for i in range(k)]
    found = {
        "psnr": task.psnr(mean),
        "psnr_one": torch.stack([task.psnr(x[:, i]) for i in range(k)]).mean(0),
        "ssim": ssim(sharp(mean), truth, head),
        "chi_square": torch.stack(chi).mean(0),
        "error_of_one": ((size - truth[:, None]).square() * head[:, None]).flatten(1).sum(1) / k,
        "seconds": torch.tensor([seconds / len(x)]),
    }
    if k > 1:
        inside = (size - truth[:, None]) * head[:, None]
        found["energy"] = calibration.energy_score(inside, torch.zeros_like(inside[:, 0]))
        spread = (size - size.mean(1, keepdim=True)).square() * head[:, None]
        found["spread"] = spread.flatten(1).sum(1) / (k - 1)
        covered = (truth >= size.amin(1)) & (truth <= size.amax(1)) & head
        found["covered"] = covered.flatten(1).sum(1) / head.flatten(1).sum(1)
    if lesion:
        ill, profile = with_lesion(task)
        y = reconstructions(name, ill.to(task.device), setting, steps, samples).mean(1)
        found |= {"signal_ill": response(y, profile), "signal_well": response(mean, profile)}
    return {key: value.float().cpu() for key, value in found.items()}


def response(x: Tensor, profile: Tensor) -> Tensor:
    """What an observer who knows lesion and place sees: the profile, its local mean removed, times x."""
    near = torch.nn.functional.max_pool2d(profile, 9, 1, 4) > 0.05
    local = (profile * near).sum((-2, -1), keepdim=True) / near.sum((-2, -1), keepdim=True)
    matched = (profile - local) * near
    return (sharp(x) * matched.to(x)).flatten(1).sum(1) / matched.to(x).square().flatten(1).sum(1)


def reconstructions(name: str, task: Task, setting, steps: int, samples: int) -> Tensor:
    """(b, k, c, h, w): k is 1 for a point estimate."""
    if name in CLASSICAL:
        return CLASSICAL[name][0](task, setting)[:, None]
    method = METHODS[name]
    if method.point:
        samples = 1
    each = task.keys if method.particles else [key * 100 + k for key in task.keys for k in range(samples)]
    return draw(method, task, setting, steps, samples, seeded(each, 4))


def trials(name: str, task_name: str) -> list:
    """The settings among which a method may choose on a task: at most ten; at most five on MRI and CT."""
    if name in CLASSICAL:
        return CLASSICAL[name][1]
    method = METHODS[name]
    return method.few if method.few and task_name[:2] in ("mr", "ct") else method.trials


def pieces(task_name: str, name: str, steps: int) -> tuple[str, str, list[str]]:
    """What the tuning and the test of a cell are stored as, and what they are made from."""
    stem = f"{task_name}_{name}_{steps}".replace(" ", "_")
    return f"tuning_{stem}", f"test_{stem}", COMMON + SOURCES[name]


def cell(task_name: str, name: str, steps: int) -> dict:
    """Tuning and evaluation of one method on one task: the setting, all that was tried, the scores."""
    tuning, tested, names = pieces(task_name, name, steps)
    choices, device = trials(name, task_name), mt.device()

    def tune() -> dict[str, Tensor]:
        task = tasks.make(task_name, VALIDATION).to(device)
        found = [evaluate(name, task, trial, steps, TRIED)["psnr"].mean() for trial in choices]
        return {"psnr": torch.stack(found)}

    tried = piece(tuning, names, tune)["psnr"].nan_to_num(nan=-99.0)
    setting = choices[int(tried.argmax())]

    def test() -> dict[str, Tensor]:
        task = tasks.make(task_name, TEST).to(device)
        return evaluate(name, task, setting, steps, SAMPLES, steps == STEPS[0] and task_name in SEARCHED)

    return {"setting": setting, "tried": tried.tolist(), "scores": piece(tested, names, test)}


def unfit(name: str, task_name: str) -> str:
    """Why a method without a diffusion prior cannot do a task; empty if it can."""
    if task_name == "phase-retrieval":
        return "needs a linear operator"
    if name == "supervised network" and task_name[:2] not in ("mr", "ct"):
        return "was not trained for it"
    return ""


def can(task_name: str) -> dict[str, str]:
    """Every method, with why it cannot do the task; empty if it can."""
    probe = tasks.make(task_name, TEST[:1])
    names = (*CLASSICAL, *METHODS)
    return {n: fits(METHODS[n], probe) if n in METHODS else unfit(n, task_name) for n in names}


def work(task_name: str, say=print) -> None:
    """Measure every method that can do the task, at every number of steps."""
    for name, reason in can(task_name).items():
        if not reason:
            for steps in STEPS if name in METHODS else STEPS[:1]:
                cell(task_name, name, steps)
            say(f"{task_name}: {name}")


def stored(task_name: str, name: str, steps: int) -> bool:
    """Whether both pieces of a cell have been measured by the present code."""
    *parts, names = pieces(task_name, name, steps)
    return all(piece_path(part, names).exists() for part in parts)


def table(task_name: str) -> dict:
    """All that is stored of a task, with its rankings."""
    reasons, rows, missing = can(task_name), {steps: {} for steps in STEPS}, []
    for name in (n for n, reason in reasons.items() if not reason):
        for steps in STEPS if name in METHODS else STEPS[:1]:
            if stored(task_name, name, steps):
                rows[steps][name] = row(name, steps, cell(task_name, name, steps), SAMPLES)
            else:
                missing.append(f"{name}, {steps} calls")
    full, short = (rows[steps] for steps in STEPS)
    return {
        "methods": {str(steps): found for steps, found in rows.items()},
        "cannot": {name: reason for name, reason in reasons.items() if reason},
        "not measured": missing,
        "rankings": rankings(full),
        "within 0.3 dB at a fifth of the calls": quick_ones(full, short),
    }


def tuned(found: dict) -> dict:
    """For medtut/posterior/tuned.json; what was not tuned on a task is taken from one where it was."""
    chosen = {}
    for task_name, parts in found.items():
        chosen[task_name] = {}
        for name, method in METHODS.items():
            for steps in map(str, STEPS):
                where = task_name if name in parts["methods"][steps] else ""
                near = [where, "mri-4x-1", "ct-20", "inpainting", "phase-retrieval"]
                near = [t for t in near if t and name in found[t]["methods"][steps]]
                if name in parts["cannot"] or not near:
                    continue
                knobs = dict(found[near[0]]["methods"][steps][name]["setting"])
                if method.solves and task_name[:2] in ("mr", "ct"):  # as `draw` adds
                    knobs["cg_steps"] = CG_STEPS
                entry = {"levels": levels(method, knobs, int(steps)), "sigma_min": 0.02}
                entry |= {k: knobs.pop(k) for k in ("sigma_min", "sigma_max") if k in knobs}
                entry |= {"knobs": knobs} | ({} if near[0] == task_name else {"tuned_on": near[0]})
                chosen[task_name].setdefault(method.function.__name__, {})[steps] = entry
    return chosen


def write_all(out: Path) -> None:
    """Both files, from what is stored."""
    found = {name: table(name) for name in tasks.NAMES}
    settings = {
        "slices": len(TEST),
        "validation": [VALIDATION.start, VALIDATION.stop],
        "samples": SAMPLES,
        "covered_expected": round(1 - 2 / (SAMPLES + 1), 4),  # between the smallest and the largest
        "particles": f"the {SAMPLES} particles of one run, which depend on each other",
        "lesion": {"contrast": CONTRAST, "radius": RADIUS, "tasks": list(SEARCHED)},
    }
    write(out, MADE_FROM, {"settings": settings, "tasks": found})
    path = ROOT / "medtut" / "posterior" / "tuned.json"
    rows = ",\n".join(
        f' "{task}": {{\n' + ",\n".join(f'  "{m}": {json.dumps(v)}' for m, v in methods.items()) + "\n }"
        for task, methods in tuned(found).items()
    )
    path.write_text("{\n" + rows + "\n}\n", encoding="utf-8")


def main(out: Path) -> None:
    for name in tasks.NAMES:
        work(name)
    write_all(out)


def quick() -> None:
    """On a GPU: TF32, and networks as CUDA graphs."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    tasks.network = cache(lambda name, device: Graphed(mt.load(name, device)))


if __name__ == "__main__":
    if torch.cuda.is_available():
        quick()
    began = time.perf_counter()
    for chosen in [name for name in sys.argv[1:] if name != "write"]:
        work(chosen, lambda text: print(f"{time.perf_counter() - began:6.0f} s  {text}", flush=True))
    if "write" in sys.argv[1:]:
        write_all(ROOT / "results" / "leaderboard.json")
