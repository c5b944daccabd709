"""What `make bench` stored on reconstruction: made by this code and weights, its claims, a part again."""

import json
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import reconstruction, scans  # noqa: E402
from benchmarks.store import fresh  # noqa: E402
from medtut.posterior import tuned  # noqa: E402

PATH = ROOT / "results" / "reconstruction.json"
RESULT = json.loads(PATH.read_text(encoding="utf-8"))
MEAN = "mean of 8 DDS samples"
each_scan = pytest.mark.parametrize("label", ["1 coil", "4 coils"])


def coils(label):
    return int(label.split()[0])


def weight(label, name):
    found = RESULT["cohort"][label]["weights"][name]
    return tuple(found) if isinstance(found, list) else found


def test_result_belongs_to_this_code_and_these_weights():
    assert fresh(PATH, reconstruction.MADE_FROM)


def test_every_maker_is_named():
    """What `reconstruct` calls is among the functions whose change makes the result stale."""
    made = {name.split(":")[-1] for name in reconstruction.MADE_FROM}
    assert {"zero_filled", "cg_sense", "total_variation", "gaussian_map", "dds", "dps"} <= made
    assert set(scans.GRIDS) == set(reconstruction.MAKERS)


def test_validation_and_test_slices_are_disjoint():
    assert not set(reconstruction.VALIDATION) & set(reconstruction.TEST)
    assert len(reconstruction.TEST) == 32
    assert len(reconstruction.VALIDATION) == 8


@each_scan
def test_the_mean_of_eight_beats_every_other_row(label):
    """Tuned total variation and the fitted Gaussian too, with the whole 95 % interval above zero."""
    gaps = RESULT["cohort"][label]["differences"]
    assert len(gaps) == len(RESULT["cohort"][label]["methods"]) - 1
    assert {name: gap for name, gap in gaps.items() if gap["low"] <= 0} == {}


@each_scan
def test_rows_are_the_means_of_their_slices_and_the_weights_the_best_tried(label):
    found = RESULT["cohort"][label]
    for name, row in found["methods"].items():
        for key in ("psnr", "nrmse"):
            values = torch.tensor(row[f"{key}_of_each"])
            assert len(values) == len(reconstruction.TEST), name
            assert abs(values.mean() - row[key]["value"]) < 1e-3
            assert row[key]["low"] < row[key]["value"] < row[key]["high"]
    gap = torch.tensor(found["methods"][MEAN]["psnr_of_each"]) - torch.tensor(
        found["methods"]["total variation"]["psnr_of_each"]
    )
    assert abs(gap.mean() - found["differences"][f"{MEAN} - total variation"]["value"]) < 1e-3
    for name, tried in found["tried"].items():
        assert max(tried, key=lambda row: row[1])[0] == found["weights"][name]
        assert len(tried) >= len(scans.GRIDS[name])


@each_scan
def test_chi_square_of_the_truth_is_near_one_and_above(label):
    """The true coil maps differ from the known ones by one per cent: even the truth fits a little worse."""
    assert 1.0 < RESULT["cohort"][label]["chi_square_of_the_truth"] < 1.3


@each_scan
@pytest.mark.parametrize("name", ["zero filling", "total variation"])
def test_two_slices_again(label, name):
    slices = scans.cohort(range(2))
    got = scans.evaluate(name, slices, coils(label), weight(label, name), 1)
    row = RESULT["cohort"][label]["methods"][name]
    torch.testing.assert_close(got["psnr"], torch.tensor(row["psnr_of_each"][:2]), atol=0.01, rtol=0)
    torch.testing.assert_close(got["nrmse"], torch.tensor(row["nrmse_of_each"][:2]), atol=1e-3, rtol=0)


def test_one_slice_of_dds_again():
    """All eight samples of the first slice; the network may differ in the last digits between machines."""
    got = scans.evaluate("DDS", scans.cohort(range(1)), 1, weight("1 coil", "DDS"), scans.Settings().samples)
    rows = RESULT["cohort"]["1 coil"]["methods"]
    assert abs(got["psnr"][0] - rows["one DDS sample"]["psnr_of_each"][0]) < 0.1
    assert abs(got["mean_psnr"][0] - rows[MEAN]["psnr_of_each"][0]) < 0.1


def test_real_images_have_every_method():
    for label in ("1 coil", "4 coils"):
        for name, methods in RESULT["real images"][label].items():
            assert set(methods) == set(RESULT["cohort"][label]["methods"]), name
    assert "synthetic phase" in RESULT["settings"]["real images"]


def test_the_package_uses_what_the_benchmark_chose():
    """`medtut reconstruct` and the chapters take their settings from `posterior.tuned`."""
    for label, found in RESULT["cohort"].items():
        gamma, eta = found["weights"]["DDS"]
        assert tuned.settings("dds", coils(label)) == {"gamma": gamma, "eta": eta}
        assert tuned.settings("dps", coils(label)) == {"zeta": found["weights"]["DPS"]}
