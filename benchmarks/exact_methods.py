"""Every sampler of `medtut.posterior` as it is run in the exact worlds: levels, settings, what is tuned."""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

import medtut as mt
from medtut import posterior as ps
from medtut.schedules import geometric, karras

from .exact_priors import ImageWorld, World, generator


@dataclass(frozen=True)
class Method:
    """A sampler; `grid` is what is tried for each knob, one after the other, from `knobs`."""

    sampler: Callable
    per_level: int = 1  # network calls
    knobs: dict = field(default_factory=dict)
    grid: dict[str, tuple] = field(default_factory=dict)
    particles: bool = False
    top: float | None = None  # highest noise level, if not the one that drowns the prior
    bottom: float | None = None

    def levels(self, world: World | ImageWorld) -> Tensor:
        """Noise levels: as many as the calls of the world allow."""
        n, low = world.calls // self.per_level, self.bottom or world.low
        if self.top:
            return geometric(n, low, self.top)
        return karras(n, low, world.high)


def song_from_guess(denoise, problem, sigmas, x, *, sigma_start: float = 1.0, generator=None):
    """Come closer: `song`, started from the noised pseudo-inverse."""
    rest, x = ps.come_closer(problem.A.pinv(problem.y), sigmas, sigma_start, generator)
    return ps.song(denoise, problem, rest, x, generator=generator)


WEIGHTS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
METHODS = {
    "moment matching": Method(ps.moment_matching, knobs={"cg_steps": 4}),
    "PiGDM": Method(ps.pigdm),
    "DPS": Method(ps.dps, knobs={"zeta": 0.3}, grid={"zeta": WEIGHTS}),
    "MCG": Method(ps.mcg, knobs={"alpha": 0.3}, grid={"alpha": WEIGHTS}),
    "Score-ALD": Method(ps.score_ald, 3, {"step": 0.1}, {"step": (0.03, 0.1, 0.3), "gamma": (0.5, 1.0, 3.0)}),
    "preconditioned ULA": Method(ps.preconditioned_ula, 3, grid={"step": (0.1, 0.25, 0.5, 1.0)}),
    "Song": Method(ps.song),
    "score-MRI": Method(ps.score_mri, 2),
    "CCDF (Song)": Method(song_from_guess, grid={"sigma_start": (0.1, 0.3, 1.0, 3.0)}),
    "DDNM": Method(ps.ddnm),
    "DDNM+": Method(ps.ddnm_plus, grid={"eta": (0.85, 0.5, 0.0)}),
    "DDRM": Method(ps.ddrm, grid={"eta": (0.85, 0.5, 0.0)}),
    "DDS": Method(ps.dds, grid={"gamma": (1.0, 3.0, 10.0, 30.0, 100.0), "eta": (0.85, 0.5, 0.0)}),
    "DiffPIR": Method(ps.diffpir, knobs={"zeta": 0.3}, grid={"lam": WEIGHTS, "zeta": (0.1, 0.3, 1.0)}),
    "DAPS": Method(ps.daps, 5),
    "PnP-DM": Method(ps.pnp_dm, 10, top=3.0, bottom=0.03),
    "RED-diff": Method(ps.red_diff, grid={"lam": (0.01, 0.03, 0.1, 0.25, 1.0), "lr": (0.03, 0.1)}),
    "TDS": Method(ps.tds, particles=True),
    "FPS": Method(ps.fps, particles=True),
    "MCGdiff": Method(ps.mcgdiff, particles=True),
}


class Counter:
    """A denoiser that counts: calls, and products of a vector with its Jacobian."""

    def __init__(self, denoise: Callable):
        self.denoise, self.calls, self.gradients = denoise, 0, 0

    def _seen(self, gradient: Tensor) -> None:
        self.gradients += 1

    def __call__(self, x: Tensor, sigma: float, label: Tensor | None = None) -> Tensor:
        self.calls += 1
        if x.requires_grad:
            x = x.view_as(x)
            x.register_hook(self._seen)
        return self.denoise(x, sigma)


def draw(method: Method, world: World | ImageWorld, y: Tensor, k: int, knobs: dict, seed: int) -> tuple:
    """k draws for each measurement, (b, k, ...), with network calls and gradients of one draw."""
    sigmas, count, like = method.levels(world), Counter(world.prior.denoise), world.A.adjoint(y)
    shape = like.shape[1:]
    problem = world.problem(y if method.particles else y.repeat_interleave(k, 0))
    x = mt.start(sigmas, (len(y), k, *shape), generator(seed), like)
    x = x if method.particles else x.flatten(0, 1)
    if method.sampler is ps.pnp_dm:
        x = torch.zeros_like(x)  # a guess, not noise
    x = mt.last(method.sampler(count, problem, sigmas, x, **knobs, generator=generator(seed + 1)))
    return x.reshape(len(y), k, *shape), count.calls, count.gradients


Draw = Callable[[Tensor, int, int], tuple[Tensor, int, int]]  # (y, k, seed): draws, calls, gradients


# --- controls ----------------------------------------------------------------------------------------------


def posterior_draws(world: World) -> Draw:
    """The floor: exact draws."""

    def run(y: Tensor, k: int, seed: int):
        return torch.stack([world.posterior(v).sample(k, generator(seed + i)) for i, v in enumerate(y)]), 0, 0

    return run


def conditional_score(world: World) -> Draw:
    """DDPM with the denoiser of the posterior: right but for its steps."""

    def run(y: Tensor, k: int, seed: int):
        sigmas, found = METHODS["DPS"].levels(world), []
        for i, v in enumerate(y):
            x = mt.start(sigmas, (k, *world.A.space), generator(seed + i), y)
            states = mt.ddpm(world.posterior(v).denoise, sigmas, x, generator=generator(seed - i))
            found.append(mt.last(states))
        return torch.stack(found), len(sigmas) - 1, 0

    return run


def prior_draws(world: World) -> Draw:
    """An impostor: draws of the prior, which ignore y."""

    def run(y: Tensor, k: int, seed: int):
        return world.prior.sample(len(y) * k, generator(seed)).reshape(len(y), k, *world.A.space), 0, 0

    return run


def mean_and_noise(world: World) -> Draw:
    """An impostor: the exact mean with white noise of the posterior's total variance."""

    def run(y: Tensor, k: int, seed: int):
        moments = [world.posterior(v).moments() for v in y]
        mean = torch.stack([m for m, _ in moments])
        std = torch.stack([c.trace() for _, c in moments]).div(mean.shape[1]).sqrt()
        z = mt.randn((len(y), k, mean.shape[1]), generator(seed), y)
        return (mean[:, None] + std[:, None, None] * z)[:, :, None], 0, 0

    return run


def image_control(kind: str) -> Callable[[ImageWorld], Draw]:
    """The same four for images; the white noise fills row and null space alike."""

    def control(world: ImageWorld) -> Draw:
        def run(y: Tensor, k: int, seed: int):
            n, shape = len(y) * k, (len(y), k, 2, *world.spectrum.shape)
            mean = world.posterior_mean(y).repeat_interleave(k, 0)
            if kind == "exact conditional score":
                sigmas = METHODS["DPS"].levels(world)
                x = mt.start(sigmas, mean.shape, generator(seed), mean)
                x = mt.last(mt.ddpm(world.conditional(mean), sigmas, x, generator=generator(seed + 1)))
                return x.reshape(shape), len(sigmas) - 1, 0
            white = torch.full_like(world.after, float(world.after.mean()))
            spectrum = {"prior draws": world.spectrum, "mean + white noise": white}.get(kind, world.after)
            away = world.draw(n, spectrum, generator(seed))
            return (away if kind == "prior draws" else mean + away).reshape(shape), 0, 0

        return run

    return control


CONTROLS = {
    "posterior draws": posterior_draws,
    "exact conditional score": conditional_score,
    "prior draws": prior_draws,
    "mean + white noise": mean_and_noise,
}
IMAGE_CONTROLS = {name: image_control(name) for name in CONTROLS}
