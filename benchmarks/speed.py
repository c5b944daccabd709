"""Sampling costs its network calls: our loops beside diffusers' and MONAI's, on one network in one run.

Each round runs every loop once, so that a slow minute of the machine meets all alike. `ratio` is the median
over rounds of the wall time, divided by calls times the time of one forward pass in that round.
"""

import time
from collections.abc import Callable
from pathlib import Path

import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    DPMSolverSinglestepScheduler,
    UniPCMultistepScheduler,
)
from monai.inferers import DiffusionInferer
from monai.networks.schedulers import DDIMScheduler as MonaiDDIM
from tqdm.auto import tqdm

import medtut as mt
from medtut.samplers import ddim, dpmpp_2m, dpmpp_2s, heun, last, start, unipc
from medtut.schedules import cosine

from .store import write

BATCH, STEPS, ROUNDS = 4, 10, 8
THEIRS = {
    "ddim": DDIMScheduler,
    "2m": DPMSolverMultistepScheduler,
    "2s": DPMSolverSinglestepScheduler,  # its steps alternate, so it makes one call a step
    "unipc": UniPCMultistepScheduler,
}
MADE_FROM = [
    "brain-128",
    "medtut.samplers.ancestral:ddim",
    "medtut.samplers.ode:heun",
    "medtut.samplers.exponential:dpmpp_2m",
    "medtut.samplers.exponential:dpmpp_2s",
    "medtut.samplers.exponential:unipc",
    "medtut.denoisers:Preconditioned",
    "medtut.denoisers:Ranged",
    "medtut.nets:BrainNet",
    "benchmarks.speed:loops",
    "benchmarks.speed:main",
]


class Called(torch.nn.Module):
    """The raw network as diffusers' and MONAI's loops call it."""

    def __init__(self, net: torch.nn.Module):
        super().__init__()
        self.net = net

    def forward(self, x, timesteps=None, context=None, **_):
        return self.net(x, timesteps.to(x).expand(len(x)))


def loops(denoise, x: torch.Tensor) -> dict[str, tuple[int, Callable]]:
    """Name to number of network calls and the loop. Heun and 2S call twice a step, once at the last."""
    sigmas = cosine(STEPS, 0.005, 40.0)
    first = start(sigmas, x.shape, mt.generators(0, len(x))).to(x)
    net = Called(denoise.denoise.net)
    ours = {"ddim": ddim, "heun": heun, "2m": dpmpp_2m, "2s": dpmpp_2s, "unipc": unipc}

    def diffusers_loop(kind):
        knobs = {"clip_sample": False} if kind is DDIMScheduler else {}
        scheduler = kind(beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction", **knobs)
        scheduler.set_timesteps(STEPS, device=x.device)
        state = x
        for t in scheduler.timesteps:
            state = scheduler.step(net(state, t[None]), t, state).prev_sample
        return state

    monai_scheduler = MonaiDDIM(
        num_train_timesteps=1000, schedule="cosine", prediction_type="v_prediction", clip_sample=False
    )
    monai_scheduler.set_timesteps(STEPS)
    inferer = DiffusionInferer(monai_scheduler)
    found = {
        f"medtut {name}": (2 * STEPS - 1 if f in (heun, dpmpp_2s) else STEPS,
                           lambda f=f: last(f(denoise, sigmas, first)))
        for name, f in ours.items()
    }  # fmt: skip
    found |= {f"diffusers {name}": (STEPS, lambda k=kind: diffusers_loop(k)) for name, kind in THEIRS.items()}
    found["monai ddim"] = (STEPS, lambda: inferer.sample(x, net, monai_scheduler, verbose=False))
    return found


def seconds(f: Callable, device: torch.device) -> float:
    """Wall time of one call, the device's queue emptied before and after."""
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    wait()
    began = time.perf_counter()
    f()
    wait()
    return time.perf_counter() - began


@torch.no_grad()
def main(out: Path) -> None:
    """Time every loop against calls times one forward pass, print and store the ratios."""
    denoise = mt.load("brain-128")
    net, device = denoise.denoise.net, next(denoise.parameters()).device
    x = mt.randn((BATCH, 1, 128, 128), torch.Generator().manual_seed(0)).to(device)
    t = torch.full((BATCH,), 500.0, device=device)
    found = loops(denoise, x) | {"forward": (STEPS, lambda: [net(x, t) for _ in range(STEPS)])}
    times = {name: [] for name in found}
    for _ in tqdm(range(ROUNDS + 1), desc="speed", unit="round"):
        for name, (_, loop) in found.items():
            times[name].append(seconds(loop, device))
    each = {name: torch.tensor(walls[1:]) / found[name][0] for name, walls in times.items()}  # one warms up
    rows = {
        name: {
            "calls": found[name][0],
            "seconds_a_call": per_call.median().item(),
            "ratio": (per_call / each["forward"]).median().item(),
        }
        for name, per_call in each.items()
    }
    for name, row in rows.items():
        call, ratio = 1e3 * row["seconds_a_call"], row["ratio"]
        print(f"{name:16s} {row['calls']:3d} calls of {call:6.1f} ms, {ratio:.3f} of a forward pass")
    settings = {"device": device.type, "threads": torch.get_num_threads(), "batch": BATCH, "steps": STEPS}
    write(out, MADE_FROM, {"settings": settings, "rows": rows})
