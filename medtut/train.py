"""The training loop: Accelerate, bf16, EMA, and a state on disk from which a killed run goes on bit for bit.

Data, noise and condition dropout are pure functions of (seed, step), so a resumed run is the same run (on
the CPU to the last bit, at the same thread count). `accelerate launch` spreads a batch over several GPUs.
"""

import hashlib
import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from torch import Tensor
from tqdm.auto import tqdm

from .checkpoint import Progress, resume, write_state
from .classifiers import Classifier
from .data.brain import CONTRASTS, Brain
from .data.conditioned import Described, Reduced
from .data.kernels import Kernels
from .data.phantoms import Phantoms
from .denoisers import Preconditioned
from .noise import generators
from .objectives import objective
from .schedules import stratified_cosine, stratified_flow
from .supervised import Pool
from .unrolled import Reconstructor
from .weights import assembled

COHORTS = {"": Brain, "words": Described, "reduced": Reduced, "phantoms": Phantoms, "kernels": Kernels}
LEVELS = {"": stratified_cosine, "flow": stratified_flow}
# fields that older hashes do not know
LATER = ("before", "joint_drop", "cohort_name", "pool", "task", "levels")


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights: data, network, objective, optimiser. All of it JSON."""

    name: str
    data: dict  # keyword arguments of the cohort
    net: str  # a name in NETS or CONDITIONAL; with a task, in CLASSIFIERS or RECONSTRUCTORS
    net_args: dict
    shift: float  # network range x_net = (x - shift) * scale
    scale: float
    steps: int
    hold: int  # full learning rate until this step, then half a cosine down to 0
    before: tuple | list = ()  # earlier rounds (lr, hold, steps); the learning rate warms up again after each
    parametrisation: str = "v"
    batch: int = 16
    lr: float = 1e-3
    warmup: int = 200
    betas: tuple | list = (0.9, 0.99)
    weight_decay: float = 1e-4
    clip: float = 1.0
    ema: float = 0.999
    label_drop: float = 0.15  # each condition is dropped with its own coin
    joint_drop: float = 0.0  # and, after the rounds in `before`, all of them together with this chance
    sigma_min: float = 0.005  # in the network's range
    sigma_max: float = 100.0
    seed: int = 0
    cohort_name: str = ""  # a name in COHORTS
    pool: int = 0  # so many training images and no more, drawn once; 0: a new one every time
    task: str = ""  # "": a denoiser; else a task of objectives.objective
    levels: str = ""  # how noise levels are drawn, a name in LEVELS

    def settings(self) -> dict:
        """The resolved settings as plain JSON values; those in LATER only where they are used."""
        values = json.loads(json.dumps(asdict(self)))
        return {k: v for k, v in values.items() if v or k not in LATER}

    def hash(self) -> str:
        """sha256 of the settings as sorted JSON."""
        return hashlib.sha256(json.dumps(self.settings(), sort_keys=True).encode()).hexdigest()

    def lr_at(self, step: int) -> float:
        """Warm up, hold, then half a cosine to 0, in every round. Until `hold`, `steps` has no influence."""
        began = 0
        for lr, hold, end in (*self.before, (self.lr, self.hold, self.steps)):
            if step < end:
                decay = max(0, step - hold) / max(1, end - hold)
                return lr * min(1.0, (step + 1 - began) / self.warmup) * 0.5 * (1 + math.cos(math.pi * decay))
            began = end
        return 0.0

    def joint_drop_at(self, step: int) -> float:
        """The chance that a training slice loses all its conditions at once."""
        return self.joint_drop if step >= max((end for *_, end in self.before), default=0) else 0.0

    def cohort(self, split: str = "train", **changes) -> Brain | Kernels | Phantoms:
        """The cohort that this recipe draws from."""
        return COHORTS[self.cohort_name](split=split, seed=self.seed, **{**self.data, **changes})

    def held_out(self) -> dict[str, Brain | Kernels | Phantoms]:
        """What is scored, by name: the held-out cohort, of each contrast if it has contrasts."""
        cohort = self.cohort("heldout")
        if not isinstance(cohort, Brain):
            return {self.cohort_name: cohort}
        return {CONTRASTS[c]: self.cohort("heldout", contrasts=[CONTRASTS[c]]) for c in cohort.codes.tolist()}

    def model(self) -> Preconditioned | Classifier | Reconstructor:
        """The untrained network, seen as a denoiser in its range; with a task, what that task asks for."""
        torch.manual_seed(self.seed)
        return assembled(self.net, self.net_args, self.parametrisation, self.shift, self.scale)


def batch_at(
    recipe: Recipe, cohort: Brain | Kernels | Phantoms | Pool, step: int, rank: int = 0, world: int = 1
) -> tuple:
    """Images in the network's range, sigmas, labels, noise generators: a function of (seed, step).

    With a task the images, and the sigmas, are in physical units.
    """
    n, seed = recipe.batch, recipe.seed * 10_000_019 + step
    g = torch.Generator().manual_seed(seed)
    mine = torch.arange(rank, n, world)
    sigma = LEVELS[recipe.levels](n, g, recipe.sigma_min, recipe.sigma_max).float()
    fresh = step * n + torch.arange(n)
    index = torch.randint(recipe.pool, (n,), generator=g) if recipe.pool else fresh
    sample = cohort.batch(index[mine].tolist())
    coins = torch.rand(n, sample.label.shape[1], generator=g)[mine]
    coins[torch.rand(n, generator=g)[mine] < recipe.joint_drop_at(step)] = -1.0
    label = torch.where(coins < recipe.label_drop, -1.0, sample.label.float())
    noise = generators(seed, n)
    image = sample.image if recipe.task else (sample.image - recipe.shift) * recipe.scale
    return image, sigma[mine], label, [noise[i] for i in mine]


def train(
    recipe: Recipe,
    out: Path | str | None = None,
    device: str | None = None,
    steps: int | None = None,
    save_every: int = 100,
    progress_bar: bool = True,
) -> Path:
    """Train, or go on training, until `steps` (default: all). Returns the state file.

    `out` defaults to runs/NAME. `device` "cpu" forces the CPU; None takes what Accelerate finds.
    """
    out = Path(out or Path("runs") / recipe.name)
    out.mkdir(parents=True, exist_ok=True)
    path, last = out / "state.safetensors", min(steps or recipe.steps, recipe.steps)
    accelerator = Accelerator(mixed_precision="bf16", cpu=device == "cpu")
    model, cohort = recipe.model().to(accelerator.device), recipe.cohort()
    cohort = Pool(cohort, recipe.pool) if recipe.pool else cohort
    loss = objective(recipe.task, accelerator.device, recipe.seed)
    net = model.net
    ema = {name: p.detach().clone() for name, p in net.named_parameters()}
    optimiser = torch.optim.AdamW(
        net.parameters(), recipe.lr, tuple(recipe.betas), weight_decay=recipe.weight_decay
    )
    done = resume(path, recipe, net, ema, optimiser) if path.exists() else Progress(recipe.settings())
    done.device = describe(accelerator.device)
    model.net, stepper = accelerator.prepare(net, optimiser)
    bar = tqdm(
        range(done.step, last), initial=done.step, total=last, desc=recipe.name, disable=not progress_bar
    )
    for step in bar:
        start = time.perf_counter()
        done.losses.append(update(recipe, (cohort, loss), model, stepper, accelerator, step))
        average(ema, net, min(recipe.ema, (1 + step) / (10 + step)))
        done.seconds += time.perf_counter() - start
        bar.set_postfix(loss=f"{sum(done.losses[-50:]) / len(done.losses[-50:]):.4f}", refresh=False)
        if ((step + 1) % save_every == 0 or step + 1 == last) and accelerator.is_main_process:
            write_state(path, net, ema, optimiser, done)
    if accelerator.is_main_process:
        loss_curve(done.losses, out)
    return path


def update(
    recipe: Recipe, source: tuple, model: torch.nn.Module, stepper, accelerator: Accelerator, step: int
) -> float:
    """One optimiser step; returns the loss. source: the cohort, and the objective on it."""
    cohort, objective_of = source
    torch.manual_seed(recipe.seed * 10_000_019 + step)  # dropout, where a network has any
    x0, sigma, label, noise = batch_at(
        recipe, cohort, step, accelerator.process_index, accelerator.num_processes
    )
    x0, sigma, label = (t.to(accelerator.device) for t in (x0, sigma, label))
    for group in stepper.param_groups:
        group["lr"] = recipe.lr_at(step)
    key = (recipe.seed * 10_000_019 + step) * accelerator.num_processes + accelerator.process_index
    loss = objective_of(model, x0, sigma, label, noise, key)
    accelerator.backward(loss)
    accelerator.clip_grad_norm_(model.net.parameters(), recipe.clip)
    stepper.step()
    stepper.zero_grad()
    return loss.item()


@torch.no_grad()
def average(ema: dict[str, Tensor], net: torch.nn.Module, decay: float) -> None:
    """Exponential moving average of the parameters, in place."""
    for name, p in net.named_parameters():
        ema[name].lerp_(p, 1 - decay)


def describe(device: torch.device) -> str:
    """The device in words, for the manifest."""
    return (
        torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else f"cpu, {torch.get_num_threads()} threads"
    )


def loss_curve(losses: list[float], out: Path) -> None:
    """loss.json and loss.png: the loss of every step, and its mean over 100."""
    from matplotlib.figure import Figure

    (out / "loss.json").write_text(json.dumps(losses))
    window = min(100, max(1, len(losses) // 5))
    y = torch.tensor(losses)
    figure = Figure((6, 3.5), layout="constrained")
    axes = figure.subplots()
    axes.plot(y, ".", ms=1, alpha=0.3, label="each step")
    axes.plot(torch.arange(window - 1, len(y)), y.unfold(0, window, 1).mean(1), label=f"mean over {window}")
    axes.set(xlabel="step", ylabel="loss (mean squared error)", yscale="log")
    axes.legend()
    figure.savefig(out / "loss.png", dpi=100)
