"""Training of brain-128: images a second, and the share of what the device can multiply.

The peak is measured, not quoted: the best of a few products of large matrices in the precision of training.
Operations are those of forward and backward pass as torch counts them. `data` is the share of a step's time
that making the batch takes, which the network waits for.
"""

import time
from functools import partial
from pathlib import Path

import torch
from accelerate import Accelerator
from torch.utils.flop_counter import FlopCounterMode
from tqdm.auto import tqdm

from medtut.denoisers import denoising_loss
from medtut.objectives import objective
from medtut.recipes import get
from medtut.train import batch_at, describe, update

from .speed import seconds
from .store import write

NAME, WARM, STEPS = "brain-128", 2, 10
SIDE = {"cpu": 2048, "cuda": 8192}  # of the square matrices
MADE_FROM = [
    "medtut.train:update",
    "medtut.train:batch_at",
    "medtut.nets:BrainNet",
    "benchmarks.throughput:peak",
    "benchmarks.throughput:operations",
    "benchmarks.throughput:main",
]


def peak(device: torch.device) -> float:
    """Operations a second of a large product of bfloat16 matrices, the best of five."""
    n = SIDE[device.type]
    a, b = torch.randn(2, n, n, dtype=torch.bfloat16, device=device)
    a @ b
    return 2 * n**3 / min(seconds(lambda: a @ b, device) for _ in range(5))


def operations(recipe, model, batch: tuple) -> int:
    """Floating-point operations of one forward and backward pass."""
    with FlopCounterMode(display=False) as counter:
        denoising_loss(model, *batch).mean().backward()
    model.net.zero_grad()
    return counter.get_total_flops()


def main(out: Path) -> None:
    """Train a few steps, time each, print and store the medians."""
    recipe = get(NAME)
    accelerator = Accelerator(mixed_precision="bf16")
    device = accelerator.device
    model, cohort = recipe.model().to(device), recipe.cohort()
    optimiser = torch.optim.AdamW(model.net.parameters(), recipe.lr, tuple(recipe.betas))
    x0, sigma, label, noise = batch_at(recipe, cohort, 0, 0, 1)
    count = operations(recipe, model, (x0.to(device), sigma.to(device), label.to(device), noise))
    model.net, stepper = accelerator.prepare(model.net, optimiser)
    source, whole, data = (cohort, objective(recipe.task, device)), [], []
    for step in tqdm(range(WARM + STEPS), desc="throughput", unit="step"):
        began = time.perf_counter()
        batch_at(recipe, cohort, step, 0, 1)
        data.append(time.perf_counter() - began)
        train = partial(update, recipe, source, model, stepper, accelerator, step)
        whole.append(seconds(train, device))
    whole, data = (torch.tensor(t[WARM:]).median().item() for t in (whole, data))
    best = peak(device)
    result = {
        "device": describe(device)
        + (f", {torch.backends.cpu.get_cpu_capability()}" if device.type == "cpu" else ""),
        "batch": recipe.batch,
        "steps": STEPS,
        "images_a_second": recipe.batch / whole,
        "images_a_second_without_data": recipe.batch / (whole - data),
        "data": data / whole,
        "teraflops_an_image": count / recipe.batch / 1e12,
        "peak_teraflops_a_second": best / 1e12,
        "fraction_of_peak": count / whole / best,
        "fraction_of_peak_without_data": count / (whole - data) / best,
    }
    write(out, MADE_FROM, result)
    for name, value in result.items():
        print(f"{name:30s} {value:.4g}" if isinstance(value, float) else f"{name:30s} {value}")
