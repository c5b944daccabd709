"""Fourier transform, masks, coils and phase of Cartesian MRI, against direct sums and known symmetries."""

import math
import warnings

import pytest
import torch
from refusals import refused_in_one_sentence

import medtut as mt
from medtut.operators import dot, simulate, to_complex, to_real
from medtut.physics.mri import (
    MRI,
    PhaseFreeWarning,
    cartesian_mask,
    coil_maps,
    effective_acceleration,
    estimate_coils,
    fft2c,
    ifft2c,
    smooth_phase,
)


def g(seed=0):
    return torch.Generator().manual_seed(seed)


def head(b, h, w, phase=True, seed=0):
    """An ellipse with a hole, with smooth phase or none."""
    v, u = torch.meshgrid(torch.linspace(-1, 1, h), torch.linspace(-1, 1, w), indexing="ij")
    m = ((v / 0.8) ** 2 + (u / 0.7) ** 2 < 1).float() - 0.6 * ((v / 0.3) ** 2 + (u / 0.2) ** 2 < 1).float()
    return to_real(torch.polar(m.expand(b, h, w), smooth_phase((b, h, w), g(seed)) * phase))


@pytest.mark.parametrize(("h", "w"), [(6, 8), (7, 5), (4, 9)])
def test_fft_is_the_centred_orthonormal_sum(h, w):
    z = torch.randn(2, h, w, dtype=torch.complex128, generator=g())

    def matrix(n):
        f = torch.arange(n, dtype=torch.float64) - n // 2
        return torch.polar(torch.full((n, n), n**-0.5).double(), -2 * math.pi * f[:, None] * f / n)

    torch.testing.assert_close(fft2c(z), matrix(h) @ z @ matrix(w).T)
    torch.testing.assert_close(ifft2c(fft2c(z)), z)
    torch.testing.assert_close(dot(fft2c(z), fft2c(z)), dot(z, z))


@pytest.mark.parametrize("kind", ["random", "uniform"])
@pytest.mark.parametrize(("h", "w", "acceleration"), [(16, 128, 4), (9, 127, 8), (8, 64, 2.5)])
def test_masks_keep_whole_columns_and_the_centre(kind, h, w, acceleration):
    mask = cartesian_mask(h, w, acceleration, 0.08, kind, g())
    assert mask.shape == (h, w)
    assert (mask == mask[:1]).all()
    assert mask[0].sum() == round(w / acceleration)
    centre = round(0.08 * w)
    assert mask[0, w // 2 - centre // 2 :][:centre].all()
    assert mask[0, w // 2] == 1
    assert abs(effective_acceleration(mask) - acceleration) < 0.05 * acceleration


def test_random_masks_differ_and_uniform_masks_are_spread():
    a, b = (cartesian_mask(4, 128, 4, 0.08, generator=g(i)) for i in range(2))
    assert not torch.equal(a, b)
    assert torch.equal(a, cartesian_mask(4, 128, 4, 0.08, generator=g(0)))
    gaps = cartesian_mask(4, 128, 4, 0.08, "uniform")[0].nonzero()[:, 0].diff()
    assert gaps.max() <= 7
    assert not torch.equal(gaps.max(), a[0].nonzero()[:, 0].diff().max())


@pytest.mark.parametrize(("n", "h", "w"), [(1, 16, 16), (4, 32, 24), (8, 33, 31)])
def test_coil_maps(n, h, w):
    maps = coil_maps(n, h, w, g())
    assert maps.shape == (1, n, h, w)
    torch.testing.assert_close(maps.abs().square().sum(1), torch.ones(1, h, w))
    if n == 1:
        assert (maps == 1).all()
    else:
        assert maps.imag.abs().max() > 0.1
        assert maps.abs().amax((0, 2, 3)).min() > 0.5  # every coil sees some part best
        steps = (maps[..., 1:] - maps[..., :-1]).abs().max()
        assert steps < 0.5 * 24 / w


def test_phase_is_smooth_and_not_zero():
    phase = smooth_phase((64, 32, 32), g())
    assert 0.8 < phase.std() < 4
    assert phase.std((1, 2)).min() > 0.1  # in no sample a constant
    assert phase.diff(dim=-1).abs().max() < 1
    one = smooth_phase((3, 9, 7), mt.generators(0, 3))
    torch.testing.assert_close(one[2:], smooth_phase((1, 9, 7), mt.generators(0, 3)[2:]))


@pytest.mark.parametrize(("h", "w"), [(8, 8), (7, 9), (6, 11)])
def test_effective_acceleration_counts_lines_and_conjugates(h, w):
    mask = (torch.rand(h, w, generator=g()) > 0.7).float()
    known = {(i - h // 2, j - w // 2) for i, j in mask.nonzero().tolist()}
    index = {(i, j) for i in range(-(h // 2), (h + 1) // 2) for j in range(-(w // 2), (w + 1) // 2)}
    both = {
        k for k in index if k in known or any(((k[0] + q[0]) % h, (k[1] + q[1]) % w) == (0, 0) for q in known)
    }
    assert effective_acceleration(mask) == pytest.approx(h * w / len(known))
    assert effective_acceleration(mask, phase_free=True) == pytest.approx(h * w / len(both))
    batch = torch.stack([mask, torch.ones(h, w)])[:, None]
    assert effective_acceleration(batch) == pytest.approx(2 * h * w / (len(known) + h * w))


def test_conjugates_of_a_phase_free_truth_are_known():
    x = head(1, 15, 16, phase=False)
    mask = cartesian_mask(15, 16, 3, 0.2, generator=g())
    k = fft2c(to_complex(x))
    rows, columns = (14 - torch.arange(15)) % 15, (16 - torch.arange(16)) % 16
    torch.testing.assert_close(k, k[:, rows][..., columns].conj(), atol=1e-5, rtol=0)
    known = mask.bool() | mask[rows][:, columns].bool()
    assert effective_acceleration(mask, True) == pytest.approx(15 * 16 / int(known.sum()))


@pytest.mark.parametrize("turn", [0.0, 1.1])
def test_a_truth_without_phase_warns_and_names_the_effective_acceleration(turn):
    mask = cartesian_mask(32, 32, 4, 0.08, generator=g())
    A = MRI(mask, coil_maps(2, 32, 32, g()))
    x = head(2, 32, 32, phase=False)
    x = to_real(to_complex(x) * complex(math.cos(turn), math.sin(turn)))  # a constant phase is no phase
    with pytest.warns(
        PhaseFreeWarning, match=f"4.0x mask acts like {effective_acceleration(mask, True):.1f}x"
    ):
        simulate(A, x, 0.01, g())
    assert effective_acceleration(mask, True) < 3.2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        simulate(A, head(2, 32, 32), 0.01, g())


def test_density_is_the_diagonal_of_the_gram_matrix_in_k_space():
    maps = coil_maps(3, 6, 7, g())
    A = MRI(cartesian_mask(6, 7, 2, 0.2, generator=g()), maps)
    unit = torch.eye(42, dtype=torch.complex64).reshape(42, 6, 7)
    diagonal = fft2c(to_complex(A.gram(to_real(ifft2c(unit)))))[
        torch.arange(42), torch.arange(42) // 7, torch.arange(42) % 7
    ]
    torch.testing.assert_close(A.density().flatten(), diagonal.real, atol=1e-5, rtol=0)
    one = MRI(A.mask, coil_maps(1, 6, 7))
    torch.testing.assert_close(one.density()[0], A.mask, atol=1e-5, rtol=0)


def test_the_scanner_has_other_maps_by_one_per_cent():
    A = MRI(cartesian_mask(16, 16, 2, generator=g()), coil_maps(4, 16, 16, g()))
    true = A.scanner(mt.generators(0, 3))
    assert true.coils.shape == (3, 4, 16, 16)
    relative = ((true.coils - A.coils) / A.coils).abs().square().mean((-2, -1)).sqrt()
    torch.testing.assert_close(relative, torch.full((3, 4), 0.01), atol=1e-6, rtol=0)
    assert not torch.allclose(true.coils[0], true.coils[1])


@pytest.mark.parametrize("w", [64, 65])
def test_coil_maps_from_the_centre_lines(w):
    x, maps = head(2, 64, w), coil_maps(4, 64, w, g())
    mask = cartesian_mask(64, w, 4, 0.2, generator=g())
    y = MRI(mask, maps)(x)
    estimate = estimate_coils(y, mask)
    seen = to_complex(x).abs()[:, None] > 0.2
    torch.testing.assert_close(estimate.abs().square().sum(1), torch.ones(2, 64, w))
    agreement = (estimate.conj() * maps).sum(1, keepdim=True).abs()[seen]
    assert agreement.min() > 0.8
    assert agreement.mean() > 0.99
    # the true maps explain the data up to a smooth phase; the estimated ones nearly as well
    full = MRI(torch.ones(64, w), maps)
    combined = MRI(torch.ones(64, w), estimate).adjoint(full(x))
    error = to_complex(combined).abs() - to_complex(x).abs()
    assert error.square().mean().sqrt() < 0.03
    assert ((estimate_coils(7 * y, mask) - estimate) * seen).abs().max() < 1e-4


def test_the_map_of_one_coil_is_one():
    x = head(1, 32, 32)
    mask = cartesian_mask(32, 32, 4, 0.2, generator=g())
    maps = estimate_coils(MRI(mask, coil_maps(1, 32, 32))(x), mask)
    torch.testing.assert_close(maps, torch.ones_like(maps), atol=1e-4, rtol=0)


BAD = {
    "no centre": (
        lambda: estimate_coils(torch.ones(1, 2, 8, 32) * 1j, cartesian_mask(8, 32, 4, 0.0)),
        "centre",
    ),
    "few centre lines": (lambda: estimate_coils(torch.ones(1, 2, 8, 32) * 1j, centre(3)), "3 lines"),
    "centre too large": (lambda: cartesian_mask(8, 32, 8, 0.5), "centre"),
    "no lines": (lambda: cartesian_mask(8, 32, 100), "acceleration 100"),
    "unknown kind": (lambda: cartesian_mask(8, 32, 4, 0.1, "spiral"), "spiral"),
    "empty mask": (lambda: effective_acceleration(torch.zeros(4, 4)), "without any line"),
}


def centre(n):
    mask = torch.zeros(8, 32)
    mask[:, 16 - n // 2 : 16 - n // 2 + n] = 1
    return mask


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_in_one_sentence(name):
    refused_in_one_sentence(*BAD[name])
