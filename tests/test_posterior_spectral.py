"""Singular value decompositions, DDRM and DDNM+: their papers' lines, their moments, refusals."""

import pytest
import torch
from posterior_worlds import (
    A6,
    ABARS,
    AXES,
    DATA,
    GAIN,
    NOISE,
    NONLINEAR,
    ONE,
    PLAIN,
    PROBLEM,
    SCAN,
    Matrix,
    bias,
    deviation,
    draws,
    recursion,
    same_alone,
    same_as_paper,
    shrink,
    vp_eps,
    vp_noise,
)
from test_posterior import PRIOR, g

from medtut import schedules as sc
from medtut.errors import BadInput
from medtut.physics.mri import MRI, cartesian_mask, smooth_phase
from medtut.physics.pixels import Downsample, Inpainting
from medtut.physics.spectral import SVD, svd
from medtut.posterior.spectral import ddnm_plus, ddrm


@svd.register
def _(A: Matrix, x: torch.Tensor) -> SVD:
    m, d = A.M.shape
    u, values, vh = torch.linalg.svd(A.M)

    def widen(y):
        return torch.nn.functional.pad(y, (0, d - m))

    def uh(y):
        return widen(y @ u)[:, None]

    return SVD(widen(values)[None, None], lambda x: x @ vh.T, lambda z: z @ vh, uh)


COIL = torch.polar(torch.ones(1, 7, 9, dtype=torch.float64), smooth_phase((1, 7, 9), g(3)).double())[None]
OPERATORS = {
    "matrix": (A6, (3, 1, 6)),
    "inpainting": (Inpainting((torch.rand(1, 1, 9, 7, generator=g()) > 0.4).double()), (3, 2, 9, 7)),
    "downsample": (Downsample(3), (3, 2, 6, 9)),
    "not downsampled": (Downsample(1), (3, 1, 4, 4)),
    "one coil, odd, with a phase": (MRI(cartesian_mask(7, 9, 3, 0.2, generator=g()), COIL), (3, 2, 7, 9)),
    "one coil, a mask for each": (PLAIN.A, (3, 2, 9, 8)),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_svd_is_the_operator(name):
    A, shape = OPERATORS[name]
    x = torch.randn(shape, generator=g(), dtype=torch.float64)
    z = torch.randn(shape, generator=g(1), dtype=torch.float64)
    f = svd(A, x)
    torch.testing.assert_close(f.v(f.vh(x)), x)
    torch.testing.assert_close((f.vh(x) * z).sum(), (x * f.v(z)).sum())  # V^H is the adjoint of V
    torch.testing.assert_close(f.uh(A(x)), f.values * f.vh(x))
    torch.testing.assert_close(f.v(f.values * f.uh(A(z))), A.adjoint(A(z)))
    assert (f.values >= 0).all()


def test_no_svd_is_refused_and_another_sampler_named():
    x = torch.zeros(3, 2, 9, 8).double()
    for sampler in (ddrm, ddnm_plus):
        with pytest.raises(BadInput, match="use dds or diffpir"):
            next(sampler(PRIOR.denoise, SCAN, sc.karras(3), x))
    with pytest.raises(BadInput, match="use dps"):
        svd(NONLINEAR.A, x)


# --- the papers' variables ---------------------------------------------------------------------------------

U, S, VH = torch.linalg.svd(A6.M)


@pytest.mark.parametrize(("eta", "eta_b", "noise_std"), [(0.85, 1.0, 0.1), (0.3, 0.6, 1.5), (0.85, 1.0, 0.0)])
def test_ddrm_is_the_authors_solver(eta, eta_b, noise_std):
    def paper(x, y, generator):
        uy = (y @ U)[0]
        datum, top = uy / S, ((1 - ABARS[-1]) / ABARS[-1]) ** 0.5
        x = (VH @ x[0, 0]) / ABARS[-1] ** 0.5 / top  # their start, white, in the coordinates of V
        first = torch.zeros(6).double()
        for j in range(6):
            large = j < 3 and S[j] * top > noise_std
            first[j] = datum[j] + (top**2 - (noise_std / S[j]) ** 2) ** 0.5 * x[j] if large else top * x[j]
        x = (VH.T @ first)[None, None] * ABARS[-1] ** 0.5
        for i in range(len(ABARS) - 1, 0, -1):
            abar, before = ABARS[i], ABARS[i - 1]
            s_next = ((1 - before) / before) ** 0.5
            eps = vp_eps(x, abar)
            x0 = VH @ ((x - eps * (1 - abar) ** 0.5) / abar**0.5)[0, 0]
            z, veps = vp_noise(x, generator)[0, 0], VH @ eps[0, 0]
            new = x0 + s_next * (1 - eta**2) ** 0.5 * veps + eta * s_next * z
            for j in range(3):
                if S[j] * s_next < noise_std:
                    pull = (uy[j] - S[j] * x0[j]) / noise_std
                    new[j] = x0[j] + s_next * (1 - eta**2) ** 0.5 * pull + eta * s_next * z[j]
                else:
                    std = (s_next**2 - (noise_std / S[j]) ** 2 * eta_b**2) ** 0.5
                    new[j] = datum[j] * eta_b + (1 - eta_b) * x0[j] + std * z[j]
            x = before**0.5 * (VH.T @ new)[None, None]
        return x

    problem = type(PROBLEM)(A6, PROBLEM.y, noise_std)
    same_as_paper(ddrm, paper, problem, eta=eta, eta_b=eta_b)


@pytest.mark.parametrize(("eta", "noise_std"), [(0.85, 0.1), (0.3, 1.5), (0.85, 0.0)])
def test_ddnm_plus_is_the_authors_solver(eta, noise_std):
    def paper(x, y, generator):
        for i in range(len(ABARS) - 1, 0, -1):
            abar, before = ABARS[i], ABARS[i - 1]
            a, sigma_t = before**0.5, (1 - before) ** 0.5
            eps = vp_eps(x, abar)
            x0 = (x - eps * (1 - abar) ** 0.5) / abar**0.5
            z = vp_noise(x, generator)[0, 0]
            error = VH @ ((A6(x0) - y) @ torch.linalg.pinv(A6.M).T)[0]
            lam, d1, d2 = z.new_ones(6), z.new_zeros(6), z.new_zeros(6)
            for j in range(6):
                if j >= 3:
                    d1[j], d2[j] = sigma_t * eta, sigma_t * (1 - eta**2) ** 0.5
                elif sigma_t < a * noise_std / S[j]:
                    lam[j] = S[j] * sigma_t * (1 - eta**2) ** 0.5 / a / noise_std
                    d1[j] = sigma_t * eta
                else:
                    d1[j] = (sigma_t**2 - a**2 * noise_std**2 / S[j] ** 2) ** 0.5
            new = a * (VH @ x0[0, 0] - lam * error) + d1 * z + d2 * (VH @ eps[0, 0])
            x = (VH.T @ new)[None, None]
        return x

    same_as_paper(ddnm_plus, paper, type(PROBLEM)(A6, PROBLEM.y, noise_std), eta=eta)


# --- a Gaussian world --------------------------------------------------------------------------------------

COARSE = sc.karras(60, sigma_min=0.01, sigma_max=50.0)
U4, S4, VH4 = torch.linalg.svd(GAIN)
DATUM = torch.zeros(4).double()
DATUM[:2] = U4.T @ DATA / S4
NU = torch.tensor([*(NOISE / S4), torch.inf]).double()[[0, 1, 2, 2]]


def restored(sigmas, eta, around_data):
    """Moments of DDRM with eta_b = 1 (started around the data) or of DDNM+, in the coordinates of V."""
    top = float(sigmas[0])
    start = None
    if around_data:
        start = VH4.T @ DATUM, VH4.T @ torch.diag(top**2 - torch.where(top > NU, NU, 0) ** 2) @ VH4

    def one(s, s_next):
        D = VH4 @ shrink(s) @ VH4.T
        keep = s_next * (1 - eta**2) ** 0.5
        below, above = (s_next < NU) & NU.isfinite(), s_next >= NU
        pull = torch.where(below, keep / NU, 0)
        matrix = (1 - pull)[:, None] * D + (~NU.isfinite())[:, None] * keep / s * (torch.eye(4) - D)
        matrix = torch.where(above[:, None], 0, matrix)
        shift = torch.where(above, DATUM, pull * DATUM)
        fresh = torch.where(above, s_next**2 - NU**2, (eta * s_next) ** 2)
        return VH4.T @ matrix @ VH4, VH4.T @ shift, VH4.T @ torch.diag(fresh) @ VH4

    return recursion(sigmas, one, start)


@pytest.mark.parametrize(("sampler", "eta"), [(ddrm, 0.85), (ddrm, 0.3), (ddnm_plus, 0.85)])
def test_on_a_gaussian_they_have_the_moments_of_their_recursion(sampler, eta):
    mean, cov = deviation(draws(sampler, COARSE, eta=eta), *restored(COARSE, eta, sampler is ddrm))
    assert mean < 3.5
    assert cov < 3.5


def test_ddrm_is_too_narrow_and_ddnm_plus_ends_where_it_does():
    sigmas = sc.karras(400, sigma_min=0.01, sigma_max=50.0)
    mean, row, null = bias(*restored(sigmas, 0.85, True))
    assert 0.85 < mean < 0.99
    assert 0.04 < row < 0.09
    assert 0.62 < null < 0.71
    for ours, theirs in zip(restored(sigmas, 0.85, True), restored(sigmas, 0.85, False), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("sampler", [ddrm, ddnm_plus])
def test_a_sample_does_not_depend_on_its_batch(sampler):
    states = same_alone(sampler, PLAIN, eta=0.5)
    assert [s.sigma for s in states] == sc.karras(8, sigma_min=0.05, sigma_max=20.0)[1:].tolist()


def test_axes_of_the_world_are_those_of_its_operator():
    """The row space that `bias` looks at is that of A."""
    assert (VH4[2:] @ AXES[:2].T).abs().max() < 1e-12
    assert ONE.A.M is GAIN
