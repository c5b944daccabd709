"""Masks, motion and the mismatches of an MRI scan, against symmetries and cases known by hand."""

import dataclasses

import pytest
import torch
from refusals import refused_in_one_sentence

import medtut as mt
from medtut.operators import InverseProblem, simulate, to_complex, to_real
from medtut.physics import mri_radial
from medtut.physics.mismatch import ColouredNoise, FineGrid, OffResonance, coil_mixing
from medtut.physics.mri import MRI, cartesian_mask, centre_lines, coil_maps, ifft2c, smooth_phase
from medtut.physics.mri_masks import poisson_mask
from medtut.physics.mri_motion import MotionMRI, line_groups, random_poses, rigid
from medtut.physics.mri_radial import RadialMRI, spokes


def g(seed=0):
    return torch.Generator().manual_seed(seed)


def full(h, w, n=1):
    return MRI(torch.ones(h, w), coil_maps(n, h, w, g()))


def blob(h, w, row, column, width=2.0):
    """A smooth spot, so that Fourier interpolation is exact enough to compare with."""
    v, u = torch.meshgrid(torch.arange(h) - h // 2, torch.arange(w) - w // 2, indexing="ij")
    return torch.exp(-((v - row) ** 2 + (u - column) ** 2) / (2 * width**2))[None] * (1 + 0.5j)


def head(h, w):
    return to_real(blob(h, w, 1, -2, 4) * torch.polar(torch.ones(1), smooth_phase((1, h, w), g())))


def test_gaussian_lines_crowd_round_the_centre():
    masks = torch.stack([cartesian_mask(4, 128, 4, 0.08, "gaussian", g(i))[0] for i in range(40)])
    assert (masks.sum(1) == 32).all()
    assert all(centre_lines(m.expand(4, 128))[1] - centre_lines(m.expand(4, 128))[0] >= 10 for m in masks)
    away = (torch.arange(128) - 64).abs().expand(40, 128)
    outside = (masks > 0) & (away > 5)
    # of lines drawn without replacement, the spread lies above that of the density, 128 / 6 = 21.3
    assert 20 < float(away[outside].float().square().mean().sqrt()) < 26


def test_poisson_disc_keeps_its_distance():
    h, w, acceleration = 48, 50, 6
    mask = poisson_mask(h, w, acceleration, 0.08, generator=g())
    assert mask.sum() == round(h * w / acceleration)
    assert mask[:, 23:27].all()
    centre_lines(mask)  # enough of them for coil maps
    mask[:, 23:27] = 0
    points = mask.nonzero().float()
    distance = torch.cdist(points, points).fill_diagonal_(torch.inf).amin(1)
    scattered = torch.rand(len(points), 2, generator=g()) * torch.tensor([h, w])
    random = torch.cdist(scattered, scattered).fill_diagonal_(torch.inf).amin(1)
    assert distance.min() >= 1.4
    assert distance.mean() > 1.5 * random.mean()
    reach = torch.hypot(2 * points[:, 0] / h - 1, 2 * points[:, 1] / w - 1)
    assert distance[reach > 1.0].mean() > 1.4 * distance[reach < 0.4].mean()  # thinner outside
    assert not torch.equal(mask, poisson_mask(h, w, acceleration, 0.08, generator=g(1)))


@pytest.mark.parametrize(("h", "w"), [(32, 30), (31, 33)])
def test_rigid_motion_moves_a_spot_where_it_should(h, w):
    z, angle = blob(h, w, 0, 6), torch.pi / 6
    moved = rigid(z, torch.tensor([[angle, 2.0, -3.0]]))
    expected = blob(h, w, 6 * torch.sin(torch.tensor(angle)) + 2, 6 * torch.cos(torch.tensor(angle)) - 3)
    assert (moved - expected).abs().max() < 1e-3
    assert (rigid(moved, torch.tensor([[angle, 2.0, -3.0]]), inverse=True) - z).abs().max() < 1e-5


def test_motion():
    scan, group = full(32, 33, 2), line_groups(33, 3)
    assert group.bincount().tolist() == [11, 11, 11]
    x = head(32, 33)
    rest = MotionMRI(scan, group, torch.zeros(1, 3, 3))
    torch.testing.assert_close(rest(x), scan(x), atol=1e-6, rtol=0)
    pose = torch.tensor([0.1, 1.0, -2.0])
    as_one = MotionMRI(scan, group, pose.expand(1, 3, 3))
    torch.testing.assert_close(as_one(x), scan(to_real(rigid(to_complex(x), pose[None]))), atol=1e-6, rtol=0)
    still = MotionMRI(scan, group, torch.stack([pose, 0 * pose, pose])[None])(x)
    assert torch.equal(still[..., group == 1], rest(x)[..., group == 1])
    poses = random_poses(400, 2.0, 0.5, mt.generators(0, 3))
    assert poses[:, 0].abs().max() == 0
    spread = poses.diff(dim=1).std((0, 1))
    torch.testing.assert_close(spread, torch.tensor([0.0349, 0.5, 0.5]), rtol=0.08, atol=0)
    problem = simulate(MotionMRI(scan, group, poses[:1, :3]), x, 0.0, g(), A_recon=scan)
    assert problem.loss(x) > 1e-3
    assert isinstance(rest.scanner(g()).scan, MRI)
    assert not torch.equal(rest.scanner(g()).scan.coils, scan.coils)


@pytest.mark.parametrize(("h", "w", "factor"), [(16, 18, 2), (15, 16, 3), (17, 15, 2)])
def test_fine_grid_measures_the_same_frequencies_of_a_finer_image(h, w, factor):
    # a wave that both grids resolve: the block means are its samples, up to the known loss of a mean
    scan, (kv, ku) = full(h, w), (3, -2)
    place = [(torch.arange(factor * n) - (factor - 1) / 2) / factor - n // 2 for n in (h, w)]
    turn = 2 * torch.pi * (kv * place[0][:, None] / h + ku * place[1] / w)
    k = FineGrid(scan, factor)(to_real(torch.polar(torch.ones_like(turn), turn)[None]))[0, 0]
    expected = torch.zeros(h, w, dtype=torch.complex64)
    expected[h // 2 + kv, w // 2 + ku] = (h * w) ** 0.5
    torch.testing.assert_close(k, expected, atol=2e-4, rtol=0)


def test_fine_grid_of_a_smooth_head_is_nearly_the_coarse_one():
    # two coils whose maps, drawn for each grid, agree with the interpolated ones
    v, u = torch.meshgrid(torch.arange(32) - 15.5, torch.arange(32) - 15.5, indexing="ij")
    fine = (torch.exp(-((v - 2) ** 2 + (u + 4) ** 2) / 72) * (1 + 0.5j))[None]
    coarse = torch.nn.functional.avg_pool2d(to_real(fine), 2)
    scan = full(16, 16, 4)
    k, other = FineGrid(scan, 2)(to_real(fine)), scan(coarse)
    assert (k - other).abs().max() < 0.03 * other.abs().max()


def test_off_resonance_shifts_along_the_readout():
    scan, x = full(24, 18, 2), head(24, 18)
    none = OffResonance(scan, torch.zeros(1, 24, 18))
    torch.testing.assert_close(none(x), scan(x), atol=1e-5, rtol=0)
    one = OffResonance(full(24, 18), torch.full((1, 24, 18), 3.0))
    seen = ifft2c(one(x))[:, 0]
    torch.testing.assert_close(seen, to_complex(x).roll(3, -2), atol=1e-3, rtol=0)


@pytest.mark.parametrize(("h", "w"), [(8, 10), (7, 9)])
def test_radial_sums_are_the_fourier_transform_on_the_grid(h, w):
    scan, x = full(h, w, 3), head(h, w)
    v, u = torch.meshgrid((torch.arange(h) - h // 2) / h, (torch.arange(w) - w // 2) / w, indexing="ij")
    A = RadialMRI(torch.stack([v.flatten(), u.flatten()], -1), scan.coils)
    torch.testing.assert_close(A(x), scan(x).flatten(2), atol=2e-6, rtol=0)
    torch.testing.assert_close(A.gram(x), scan.gram(x), atol=2e-6, rtol=0)
    true = A.scanner(mt.generators(0, 2)).coils
    torch.testing.assert_close(true, scan.scanner(mt.generators(0, 2)).coils)


@pytest.mark.parametrize(("h", "w"), [(8, 10), (7, 9)])
def test_the_fast_sums_are_the_exact_ones(h, w):
    coils, k = coil_maps(3, h, w, g()), spokes(7, 12, golden=True)
    for dtype, tolerance in ((torch.float64, 1e-11), (torch.float32, 2e-5)):
        exact = RadialMRI(k.to(dtype), coils.to(torch.complex(*torch.zeros(2, dtype=dtype)).dtype))
        fast, x = dataclasses.replace(exact, fast=True), head(h, w).to(dtype)
        y = exact(x)
        assert fast(x).dtype == y.dtype
        assert (fast(x) - y).norm() < tolerance * y.norm()
        assert (fast.adjoint(y) - exact.adjoint(y)).norm() < tolerance * exact.adjoint(y).norm()
        x.requires_grad_()  # a sampler differentiates through it
        slopes = [
            torch.autograd.grad(InverseProblem(A, 0.5 * y, 0.1).loss(x).sum(), x)[0] for A in (exact, fast)
        ]
        assert (slopes[1] - slopes[0]).norm() < 5 * tolerance * slopes[0].norm()
    assert fast.repeat(2).fast
    assert fast.scanner(g()).fast


def test_without_finufft_the_fast_sums_are_refused(monkeypatch):
    monkeypatch.setattr(mri_radial, "find_spec", lambda name: None)
    refused_in_one_sentence(lambda: RadialMRI(spokes(2, 4), coil_maps(1, 4, 4), fast=True), "finufft")


def test_mismatches_compose():
    scan, x = full(12, 10, 3), head(24, 20)
    field = torch.full((1, 12, 10), 2.0)  # uniform: a shift of two coarse, four fine pixels
    shifted = FineGrid(OffResonance(full(12, 10), field), 2)(x)
    torch.testing.assert_close(shifted, FineGrid(full(12, 10), 2)(x.roll(4, -2)), atol=2e-5, rtol=0)
    poses = torch.zeros(1, 2, 3)
    poses[0, 1, 2] = 2.0  # in pixels of the fine grid
    moved = MotionMRI(FineGrid(scan, 2), line_groups(10, 2), poses)(x)
    halves = FineGrid(scan, 2)(x), FineGrid(scan, 2)(x.roll(2, -1))
    torch.testing.assert_close(
        moved, torch.cat([halves[0][..., :5], halves[1][..., 5:]], -1), atol=1e-5, rtol=0
    )
    noisy = ColouredNoise(MotionMRI(FineGrid(scan, 2), line_groups(10, 2), poses), coil_mixing(3, 0.5, g()))
    problem = simulate(noisy, x, 0.1, g(), A_recon=scan)
    assert problem.y.shape == scan(head(12, 10)).shape


def test_spokes():
    k = spokes(5, 16).unflatten(0, (5, 16))
    assert k.norm(dim=-1).max() == pytest.approx(0.5)
    assert (k[:, 8] == 0).all()
    angle = torch.atan2(k[:, -1, 0], k[:, -1, 1])
    torch.testing.assert_close(angle, torch.pi / 5 * torch.arange(5))
    k = spokes(5, 16, golden=True).unflatten(0, (5, 16))
    angle = torch.rad2deg(torch.atan2(k[:, -1, 0], k[:, -1, 1]))
    torch.testing.assert_close(angle.diff() % 180, torch.full((4,), 111.246), rtol=1e-4, atol=0)


def test_coloured_noise_has_its_covariance():
    mixing = coil_mixing(3, 0.8, g())
    assert mixing.abs().square().sum() == pytest.approx(3, rel=1e-5)
    A = ColouredNoise(full(64, 64, 3), mixing)
    x = torch.zeros(4, 2, 64, 64)
    x[:, 0, 3, 3] = x[:, 1, 4, 4] = 1.0
    problem = simulate(A, x, 0.5, g(1), A_recon=A.scan)
    n = (problem.y - A(x)).transpose(0, 1).flatten(1)
    covariance = n @ n.mH / n.shape[1] / (2 * 0.5**2)
    torch.testing.assert_close(covariance, mixing @ mixing.mH, atol=0.05, rtol=0)
    assert (mixing @ mixing.mH - torch.eye(3)).abs().max() > 0.3
    masked = ColouredNoise(MRI(cartesian_mask(64, 64, 4), coil_maps(3, 64, 64, g())), mixing)
    y = simulate(masked, x, 0.5, g(1), crime=True).y
    assert torch.equal(masked.restrict(y), y)


BAD = {
    "no such group": (lambda: MotionMRI(full(4, 4), torch.arange(4), torch.zeros(1, 3, 3)), "0 to 2"),
    "groups of another width": (
        lambda: MotionMRI(full(4, 4), torch.arange(3), torch.zeros(1, 3, 3)),
        "4 columns",
    ),
    "no poses": (lambda: MotionMRI(full(4, 4), line_groups(4, 2), torch.zeros(2, 3)), r"\(2, 3\)"),
    "coarse truth": (lambda: FineGrid(full(4, 4), 2)(torch.zeros(1, 2, 4, 4)), r"\(8, 8\)"),
    "k-space too wide": (lambda: RadialMRI(torch.ones(4, 2), coil_maps(1, 4, 4)), "-0.5 and 0.5"),
    "no trajectory": (lambda: RadialMRI(torch.zeros(4), coil_maps(1, 4, 4)), r"\(4,\)"),
    "another size": (
        lambda: RadialMRI(spokes(2, 4), coil_maps(1, 4, 4))(torch.zeros(1, 2, 4, 5)),
        r"\(4, 5\)",
    ),
    "motion on a finer grid": (
        lambda: FineGrid(MotionMRI(full(4, 4), line_groups(4, 1), torch.zeros(1, 1, 3)), 2),
        "got a MotionMRI",
    ),
    "no spokes": (lambda: spokes(0, 4), "got 0 spokes"),
    "centre too large": (lambda: poisson_mask(8, 32, 8, 0.5), "centre"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_in_one_sentence(name):
    refused_in_one_sentence(*BAD[name])
