"""The probability flow by the adaptive solver: scipy's steps, one curve in three variables, calls."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

import medtut as mt
from medtut.errors import BadInput
from medtut.samplers.adaptive import probability_flow, rk45
from medtut.samplers.sde import VE, VP, SubVP

DOUBLE = torch.float64
EQUATIONS = (VP(), SubVP(), VE())
each = pytest.mark.parametrize("sde", EQUATIONS, ids=lambda e: type(e).__name__)
PLANE = mt.GaussianMixture(
    weights=torch.tensor([0.3, 0.7], dtype=DOUBLE),
    means=torch.tensor([[-1.0, 0.5], [1.0, 0.0]], dtype=DOUBLE),
    covs=torch.tensor([0.05, 0.1], dtype=DOUBLE)[:, None, None] * torch.eye(2, dtype=DOUBLE),
)


def begin(n=6):
    return 40.0 * mt.randn((n, 2), mt.generators(0, n), like=PLANE.means)


@each
def test_a_sample_has_its_own_steps(sde):
    both, alone = (probability_flow(PLANE.denoise, begin(6)[:n], 40.0, 0.02, sde=sde) for n in (6, 2))
    torch.testing.assert_close(both.x[:2], alone.x, rtol=0, atol=1e-10)
    assert torch.equal(both.calls[:2], alone.calls)


def test_the_solver_takes_the_steps_of_scipy():
    start, stop = math.log(40), math.log(0.02)

    def one(t, y):
        y = torch.as_tensor(y)[None]
        return (y - PLANE.denoise(y, math.exp(t)))[0].numpy()

    for x in begin(3):
        theirs = solve_ivp(one, (start, stop), x.numpy(), rtol=1e-4, atol=1e-6, first_step=0.5)
        ours = rk45(lambda t, y, rows: y - PLANE.denoise(y, t.exp()), x[None], start, stop,
                    rtol=1e-4, atol=1e-6, first=0.5)
        assert int(ours.calls) == theirs.nfev
        np.testing.assert_allclose(ours.x[0], theirs.y[:, -1], rtol=0, atol=1e-12)


def test_one_trajectory_in_three_variables():
    """Probability flow in the variables of VP, sub-VP and VE ends at the same points."""
    x = begin(20)
    ends = [probability_flow(PLANE.denoise, x, 40.0, 0.02, sde=e, rtol=1e-9, atol=1e-9).x for e in EQUATIONS]
    for end in ends[1:]:
        assert (end - ends[0]).abs().max() < 1e-6
    back = probability_flow(PLANE.denoise, ends[0], 0.02, 40.0, rtol=1e-9, atol=1e-9).x
    assert (back - x).abs().max() < 1e-4


@each
def test_the_flow_of_a_gaussian(sde):
    c, x = 0.5, begin(4)
    denoise = mt.Gaussian(torch.zeros(2, dtype=DOUBLE), c**2 * torch.eye(2, dtype=DOUBLE)).denoise
    found = probability_flow(denoise, x, 40.0, 0.02, sde=sde, rtol=1e-8, atol=1e-8)
    expected = x * ((c**2 + 0.02**2) / (c**2 + 40.0**2)) ** 0.5
    assert (found.x - expected).abs().max() < 1e-6


def test_tolerance_is_paid_in_calls():
    x, runs = begin(10), []
    exact = probability_flow(PLANE.denoise, x, 40.0, 0.02, rtol=1e-11, atol=1e-11).x
    for tol in (1e-2, 1e-4, 1e-6):
        solved = probability_flow(PLANE.denoise, x, 40.0, 0.02, rtol=tol, atol=tol)
        runs.append((float((solved.x - exact).abs().max()), float(solved.calls.double().mean())))
    assert runs[0][0] > runs[1][0] > runs[2][0] and runs[0][1] < runs[1][1] < runs[2][1]
    assert runs[2][0] < 1e-5


def test_bad_input_is_refused():
    with pytest.raises(BadInput, match="positive"):
        probability_flow(PLANE.denoise, begin(), 40.0, 0.0)
    with pytest.raises(BadInput, match="over 50 calls"):
        rk45(lambda t, y, rows: y, begin(), 0.0, 1.0, rtol=1e-12, atol=1e-12, most=50)
    with pytest.raises(BadInput, match="NaN"):
        rk45(lambda t, y, rows: y * torch.nan, begin(), 0.0, 1.0)
