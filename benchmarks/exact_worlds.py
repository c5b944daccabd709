"""Every posterior sampler where the posterior is known, as results/exact_worlds.json: what does each sample?

Four worlds: a Gaussian, a mixture, a finite data set, all in eight dimensions, and Gaussian images in an MRI
scanner. Denoisers are exact, so what is left is the error of the sampler. Equal numbers of network calls;
knobs are chosen by the energy score on other problems. Beside the samplers stand exact draws (the floor of
every measure), the unconditional sampler with the denoiser of the posterior, and two impostors.
"""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from tqdm.auto import tqdm

from medtut import calibration as cal
from medtut.operators import to_complex
from medtut.physics.mri import fft2c

from .exact_methods import CONTROLS, IMAGE_CONTROLS, METHODS, Draw, Method, conditional_score, draw
from .exact_priors import WORLDS, Blobs, ImageWorld, World, generator, image
from .store import piece, write

DRAWS, PROJECTIONS = 2000, 100  # of one problem
MANY, FEW = 100, 19  # problems and draws for calibration; 19 draws allow 90 per cent
IMAGES = 19  # draws of an image
VALIDATION = {"vectors": (32, 10), "image": (2, 6)}  # problems and draws
SEEDS = {"truth": 100, "validation": 900, "many": 300, "reference": 40, "draws": 7}
COMMON = [
    *(f"benchmarks.exact_priors:{name}" for name in ("Blobs", "World", "ImageWorld", "rotation")),
    *(f"benchmarks.exact_worlds:{name}" for name in ("against_the_posterior", "calibrated", "images")),
    "benchmarks.exact_methods:draw",
    "benchmarks.exact_methods:Method",
    "medtut.physics.matrix:Matrix",
    "medtut.samplers.ancestral:renoise",
    "medtut.samplers.ancestral:ddpm",
    *(f"medtut.calibration:{name}" for name in (
        "identity_ratio", "coverage", "crps", "energy_score", "sliced_wasserstein", "moment_errors",
        "subspace_variances", "expected_chi_square", "rank_counts")),
]  # fmt: skip


def source(method: Method) -> str:
    """The name of its function, as `store` hashes it."""
    return f"{method.sampler.__module__}:{method.sampler.__name__}"


WORLD_OF = {name: f"benchmarks.exact_priors:{name}" for name in (*WORLDS, "image")}
MADE_FROM = sorted({*COMMON, *WORLD_OF.values(), *map(source, METHODS.values())})

# --- measures ----------------------------------------------------------------------------------------------


def shares(x: Tensor, posterior: Blobs) -> Tensor:
    """How many of the draws (n, d) lie nearest each component."""
    whiten = posterior.axes[1] / (posterior.axes[0] + 1e-4).sqrt()
    nearest = torch.cdist(x @ whiten, posterior.centres @ whiten).argmin(1)
    return torch.bincount(nearest, minlength=len(posterior.weights)) / len(x)


def against_the_posterior(world: World, run: Draw) -> dict[str, float]:
    """What a sampler's draws for a few measurements are, beside the posterior's; means over problems."""
    _, y = world.measure(world.problems, SEEDS["truth"])
    x, calls, gradients = run(y, DRAWS, SEEDS["draws"])
    rows = []
    for i, (v, draws) in enumerate(zip(y, x, strict=True)):
        posterior = world.posterior(v)
        mean, cov = posterior.moments()
        reference = posterior.sample(DRAWS, generator(SEEDS["reference"] + i))
        mean_error, cov_error = cal.moment_errors(draws, mean, cov)
        row, null = cal.subspace_variances(draws, cov, world.A.M)
        many = world.problem(v.expand(DRAWS, -1))
        mode = posterior.centres[posterior.weights.argmax()]
        rows.append({
            "mean_error": mean_error,
            "cov_error": cov_error,
            "row_variance": row,
            "null_variance": null,
            "sliced_w2": cal.sliced_wasserstein(draws, reference, PROJECTIONS, generator(0)),
            "chi_square": float(many.chi_square(draws).mean()),
            "chi_square_expected": cal.expected_chi_square(mean, cov, world.A.M, v, world.noise_std),
            "mean_distance": distance(draws[:, 0], mean, cov),
            "mode_distance": distance(draws[:, 0], mode, cov),
            "mode_weights": float((shares(draws[:, 0], posterior) - posterior.weights).abs().sum() / 2),
        })  # fmt: skip
    return average(rows) | {"calls": calls, "gradients": gradients}


def distance(x: Tensor, point: Tensor, cov: Tensor) -> float:
    """Root mean square distance of draws (n, d) from a point, over the posterior's spread."""
    return float((x - point).square().sum(1).mean() / cov.trace()) ** 0.5


def average(rows: list[dict[str, float]]) -> dict[str, float]:
    """The mean of each entry."""
    return {key: sum(row[key] for row in rows) / len(rows) for key in rows[0]}


def calibrated(world: World, run: Draw, method: Method | None) -> dict[str, float]:
    """Measures over many problems with few draws each; `rank_p`: of log p(y | x), which looks at the data."""
    truth, y = world.measure(MANY, SEEDS["many"])
    if method is not None and method.particles:  # neighbours are copies of one particle
        x = run(y, 5 * FEW, SEEDS["draws"])[0][:, ::5]
    else:
        x = run(y, FEW, SEEDS["draws"])[0]
    fit = world.problem(y.repeat_interleave(FEW, 0)).loss(x.flatten(0, 1)).reshape(MANY, FEW)
    own = world.problem(y).loss(truth)
    energy = cal.energy_score(x, truth)
    return {
        "ratio": cal.identity_ratio(x, truth),
        "coverage_90": float(cal.coverage(x, truth, 0.9).mean()),
        "crps": float(cal.crps(x, truth).mean()),
        "energy": float(energy.mean()),
        "energy_se": float(energy.std()) / MANY**0.5,
        "rank_p": cal.rank_counts(fit, own, bins=10, generator=generator(0)).p,
    }


def images(world: ImageWorld, run: Draw, method: Method | None) -> dict[str, float]:
    """Both kinds of measures on images, whose frequencies are independent."""
    truth, y = world.measure(world.problems, SEEDS["truth"])
    x, calls, gradients = run(y, IMAGES, SEEDS["draws"])
    mean, seen = world.posterior_mean(y), world.A.mask > 0
    away = fft2c(to_complex((x - mean[:, None]).flatten(0, 1))).reshape(*x.shape[:2], *x.shape[-2:])
    variance = torch.view_as_real(away).var(1).mean((0, -1))  # of one real component
    total = 2 * world.after.sum()
    many = world.problem(y.repeat_interleave(IMAGES, 0))
    residual = 2 * world.problem(y).loss(mean).mean() + 2 * (seen * world.after).sum()
    return {
        "mean_error": float((x.mean(1) - mean).square().sum((1, 2, 3)).mean() / total) ** 0.5,
        "row_variance": float(variance[seen].sum() / world.after[seen].sum()),
        "null_variance": float(variance[~seen].sum() / world.after[~seen].sum()),
        "chi_square": float(many.chi_square(x.flatten(0, 1)).mean()),
        "chi_square_expected": float(residual / (2 * seen.sum() * world.noise_std**2)),
        "calls": calls,
        "gradients": gradients,
        "ratio": cal.identity_ratio(x, truth),
        "coverage_90": float(cal.coverage(x, truth, 0.9).mean()),
        "crps": float(cal.crps(x, truth).mean()),
        "energy": float(cal.energy_score(x, truth).mean()),
    }


# --- choosing knobs ----------------------------------------------------------------------------------------


def tuned(world: World | ImageWorld, method: Method, problems: int, k: int) -> dict[str, float]:
    """The knobs with the lowest energy score on validation problems, one knob after the other."""
    truth, y = world.measure(problems, SEEDS["validation"])
    knobs = dict(method.knobs)
    for knob, values in method.grid.items():
        scores = []
        for value in values:
            x, _, _ = draw(method, world, y, k, knobs | {knob: value}, SEEDS["validation"])
            good = bool(torch.isfinite(x).all())
            scores.append(float(cal.energy_score(x, truth).mean()) if good else float("inf"))
        knobs[knob] = values[scores.index(min(scores))]
    return knobs


def kept(name: str, names: list[str], make: Callable[[], dict[str, float]]) -> dict[str, float]:
    """`make()` or what an earlier run left, to four digits; what rounding makes of 0 is 0, and what divides
    by 0, as the ratio does if all draws are one, is left out."""
    found = piece(name, names, lambda: {k: torch.tensor(v).double() for k, v in make().items()})
    found = {key: float(value) for key, value in found.items() if torch.isfinite(value)}
    return {key: float(f"{value:.4g}") if abs(value) > 1e-6 else 0.0 for key, value in found.items()}


def spelled(settings: dict) -> str:
    """Settings as a part of a file name."""
    return "_".join(f"{key}_{value}" for key, value in settings.items()).replace(" ", "")


def row(world: World | ImageWorld, run: Draw, method: Method | None, slow: bool) -> dict[str, float]:
    """All measures of one sampler in one world; a slow one is spared the many problems."""
    if isinstance(world, ImageWorld):
        return images(world, run, method)
    return against_the_posterior(world, run) | ({} if slow else calibrated(world, run, method))


def table(name: str, world: World | ImageWorld, bar) -> dict[str, dict]:
    """Controls and methods in one world, with the settings of each method."""
    rows, made, size = {}, [*COMMON, WORLD_OF[name]], VALIDATION["image" if name == "image" else "vectors"]
    for label, control in (IMAGE_CONTROLS if name == "image" else CONTROLS).items():
        slow = control is conditional_score
        rows[label] = kept(f"{name} {label}", made, lambda: row(world, control(world), None, slow))  # noqa: B023
        bar.update()
    for label, method in METHODS.items():
        names = [*made, source(method)]
        tried = f"{name} {label} {spelled(method.knobs)} of {spelled(method.grid)}"
        knobs = kept(tried, names, lambda: tuned(world, method, *size))  # noqa: B023
        knobs = {k: type(method.knobs.get(k, 0.5))(v) for k, v in knobs.items()}

        def run(y: Tensor, k: int, seed: int):
            return draw(method, world, y, k, knobs, seed)  # noqa: B023

        stem = f"{name} {label} {spelled(knobs)}"
        rows[label] = kept(stem, names, lambda: row(world, run, method, False))  # noqa: B023
        rows[label]["knobs"] = knobs
        bar.update()
    return rows


def main(out: Path) -> None:
    worlds = {name: make() for name, make in WORLDS.items()} | {"image": image()}
    with tqdm(total=len(worlds) * (len(METHODS) + len(CONTROLS)), desc="exact worlds", unit="row") as bar:
        result = {name: table(name, world, bar) for name, world in worlds.items()}
    world = worlds["gaussian"]
    _, y = world.measure(world.problems, SEEDS["truth"])
    shown = {"covariance": world.prior.cov, "operator": world.A.M, "measurements": y}
    shown = {name: [[round(v, 9) for v in line] for line in rows.tolist()] for name, rows in shown.items()}
    write(out, MADE_FROM, {"settings": settings(worlds), "gaussian": shown, "worlds": result})


def settings(worlds: dict) -> dict:
    """What a reader of the file must know."""
    return {
        "draws": DRAWS,
        "problems": {name: world.problems for name, world in worlds.items()},
        "calls": {name: world.calls for name, world in worlds.items()},
        "noise_std": {name: round(world.noise_std, 4) for name, world in worlds.items()},
        "calibration": {"problems": MANY, "draws": FEW, "images": IMAGES},
        "tuned by": "energy score on other problems, one knob after the other",
    }
