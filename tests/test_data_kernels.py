"""The cohort of blur kernels: what it promises, and that it is a function of its seed."""

import pytest
import torch

from medtut.data.kernels import Kernels


def moments(kernels):
    """Centre of mass (b, 2) in taps from the middle, and covariance (b, 2, 2)."""
    size = kernels.shape[-1]
    taps = torch.arange(size) - size // 2.0
    share = kernels[:, 0] / kernels.sum((1, 2, 3))[:, None, None]
    grid = torch.stack(torch.meshgrid(taps, taps, indexing="ij"))
    centre = (share[:, None] * grid).sum((-2, -1))
    away = grid[None] - centre[:, :, None, None]
    return centre, torch.einsum("bhw,bihw,bjhw->bij", share, away, away)


@pytest.mark.parametrize("size", [16, 17])
def test_kernels_are_centred_and_positive_with_a_largest_tap_of_one(size):
    kernels = Kernels(size=size).batch(range(200)).image
    assert kernels.shape == (200, 1, size, size)
    torch.testing.assert_close(kernels.amax((1, 2, 3)), torch.ones(200))
    assert (kernels >= 0).all()
    centre, covariance = moments(kernels)
    assert centre.abs().max() < 0.15  # wide ones lose a little at the edge
    widths = torch.linalg.eigvalsh(covariance).sqrt()
    assert 0.5 < widths.min() < 0.7
    assert 3.0 < widths.max() < 4.0


def test_half_of_them_are_thin():
    """Across a motion's middle there is only the pen; a Gaussian is as wide as it is drawn."""
    _, covariance = moments(Kernels().batch(range(400)).image)
    narrow, wide = torch.linalg.eigvalsh(covariance).sqrt().T
    thin = (narrow < 0.8) & (wide > 1.2)
    assert 0.35 < thin.float().mean() < 0.65
    assert ((narrow > 1.2) & (wide > 1.2)).float().mean() > 0.2


def test_a_kernel_depends_on_seed_split_and_index_alone():
    many = Kernels().batch([3, 7, 11]).image
    assert torch.allclose(Kernels().batch([7]).image[0], many[1], atol=1e-6)
    for other in (Kernels(seed=1), Kernels("heldout")):
        assert not torch.allclose(other.batch([3]).image[0], many[0], atol=0.01)
    with pytest.raises(ValueError, match="train"):
        Kernels("test")


def test_it_says_that_nothing_is_told():
    sample = Kernels().batch(range(2))
    assert (sample.label == -1).all()
    assert sample.head.all()
