"""Phase retrieval: what it measures, what it cannot tell apart, and the comparison that allows for that."""

import pytest
import torch

from medtut.errors import BadInput
from medtut.operators import dot
from medtut.physics.phase import PhaseRetrieval, aligned


def image(b=2, h=9, w=8):
    x = torch.zeros(b, 1, h, w, dtype=torch.float64)
    x[..., 2:6, 1:5] = torch.rand(b, 1, 4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return x


@pytest.mark.parametrize("oversample", [1, 1.5, 2])
def test_magnitudes_of_a_direct_sum(oversample):
    x = image()
    y = PhaseRetrieval(oversample)(x)
    h, w = round(oversample * 9), round(oversample * 8)
    assert y.shape == (2, 1, h, w)
    torch.testing.assert_close(dot(y, y), dot(x, x))  # orthonormal
    v, u = torch.meshgrid(torch.arange(9.0).double(), torch.arange(8.0).double(), indexing="ij")
    for kv, ku in ((0, 0), (1, -2), (-3, 1)):
        wave = torch.exp(-2j * torch.pi * (kv * v / h + ku * u / w))
        expected = (wave * x).sum((-2, -1)).abs() / (h * w) ** 0.5
        torch.testing.assert_close(y[..., h // 2 + kv, w // 2 + ku], expected)


def test_what_cannot_be_told_apart():
    A, x = PhaseRetrieval(2), image()
    torch.testing.assert_close(A(x.flip(-2, -1)), A(x))
    torch.testing.assert_close(A(x.roll((1, 2), (-2, -1))), A(x))
    assert (A(x.flip(-1)) - A(x)).abs().max() > 0.01  # a mirror image is another image
    mixed = torch.stack([x[0].flip(-2, -1).roll(2, -1), x[1].roll((-1, 2), (-2, -1))])
    torch.testing.assert_close(aligned(mixed, x), x)
    torch.testing.assert_close(aligned(x.flip(-1), x).sum(), x.sum())
    assert (aligned(x.flip(-1), x) - x).abs().max() > 0.1


def test_bad_input_is_refused_in_one_sentence():
    with pytest.raises(BadInput, match=r"got oversample = 0.5, need 1 or more; use 2\."):
        PhaseRetrieval(0.5)
    with pytest.raises(BadInput, match="complex image"):
        PhaseRetrieval()(torch.ones(1, 1, 4, 4) * 1j)
