"""What `make bench` stored on the exact worlds: made by this code, its claims, a part again."""

import json
import sys
from pathlib import Path

import pytest
import torch

import medtut as mt
from medtut.physics.matrix import Matrix

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import exact_methods, exact_priors, exact_worlds  # noqa: E402
from benchmarks.store import fresh  # noqa: E402

PATH = ROOT / "results" / "exact_worlds.json"
RESULT = json.loads(PATH.read_text(encoding="utf-8"))
GAUSSIAN = RESULT["worlds"]["gaussian"]
CONTROLS = list(exact_methods.CONTROLS)


def test_result_belongs_to_this_code():
    assert fresh(PATH, exact_worlds.MADE_FROM)


def test_every_sampler_and_control_is_in_every_world():
    for name, rows in RESULT["worlds"].items():
        assert set(rows) == {*CONTROLS, *exact_methods.METHODS}, name
        for label, method in exact_methods.METHODS.items():
            for knob, tried in method.grid.items():
                assert rows[label]["knobs"][knob] in tried
    samplers = {m.sampler.__name__ for m in exact_methods.METHODS.values()} | {"come_closer"}
    rooms = ("guidance", "langevin", "particles", "projection", "spectral", "splitting", "variational")
    public = {n for n in mt.posterior.__all__ if getattr(mt.posterior, n).__module__.split(".")[-1] in rooms}
    assert public <= samplers


@pytest.mark.parametrize("world", ["gaussian", "mixture", "finite", "image"])
def test_no_sampler_beats_the_floor_and_exact_draws_pass(world):
    rows = RESULT["worlds"][world]
    floor = rows["posterior draws"]
    assert floor["row_variance"] == pytest.approx(1, abs=0.05)
    assert floor["null_variance"] == pytest.approx(1, abs=0.05)
    assert floor["chi_square"] == pytest.approx(floor["chi_square_expected"], rel=0.03)
    assert floor["ratio"] == pytest.approx(2, abs=0.15)
    over = 0.05 if world == "finite" else 0.02  # draws that are equal to the truth count as covering it
    assert 0.88 < floor["coverage_90"] < 0.9 + over
    if "sliced_w2" in floor:
        assert min(row["sliced_w2"] for row in rows.values()) > 0.7 * floor["sliced_w2"]
        assert floor["rank_p"] > 0.01
    for row in rows.values():
        assert row.get("energy", 9) > floor["energy"] - 3 * floor.get("energy_se", 0.02 * floor["energy"])


def test_what_is_exact_for_a_gaussian_is_at_the_floor_and_nothing_that_fits_the_noise_is():
    floor = GAUSSIAN["posterior draws"]
    for name in ("moment matching", "exact conditional score"):
        assert GAUSSIAN[name]["sliced_w2"] < 1.5 * floor["sliced_w2"]
        assert GAUSSIAN[name]["row_variance"] == pytest.approx(1, abs=0.08)
        assert GAUSSIAN[name]["null_variance"] == pytest.approx(1, abs=0.08)
    for name in ("Song", "score-MRI", "MCG", "DDNM"):
        assert GAUSSIAN[name]["row_variance"] < 1e-3
        assert GAUSSIAN[name]["chi_square"] < 1e-3
        assert GAUSSIAN[name]["sliced_w2"] > 4 * floor["sliced_w2"]


@pytest.mark.parametrize("world", ["gaussian", "mixture", "finite"])
def test_the_suite_exposes_both_impostors(world):
    """Ratio and coverage see neither; ranks of the likelihood or the energy score see the prior, the
    covariance in subspaces the mean with noise."""
    rows = RESULT["worlds"][world]
    floor, prior, noise = (rows[n] for n in ("posterior draws", "prior draws", "mean + white noise"))
    for impostor in (prior, noise):
        assert impostor["ratio"] == pytest.approx(2, abs=0.25)
        assert impostor["coverage_90"] == pytest.approx(0.9, abs=0.03)
    assert prior["rank_p"] < 1e-6
    assert prior["energy"] > floor["energy"] + 5 * floor["energy_se"]
    assert noise["cov_error"] > 5 * floor["cov_error"]
    assert max(abs(noise[k] - 1) for k in ("row_variance", "null_variance")) > 0.15


def test_rankings_differ_between_worlds():
    order = {}
    for world in ("gaussian", "mixture", "finite"):
        rows = RESULT["worlds"][world]
        order[world] = sorted(exact_methods.METHODS, key=lambda name: rows[name]["sliced_w2"])
    assert order["gaussian"] != order["mixture"] != order["finite"]


@pytest.mark.parametrize("name", ["Song", "DAPS"])
def test_one_row_again(name):
    method, world = exact_methods.METHODS[name], exact_priors.gaussian()

    def run(y, k, seed):
        return exact_methods.draw(method, world, y, k, GAUSSIAN[name]["knobs"], seed)

    again = exact_worlds.against_the_posterior(world, run)
    for key in ("mean_error", "row_variance", "null_variance", "sliced_w2", "calls"):
        assert again[key] == pytest.approx(GAUSSIAN[name][key], rel=0.02, abs=1e-6)


def test_blobs_are_the_closed_form_worlds_of_the_package():
    """The faster mixture equals the package's mixture, its posterior, and its finite data set."""
    rng = torch.Generator().manual_seed(0)
    centres, weights = torch.randn(5, 4, generator=rng).double(), torch.rand(5, generator=rng).double()
    root = torch.randn(4, 4, generator=rng).double() / 3
    blobs = exact_priors.Blobs(weights / weights.sum(), centres, root @ root.T)
    ours = mt.GaussianMixture(blobs.weights, centres[:, None], blobs.cov.expand(5, 4, 4))
    x, M, y = torch.randn(7, 1, 4, generator=rng).double(), root[:2], torch.tensor([0.3, -0.2]).double()
    torch.testing.assert_close(blobs.denoise(x, 0.6), ours.denoise(x, 0.6))
    after, known = blobs.posterior(M, y, 0.2), ours.posterior(M, y, 0.2)
    torch.testing.assert_close(after.denoise(x, 0.6), known.denoise(x, 0.6), rtol=1e-6, atol=1e-7)
    points = exact_priors.Blobs(torch.ones(5).double() / 5, centres, torch.zeros(4, 4).double())
    torch.testing.assert_close(points.denoise(x, 0.6), mt.FiniteDataset(centres[:, None]).denoise(x, 0.6))
    mean, cov = after.moments()
    draws = after.sample(20000, rng)[:, 0]
    assert (draws.mean(0) - mean).abs().max() < 4 * (cov.diagonal().max() / 20000) ** 0.5
    assert (draws.T.cov() - cov).abs().max() < 0.05 * cov.abs().max()


def test_the_image_world_has_the_posterior_it_says():
    """Against a dense matrix on a small grid."""
    world = exact_priors.image(8)
    truth, y = world.measure(1, 0)
    basis = torch.eye(128).reshape(128, 2, 8, 8)
    cov = world.denoise(basis, 1.0).flatten(1)  # cov (cov + 1)^-1
    cov = cov @ torch.linalg.inv(torch.eye(128) - cov)
    M = torch.view_as_real(world.A(basis)).flatten(1).T
    prior = mt.Gaussian(torch.zeros(1, 128).double(), (cov + cov.T).double() / 2)
    data = torch.view_as_real(y).flatten().double()
    after = prior.posterior(M.double(), data, world.noise_std)
    torch.testing.assert_close(
        after.mean.flatten(), world.posterior_mean(y).flatten().double(), rtol=1e-3, atol=1e-3
    )
    assert float(after.cov.trace()) == pytest.approx(2 * float(world.after.sum()), rel=1e-3)
    assert isinstance(exact_priors.gaussian().A, Matrix)
    assert truth.shape == (1, 2, 8, 8)
