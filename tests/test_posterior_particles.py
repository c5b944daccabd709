"""TDS, FPS and MCGDiff: their papers' lines, the posterior of their own chain, batches, refusals."""

import pytest
import torch
from posterior_worlds import (
    A6,
    ABARS,
    COV,
    DATA,
    EYE,
    GAIN,
    LEVELS,
    MIXTURE,
    NOISE,
    NONLINEAR,
    ONE,
    PLAIN,
    PROBLEM,
    SCAN,
    WORLD,
    Y6,
    Dense,
    ancestral,
    bias,
    recursion,
    same_alone,
    vp_eps,
)
from test_posterior import PRIOR
from test_posterior_spectral import VH, S, U

import medtut as mt
from medtut import schedules as sc
from medtut.errors import BadInput
from medtut.operators import InverseProblem
from medtut.posterior.particles import fps, mcgdiff, systematic, tds

# --- resampling --------------------------------------------------------------------------------------------


def test_systematic_resampling_keeps_every_particle_about_as_often_as_it_weighs():
    w = torch.rand(4, 50, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    pick = systematic(w.log() + 700.0, mt.generators(0, 4))
    counts = torch.stack([torch.bincount(p, minlength=50) for p in pick])
    assert ((counts - 50 * w / w.sum(1, keepdim=True)).abs() < 1).all()
    one = systematic(torch.tensor([[-800.0, -900.0, -1000.0]]).double(), mt.generators(0, 1))
    assert (one == 0).all()


# --- the papers' variables ---------------------------------------------------------------------------------

N = 5


def same_as_paper(sampler, paper, problem=PROBLEM, **knobs):
    x = mt.start(LEVELS, (3, N, 1, 6), mt.generators(0, 3), Y6)
    ours = mt.last(sampler(MIXTURE.denoise, problem, LEVELS, x, **knobs, generator=mt.generators(1, 3)))
    for i in range(3):
        theirs = paper(x[i] * ABARS[-1] ** 0.5, Y6[i], mt.generators(1, 3)[i])
        torch.testing.assert_close(ours[i], theirs, rtol=1e-5, atol=1e-5)


def normal(generator, *shape):
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def chosen(log_w, generator):
    return systematic(log_w[None], [generator])[0]


def step_of(i):
    """sqrt(alpha)-type coefficients of q(x_{i-1} | x_i, x0) and its standard deviation."""
    abar, before = ABARS[i], ABARS[i - 1]
    alpha, beta = abar / before, 1 - abar / before
    cx, c0 = alpha**0.5 * (1 - before) / (1 - abar), before**0.5 * beta / (1 - abar)
    return abar, before, cx, c0, (beta * (1 - before) / (1 - abar)) ** 0.5


def test_tds_is_its_algorithm_in_vp_variables():
    def twisted(x, y, abar):
        x = x.detach().requires_grad_()
        x0 = (x - (1 - abar) ** 0.5 * vp_eps(x, abar)) / abar**0.5
        log_p = -0.5 * ((y - A6(x0)) ** 2).sum(1) / (PROBLEM.noise_std**2 + 1 - abar)
        return x0.detach(), log_p.detach(), torch.autograd.grad(log_p.sum(), x)[0]

    def paper(x, y, generator):
        x0, log_p, gradient = twisted(x, y, ABARS[-1])
        log_w = log_p
        for i in range(len(ABARS) - 1, 0, -1):
            abar, _, cx, c0, std = step_of(i)
            k = chosen(log_w, generator)
            x, x0, log_p, gradient = x[k], x0[k], log_p[k], gradient[k]
            prior = cx * x + c0 * x0
            if i == 1:
                k = chosen(-0.5 * ((y - A6(prior)) ** 2).sum(1) / PROBLEM.noise_std**2 - log_p, generator)
                return prior[k]
            proposal = cx * x + c0 * (x0 + (1 - abar) / abar**0.5 * gradient)
            x = proposal + std * normal(generator, N, 1, 6)
            old = log_p
            x0, log_p, gradient = twisted(x, y, ABARS[i - 1])
            p = torch.distributions.Normal(prior, std).log_prob(x).sum((1, 2))
            q = torch.distributions.Normal(proposal, std).log_prob(x).sum((1, 2))
            log_w = p + log_p - old - q
        return None

    same_as_paper(tds, paper)


@pytest.mark.parametrize("noise_std", [0.1, 0.8])
def test_fps_is_its_algorithm_in_vp_variables(noise_std):
    def paper(x, y, generator):
        uy = y @ U
        top = ABARS[-1]
        y_t = top**0.5 * uy + (1 - top) ** 0.5 * A6(normal(generator, 1, 1, 6))[0] @ U
        for i in range(len(ABARS) - 1, 0, -1):
            abar, before, cx, c0, std = step_of(i)
            x0 = (x - (1 - abar) ** 0.5 * vp_eps(x, abar)) / abar**0.5
            mean = (cx * x + c0 * x0)[:, 0] @ VH.T
            y_t = cx * y_t + c0 * uy + std * A6(normal(generator, 1, 1, 6))[0] @ U
            if i == 1:
                return (mean @ VH)[:, None]
            var = before * noise_std**2
            log_w = -0.5 * ((y_t - S * mean[:, :3]) ** 2 / (var + (S * std) ** 2)).sum(1)
            mean = mean[chosen(log_w, generator)]
            z = normal(generator, N, 1, 6)[:, 0]
            new = mean + std * z
            cov = 1 / (S**2 / var + 1 / std**2)
            new[:, :3] = cov * (S * y_t / var + mean[:, :3] / std**2) + cov.sqrt() * z[:, :3]
            x = (new @ VH)[:, None]
        return None

    same_as_paper(fps, paper, InverseProblem(A6, Y6, noise_std))


@pytest.mark.parametrize("noise_std", [0.1, 0.8, 0.0])
def test_mcgdiff_is_the_authors_filter_in_vp_variables(noise_std):
    kappa = 1e-2

    def paper(x, y, generator):
        datum = (y @ U) / S
        tau = 1 / (1 + (noise_std / S) ** 2)  # abar at the level of each datum

        def target(abar):
            return abar**0.5 * datum, 1 - (1 - kappa) * abar / tau, abar <= tau * (1 + 1e-12)

        x = x[:, 0] @ VH.T
        mean, var, on = target(ABARS[-1])
        gain = (1 - ABARS[-1]) / (1 - ABARS[-1] + var)
        z = x / (1 - ABARS[-1]) ** 0.5
        x[:, :3] = torch.where(on, gain * mean + (gain * var).sqrt() * z[:, :3], x[:, :3])
        for i in range(len(ABARS) - 1, 0, -1):
            abar, before, cx, c0, std = step_of(i)
            image = (x @ VH)[:, None]
            x0 = (image - (1 - abar) ** 0.5 * vp_eps(image, abar)) / abar**0.5
            predicted = (cx * image + c0 * x0)[:, 0] @ VH.T
            mean, var, on = target(abar)
            log_w = 0.5 * torch.where(on, (x[:, :3] - mean) ** 2 / var, 0).sum(1)
            if i == 1:
                if noise_std > 0:
                    log_w = log_w - 0.5 * ((S * predicted[:, :3] - y @ U) ** 2).sum(1) / noise_std**2
                x = predicted[chosen(log_w, generator)]
                if noise_std == 0:
                    x[:, :3] = datum
                return (x @ VH)[:, None]
            mean, var, on = target(before)
            log_w = log_w - 0.5 * torch.where(on, (predicted[:, :3] - mean) ** 2 / (std**2 + var), 0).sum(1)
            predicted = predicted[chosen(log_w, generator)]
            z = normal(generator, N, 1, 6)[:, 0]
            x = predicted + std * z
            gain = std**2 / (std**2 + var)
            held = gain * mean + (1 - gain) * predicted[:, :3] + (var * gain).sqrt() * z[:, :3]
            x[:, :3] = torch.where(on, held, x[:, :3])
        return None

    same_as_paper(mcgdiff, paper, InverseProblem(A6, Y6, noise_std), kappa=kappa)


# --- a Gaussian world --------------------------------------------------------------------------------------

SHORT = sc.karras(12, sigma_min=0.05, sigma_max=20.0)
RUNS, MANY = 60, 200
SOME = InverseProblem(Dense(GAIN), DATA.expand(RUNS, -1), NOISE)


def prior_step(s, s_next):
    matrix, fresh = ancestral(s, s_next)
    return matrix, torch.zeros(4).double(), fresh


CHAIN = mt.Gaussian(WORLD.mean, recursion(SHORT, prior_step)[1])


def runs(sampler, n, **knobs):
    """The mean and the second moment of each run's particles, (RUNS, 4) and (RUNS, 4, 4)."""
    x = mt.start(SHORT, (RUNS, n, 1, 4), torch.Generator().manual_seed(0), DATA)
    generator = torch.Generator().manual_seed(1)
    x = mt.last(sampler(WORLD.denoise, SOME, SHORT, x, **knobs, generator=generator))[:, :, 0]
    return x.mean(1), torch.einsum("rni,rnj->rij", x, x) / n


def errors(moments, exact):
    """How many standard errors over the runs both moments are from those of a Gaussian, at most."""
    mu = exact.mean.flatten()
    truth = (mu, exact.cov + mu[:, None] * mu)
    return [
        float(((m.mean(0) - t).abs() / (m.std(0) / len(m) ** 0.5)).max())
        for m, t in zip(moments, truth, strict=True)
    ]


@pytest.mark.parametrize("sampler", [tds, mcgdiff])
def test_with_many_particles_it_samples_the_posterior_of_its_own_chain(sampler):
    """The prior of a chain of 12 steps is narrower than the world's; its posterior is known all the same."""
    assert bias(CHAIN.mean.flatten(), CHAIN.cov)[2] < 0.9 * bias(WORLD.mean.flatten(), COV)[2]
    moments = runs(sampler, MANY)
    assert max(errors(moments, CHAIN.posterior(GAIN, DATA, NOISE))) < 3.5
    assert max(errors(moments, WORLD.posterior(GAIN, DATA, NOISE))) > 5


def test_tds_with_two_particles_is_not_there_yet():
    assert max(errors(runs(tds, 2), CHAIN.posterior(GAIN, DATA, NOISE))) > 5


def fps_step(s, s_next):
    """One particle is never chosen: the pair of state and noised data is Gaussian."""
    a = (s_next / s) ** 2
    back, fresh = ancestral(s, s_next)
    std2 = s_next**2 * (1 - a)
    path, shift = torch.cat([torch.zeros(2, 4).double(), a * torch.eye(2).double()], 1), (1 - a) * DATA
    gain = std2 * GAIN.T @ torch.linalg.inv(std2 * GAIN @ GAIN.T + NOISE**2 * torch.eye(2).double())
    state = torch.cat([back - gain @ GAIN @ back, gain @ path[:, 4:]], 1)
    matrix = torch.cat([state, path])
    both = torch.cat([gain, torch.eye(2).double()])  # the noise of the path moves state and path
    noise = both @ GAIN @ fresh @ GAIN.T @ both.T
    noise[:4, :4] += fresh - gain @ GAIN @ fresh
    return matrix, torch.cat([gain @ shift, shift]), noise


def fps_alone():
    """Mean and covariance of FPS with one particle."""
    top = float(SHORT[0])
    start = torch.cat([DATA.new_zeros(4), DATA]), torch.block_diag(top**2 * EYE, top**2 * GAIN @ GAIN.T)
    mean, cov = recursion(SHORT, fps_step, start)
    return mean[:4], cov[:4, :4]


def test_fps_with_one_particle_has_the_moments_of_its_recursion():
    mean, cov = fps_alone()
    x = mt.start(SHORT, (2000, 1, 1, 4), torch.Generator().manual_seed(0), DATA)
    generator = torch.Generator().manual_seed(1)
    x = mt.last(fps(WORLD.denoise, ONE, SHORT, x, generator=generator))[:, 0, 0]
    exact = mt.Gaussian(mean.reshape(1, 4), cov)
    assert max(errors((x, torch.einsum("ri,rj->rij", x, x)), exact)) < 3.5


def test_fps_with_many_particles_is_too_narrow():
    """Choosing counts the noise of y once a level: half of the variance is lost where it measures."""
    exact = CHAIN.posterior(GAIN, DATA, NOISE)
    _, right, _ = bias(exact.mean.flatten(), exact.cov)
    _, alone, _ = bias(*fps_alone())
    first, second = runs(fps, MANY)
    mean = first.mean(0)
    _, many, _ = bias(mean, second.mean(0) - mean[:, None] * mean)
    assert abs(alone / right - 1) < 0.1
    assert 0.4 < many / right < 0.65


# --- batches and refusals ----------------------------------------------------------------------------------

SAMPLERS = {"tds": (tds, SCAN), "fps": (fps, PLAIN), "mcgdiff": (mcgdiff, PLAIN)}


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_sample_does_not_depend_on_its_batch(name):
    sampler, problem = SAMPLERS[name]
    states = same_alone(sampler, problem, steps=4, particles=4)
    assert all(s.x.shape == s.x0hat.shape == (3, 4, 2, 9, 8) for s in states)


def test_what_cannot_be_done_is_refused():
    x = PRIOR.mean.expand(3, 2, 2, 9, 8)
    for sampler in (fps, mcgdiff):
        with pytest.raises(BadInput, match="use dds or diffpir"):
            next(sampler(PRIOR.denoise, SCAN, SHORT, x))
    with pytest.raises(BadInput, match="use dps"):
        next(tds(WORLD.denoise, InverseProblem(NONLINEAR.A, NONLINEAR.y, 0.0), SHORT, x))
