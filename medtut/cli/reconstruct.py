"""`medtut reconstruct FILE`: accelerated MRI of the reader's own image or k-space with the shipped prior."""

import json
import time
from pathlib import Path

import torch
from scipy.ndimage import binary_fill_holes
from torch import Tensor
from tqdm.auto import tqdm

from .. import weights
from ..data.files import read_image
from ..data.geometry import AIR, write_nifti
from ..denoisers import turned
from ..errors import BadInput
from ..metrics import nrmse, psnr, ssim
from ..noise import generators
from ..operators import InverseProblem
from ..posterior import dds, dps, zero_filled
from ..posterior.tuned import levels, settings
from ..samplers import start
from .output import all_or_nothing
from .panel import NOT_CLINICAL, panel
from .scan import SIZE, Scan, make_scan

PRIOR = "brain-128-complex"
METHODS = {"dds": dds, "dps": dps}


def run(args) -> None:
    """Read, simulate or take the scan, sample, and write the results into `args.out`, or none."""
    image = read_image(args.file, volume=args.volume)
    scan = make_scan(image, args)
    for note in image.notes:
        print(f"Assumed: {note}.")
    print(describe(scan))
    denoise = weights.load(PRIOR, device=args.device)
    device = next((p.device for p in denoise.parameters()), torch.device("cpu"))
    with all_or_nothing(args.out) as out:
        sigmas, knobs = levels(args.method, args.steps), settings(args.method, scan.facts["coils"])
        began = time.perf_counter()
        samples = sample(denoise, scan.problem.to(device), sigmas, knobs, args)
        seconds = time.perf_counter() - began
        report = {
            "file": {"format": image.source, "kind": image.kind, "assumed": list(image.notes)},
            "scan": {"statement": scan.statement, **scan.facts},
            "method": {
                "name": args.method,
                "steps": len(sigmas) - 1,
                "settings": knobs,
                "samples": args.samples,
                "seed": args.seed,
                "prior": PRIOR,
                "seconds": round(seconds, 2),
            },
            "scores": scores(scan, samples),
            "warning": NOT_CLINICAL,
        }
        write(out, scan, samples, report)
        names = sorted(p.name for p in out.iterdir())
    print(summary(report))
    print(f"{scan.statement} {NOT_CLINICAL}")
    print(f"Written to {args.out}: {', '.join(names)}.")


def sample(denoise, problem: InverseProblem, sigmas: Tensor, knobs: dict, args) -> Tensor:
    """`args.samples` reconstructions (n, 2, h, w) on the CPU, one batch, with a progress bar."""
    rng = generators(args.seed, args.samples)
    x = start(sigmas, (args.samples, 2, *problem.y.shape[-2:]), rng, like=problem.y.real)
    many = problem.repeat(args.samples)
    states = METHODS[args.method](turned(denoise, rng), many, sigmas, x, generator=rng, **knobs)
    for state in tqdm(states, total=len(sigmas) - 1, desc=args.method, unit="step"):
        x = state.x
    if not torch.isfinite(x).all():
        raise BadInput(f"{args.method} diverged in {len(sigmas) - 1} steps; use more with --steps.")
    return x.cpu()


def magnitude(x: Tensor) -> Tensor:
    """(n, 2, h, w) to (n, 1, h, w)."""
    return x.square().sum(1, keepdim=True).sqrt()


def scores(scan: Scan, samples: Tensor) -> dict:
    """Fit to the data always; fidelity inside the head where there is a truth."""
    mean = samples.mean(0, keepdim=True)
    chi = [round(c, 4) for c in scan.problem.repeat(len(samples)).chi_square(samples).tolist()]
    result = {"chi_square_of_each_sample": chi, "chi_square_expected_of_a_posterior_sample": 1.0}
    if scan.truth is None:
        return result
    head = torch.from_numpy(binary_fill_holes((scan.truth[0, 0] > AIR).numpy()))[None, None]
    images = {"zero_filled": zero_filled(scan.problem), "one_sample": samples[:1], "mean_of_samples": mean}
    for name, image in images.items():
        image = magnitude(image)
        result[name] = {
            "psnr_in_head_db": round(psnr(image, scan.truth, head).item(), 3),
            "nrmse_in_head": round(nrmse(image, scan.truth, head).item(), 5),
            "ssim_in_head": round(ssim(image, scan.truth, head).item(), 4),
        }
    return result


def maps(scan: Scan, samples: Tensor) -> dict[str, Tensor]:
    """What is shown and written, each (h, w), robust maximum 1."""
    sizes = magnitude(samples)[:, 0]
    images = {
        "zero-filled": magnitude(zero_filled(scan.problem))[0, 0],
        "one sample": sizes[0],
        f"mean of {len(samples)}": magnitude(samples.mean(0, keepdim=True))[0, 0],
    }
    if scan.truth is not None:
        images["truth"] = scan.truth[0, 0]
    if len(samples) > 1:
        images[f"spread of {len(samples)} (not uncertainty)"] = sizes.std(0)
    return images


def write(out: Path, scan: Scan, samples: Tensor, report: dict) -> None:
    """NIfTI in the file's own units and place, the panel, and the report."""
    shown = maps(scan, samples)
    files = {"reconstruction": magnitude(samples.mean(0, keepdim=True))[0, 0], "truth": shown.get("truth")}
    if len(samples) > 1:
        files["spread"] = magnitude(samples)[:, 0].std(0)
    for name, image in files.items():
        if image is not None:
            write_nifti(out / f"{name}.nii.gz", image.numpy() * scan.unit, scan.grid.affine)
    method = report["method"]
    header = f"{describe(scan).splitlines()[-1]} Method: {method['name']}, {method['steps']} steps."
    panel(out / "panel.png", shown, header, scan.statement)
    (out / "metrics.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def describe(scan: Scan) -> str:
    """The geometry and the scan, a sentence each."""
    f = scan.facts
    pixels = " x ".join(f"{p:g}" for p in f["pixel_mm_of_file"])
    coils = "1 coil" if f["coils"] == 1 else f"{f['coils']} coils"
    return (
        f"Slice {f['slice']}, pixels of {pixels} mm resampled to {SIZE} x {SIZE} of {f['pixel_mm']:.2f} mm.\n"
        f"Scan: {f['lines_measured']} of {f['lines']} lines ({f['acceleration']:.1f}x), {coils}, "
        f"noise {f['noise_std']:.3g} of the image's maximum."
    )


def summary(report: dict) -> str:
    """The scores as a small table."""
    found = report["scores"]
    lines = [
        f"  {name.replace('_', ' '):16s} PSNR {row['psnr_in_head_db']:6.2f} dB   "
        f"NRMSE {row['nrmse_in_head']:.4f}   SSIM {row['ssim_in_head']:.3f}"
        for name, row in found.items()
        if isinstance(row, dict)
    ]
    chi = found["chi_square_of_each_sample"]
    lines.append(f"  chi-square of a sample: {sum(chi) / len(chi):.2f} on average (of the truth: 1)")
    return "\n".join(lines)
