"""The methods of the leaderboard: what is run, how its settings are tried, and what a run costs."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

from torch import Tensor

import medtut as mt
from medtut.errors import BadInput
from medtut.operators import InverseProblem, LinearOperator
from medtut.physics.ct import CT
from medtut.physics.likelihoods import Weighted
from medtut.physics.spectral import svd
from medtut.posterior.classical import normalised
from medtut.tasks import Task

CG_STEPS = 8  # of linear systems without a closed form


def grid(**knobs: list) -> list[dict]:
    """All combinations of settings; sigma_max and sigma_min are levels, the rest are arguments."""
    return [dict(zip(knobs, values, strict=True)) for values in product(*knobs.values())]


@dataclass(frozen=True)
class Method:
    """A sampler f(denoise, problem, sigmas, x, **knobs). trials: at most ten settings to choose from."""

    function: Callable
    needs: str  # of the operator: "any", "linear" or "svd"
    trials: list[dict]
    calls: Callable = lambda knobs: 1  # network calls a level
    gradients: Callable = lambda knobs: 0  # backward passes through the network a level
    solves: bool = False  # takes cg_steps, and a linear system with noise in it, a level
    particles: bool = False
    point: bool = False  # a point estimate: one run is enough
    few: list[dict] | None = None  # of the trials, those for MRI and CT, where a run is slow

    @property
    def source(self) -> str:
        """For the hash of what made a result."""
        return f"{self.function.__module__}:{self.function.__name__}"


def prior_only(denoise, problem, sigmas, x, *, generator=None):
    """The first impostor: draws of the prior, which never look at y."""
    return mt.ddpm(denoise, sigmas, x, generator=generator)


P = mt.posterior
ETAS = grid(sigma_max=[1.0, 2.0, 5.0], eta=[0.5, 0.85, 1.0])
FEW_ETAS = grid(sigma_max=[1.0, 5.0], eta=[0.85, 1.0])
METHODS = {
    "Score-ALD": Method(
        P.score_ald,
        "any",
        grid(sigma_max=[2.0], sigma_min=[0.01], step=[0.03, 0.1, 0.3], gamma=[0.5, 1.0, 2.0], inner=[2]),
        lambda k: k["inner"],
        few=grid(sigma_max=[2.0], sigma_min=[0.01], step=[0.3], gamma=[0.5, 1.0, 2.0], inner=[2]),
    ),
    "preconditioned ULA": Method(
        P.preconditioned_ula,
        "linear",
        grid(sigma_max=[1.0, 3.0], sigma_min=[0.01], step=[0.25, 0.5, 1.0], inner=[1]),
        lambda k: k["inner"],
        solves=True,
        few=grid(sigma_max=[1.0, 3.0], sigma_min=[0.01], step=[0.5, 1.0], inner=[1]),
    ),
    "MCG": Method(
        P.mcg,
        "linear",
        grid(sigma_max=[2.0, 5.0], alpha=[0.3, 1.0, 3.0, 10.0]),
        gradients=lambda k: 1,
        few=grid(sigma_max=[2.0], alpha=[0.3, 1.0, 3.0]),
    ),
    "DPS": Method(
        P.dps,
        "any",
        grid(sigma_max=[5.0], zeta=[0.3, 1.0, 3.0, 6.0, 12.0, 24.0, 48.0])
        + grid(sigma_max=[20.0], zeta=[1.0, 3.0, 10.0]),
        gradients=lambda k: 1,
        few=grid(sigma_max=[5.0], zeta=[1.0, 3.0, 6.0, 12.0]) + grid(sigma_max=[20.0], zeta=[3.0]),
    ),
    "PiGDM": Method(
        P.pigdm,
        "linear",
        grid(sigma_max=[2.0, 5.0], variance=[0.02, 0.1, 1.0], eta=[1.0])
        + grid(sigma_max=[2.0], variance=[0.02, 0.1, 1.0], eta=[0.3]),
        gradients=lambda k: 1,
        solves=True,
        few=grid(sigma_max=[2.0, 5.0], variance=[0.02, 0.1], eta=[1.0]),
    ),
    "moment matching": Method(
        P.moment_matching,
        "linear",
        grid(sigma_max=[2.0, 5.0], cg_steps=[2, 4], eta=[1.0])
        + grid(sigma_max=[2.0], cg_steps=[1], eta=[1.0, 0.5]),
        gradients=lambda k: k["cg_steps"] + 1,
        few=grid(sigma_max=[2.0], cg_steps=[1, 2, 4], eta=[1.0]),
    ),
    "Song": Method(
        P.song,
        "linear",
        grid(sigma_max=[1.0, 2.0, 5.0], lam=[0.5, 0.8, 1.0]),
        few=grid(sigma_max=[1.0, 2.0, 5.0], lam=[1.0]),
    ),
    "score-MRI": Method(
        P.score_mri,
        "linear",
        grid(sigma_max=[1.0, 2.0, 5.0], snr=[0.05, 0.16, 0.3]),
        lambda k: 2,
        few=grid(sigma_max=[1.0, 2.0], snr=[0.16, 0.3]),
    ),
    "DDRM": Method(P.ddrm, "svd", ETAS, few=FEW_ETAS),
    "DDNM": Method(P.ddnm, "linear", ETAS, few=FEW_ETAS),
    "DDNM+": Method(P.ddnm_plus, "svd", ETAS, few=FEW_ETAS),
    "DDS": Method(
        P.dds,
        "linear",
        grid(sigma_max=[2.0], gamma=[1.0, 3.0, 10.0, 30.0, 100.0, 300.0], eta=[1.0])
        + grid(sigma_max=[2.0], gamma=[3.0, 10.0, 30.0, 100.0], eta=[0.85]),
        few=grid(sigma_max=[2.0], gamma=[3.0, 30.0, 300.0], eta=[1.0])
        + grid(sigma_max=[2.0], gamma=[3.0, 30.0], eta=[0.85]),
    ),
    "DiffPIR": Method(
        P.diffpir,
        "linear",
        grid(sigma_max=[2.0], lam=[0.1, 0.3, 1.0, 3.0, 10.0], zeta=[0.5, 1.0]),
        solves=True,
        few=grid(sigma_max=[2.0], lam=[0.3, 1.0], zeta=[0.5, 1.0])
        + grid(sigma_max=[2.0], lam=[3.0], zeta=[1.0]),
    ),
    "DAPS": Method(
        P.daps,
        "any",
        grid(sigma_max=[1.0, 2.0, 5.0, 10.0], ode_steps=[2, 5]),
        lambda k: k["ode_steps"],
        solves=True,
        few=grid(sigma_max=[1.0, 2.0, 5.0], ode_steps=[2]),
    ),
    "PnP-DM": Method(
        P.pnp_dm,
        "linear",
        grid(sigma_max=[0.5, 1.0, 2.0, 5.0], inner=[2, 5]),
        lambda k: k["inner"],
        solves=True,
        few=grid(sigma_max=[0.5, 2.0, 5.0], inner=[2]),
    ),
    "PnP-ADMM": Method(
        P.pnp_admm,
        "linear",
        grid(sigma_max=[0.5, 2.0], sigma_min=[0.02, 0.05], lam=[0.3, 1.0]),
        solves=True,
        point=True,
        few=grid(sigma_max=[0.5, 2.0], sigma_min=[0.02, 0.05], lam=[1.0])
        + grid(sigma_max=[2.0], sigma_min=[0.05], lam=[0.3]),
    ),
    "RED": Method(
        P.red,
        "linear",
        grid(sigma_max=[0.5, 2.0], sigma_min=[0.02, 0.05], lam=[0.3, 1.0]),
        solves=True,
        point=True,
        few=grid(sigma_max=[0.5, 2.0], sigma_min=[0.02, 0.05], lam=[0.3]),
    ),
    "RED-diff": Method(
        P.red_diff,
        "any",
        grid(sigma_max=[2.0], lam=[0.03, 0.1, 0.25, 1.0, 4.0], lr=[0.02, 0.1]),
        point=True,
        few=grid(sigma_max=[2.0], lam=[0.03, 0.25], lr=[0.02, 0.1])
        + grid(sigma_max=[2.0], lam=[1.0], lr=[0.1]),
    ),
    "TDS": Method(
        P.tds,
        "any",
        grid(sigma_max=[2.0, 5.0], variance=[0.02, 0.1, 1.0]),
        gradients=lambda k: 1,
        particles=True,
        few=grid(sigma_max=[5.0], variance=[0.02, 0.1, 1.0]),
    ),
    "FPS": Method(
        P.fps, "svd", grid(sigma_max=[1.0, 2.0, 5.0]), particles=True, few=grid(sigma_max=[1.0, 5.0])
    ),
    "MCGDiff": Method(
        P.mcgdiff,
        "svd",
        grid(sigma_max=[1.0, 2.0, 5.0], kappa=[1e-4, 1e-2]),
        particles=True,
        few=grid(sigma_max=[1.0, 5.0], kappa=[1e-4]),
    ),
    "prior only": Method(prior_only, "any", grid(sigma_max=[5.0])),
}


def fits(method: Method, task: Task) -> str:
    """Why a method cannot do a task; empty if it can."""
    linear = isinstance(task.problem.A, LinearOperator)
    if method.needs != "any" and not linear:
        return "needs a linear operator"
    if method.needs == "svd":
        try:
            svd(task.problem.A, task.truth)
        except BadInput:
            return "needs a singular value decomposition"
    return ""


def levels(method: Method, trial: dict, steps: int) -> int:
    """How many levels `steps` network calls are."""
    return max(2, steps // method.calls(trial))


def draw(method: Method, task: Task, trial: dict, steps: int, samples: int, rng: list) -> Tensor:
    """Samples (b, k, c, h, w) of a task; rng: one generator per sample, or per slice for particles."""
    trial = dict(trial)
    ends = trial.pop("sigma_min", 0.02), trial.pop("sigma_max")
    sigmas = mt.schedules.geometric(levels(method, trial, steps), *ends)
    many = task.repeat(samples)
    if method.solves and isinstance(task.problem.A, mt.MRI | CT | Weighted):
        trial["cg_steps"] = 8  # where no closed form exists
    problem = (task if method.particles else many).problem
    if method.needs == "linear" or method.function in (P.dps, P.score_ald, P.red_diff, P.daps):
        problem = scaled(problem, task)
    if method.particles:
        x = task.start(sigmas, rng, particles=samples)
        return mt.last(method.function(many.denoise, problem, sigmas, x, **trial, generator=rng))
    x = many.start(sigmas, rng)
    x = mt.last(method.function(many.prior(rng), problem, sigmas, x, **trial, generator=rng))
    return x.reshape(len(task.keys), samples, *x.shape[1:])


def scaled(problem: InverseProblem, task: Task) -> InverseProblem:
    """With |A| = 1 where it is far from it, so that steps and weights mean the same on every task."""
    small = isinstance(problem.A, CT | Weighted | mt.physics.Downsample)
    return normalised(problem, task.truth.shape[1:]) if small else problem
