"""Blur, super-resolution and pixel masks, against the kernel itself and against hand-made cases."""

import pytest
import torch
from refusals import refused_in_one_sentence

import medtut as mt
from medtut.errors import BadInput
from medtut.operators import simulate
from medtut.physics.blur import Blur, NonlinearBlur, SuperResolution, gaussian_kernel, motion_kernel
from medtut.physics.pixels import Downsample, Inpainting, box_mask, random_mask


def g(seed=0):
    return torch.Generator().manual_seed(seed)


def point(h, w, row, column):
    x = torch.zeros(1, 1, h, w)
    x[..., row, column] = 1
    return x


@pytest.mark.parametrize(("h", "w"), [(8, 9), (7, 10)])
def test_a_point_becomes_the_kernel_and_wraps_round_the_edge(h, w):
    kernel = torch.rand(3, 5, generator=g())
    torch.testing.assert_close(Blur(kernel)(point(h, w, 3, 4))[0, 0, 2:5, 2:7], kernel)
    corner = Blur(kernel)(point(h, w, 0, 0))[0, 0].roll((1, 2), (0, 1))
    torch.testing.assert_close(corner[:3, :5], kernel)
    assert corner.sum() == pytest.approx(float(kernel.sum()), rel=1e-5)


def test_kernels():
    kernel = gaussian_kernel(15, 1.7)
    step = torch.arange(15.0) - 7
    assert kernel.sum() == pytest.approx(1, rel=1e-6)
    assert float((kernel.sum(0) * step**2).sum()) == pytest.approx(1.7**2, rel=1e-2)
    assert torch.equal(kernel, kernel.mT)
    for seed in range(3):
        path = motion_kernel(15, g(seed))
        assert path.sum() == pytest.approx(1, rel=1e-5)
        assert abs(float((path.sum(0) * step).sum())) < 1e-4  # centred
        reach = (path > 0).nonzero() - 7
        assert reach.abs().max() == 7  # as long as fits
        assert (path > 1e-3).sum() < 60  # a line, not a spot
    assert not torch.equal(motion_kernel(15, g(1)), motion_kernel(15, g(2)))
    straight = motion_kernel(15, g(), bend=0)
    row, column = (straight.sum(1) * step**2).sum(), (straight.sum(0) * step**2).sum()
    cross = (straight * step[:, None] * step).sum()
    assert row * column - cross**2 < 0.02 * (row + column) ** 2  # no width across the line


def test_super_resolution_by_a_box_is_the_block_mean():
    x = torch.randn(2, 1, 8, 6, generator=g())
    torch.testing.assert_close(SuperResolution(torch.full((2, 2), 0.25), 2)(x), Downsample(2)(x))


def test_the_scanner_of_pixels_has_other_gains():
    x, mask = torch.ones(3, 1, 40, 40), random_mask(40, 40, 0.5, g())
    for A in (Inpainting(mask), Inpainting(mask.expand(1, 1, 40, 40))):
        problem = simulate(A, x, 0.0, mt.generators(0, 3))
        assert problem.A is A
        gains = problem.y[:, :, mask > 0]
        torch.testing.assert_close(gains.std(-1), torch.full((3, 1), 0.02), rtol=0.15, atol=0)
        assert torch.equal(A.restrict(problem.y), problem.y)
        assert not torch.equal(gains[0], gains[1])
        torch.testing.assert_close(simulate(A, x[1:2], 0.0, mt.generators(0, 3)[1:2]).y, problem.y[1:2])
    with pytest.raises(BadInput, match="inverse crime"):  # three axes: channels or depth?
        simulate(Inpainting(mask.expand(2, 40, 40)), torch.ones(1, 2, 40, 40), 0.0)
    problem = simulate(Downsample(2), torch.randn(3, 1, 40, 40, generator=g()), 0.0, mt.generators(0, 3))
    assert isinstance(problem.A, Downsample)
    assert 0.01 < float(problem.y.std()) < 1
    flat = simulate(Downsample(2), x, 0.0, mt.generators(0, 3))
    torch.testing.assert_close(flat.y, torch.ones(3, 1, 20, 20))  # the taps still sum to 1


def test_nonlinear_response():
    A = NonlinearBlur(torch.ones(1, 1), gamma=0.5, toe=0.01)
    v = torch.tensor([-0.9, 0.0, 0.25, 0.64]).reshape(1, 1, 2, 2)
    expected = torch.tensor([-(0.9**0.5), 0.0, 0.5, 0.8]).reshape(1, 1, 2, 2)
    torch.testing.assert_close(A(v), expected, atol=1e-3, rtol=0)
    small = torch.full((1, 1, 1, 1), 1e-5, dtype=torch.float64)
    assert float(A(small)) == pytest.approx(1e-5 * 0.01**-0.5, rel=1e-4)  # the slope at 0 is finite


@pytest.mark.parametrize("make", [Blur, lambda k: SuperResolution(k, 2), NonlinearBlur])
def test_the_scanner_has_another_kernel_by_five_per_cent(make):
    kernel = gaussian_kernel(9, 2.0)
    true = make(kernel).scanner(mt.generators(0, 3)).kernel
    assert true.shape == (3, 1, 9, 9)
    torch.testing.assert_close(true.sum((-2, -1)), torch.ones(3, 1))
    relative = (true / kernel - 1).square().mean((-2, -1)).sqrt()
    torch.testing.assert_close(relative, torch.full((3, 1), 0.05), atol=0.015, rtol=0)
    torch.testing.assert_close(true[1:2], make(kernel).scanner(mt.generators(0, 3)[1:2]).kernel)


def test_pixel_masks():
    mask = random_mask(9, 11, 0.3, g())
    assert mask.sum() == round(0.3 * 99)
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    assert not torch.equal(mask, random_mask(9, 11, 0.3, g(1)))
    hole = 1 - box_mask(9, 12, 4)
    assert hole.sum() == hole[2:6, 4:8].sum() == 16
    assert (1 - box_mask(9, 12, 4, (5, 0)))[5:9, :4].all()
    x = torch.rand(1, 1, 9, 12, generator=g())
    assert Inpainting(box_mask(9, 12, 4))(x)[..., 2:6, 4:8].abs().max() == 0


BAD = {
    "complex kernel": (lambda: Blur(torch.ones(3, 3) * 1j), "complex64"),
    "kernel with a channel too many": (lambda: Blur(torch.ones(1, 2, 3, 3)), r"\(1, 2, 3, 3\)"),
    "kernel too large": (lambda: Blur(torch.ones(9, 9))(torch.ones(1, 1, 8, 8)), "9 x 9 taps"),
    "not a multiple": (
        lambda: SuperResolution(torch.ones(1, 1), 3)(torch.ones(1, 1, 9, 8)),
        "multiples of 3",
    ),
    "negative gamma": (lambda: NonlinearBlur(torch.ones(1, 1), -1), "gamma = -1"),
    "even size": (lambda: gaussian_kernel(8, 1.0), "size = 8"),
    "no width": (lambda: gaussian_kernel(9, 0.0), "width = 0"),
    "short path": (lambda: motion_kernel(3), "size = 3"),
    "no pixels": (lambda: random_mask(4, 4, 0.0), "fraction of 0"),
    "large hole": (lambda: box_mask(4, 4, 3, (2, 0)), "hole of 3"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_in_one_sentence(name):
    refused_in_one_sentence(*BAD[name])
