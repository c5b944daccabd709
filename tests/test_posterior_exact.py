"""Each sampler in the case where it is exact: it meets the posterior, and more steps bring it nearer.

Judged in the row space of A and in its null space apart, in bands that a factor of sqrt(2) would leave.
"""

from itertools import pairwise

import pytest
import torch
from posterior_worlds import (
    AXES,
    DATA,
    EXACT,
    EYE,
    GAIN,
    NOISE,
    Dense,
    N,
    bias,
    deviation,
    distance,
    draws,
    recursion,
    shrink,
)

import medtut as mt
from medtut import posterior as ps
from medtut import schedules as sc
from medtut.calibration import subspace_variances
from medtut.operators import InverseProblem

STEPS = (20, 40, 80, 160)


def levels(n):
    return sc.karras(n, sigma_min=0.01, sigma_max=50.0)


def nearer(found):
    """Errors of variances fall as those of a first-order method do, to 3 standard errors (2 / N)^(1/2)."""
    noise = 3 * (2 / N) ** 0.5
    found = torch.tensor(found).abs()
    assert found[0].max() > 2 * noise  # there is something to lose
    assert (found[1:] < 0.6 * found[:-1] + noise).all(), found


# --- the right mean and covariance of p(x0 | x): moment matching for any Gaussian --------------------------


def conditional(n, eta=1.0):
    """Moments of a sampler whose estimate is E[x0 | x, y], in n steps."""

    def one(s, s_next):
        fresh = eta * s_next * (1 - (s_next / s) ** 2) ** 0.5
        keep = (s_next**2 - fresh**2) ** 0.5 / s
        spread = s**2 * shrink(s)  # Cov[x0 | x]
        gain = spread @ GAIN.T @ torch.linalg.inv(GAIN @ spread @ GAIN.T + NOISE**2 * torch.eye(2).double())
        estimate = (EYE - gain @ GAIN) @ shrink(s)
        return keep * EYE + (1 - keep) * estimate, (1 - keep) * gain @ DATA, fresh**2 * EYE

    return recursion(levels(n), one)


@pytest.mark.parametrize("eta", [1.0, 0.0])
def test_moment_matching_is_of_first_order_and_has_these_moments(eta):
    assert max(deviation(draws(ps.moment_matching, levels(20), eta=eta), *conditional(20, eta))) < 3.5
    errors = [torch.tensor(bias(*conditional(n, eta)))[1:] - 1 for n in (100, 200, 400)]
    for before, after in pairwise(errors):  # twice the steps, half the error, in row and null space
        assert ((after / before > 0.4) & (after / before < 0.6)).all()
    assert max(distance(*conditional(400, eta))) < 3


def test_moment_matching_has_the_variance_of_the_posterior_in_both_spaces():
    x = draws(ps.moment_matching, levels(160))
    assert subspace_variances(x, EXACT.cov, GAIN) == pytest.approx((1, 1), abs=0.12)
    assert max(deviation(x, *conditional(160))) < 3.5


# --- a prior of one variance in all directions: PiGDM ------------------------------------------------------

ROUND = mt.Gaussian(torch.full((1, 4), 0.5).double(), 0.7 * EYE)
ROUND_AFTER = ROUND.posterior(GAIN, DATA, NOISE)


@pytest.mark.parametrize("eta", [1.0, 0.0])
def test_pigdm_nears_the_posterior_of_an_isotropic_gaussian(eta):
    found = []
    for n in STEPS:
        x = draws(ps.pigdm, levels(n), world=ROUND, variance=0.7, eta=eta)
        found.append([v - 1 for v in subspace_variances(x, ROUND_AFTER.cov, GAIN)])
    nearer(found)
    assert found[-1] == pytest.approx([0, 0], abs=0.12)
    mean = ROUND_AFTER.mean.flatten()
    assert deviation(x, mean, ROUND_AFTER.cov)[0] < 3.5


# --- a prior without weight, p(x0 | x) = N(x, s^2): DAPS, and DiffPIR without fresh noise -------------------

FLAT = mt.Gaussian(torch.zeros(1, 4).double(), 1e8 * EYE)
SQUARE = torch.diag(torch.tensor([1.0, 0.8, 0.5, 0.4]).double()) @ AXES
LONG = torch.tensor([1.0, -0.4, 0.3, 0.2]).double()
ALL_SEEN = InverseProblem(Dense(SQUARE), LONG.expand(N, -1), NOISE)
FLAT_MEAN, FLAT_COV = torch.linalg.solve(SQUARE, LONG), NOISE**2 * torch.linalg.inv(SQUARE.T @ SQUARE)


@pytest.mark.parametrize("n", [10, 40])
def test_daps_is_exact_for_a_flat_prior_in_any_number_of_steps(n):
    x = draws(ps.daps, levels(n), problem=ALL_SEEN, world=FLAT)
    assert max(deviation(x, FLAT_MEAN, FLAT_COV)) < 3.5


def test_diffpir_without_fresh_noise_nears_the_posterior_of_a_flat_prior():
    def error(n, zeta):
        x = draws(ps.diffpir, levels(n), problem=ALL_SEEN, world=FLAT, zeta=zeta)
        return [v - 1 for v in subspace_variances(x, FLAT_COV, SQUARE[:2])]

    found = [error(n, 0.0) for n in STEPS]
    nearer(found)
    assert found[-1] == pytest.approx([0, 0], abs=0.12)
    assert max(error(160, 1.0)) < -0.3  # its fresh noise is too much at once


# --- no noise, and a prior whose axes are those of A: the projections --------------------------------------

CLEAN = InverseProblem(Dense(GAIN), DATA.expand(N, -1), 0.0)
ALIGNED = AXES.T @ torch.diag(torch.tensor([1.5, 0.5, 0.8, 0.2]).double()) @ AXES
SPLIT = mt.Gaussian(torch.zeros(1, 4).double(), (ALIGNED + ALIGNED.T) / 2)
PROJECTIONS = {
    "song": (ps.song, {}),
    "score_mri": (ps.score_mri, {"correctors": 0}),
    "mcg": (ps.mcg, {"alpha": 0.0}),
    "ddnm": (ps.ddnm, {"eta": 0.0}),
    "dds": (ps.dds, {"eta": 0.0, "gamma": 1e8, "cg_steps": 4}),
}


@pytest.mark.parametrize("name", PROJECTIONS)
def test_without_noise_and_with_aligned_axes_projections_sample_the_posterior(name):
    sampler, knobs = PROJECTIONS[name]
    null, found = AXES[2:], []
    truth = (null @ ALIGNED @ null.T).diagonal()
    for n in STEPS:
        x = draws(sampler, levels(n), problem=CLEAN, world=SPLIT, **knobs)
        assert (x @ GAIN.T - DATA).abs().max() < 1e-5  # what is measured is met
        found.append(((x @ null.T).var(0) / truth - 1).tolist())
    nearer(found)
    assert found[-1] == pytest.approx([0, 0], abs=0.15)
    assert ((x @ null.T).mean(0).abs() < 3.5 * (truth / N).sqrt()).all()


@pytest.mark.parametrize("eta", [0.85, 1.0])
def test_fresh_noise_of_eta_s_next_keeps_a_half_of_the_prior_and_half_of_c(eta):
    """However many the steps: (1 + c) / 2 of the variance where A is blind, with c = sqrt(1 - eta^2)."""
    x = draws(ps.ddnm, sc.karras(400, sigma_min=0.002, sigma_max=20.0), problem=CLEAN, world=SPLIT, eta=eta)
    null = AXES[2:]
    kept = float((null @ x.T.cov() @ null.T).trace() / (null @ ALIGNED @ null.T).trace())
    assert kept == pytest.approx((1 + (1 - eta**2) ** 0.5) / 2, abs=0.05)
