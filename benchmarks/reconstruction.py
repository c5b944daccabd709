"""Accelerated MRI: DDS and DPS on the shipped prior against four baselines, as results/reconstruction.json.

Held-out warps of one template brain with phase and complex noise, 4x with 8 % of the lines in the centre; one
coil and four. Every weight is chosen on the same validation slices. Scores are on the magnitude, in the head.
"""

from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor
from tqdm.auto import tqdm

from medtut.metrics import bootstrap_ci
from medtut.posterior.tuned import levels

from .scans import ETAS, GRIDS, PRIOR, Settings, Slices, cohort, evaluate, real_images, scan
from .store import piece, write

VALIDATION, TEST, COILS, CHUNK = range(1000, 1008), range(32), (1, 4), 4
COMMON = [
    "benchmarks.scans:Settings",
    "benchmarks.scans:cohort",
    "benchmarks.scans:scan",
    "benchmarks.scans:reconstruct",
    "benchmarks.scans:evaluate",
    "medtut.physics.mri:MRI",
    "medtut.physics.mri:coil_maps",
    "medtut.physics.mri:cartesian_mask",
    "medtut.operators:simulate",
    "medtut.operators:conjugate_gradient",
    "medtut.data.brain:Brain",
]
DRAWN = ["benchmarks.scans:draw", "medtut.posterior.tuned:levels", "medtut.denoisers:turned", PRIOR]
MAKERS = {
    "zero filling": ["medtut.posterior.classical:zero_filled"],
    "CG-SENSE": ["medtut.posterior.classical:cg_sense"],
    "total variation": ["medtut.posterior.classical:total_variation"],
    "fitted Gaussian": [
        "medtut.posterior.classical:gaussian_map",
        "medtut.posterior.fitted:FittedGaussian",
        "medtut.posterior.fitted:fit_gaussian",
    ],
    "DDS": [*DRAWN, "medtut.posterior.projection:dds"],
    "DPS": [*DRAWN, "medtut.posterior.guidance:dps"],
}
MADE_FROM = sorted({*COMMON, *(name for names in MAKERS.values() for name in names)})


def measured(label: str, name: str, slices: Slices, coils: int, weight, samples: int) -> dict[str, Tensor]:
    """`evaluate`, or what an earlier run of the same code and weights left."""
    weights = "-".join(f"{w:g}" for w in (weight if isinstance(weight, tuple) else (weight,)))
    stem = f"{label} {coils}c {name} {weights} {samples}s {slices.keys[0]}-{slices.keys[-1]}".replace(
        " ", "_"
    )
    return piece(stem, COMMON + MAKERS[name], lambda: evaluate(name, slices, coils, weight, samples))


def tune(name: str, slices: Slices, coils: int) -> tuple[object, list]:
    """The weight with the highest mean PSNR on the validation slices, and all that were tried.

    DDS is judged by the mean of two samples, DPS by one sample; DDS's eta is chosen at its best gamma.
    """
    samples, tried = (2 if name == "DDS" else 1), []

    def best(candidates):
        for weight in candidates:
            found = measured("validation", name, slices, coils, weight, samples)["mean_psnr"].mean()
            tried.append([weight, float(found)])
        return max(tried, key=lambda row: row[1])[0]

    if name != "DDS":
        return best(GRIDS[name]), tried
    gamma, _ = best([(gamma, ETAS[-1]) for gamma in GRIDS[name]])
    return best([(gamma, eta) for eta in ETAS[:-1]]), tried


def row(parts: list[dict[str, Tensor]], prefix: str = "") -> dict:
    """Mean and interval over slices, and every slice."""
    psnr, nrmse = (torch.cat([p[prefix + key] for p in parts]) for key in ("psnr", "nrmse"))
    found = {"psnr_of_each": round_all(psnr), "nrmse_of_each": round_all(nrmse)}
    if len(psnr) > 1:  # a single real image has no interval
        found |= {"psnr": interval(psnr), "nrmse": interval(nrmse)}
    return found


def interval(values: Tensor, digits: int = 4) -> dict[str, float]:
    """Mean with its 95 % bootstrap interval."""
    found = bootstrap_ci(values, generator=torch.Generator().manual_seed(0))
    return {key: round(getattr(found, key), digits) for key in ("value", "low", "high")}


def round_all(values: Tensor, digits: int = 4) -> list[float]:
    """For the file."""
    return [round(v, digits) for v in values.flatten().tolist()]


def table(slices: Slices, coils: int, chosen: dict, label: str, bar) -> dict[str, dict]:
    """Every method on every slice: its scores and the chi-square of its samples."""
    rows = {}
    for name, weight in chosen.items():
        samples = Settings().samples if name == "DDS" else 1
        parts = []
        for i in range(0, len(slices.keys), CHUNK):
            parts.append(measured(label, name, slices[i : i + CHUNK], coils, weight, samples))
            bar.update(len(parts[-1]["psnr"]))
        chi = torch.cat([p["chi_square"] for p in parts])
        found = {name: row(parts)}
        if name == "DDS":
            found = {"one DDS sample": row(parts), f"mean of {samples} DDS samples": row(parts, "mean_")}
        for scored in found.values():
            scored["chi_square"] = round(float(chi.mean()), 4)
        rows |= found
    return rows


def differences(rows: dict[str, dict]) -> dict[str, dict[str, float]]:
    """Mean of the DDS samples minus each other row, slice by slice, in dB."""
    best = next(name for name in rows if name.startswith("mean of"))
    ours = torch.tensor(rows[best]["psnr_of_each"])
    return {
        f"{best} - {name}": interval(ours - torch.tensor(other["psnr_of_each"]))
        for name, other in rows.items()
        if name != best
    }


def main(out: Path) -> None:
    validation, test, real = cohort(VALIDATION), cohort(TEST), real_images()
    result = {"settings": settings(), "cohort": {}, "real images": {}}
    per_coil = len(GRIDS) * (len(TEST) + len(real))
    with tqdm(total=len(COILS) * per_coil, desc="reconstruction", unit="slice") as bar:
        for coils in COILS:
            label = "1 coil" if coils == 1 else f"{coils} coils"
            tuned = {name: tune(name, validation, coils) for name in GRIDS}
            chosen = {name: weight for name, (weight, _) in tuned.items()}
            rows = table(test, coils, chosen, "test", bar)
            result["cohort"][label] = {
                "weights": chosen,
                "tried": {name: tried for name, (_, tried) in tuned.items()},
                "methods": rows,
                "differences": differences(rows),
                "chi_square_of_the_truth": round(float(scan(test, coils).chi_square(test.truth).mean()), 4),
                "chi_square_expected": 1.0,
            }
            result["real images"][label] = {
                name: {
                    method: {
                        "psnr": found["psnr_of_each"][0],
                        "nrmse": found["nrmse_of_each"][0],
                        "chi_square": found["chi_square"],
                    }
                    for method, found in table(one, coils, chosen, "real", bar).items()
                }
                for name, one in real.items()
            }
    write(out, MADE_FROM, result)


def settings() -> dict:
    """What a reader of the file must know."""
    return {
        **asdict(Settings()),
        "network_calls": {method: len(levels(method)) - 1 for method in ("dds", "dps")},
        "validation": [VALIDATION.start, VALIDATION.stop],
        "test": [TEST.start, TEST.stop],
        "scores": "PSNR (range 1) and NRMSE in the head, on the magnitude",
        "cohort": "held-out warps of one template brain, not patients",
        "prior": "told contrast and slice position, which a scanner knows; told nothing on the real images",
        "real images": "magnitudes resampled to 128 x 128, given a synthetic phase; the scan is simulated",
    }
