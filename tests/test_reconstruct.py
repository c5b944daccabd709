"""`medtut reconstruct` on real input: geometry, k-space, what it says of itself, and the shipped prior."""

import json
import math

import nibabel
import numpy as np
import pytest
import torch
from made_files import ORIENTATIONS, dicom_series, fastmri, save, template, turned
from test_files import at_same_place

from medtut.__main__ import main, parser
from medtut.cli import panel as drawing
from medtut.cli.scan import SIMULATED, SIZE, fit_kspace, make_scan, noise_level
from medtut.data.files import read_image
from medtut.operators import to_complex
from medtut.physics.mri import coil_maps, fft2c, smooth_phase
from medtut.posterior import cg_sense


def arguments(*words: str):
    return parser().parse_args(["reconstruct", "file", *words])


def run(path, out, *words: str) -> dict:
    """A run of the shipped prior with few steps; its report."""
    assert main(["reconstruct", str(path), "--out", str(out), "--steps", "12", "--samples", "2", *words]) == 0
    return json.loads((out / "metrics.json").read_text())


@pytest.fixture(scope="module")
def t1():
    return template()


@pytest.fixture(scope="module")
def scan_of_t1(t1, tmp_path_factory):
    path = save(nibabel.as_closest_canonical(t1), tmp_path_factory.mktemp("t1") / "t1.nii")
    return make_scan(read_image(path), arguments())


def test_all_48_orientations_are_one_scan(t1, scan_of_t1, tmp_path):
    """The template stored in any of 48 ways gives the same truth, measurement and output affine."""
    for orientation in ORIENTATIONS:
        scan = make_scan(read_image(save(turned(t1, orientation), tmp_path / "t1.nii")), arguments())
        assert (scan.truth - scan_of_t1.truth).abs().max() == 0
        assert (scan.problem.y - scan_of_t1.problem.y).abs().max() == 0
        assert np.abs(scan.grid.affine - scan_of_t1.grid.affine).max() < 1e-4


def test_scan_of_a_magnitude_image_is_honest(t1, scan_of_t1, tmp_path):
    """Robust maximum 1, non-negative, a phase that varies, the lines asked for, the noise told."""
    truth, problem = scan_of_t1.truth, scan_of_t1.problem
    inside = truth[truth > 0.1]
    assert inside.quantile(0.995).item() == pytest.approx(1, abs=0.01)
    assert truth.min() >= 0
    assert problem.noise_std == 0.01
    assert scan_of_t1.facts["lines_measured"] == SIZE // 4
    full = make_scan(
        read_image(save(t1, tmp_path / "t1.nii")), arguments("--acceleration", "1", "--noise", "0")
    )
    image = to_complex(full.problem.A.adjoint(full.problem.y))[0]
    assert (image.abs() - truth[0, 0]).abs().max() < 0.1  # the scanner's coil differs by about 1 %
    phase = image[truth[0, 0] > 0.1].angle()
    assert torch.polar(torch.ones_like(phase), phase).mean().abs() < 0.95
    chi = scan_of_t1.problem.chi_square(truth.repeat(1, 2, 1, 1) / math.sqrt(2))
    assert chi.item() > 2  # the truth without its phase does not explain the data


@pytest.mark.parametrize("stored_as", ["nifti", "turned", "dicom"])
def test_a_real_volume_from_file_to_files(stored_as, t1, tmp_path):
    """The shipped prior on a T1 volume in three formats: better than zero filling, and in its place."""
    if stored_as == "dicom":
        path = dicom_series(tmp_path / "series", np.asarray(t1.dataobj)[:, :, 36:46], shifted(t1.affine, 36))
        words = ("--slice", "3", "--coils", "4")
    elif stored_as == "turned":
        path = save(turned(t1, ORIENTATIONS[11]), tmp_path / "t1.nii.gz")
        words = ("--slice", "39", "--coils", "4")
    else:
        path, words = save(t1, tmp_path / "t1.nii.gz"), ("--slice", "39")  # one coil, the default
    report = run(path, tmp_path / "out", *words)
    scores = report["scores"]
    assert scores["mean_of_samples"]["psnr_in_head_db"] > scores["zero_filled"]["psnr_in_head_db"] + 3
    assert scores["mean_of_samples"]["nrmse_in_head"] < scores["zero_filled"]["nrmse_in_head"]
    assert len(scores["chi_square_of_each_sample"]) == 2
    assert at_same_place(tmp_path / "out" / "truth.nii.gz", t1) > 0.99
    assert at_same_place(tmp_path / "out" / "reconstruction.nii.gz", t1) > 0.9
    units = nibabel.load(tmp_path / "out" / "truth.nii.gz").get_fdata().max()
    assert units == pytest.approx(np.asarray(t1.dataobj)[:, :, 39].max(), rel=0.05)


def shifted(affine, slices: int):
    moved = affine.copy()
    moved[:, 3] += slices * moved[:, 2]
    return moved


def test_it_says_that_the_scan_is_simulated(t1, tmp_path, capsys, monkeypatch):
    """In the terminal, in the panel and in the JSON; the same seed gives the same files."""
    drawn = []
    whole = drawing.Figure.savefig

    def savefig(figure, *rest, **options):
        drawn.append(figure.get_supxlabel())
        whole(figure, *rest, **options)

    monkeypatch.setattr(drawing.Figure, "savefig", savefig)
    path = save(t1, tmp_path / "t1.nii")
    report = run(path, tmp_path / "a", "--coils", "4")
    said = capsys.readouterr().out
    assert SIMULATED in said
    assert "Not for clinical use." in said
    assert report["scan"]["statement"] == SIMULATED
    assert report["scan"]["simulated"] is True
    assert SIMULATED in drawn[-1]
    assert "optimistic" in SIMULATED
    assert "simulated from a processed magnitude image" in SIMULATED
    names = ["metrics.json", "panel.png", "reconstruction.nii.gz", "spread.nii.gz", "truth.nii.gz"]
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == names
    run(path, tmp_path / "b", "--coils", "4")
    first, second = (nibabel.load(tmp_path / d / "reconstruction.nii.gz").get_fdata() for d in "ab")
    assert np.array_equal(first, second)


def test_dps_runs_too(t1, tmp_path):
    report = run(save(t1, tmp_path / "t1.nii"), tmp_path / "out", "--method", "dps", "--samples", "1")
    assert report["method"]["name"] == "dps"
    assert not (tmp_path / "out" / "spread.nii.gz").exists()  # one sample has no spread


# --- k-space ------------------------------------------------------------------------------------------------

H, W, FIELD = 320, 160, (440.0, 220.0)
NOISE = 0.02


def brain_kspace(t1, coils: int) -> tuple[np.ndarray, np.ndarray]:
    """K-space (1, n, H, W) of a template slice with readout oversampling, and the slice on a square field."""
    plane = np.asarray(t1.dataobj)[::-1, ::-1, 39].T / 1000.0
    pad = [(k // 2, k - k // 2) for k in (W - plane.shape[0], W - plane.shape[1])]
    square = torch.from_numpy(np.pad(plane, pad)).float()
    phase = smooth_phase((1, W, W), torch.Generator().manual_seed(1))[0]
    maps = coil_maps(coils, W, W, torch.Generator().manual_seed(2))[0]
    tall = torch.zeros(coils, H, W, dtype=torch.complex64)
    tall[:, (H - W) // 2 : (H + W) // 2] = maps * torch.polar(square, phase)
    noise = NOISE * torch.randn(2, coils, H, W, generator=torch.Generator().manual_seed(3))
    return (fft2c(tall) + torch.complex(*noise))[None].numpy(), square.numpy()


def test_noise_level_and_geometry_come_from_the_data(t1):
    k, square = brain_kspace(t1, 4)
    assert noise_level(torch.from_numpy(k[0])) == pytest.approx(NOISE, rel=0.05)
    assert noise_level(torch.from_numpy(3 * k[0])) == pytest.approx(3 * NOISE, rel=0.05)
    y, pixel = fit_kspace(torch.from_numpy(k[0]), (FIELD[0] / H, FIELD[1] / W, 5.0))
    assert y.shape == (4, SIZE, SIZE)
    assert pixel == pytest.approx(FIELD[1] / SIZE)
    size = torch.fft.ifftshift(y, dim=(-2, -1))
    size = torch.fft.fftshift(torch.fft.ifft2(size, norm="ortho"), dim=(-2, -1)).abs().square().sum(0).sqrt()
    coarse = torch.nn.functional.interpolate(torch.from_numpy(square)[None, None], SIZE, mode="area")[0, 0]
    assert np.corrcoef(size.flatten(), coarse.flatten())[0, 1] > 0.98


@pytest.mark.parametrize("coils", [1, 4])
def test_real_kspace(coils, t1, tmp_path, capsys):
    """Coil maps, phase and noise from the data; a fully measured file is its own reference."""
    k, _ = brain_kspace(t1, coils)
    path = fastmri(tmp_path / "a.h5", k, FIELD)
    full = make_scan(read_image(path), arguments("--acceleration", "1"))
    image = cg_sense(full.problem, 1e-3)
    size = image.square().sum(1, keepdim=True).sqrt()
    assert (size - full.truth).abs()[full.truth > 0.1].mean() < 0.02
    inside = full.truth[:, 0] > 0.2
    assert to_complex(image)[inside].angle().abs().mean() < 0.2  # the phase moved into the coil maps
    report = run(path, tmp_path / "out", "--acceleration", "3")
    assert report["scan"]["simulated"] is False
    assert report["scan"]["coils"] == coils
    assert report["scan"]["noise_std"] == pytest.approx(full.problem.noise_std, rel=0.3)
    scores = report["scores"]
    assert scores["mean_of_samples"]["psnr_in_head_db"] > scores["zero_filled"]["psnr_in_head_db"]
    assert "simulated" not in capsys.readouterr().out
    assert nibabel.load(tmp_path / "out" / "reconstruction.nii.gz").header.get_zooms()[0] == pytest.approx(
        220 / 128
    )


def test_kspace_that_the_scanner_undersampled(t1, tmp_path):
    """The file's own mask is used, and no score is invented."""
    k, _ = brain_kspace(t1, 4)
    mask = np.zeros(W, bool)
    mask[::3] = True
    mask[W // 2 - 8 : W // 2 + 8] = True
    report = run(fastmri(tmp_path / "a.h5", k * mask, FIELD, mask=mask), tmp_path / "out")
    assert set(report["scores"]) == {"chi_square_of_each_sample", "chi_square_expected_of_a_posterior_sample"}
    assert "no score" in report["scan"]["statement"]
    assert report["scan"]["lines_measured"] == mask[W // 2 - 64 : W // 2 + 64].sum()
    assert not (tmp_path / "out" / "truth.nii.gz").exists()
