"""Annealed and preconditioned Langevin dynamics: exact worlds, the moments they must have, batches."""

from itertools import pairwise

import pytest
import torch
from posterior_worlds import (
    COV,
    DATA,
    EXACT,
    EYE,
    GAIN,
    MU,
    NOISE,
    NONLINEAR,
    ONE,
    PLAIN,
    SCAN,
    WORLD,
    bias,
    deviation,
    distance,
    draws,
    recursion,
    repeat,
    same_alone,
)

import medtut as mt
from medtut import schedules as sc
from medtut.errors import BadInput
from medtut.operators import InverseProblem
from medtut.posterior.langevin import preconditioned_ula, score_ald

LEVELS = sc.geometric(25, sigma_min=0.05, sigma_max=5.0)
INV = torch.linalg.inv


def ald(step, inner, gamma):
    def one(s, s_next):
        size, variance = step * s**2, (gamma * s) ** 2 + NOISE**2
        drift = INV(COV + s**2 * EYE) + GAIN.T @ GAIN / variance
        return repeat(EYE - size * drift, size * GAIN.T @ DATA / variance, 2 * size * EYE, inner)

    return recursion(LEVELS, one)


def ula(step, inner):
    def one(s, s_next):
        P = INV(EYE / s**2 + GAIN.T @ GAIN / NOISE**2)
        drift = INV(COV + s**2 * EYE) + GAIN.T @ GAIN / NOISE**2
        return repeat(EYE - step * P @ drift, step * P @ GAIN.T @ DATA / NOISE**2, 2 * step * P, inner)

    return recursion(LEVELS, one)


@pytest.mark.parametrize(("step", "inner", "gamma"), [(0.1, 3, 1.0), (0.3, 5, 0.7)])
def test_score_ald_on_a_gaussian_has_the_moments_of_its_recursion(step, inner, gamma):
    x = draws(score_ald, LEVELS, step=step, inner=inner, gamma=gamma)
    mean, cov = deviation(x, *ald(step, inner, gamma))
    assert mean < 3.5
    assert cov < 3.5


def test_score_ald_nears_the_posterior_as_its_steps_grow_more():
    """Twice the steps leave about half of the error of the mean, until 2,000 draws no longer show any."""
    means, covs = zip(*(distance(*ald(0.2, inner, 1.0)) for inner in (75, 150, 300, 600)), strict=True)
    assert all(0.3 < after / before < 0.7 for before, after in pairwise(means))
    assert all(after < before for before, after in pairwise(covs))
    assert means[-1] < 3
    assert covs[-1] < 3


def test_score_ald_with_the_papers_three_steps_is_too_wide():
    mean, row, null = bias(*ald(0.1, 3, 1.0))
    assert 0.8 < mean < 1.1
    assert 2.8 < row < 3.5
    assert 2.8 < null < 3.6


def test_norm_matched_gradients_have_the_norm_they_are_told():
    """One step: the likelihood moves x five times as far as the score does, whatever noise_std is."""
    x = torch.randn(3, 1, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    sigmas = torch.tensor([1.0, 0.0]).double()
    moves = {}
    for factor in (0.0, 5.0, -5.0):
        for noise_std in (0.1, 3.0):
            problem = InverseProblem(ONE.A, DATA.expand(3, -1), noise_std)
            moves[factor, noise_std] = mt.last(
                score_ald(
                    WORLD.denoise,
                    problem,
                    sigmas,
                    x,
                    step=0.1,
                    inner=1,
                    norm_matched=factor,
                    generator=torch.Generator().manual_seed(1),
                )
            )
    score = (WORLD.denoise(x, 1.0) - x).flatten(1)
    move = (moves[5.0, 0.1] - moves[0.0, 0.1]).flatten(1)
    torch.testing.assert_close(move.norm(dim=1), 0.5 * score.norm(dim=1))
    torch.testing.assert_close(moves[5.0, 0.1], moves[5.0, 3.0])
    descent = -problem.grad(x).flatten(1)
    torch.testing.assert_close((move * descent).sum(1), move.norm(dim=1) * descent.norm(dim=1))


@pytest.mark.parametrize(("step", "inner"), [(0.1, 3), (0.7, 2)])
def test_preconditioned_ula_on_a_gaussian_has_the_moments_of_its_recursion(step, inner):
    mean, cov = deviation(draws(preconditioned_ula, LEVELS, step=step, inner=inner), *ula(step, inner))
    assert mean < 3.5
    assert cov < 3.5


def test_preconditioned_ula_nears_the_posterior_as_its_steps_grow_more():
    means, covs = zip(*(distance(*ula(0.05, inner)) for inner in (60, 120, 240)), strict=True)
    assert all(after < 0.7 * before for before, after in pairwise(means))
    assert all(after < 0.7 * before for before, after in pairwise(covs))
    assert means[-1] < 3
    assert covs[-1] < 3


def test_preconditioned_ula_may_take_large_steps():
    """One tenth of the steps, each twenty times as large: the steps' own bias is gone at the last level."""
    assert max(distance(*ula(1.0, 12))) < 3
    assert max(deviation(draws(preconditioned_ula, LEVELS, step=1.0, inner=12), MU, EXACT.cov)) < 3
    assert max(distance(*ula(1.0, 2))) > 5


def test_preconditioned_ula_needs_fewer_steps_than_score_ald():
    assert distance(*ula(0.1, 20))[0] < 0.3 * distance(*ald(0.2, 20, 1.0))[0]


SAMPLERS = {
    "score_ald": (score_ald, {"gamma": 2.0}, SCAN),
    "norm matched": (score_ald, {"norm_matched": 5.0}, SCAN),
    "preconditioned_ula": (preconditioned_ula, {"cg_steps": 200, "inner": 1}, SCAN),
}


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_sample_does_not_depend_on_its_batch(name):
    sampler, knobs, problem = SAMPLERS[name]
    states = same_alone(sampler, problem, steps=4, **knobs)
    assert [s.sigma for s in states] == sc.karras(4, sigma_min=0.05, sigma_max=20.0)[:-1].tolist()


def test_what_cannot_be_done_is_refused():
    with pytest.raises(BadInput, match="use dps"):
        next(preconditioned_ula(WORLD.denoise, NONLINEAR, LEVELS, torch.zeros(1, 1, 4)))
    clean = InverseProblem(PLAIN.A, PLAIN.y, 0.0)
    with pytest.raises(BadInput, match="use mcg"):
        next(preconditioned_ula(WORLD.denoise, clean, LEVELS, torch.zeros(3, 2, 9, 8)))
