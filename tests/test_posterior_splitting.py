"""DiffPIR, DAPS, PnP-DM and RED-diff: their papers' lines, the moments they must have, batches, refusals."""

from itertools import pairwise

import pytest
import torch
from posterior_worlds import (
    A6,
    ABARS,
    DATA,
    EYE,
    GAIN,
    MIXTURE,
    NOISE,
    NONLINEAR,
    ONE,
    PLAIN,
    PROBLEM,
    SCAN,
    WORLD,
    ancestral,
    bias,
    deviation,
    distance,
    draws,
    recursion,
    repeat,
    same_alone,
    same_as_paper,
    shrink,
    vp_eps,
    vp_noise,
)

import medtut as mt
from medtut import schedules as sc
from medtut.errors import BadInput
from medtut.operators import InverseProblem, Operator
from medtut.posterior.splitting import daps, diffpir, pnp_dm
from medtut.posterior.steps import conditional_draw, measurement_noise
from medtut.posterior.variational import red_diff

COARSE = sc.karras(40, sigma_min=0.01, sigma_max=50.0)
FINE = sc.karras(400, sigma_min=0.01, sigma_max=50.0)
ANNEAL = sc.geometric(30, sigma_min=0.05, sigma_max=10.0)


@pytest.mark.parametrize(("lam", "zeta", "noise_std"), [(1.0, 0.3, 0.1), (7.0, 0.0, 0.5), (1.0, 1.0, 0.1)])
def test_diffpir_is_its_algorithm_in_vp_variables(lam, zeta, noise_std):
    M = A6.M

    def paper(x, y, generator):
        for i in range(len(ABARS) - 1, 0, -1):
            abar, before = ABARS[i], ABARS[i - 1]
            x0 = (x - (1 - abar) ** 0.5 * vp_eps(x, abar)) / abar**0.5
            rho = lam * noise_std**2 / ((1 - abar) / abar)
            normal = M.T @ M + rho * torch.eye(6).double()  # argmin |y - A x|^2 + rho |x - x0|^2
            x0 = torch.linalg.solve(normal, M.T @ y[0] + rho * x0[0, 0])[None, None]
            eps = (x - abar**0.5 * x0) / (1 - abar) ** 0.5
            z = vp_noise(x, generator) if i > 1 and zeta > 0 else 0
            x = before**0.5 * x0 + (1 - before) ** 0.5 * ((1 - zeta) ** 0.5 * eps + zeta**0.5 * z)
        return x

    same_as_paper(diffpir, paper, InverseProblem(A6, PROBLEM.y, noise_std), lam=lam, zeta=zeta)


@pytest.mark.parametrize("lam", [0.25, 2.0])
def test_red_diff_is_the_authors_optimiser_in_vp_variables(lam):
    def paper(x, y, generator):
        mu = ((y @ torch.linalg.pinv(A6.M).T)[:, None]).requires_grad_()
        adam = torch.optim.Adam([mu], lr=0.1, betas=(0.9, 0.99))
        for abar in ABARS[:0:-1]:
            noise = vp_noise(x, generator)
            et = vp_eps((abar**0.5 * mu + (1 - abar) ** 0.5 * noise).detach(), abar)
            weight = lam * (1 - abar) ** 0.5 / abar**0.5
            loss = ((y - A6(mu)) ** 2).mean() / 2 + weight * ((et - noise) * mu).mean()
            adam.zero_grad()
            loss.backward()
            adam.step()
        return mu

    same_as_paper(red_diff, paper, lam=lam, cg_steps=9)


# --- a Gaussian world --------------------------------------------------------------------------------------


def given_data(s):
    """x0 ~ N(z, s^2) given y is z -> matrix z + shift with this covariance."""
    cov = torch.linalg.inv(GAIN.T @ GAIN / NOISE**2 + EYE / s**2)
    return cov / s**2, cov @ GAIN.T @ DATA / NOISE**2, cov


def test_the_conditional_draw_is_exact():
    z = torch.tensor([0.5, -1.0, 0.3, 0.8]).double()
    matrix, shift, cov = given_data(0.7)
    x = conditional_draw(ONE, z.expand(len(ONE.y), 1, 4), 0.7**2, torch.Generator().manual_seed(0))
    assert max(deviation(x.flatten(1), matrix @ z + shift, cov)) < 3


def test_measurement_noise_has_variance_one_per_real_component_where_the_mask_is():
    many = SCAN.repeat(200)
    n = measurement_noise(many, torch.Generator().manual_seed(0))
    mask = many.A.mask.bool().expand_as(n)
    assert (n[~mask] == 0).all()
    parts = torch.view_as_real(n[mask])
    assert (parts.square().mean(0) - 1).abs().max() < 3 * (2 / len(parts)) ** 0.5
    assert (parts[:, 0] * parts[:, 1]).mean().abs() < 3 / len(parts) ** 0.5


def diffpir_step(lam, zeta):
    def one(s, s_next):
        matrix, shift, _ = given_data(s / lam**0.5)
        matrix, keep = matrix @ shrink(s), (1 - zeta) ** 0.5 * s_next / s
        return matrix + keep * (EYE - matrix), shift - keep * shift, zeta * s_next**2 * EYE

    return one


def daps_step(ode_steps, langevin=None):
    def one(s, s_next):
        flow = EYE
        for a, b in pairwise(sc.karras(ode_steps, s / 50 if ode_steps > 1 else s, s).tolist()):
            flow = (shrink(a) + b / a * (EYE - shrink(a))) @ flow
        matrix, shift, cov = given_data(s)
        if langevin is not None:  # from x0hat, in as many steps
            steps, step = langevin
            size = step / (1 / s**2 + 1 / NOISE**2)
            towards = EYE - size * torch.linalg.inv(cov)
            past, shift, cov = repeat(towards, size * GAIN.T @ DATA / NOISE**2, 2 * size * EYE, steps)
            # each step also pulls towards x0hat by size / s^2: a geometric series
            matrix = past + torch.linalg.solve(EYE - towards, EYE - past) * size / s**2
        return matrix @ flow, shift, cov + s_next**2 * EYE

    return one


def pnp_step(inner, repeats):
    def one(s, s_next):
        matrix, shift, cov = given_data(s)
        for a, b in pairwise(sc.karras(inner, s / 50, s).tolist()):
            back, fresh = ancestral(a, b)
            matrix, shift, cov = back @ matrix, back @ shift, back @ cov @ back.T + fresh
        return repeat(matrix, shift, cov, repeats)

    return one


class Black(Operator):
    """The same measurement as an operator that does not say that it is linear."""

    def __call__(self, x):
        return ONE.A(x)


MOMENTS = {
    "diffpir": (diffpir, {"lam": 1.0, "zeta": 0.3}, COARSE, diffpir_step(1.0, 0.3), ONE),
    "diffpir, strong prior": (diffpir, {"lam": 7.0, "zeta": 1.0}, COARSE, diffpir_step(7.0, 1.0), ONE),
    "daps": (daps, {}, COARSE, daps_step(5), ONE),
    "daps, Tweedie": (daps, {"ode_steps": 1}, COARSE, daps_step(1), ONE),
    "daps, Langevin": (
        daps,
        {"ode_steps": 1, "langevin_steps": 6, "step": 0.3},
        COARSE,
        daps_step(1, (6, 0.3)),
        InverseProblem(Black(), ONE.y, NOISE),
    ),
    "pnp_dm": (pnp_dm, {"inner": 4, "repeats": 2}, ANNEAL, pnp_step(4, 2), ONE),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_on_a_gaussian_it_has_the_moments_of_its_recursion(name):
    sampler, knobs, sigmas, step, problem = MOMENTS[name]
    mean, cov = deviation(draws(sampler, sigmas, problem, **knobs), *recursion(sigmas, step))
    assert mean < 3.5
    assert cov < 3.5


def test_pnp_dm_nears_the_posterior_as_its_steps_grow_more():
    far = [distance(*recursion(ANNEAL, pnp_step(20 * k, 6 * k))) for k in (1, 2, 4)]
    assert all(after < 0.7 * before for (before, _), (after, _) in pairwise(far))
    assert all(after < before for (_, before), (_, after) in pairwise(far))
    assert max(far[-1]) < 3


BIAS = {  # error of the mean over the spread; variance over the exact one where A measures, and where not
    "diffpir, lam 1, zeta 0.3": (FINE, diffpir_step(1.0, 0.3), (0.067, 0.877, 0.944)),
    "diffpir, lam 1, zeta 1": (FINE, diffpir_step(1.0, 1.0), (0.013, 0.489, 0.497)),
    "daps": (FINE, daps_step(5), (0.263, 1.163, 1.414)),
    "pnp_dm, few sweeps": (ANNEAL, pnp_step(40, 1), (0.183, 0.999, 0.977)),
}


@pytest.mark.parametrize("name", BIAS)
def test_its_bias_is_known(name):
    sigmas, step, expected = BIAS[name]
    torch.testing.assert_close(
        torch.tensor(bias(*recursion(sigmas, step))), torch.tensor(expected), rtol=0, atol=0.01
    )


def test_red_diff_has_no_spread_and_fits_the_noise():
    x = draws(red_diff, sc.karras(300, sigma_min=0.01, sigma_max=50.0))
    mean, row, null = bias(x.mean(0), x.T.cov())
    assert 1.1 < mean < 1.5
    assert row < 0.01
    assert 0.05 < null < 0.3
    assert float(ONE.chi_square(x[:, None]).mean()) < 0.01


# --- batches and refusals ----------------------------------------------------------------------------------

SAMPLERS = {
    "diffpir": (diffpir, {"cg_steps": 200}, SCAN),
    "daps": (daps, {"cg_steps": 200}, SCAN),
    "pnp_dm": (pnp_dm, {"inner": 3, "cg_steps": 200}, SCAN),
    "red_diff": (red_diff, {}, PLAIN),
}


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_sample_does_not_depend_on_its_batch(name):
    sampler, knobs, problem = SAMPLERS[name]
    states = same_alone(sampler, problem, steps=3, **knobs)
    assert len(states) == 3


def test_what_cannot_be_done_is_refused():
    x = torch.zeros(1, 1, 4)
    for sampler in (diffpir, pnp_dm):
        with pytest.raises(BadInput, match="use dps"):
            next(sampler(WORLD.denoise, NONLINEAR, COARSE, x))
    with pytest.raises(BadInput, match="use dps"):
        next(daps(WORLD.denoise, InverseProblem(NONLINEAR.A, NONLINEAR.y, 0.0), COARSE, x))


def test_red_diff_takes_a_nonlinear_operator():
    x = torch.zeros(1, 1, 6).double()
    problem = InverseProblem(NONLINEAR.A, torch.ones(1, 1, 6).double(), 0.1)
    out = mt.last(red_diff(MIXTURE.denoise, problem, COARSE, x, generator=torch.Generator().manual_seed(0)))
    assert torch.isfinite(out).all()
