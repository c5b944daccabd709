"""Projectors against the line integrals of an ellipse and the Fourier slice theorem; back-projection."""

import math

import numpy as np
import pytest
import torch
from refusals import refused_in_one_sentence
from skimage.transform import radon
from torch.nn.functional import avg_pool2d, max_pool2d

from medtut.operators import InverseProblem, dot
from medtut.physics.ct import CT, BeamHardening, fan_beam, fbp, metal_trace, parallel_beam

ELLIPSE = (4.3, -7.2, 15.0, 9.0, 0.4)  # x, y of the centre, half axes, turn: in pixels and radians
SIZE = 64
BEAMS = {"parallel": parallel_beam(SIZE, SIZE, 60), "fan": fan_beam(SIZE, SIZE, 120)}


def g(seed=0):
    return torch.Generator().manual_seed(seed)


def ellipse():
    """Each pixel's share of the ellipse, by 8 x 8 samples."""
    x0, y0, a, b, turn = ELLIPSE
    place = (torch.arange(8 * SIZE, dtype=torch.float64) + 0.5) / 8 - SIZE / 2
    x, y = place - x0, (place - y0)[:, None]
    along, across = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
    return avg_pool2d(((along / a) ** 2 + (across / b) ** 2 < 1).double()[None, None], 8)


def chords(beam):
    """Exact lengths of the rays in the ellipse, mean over each bin; a fan's ray is a turned parallel one."""
    x0, y0, a, b, turn = ELLIPSE
    u = (torch.arange(9 * beam.bins, dtype=torch.float64) + 0.5) / 9 - beam.bins / 2 + beam.offset
    fan = torch.atan(u / beam.distance)
    angle = torch.as_tensor(beam.angles())[:, None] - fan
    t = u * torch.cos(fan) - x0 * torch.cos(angle) - y0 * torch.sin(angle)
    width2 = (a * torch.cos(angle - turn)) ** 2 + (b * torch.sin(angle - turn)) ** 2
    length = 2 * a * b * (width2 - t**2).clamp(min=0).sqrt() / width2 / SIZE
    return length.unflatten(-1, (beam.bins, 9)).mean(-1)[None, None]


def relative(u, v):
    return float((u - v).norm() / v.norm())


@pytest.mark.parametrize("name", BEAMS)
def test_projection_of_an_ellipse(name):
    beam = BEAMS[name]
    for moved in (beam, beam._replace(offset=3.0, start=20.0)):
        assert relative(CT(moved)(ellipse()), chords(moved)) < 0.015


def test_fourier_slice_theorem():
    # the transform of a projection is a line through that of the image, times the shapes of pixel and bin
    rows, columns = torch.arange(28).double() - 13.5, torch.arange(27).double() - 13
    v, u = torch.meshgrid(rows, columns, indexing="ij")
    x = torch.exp(-((v - 2) ** 2 + (u + 3) ** 2 / 2) / 8)
    beam = parallel_beam(28, 27, 7)
    y = CT(beam)(x[None, None])[0, 0]
    f = torch.arange(-4, 5).double() / beam.bins
    t = torch.arange(beam.bins) - (beam.bins - 1) / 2
    torch.testing.assert_close(y[0, 6:-6], x.sum(0) / 28)  # along the columns there is nothing to interpolate
    for line, angle in zip(y[1:], beam.angles()[1:], strict=True):
        fx, fy = f * math.cos(angle), f * math.sin(angle)
        wave = torch.exp(-2j * torch.pi * (fx[:, None, None] * u + fy[:, None, None] * v))
        image = (wave * x).sum((1, 2)) * torch.sinc(fx) * torch.sinc(fy) * torch.sinc(f) / 28
        projection = (torch.exp(-2j * torch.pi * f[:, None] * t) * line).sum(1)
        torch.testing.assert_close(projection, image, rtol=0, atol=5e-5)
    torch.testing.assert_close(y.sum(-1), x.sum().expand(7) / 28)


@pytest.mark.parametrize(("edge", "tolerance"), [(0.0, 1e-3), (0.5, 3e-3)])
def test_scikit_image_projects_the_same(edge, tolerance):
    # it turns the image by bilinear interpolation and sums columns; its angles run the other way
    n = 65
    v, u = torch.meshgrid(torch.arange(n) - n // 2, torch.arange(n) - n // 2, indexing="ij")
    x = torch.exp(-((v - 6) ** 2 / 60 + (u + 9) ** 2 / 25)).double()
    x = (x + edge * ((v + 10) ** 2 + (u - 4) ** 2 < 60)) * (v**2 + u**2 < (n // 2) ** 2)
    beam = parallel_beam(n, n, 36)
    theirs = radon(x.numpy(), -np.rad2deg(beam.angles()), circle=True, preserve_range=True).T / n
    ours = CT(beam)(x[None, None])[0, 0, :, (beam.bins - n) // 2 :][:, :n]
    assert relative(ours, torch.from_numpy(theirs)) < tolerance


@pytest.mark.parametrize("name", BEAMS)
@pytest.mark.parametrize("offset", [0.0, 1.3])
def test_filtered_back_projection_of_exact_data(name, offset):
    beam, truth = BEAMS[name]._replace(offset=offset), ellipse()
    x = fbp(CT(beam), chords(beam))
    flat = max_pool2d(truth, 5, 1, 2) == -max_pool2d(-truth, 5, 1, 2)  # away from the edge
    inside, outside = x[flat & (truth > 0.5)], x[flat & (truth < 0.5)]
    assert inside.mean() == pytest.approx(1, abs=5e-3)
    assert outside.mean() == pytest.approx(0, abs=2e-3)
    error = (x - truth).square().mean().sqrt()
    assert error < 0.035
    if offset:  # a reconstruction that does not know of it is worse
        assert (fbp(CT(BEAMS[name]), chords(beam)) - truth).square().mean().sqrt() > 1.5 * error
    soft = fbp(CT(beam), chords(beam), hann=True)
    assert soft[flat].std() < 1.001 * x[flat].std()
    assert soft[flat & (truth > 0.5)].mean() == pytest.approx(1, abs=5e-3)


def test_adjoint_in_single_precision_and_gradient():
    for beam in (parallel_beam(SIZE, SIZE, 20), fan_beam(SIZE, SIZE, 20)):
        A, x = CT(beam), torch.rand(2, 1, SIZE, SIZE, generator=g())
        y = torch.rand(2, 1, 20, beam.bins, generator=g(1))
        torch.testing.assert_close(dot(A(x), y), dot(x, A.adjoint(y)), rtol=1e-5, atol=0)
    problem = InverseProblem(A, y, 0.1)
    x.requires_grad_()
    (slope,) = torch.autograd.grad(problem.loss(x).sum(), x, create_graph=True)
    torch.testing.assert_close(slope, problem.grad(x))
    (curve,) = torch.autograd.grad((slope * y.mean()).sum(), x)  # differentiable twice
    torch.testing.assert_close(curve, y.mean() * A.gram(torch.ones_like(x)), rtol=1e-4, atol=1e-6)


def test_the_scanner_has_its_detector_out_of_place():
    A = CT(BEAMS["parallel"])
    torch.testing.assert_close(A.scanner().geometry.offset, 0.2)
    assert 0.002 < relative(A.scanner()(ellipse()), A(ellipse())) < 0.05


def test_metal_trace_drops_the_rays_through_metal():
    metal = torch.zeros(SIZE, SIZE)
    metal[20:24, 40:43] = 1
    A = metal_trace(CT(parallel_beam(SIZE, SIZE, 30)), metal)
    hidden = A.mask == 0
    assert hidden.any(1).all()  # in each view
    assert ((hidden.sum(1) >= 3) & (hidden.sum(1) <= 7)).all()
    assert A(metal.expand(1, 1, -1, -1)).abs().max() == 0
    other = torch.zeros(SIZE, SIZE)
    other[50:54, 10:13] = 1
    both = metal_trace(A, other).mask
    assert torch.equal(both, A.mask * metal_trace(CT(A.geometry), other).mask)
    assert A.count(torch.zeros(1, 1, 30, A.geometry.bins)).item() == A.mask.sum()


def test_beam_hardening():
    A, truth = CT(parallel_beam(SIZE, SIZE, 6)), ellipse()
    ratios, weights = (torch.tensor(t, dtype=torch.float64) for t in ([1.6, 0.6], [0.4, 0.6]))
    hard = BeamHardening(A, ratios, weights, 6.0)
    thin = hard(1e-4 * truth)
    torch.testing.assert_close(thin, A(1e-4 * truth), rtol=1e-3, atol=1e-9)
    p = A(truth)
    loss = -torch.log(0.4 * torch.exp(-6 * 1.6 * p) + 0.6 * torch.exp(-6 * 0.6 * p)) / 6
    torch.testing.assert_close(hard(truth), loss)
    assert (hard(truth) <= p + 1e-12).all()
    assert hard(truth).max() < 0.95 * p.max()


BAD = {
    "wrong size": (lambda: CT(parallel_beam(8, 8, 4))(torch.zeros(1, 1, 8, 9)), r"\(8, 9\) pixels"),
    "complex": (lambda: CT(parallel_beam(8, 8, 4))(torch.zeros(1, 1, 8, 8) * 1j), "complex"),
    "wrong mask": (lambda: CT(parallel_beam(8, 8, 4), torch.ones(4, 4)), r"\(4, 4\)"),
    "grey mask": (lambda: CT(parallel_beam(8, 8, 4), torch.full((4, 12), 0.5)), "0 and 1"),
    "no views": (lambda: parallel_beam(8, 8, 0), "got 0 views"),
    "more than a turn": (lambda: fan_beam(8, 8, 4, 400), "400.0 degrees"),
    "source in the image": (lambda: fan_beam(8, 8, 4, distance=0.5), "0.5 sides"),
    "short fan": (
        lambda: fbp(CT(fan_beam(8, 8, 4, 200)), torch.zeros(1, 1, 4, 14)),
        "fan beam over 200.0 degrees",
    ),
    "a spectrum that is none": (
        lambda: BeamHardening(CT(parallel_beam(8, 8, 4)), torch.ones(2), torch.ones(2), 1.0),
        "sum to 2.000",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_in_one_sentence(name):
    refused_in_one_sentence(*BAD[name])
