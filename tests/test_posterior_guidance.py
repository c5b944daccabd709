"""MCG, pseudo-inverse guidance and moment matching: their papers' lines, exact worlds, batches, refusals."""

import pytest
import torch
from posterior_worlds import (
    A6,
    ABARS,
    DATA,
    EXACT,
    EYE,
    GAIN,
    MU,
    NOISE,
    NONLINEAR,
    ONE,
    PLAIN,
    PROBLEM,
    SCAN,
    WORLD,
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

import medtut as mt
from medtut import schedules as sc
from medtut.errors import BadInput
from medtut.operators import InverseProblem
from medtut.posterior.guidance import mcg, moment_matching, pigdm

CLEAN = InverseProblem(A6, PROBLEM.y, 0.0)
FINE = sc.karras(400, sigma_min=0.01, sigma_max=50.0)
COARSE = sc.karras(100, sigma_min=0.01, sigma_max=50.0)


def ancestral(x, x0, i):
    """Mean and standard deviation of q(x_{i-1} | x_i, x0) in VP variables."""
    abar, before = ABARS[i], ABARS[i - 1]
    alpha, beta = abar / before, 1 - abar / before
    mean = alpha**0.5 * (1 - before) / (1 - abar) * x + before**0.5 * beta / (1 - abar) * x0
    return mean, (beta * (1 - before) / (1 - abar)) ** 0.5


# --- the papers' variables ---------------------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [0.0, 0.3])
def test_mcg_is_its_algorithm(alpha):
    M = A6.M
    pinv = torch.linalg.pinv(M)

    def paper(x, y, generator):
        for i in range(len(ABARS) - 1, 0, -1):
            x = x.detach().requires_grad_()
            abar, before = ABARS[i], ABARS[i - 1]
            x0 = (x - (1 - abar) ** 0.5 * vp_eps(x, abar)) / abar**0.5
            gradient = torch.autograd.grad((y - A6(x0)).norm(), x)[0]
            mean, std = ancestral(x, x0, i)
            x = mean + std * vp_noise(x, generator) if i > 1 else mean
            x = x - alpha * (gradient - (gradient @ M.T) @ pinv.T)  # (I - A+ A) times the gradient
            y_i = before**0.5 * y
            if i > 1:
                y_i = y_i + (1 - before) ** 0.5 * A6(vp_noise(x, generator))
            x = x - (x @ M.T) @ pinv.T + (y_i @ pinv.T)[:, None]
        return x

    same_as_paper(mcg, paper, alpha=alpha, cg_steps=9)


@pytest.mark.parametrize(("eta", "problem"), [(1.0, PROBLEM), (0.0, PROBLEM), (0.3, CLEAN)])
def test_pigdm_adds_the_papers_score_of_the_likelihood(eta, problem):
    M = A6.M

    def paper(x, y, generator):
        for i in range(len(ABARS) - 1, 0, -1):
            x = x.detach().requires_grad_()
            abar, before = ABARS[i], ABARS[i - 1]
            eps = vp_eps(x, abar)
            x0 = (x - (1 - abar) ** 0.5 * eps) / abar**0.5
            r2 = 1 - abar  # sigma^2 / (1 + sigma^2)
            inverse = torch.linalg.inv(r2 * M @ M.T + problem.noise_std**2 * torch.eye(3).double())
            v = (y - A6(x0)).detach() @ inverse
            score = torch.autograd.grad((v * A6(x0)).sum(), x)[0]
            eps = eps - (1 - abar) ** 0.5 * score
            x0 = (x - (1 - abar) ** 0.5 * eps) / abar**0.5
            c1 = eta * ((1 - abar / before) * (1 - before) / (1 - abar)) ** 0.5
            z = vp_noise(x, generator) if i > 1 and eta > 0 else 0
            x = before**0.5 * x0 + c1 * z + (1 - before - c1**2) ** 0.5 * eps
        return x

    same_as_paper(pigdm, paper, problem, eta=eta)


def test_adaptive_pigdm_is_the_authors_solver():
    """For data without noise, as they have it: the weight is that of their option without `awd`."""
    pinv = torch.linalg.pinv(A6.M)

    def paper(x, y, generator):
        for i in range(len(ABARS) - 1, 0, -1):
            x = x.detach().requires_grad_()
            abar, before = ABARS[i], ABARS[i - 1]
            eps = vp_eps(x, abar)
            x0 = (x - (1 - abar) ** 0.5 * eps) / abar**0.5
            mat = ((y - A6(x0)) @ pinv.T)[:, None].detach()
            gradient = torch.autograd.grad((mat * x0).sum(), x)[0]
            c1 = ((1 - abar / before) * (1 - before) / (1 - abar)) ** 0.5
            c2 = (1 - before - c1**2) ** 0.5
            coefficient = (before**0.5 - c2 * abar**0.5 / (1 - abar) ** 0.5) * abar**0.5
            z = vp_noise(x, generator) if i > 1 else 0
            x = before**0.5 * x0 + c1 * z + c2 * eps + coefficient * gradient
        return x

    same_as_paper(pigdm, paper, CLEAN, adaptive=True)


def test_moment_matching_conditions_on_tweedies_covariance():
    M = A6.M

    def paper(x, y, generator):
        for i in range(len(ABARS) - 1, 0, -1):
            abar = ABARS[i]

            def tweedie(x, abar=abar):
                return (x - (1 - abar) ** 0.5 * vp_eps(x, abar)) / abar**0.5

            x0 = tweedie(x)
            C = (1 - abar) / abar**0.5 * torch.autograd.functional.jacobian(tweedie, x).reshape(6, 6)
            S = M @ C @ M.T + PROBLEM.noise_std**2 * torch.eye(3).double()
            x0 = x0 + (C @ M.T @ torch.linalg.solve(S, (y - A6(x0))[0]))[None, None]
            mean, std = ancestral(x, x0, i)
            x = mean + std * vp_noise(x, generator) if i > 1 else mean
        return x

    same_as_paper(moment_matching, paper, cg_steps=9)


# --- exact worlds ------------------------------------------------------------------------------------------


def test_moment_matching_meets_the_posterior_of_any_gaussian():
    mean, cov = deviation(draws(moment_matching, FINE), MU, EXACT.cov)
    assert mean < 3
    assert cov < 3


def test_pigdm_meets_the_posterior_of_an_isotropic_gaussian():
    world = mt.Gaussian(torch.full((1, 4), 0.5).double(), 0.7 * torch.eye(4).double())
    exact = world.posterior(GAIN, DATA, NOISE)
    mean, cov = deviation(draws(pigdm, FINE, world=world, variance=0.7), exact.mean.flatten(), exact.cov)
    assert mean < 3
    assert cov < 3


def pigdm_moments(steps):
    """On a Gaussian the Jacobian is a matrix, and PiGDM is affine."""

    def one(s, s_next):
        r2 = s**2 / (1 + s**2)
        gain = s**2 * shrink(s) @ GAIN.T @ torch.linalg.inv(r2 * GAIN @ GAIN.T + NOISE**2 * torch.eye(2))
        a = (s_next / s) ** 2
        matrix = a * EYE + (1 - a) * (shrink(s) - gain @ GAIN @ shrink(s))
        return matrix, (1 - a) * gain @ DATA, s_next**2 * (1 - a) * EYE

    return recursion(sc.karras(steps, sigma_min=0.01, sigma_max=50.0), one)


def test_pigdm_is_biased_where_the_prior_is_not_isotropic():
    mean, cov = deviation(draws(pigdm, COARSE), *pigdm_moments(100))
    assert mean < 3.5
    assert cov < 3.5
    mean, row, null = bias(*pigdm_moments(1000))
    assert 0.06 < mean < 0.09
    assert 1.01 < row < 1.03
    assert 0.99 < null < 1.02


def test_mcg_fits_the_noise():
    x = draws(mcg, COARSE, alpha=0.1)
    mean, row, null = bias(x.mean(0), x.T.cov())
    assert 1.1 < mean < 1.25
    assert abs(row) < 1e-12
    assert 0.7 < null < 0.9
    assert float(ONE.chi_square(x[:, None]).max()) < 1e-12


# --- batches and refusals ----------------------------------------------------------------------------------

SAMPLERS = {
    "mcg": (mcg, {"alpha": 0.1}, PLAIN),
    "pigdm": (pigdm, {"eta": 0.5}, SCAN),
    "moment_matching": (moment_matching, {"cg_steps": 4}, SCAN),
}


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_sample_does_not_depend_on_its_batch(name):
    sampler, knobs, problem = SAMPLERS[name]
    states = same_alone(sampler, problem, **knobs)
    assert [s.sigma for s in states] == sc.karras(8, sigma_min=0.05, sigma_max=20.0)[1:].tolist()


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_nonlinear_operator_is_refused(name):
    with pytest.raises(BadInput, match="use dps"):
        next(SAMPLERS[name][0](WORLD.denoise, NONLINEAR, COARSE, torch.zeros(1, 1, 4)))
