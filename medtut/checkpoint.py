"""What a training run leaves on disk: one safetensors file from which it goes on bit for bit.

Weights, their EMA, the optimiser's moments, every loss so far, and the settings that led there.
"""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from .errors import BadInput


@dataclass
class Progress:
    """What a run has reached: `losses` has one number per step taken."""

    recipe: dict
    losses: list = field(default_factory=list)
    seconds: float = 0.0
    device: str = ""

    @property
    def step(self) -> int:
        return len(self.losses)


def write_state(
    path: Path, net: torch.nn.Module, ema: dict, optimiser: torch.optim.Optimizer, progress: Progress
):
    """One safetensors file, written aside, flushed and renamed: a kill leaves the old one or the new."""
    tensors = {"losses": torch.tensor(progress.losses, dtype=torch.float64)}
    for name, p in net.named_parameters():
        moments = optimiser.state[p]
        tensors |= {
            f"net.{name}": p.detach(),
            f"ema.{name}": ema[name],
            f"exp_avg.{name}": moments["exp_avg"],
            f"exp_avg_sq.{name}": moments["exp_avg_sq"],
        }
    meta = {"recipe": progress.recipe, "seconds": progress.seconds, "device": progress.device}
    temporary = path.with_suffix(".part")
    save_file({k: v.contiguous() for k, v in tensors.items()}, temporary, {"progress": json.dumps(meta)})
    with open(temporary, "rb+") as f:
        os.fsync(f.fileno())
    os.replace(temporary, path)


def read_state(path: Path) -> tuple[dict, Progress]:
    """The tensors of a state file and what the run has reached."""
    with safe_open(path, "pt") as f:
        tensors = {k: f.get_tensor(k) for k in f.keys()}  # noqa: SIM118 - not a dict
        meta = json.loads(f.metadata()["progress"])
    return tensors, Progress(losses=tensors.pop("losses").tolist(), **meta)


def resume(path: Path, recipe, net: torch.nn.Module, ema: dict, optimiser) -> Progress:
    """Load a state into net, EMA and optimiser; `recipe` is a train.Recipe. BadInput if another wrote it."""
    tensors, progress = read_state(path)
    old, new = type(recipe)(**progress.recipe), recipe.settings()
    differ = sorted(k for k in new | progress.recipe if progress.recipe.get(k) != new.get(k))
    same_past = all(
        old.lr_at(i) == recipe.lr_at(i) and old.joint_drop_at(i) == recipe.joint_drop_at(i)
        for i in range(progress.step)
    )
    if set(differ) - {"steps", "hold", "lr", "before", "joint_drop"} or not same_past:
        raise BadInput(
            f"{path} was written with other settings ({', '.join(differ)}); move it away to start anew"
        )
    for name, p in net.named_parameters():
        p.data.copy_(tensors[f"net.{name}"])
        ema[name].copy_(tensors[f"ema.{name}"])
        moments = {k: tensors[f"{k}.{name}"].to(p.device) for k in ("exp_avg", "exp_avg_sq")}
        optimiser.state[p] = {"step": torch.tensor(float(progress.step)), **moments}
    progress.recipe = new
    return progress
