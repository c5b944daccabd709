"""The straight path: Euler in flow time is DDIM, closed forms on a Gaussian, straightness."""

from itertools import pairwise

import pytest
import torch

import medtut as mt
from medtut.denoisers import flow_clock
from medtut.samplers import path, straightness

MEAN, SD = 0.6, 0.5
GAUSSIAN = mt.Gaussian(torch.full((1,), MEAN).double(), torch.full((1, 1), SD**2).double())
CENTRED = mt.Gaussian(torch.zeros(1).double(), torch.full((1, 1), SD**2).double())
WORLD = mt.GaussianMixture(
    torch.tensor([0.4, 0.6]).double(),
    torch.tensor([[-1.0, 0.5], [1.0, 0.0]]).double(),
    torch.stack([0.04 * torch.eye(2), 0.09 * torch.eye(2)]).double(),
)


def test_the_schedule_is_even_in_flow_time():
    sigmas = mt.schedules.flow(8, sigma_max=31.0)
    assert sigmas.dtype == torch.float64
    assert sigmas.shape == (9,)
    assert sigmas[0].item() == pytest.approx(31)
    assert sigmas[-1] == 0
    steps = flow_clock(sigmas).diff()
    assert torch.allclose(steps, torch.full((8,), -31 / 32 / 8).double(), rtol=1e-12)


def test_path_is_euler_in_flow_time():
    """The papers' own lines: x + dt v(x, t), their time rising and their v = x0 - eps."""
    sigmas = mt.schedules.flow(7, 50.0)
    x = mt.start(sigmas, (6, 2), torch.Generator().manual_seed(0), WORLD.means)
    points = path(WORLD.denoise, sigmas, x)
    x_f, times = x / 51.0, (1 - flow_clock(sigmas)).tolist()
    for k, (t, t_next) in enumerate(pairwise(times)):
        assert torch.allclose(points[k], x_f, atol=1e-12)
        x0hat = WORLD.denoise(x_f / t, (1 - t) / t)
        v = (x0hat - x_f) / (1 - t)
        x_f = x_f + (t_next - t) * v
    assert torch.allclose(points[-1], x_f, atol=1e-12)
    assert torch.equal(points[-1], mt.last(mt.ddim(WORLD.denoise, sigmas, x)))


@pytest.mark.parametrize("n", [1, 2, 5, 50])
def test_euler_on_a_gaussian_has_the_closed_form(n):
    factor = 1.0
    for k in range(n):
        t = 1 - k / n
        factor *= 1 - (t - (1 - t) * SD**2) / (t**2 + (1 - t) ** 2 * SD**2) / n
    x = torch.tensor([[-1e7], [1e7]]).double()
    low, high = path(GAUSSIAN.denoise, mt.schedules.flow(n, 1e7), x)[-1][:, 0].tolist()
    assert (high - low) / 2 == pytest.approx(factor, abs=1e-5)
    assert (high + low) / 2 == pytest.approx(MEAN, abs=1e-5)


def test_straightness_of_a_line_is_zero_whatever_its_times():
    sigmas = mt.schedules.karras(9, 0.01, 40.0)
    t = flow_clock(sigmas)[:, None, None, None, None]
    ends = mt.randn((2, 3, 1, 4, 4), torch.Generator().manual_seed(1), GAUSSIAN.mean)
    assert straightness((1 - t) * ends[0] + t * ends[1], sigmas).max() < 1e-20


def test_straightness_of_two_speeds():
    """Half the time at speed 0 and half at speed 2: the mean square of +-1; one third of the time, 2/9."""
    sigmas = torch.tensor([1e12, 1.0, 0.0]).double()
    points = torch.tensor([1.0, 0.0, 0.0]).double()[:, None, None]
    assert straightness(points, sigmas).item() == pytest.approx(1.0, rel=1e-9)
    thirds = torch.tensor([1e12, 0.5, 0.0]).double()  # times 1, 1/3, 0
    points = torch.tensor([[0.0, 3.0], [0.0, 0.0], [0.0, 0.0]]).double()[:, None]
    speeds = torch.tensor([4.5, 0.0]).double()
    expected = (2 / 3 * (3 - speeds[0]) ** 2 + 1 / 3 * (3 - speeds[1]) ** 2) / 2  # mean over two values
    assert straightness(points, thirds).item() == pytest.approx(expected.item(), rel=1e-9)


def test_straightness_of_a_gaussian_s_path():
    """The path of z is z sqrt(t^2 + (1-t)^2 sd^2); the integral by the trapezoidal rule."""
    t = torch.linspace(0, 1, 100_001).double()
    speed = (t - (1 - t) * SD**2) / (t**2 + (1 - t) ** 2 * SD**2).sqrt()
    exact = torch.trapezoid((speed - (1 - SD)) ** 2, t).item()
    sigmas = mt.schedules.flow(2000, 1e9)
    z = torch.tensor([[1.0], [-2.0]]).double()
    found = straightness(path(CENTRED.denoise, sigmas, 1e9 * z), sigmas)
    assert found.tolist() == pytest.approx([exact, 4 * exact], rel=0.01)


def test_a_sample_does_not_depend_on_its_batch():
    sigmas = mt.schedules.flow(6, 40.0)
    x = mt.start(sigmas, (4, 2), mt.generators(0, 4), WORLD.means)
    points = path(WORLD.denoise, sigmas, x)
    alone = path(WORLD.denoise, sigmas, x[2:3])
    assert (points[:, 2:3] - alone).abs().max() < 1e-10
    assert (straightness(points, sigmas)[2] - straightness(alone, sigmas)[0]).abs() < 1e-10
