"""Song, score-MRI, CCDF and DDNM: their papers' lines, the moments they must have, batches, refusals."""

from itertools import pairwise

import pytest
import torch
from posterior_worlds import (
    A6,
    ABARS,
    DATA,
    EYE,
    GAIN,
    LEVELS,
    MIXTURE,
    NONLINEAR,
    ONE,
    PLAIN,
    PROBLEM,
    SCAN,
    WORLD,
    Y6,
    ancestral,
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
from test_posterior import PRIOR

import medtut as mt
from medtut import schedules as sc
from medtut.errors import BadInput
from medtut.operators import to_complex, to_real
from medtut.physics.mri import fft2c, ifft2c
from medtut.posterior.projection import come_closer, ddnm, score_mri, song

PINV = torch.linalg.pinv(GAIN)
REST = EYE - PINV @ GAIN  # projects onto the null space
COARSE = sc.karras(60, sigma_min=0.01, sigma_max=50.0)
FINE = sc.karras(400, sigma_min=0.01, sigma_max=50.0)


def blend(x, y, lam):
    return x + lam * ((y - A6(x)) @ torch.linalg.pinv(A6.M).T)[:, None]


@pytest.mark.parametrize("lam", [1.0, 0.4])
def test_song_is_its_algorithm_in_vp_variables(lam):
    def paper(x, y, generator):
        for i in range(len(ABARS) - 1, 0, -1):
            abar, before = ABARS[i], ABARS[i - 1]
            y_i = abar**0.5 * y + (1 - abar) ** 0.5 * A6(vp_noise(x, generator))
            x = blend(x, y_i, lam)
            eps = vp_eps(x, abar)
            x0 = (x - (1 - abar) ** 0.5 * eps) / abar**0.5
            std = ((1 - before) / (1 - abar) * (1 - abar / before)) ** 0.5
            z = vp_noise(x, generator) if i > 1 else 0
            x = before**0.5 * x0 + (1 - before - std**2) ** 0.5 * eps + std * z
        return blend(x, y, 1)

    same_as_paper(song, paper, lam=lam, cg_steps=9)


@pytest.mark.parametrize("eta", [0.85, 0.0])
def test_ddnm_is_the_authors_solver_in_vp_variables(eta):
    def paper(x, y, generator):
        for i in range(len(ABARS) - 1, 0, -1):
            abar, before = ABARS[i], ABARS[i - 1]
            eps = vp_eps(x, abar)
            x0 = blend((x - (1 - abar) ** 0.5 * eps) / abar**0.5, y, 1)
            z = vp_noise(x, generator) if i > 1 and eta > 0 else 0
            x = before**0.5 * x0 + (1 - before) ** 0.5 * (eta * z + (1 - eta**2) ** 0.5 * eps)
        return x

    same_as_paper(ddnm, paper, eta=eta, cg_steps=9)


def test_score_mri_replaces_k_space_after_corrector_and_predictor():
    """The authors' steps in their own variables, x = x0 + sigma eps, on complex images, one at a time."""
    sigmas = sc.geometric(6, sigma_min=0.05, sigma_max=10.0)
    x = mt.start(sigmas, (3, 2, 9, 8), mt.generators(0, 3), PRIOR.mean)
    ours = mt.last(score_mri(PRIOR.denoise, PLAIN, sigmas, x, generator=mt.generators(1, 3)))
    levels = sigmas.tolist()
    for i in range(3):
        own, mask, y = mt.generators(1, 3)[i], PLAIN.A.mask[i], PLAIN.y[i]
        u = x[i : i + 1]

        def keep(u, mask=mask, y=y):
            return to_real(ifft2c(fft2c(to_complex(u)) * (1 - mask) + y))

        for s, s_next in pairwise(levels):
            grad = (PRIOR.denoise(u, s) - u) / s**2
            noise = vp_noise(u, own)
            step = (0.16 * noise.norm() / grad.norm()) ** 2 * 2
            u = keep(u + step * grad + (step * 2).sqrt() * noise)
            mean = u + (s**2 - s_next**2) * (PRIOR.denoise(u, s) - u) / s**2
            u = keep(mean + (s**2 - s_next**2) ** 0.5 * vp_noise(u, own) if s_next > 0 else mean)
        torch.testing.assert_close(ours[i : i + 1], u, rtol=1e-8, atol=1e-8)


def song_step(lam):
    def one(s, s_next):
        matrix, fresh = ancestral(s, s_next)
        measured = EYE - REST
        shift = lam * matrix @ PINV @ DATA
        fresh = fresh + (lam * s) ** 2 * matrix @ measured @ matrix.T
        matrix = matrix @ (EYE - lam * measured)
        if s_next == 0:
            return REST @ matrix, REST @ shift + PINV @ DATA, REST @ fresh @ REST
        return matrix, shift, fresh

    return one


def score_mri_step(s, s_next):
    matrix, _ = ancestral(s, s_next)
    return REST @ matrix, PINV @ DATA, (s**2 - s_next**2 if s_next > 0 else 0) * REST


def ddnm_step(eta):
    def one(s, s_next):
        keep = (1 - eta**2) ** 0.5 * s_next / s
        matrix = REST @ shrink(s) + keep * (EYE - shrink(s))
        return matrix, PINV @ DATA, (eta * s_next) ** 2 * EYE

    return one


MOMENTS = {
    "song": (song, {"lam": 1.0}, song_step(1.0)),
    "song, half way": (song, {"lam": 0.5}, song_step(0.5)),
    "score_mri": (score_mri, {"correctors": 0}, score_mri_step),
    "ddnm": (ddnm, {"eta": 0.85}, ddnm_step(0.85)),
    "ddnm, no noise": (ddnm, {"eta": 0.0}, ddnm_step(0.0)),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_on_a_gaussian_it_has_the_moments_of_its_recursion(name):
    """In the null space; where it measures, every draw fits the data to rounding."""
    sampler, knobs, step = MOMENTS[name]
    x = draws(sampler, COARSE, **knobs)
    assert float(ONE.chi_square(x[:, None]).max()) < 1e-12
    null = torch.linalg.svd(GAIN)[2][2:]
    mean, cov = recursion(COARSE, step)
    mean, cov = deviation(x @ null.T, null @ mean, null @ cov @ null.T)
    assert mean < 3.5
    assert cov < 3.5


@pytest.mark.parametrize(
    ("name", "mean", "null"),
    [
        ("song", 1.16, 0.92),
        ("song, half way", 1.16, 0.92),
        ("score_mri", 1.16, 0.95),
        ("ddnm", 1.41, 0.56),
        ("ddnm, no noise", 1.46, 0.73),
    ],
)
def test_its_bias_with_many_steps_is_known(name, mean, null):
    """The variance where it measures is 0; the mean is off because the noise of the data is fitted."""
    off, row, left = bias(*recursion(FINE, MOMENTS[name][2]))
    assert abs(row) < 1e-12
    assert abs(off - mean) < 0.05
    assert abs(left - null) < 0.04


# --- CCDF --------------------------------------------------------------------------------------------------


def test_come_closer_noises_the_guess_to_the_level_it_starts_at():
    guess = torch.randn(3, 1, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    rest, x = come_closer(guess, COARSE, 0.8, mt.generators(0, 3))
    assert rest[0] <= 0.8 < COARSE[COARSE.tolist().index(float(rest[0])) - 1]
    assert rest[-1] == 0
    abar = float(sc.abar(rest[0]))
    for i in range(3):  # the paper's x_{t0} = sqrt(abar) x0 + sqrt(1 - abar) z
        x_vp = abar**0.5 * guess[i] + (1 - abar) ** 0.5 * vp_noise(guess[:1], mt.generators(0, 3)[i])[0]
        torch.testing.assert_close(x[i], x_vp / abar**0.5)
    with pytest.raises(BadInput, match="larger one"):
        come_closer(guess, COARSE, 1e-4)


def test_song_from_a_guess_is_ccdf_in_vp_variables():
    """One forward diffusion of the guess to t0 < T, then the reverse steps with their projections."""
    guess = torch.randn(3, 1, 6, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    rest, x = come_closer(guess, LEVELS, 1.5, mt.generators(0, 3))
    ours = mt.last(song(MIXTURE.denoise, PROBLEM, rest, x, cg_steps=9, generator=mt.generators(1, 3)))
    t0 = len(rest) - 1
    assert 1 < t0 < len(ABARS) - 1
    for i in range(3):
        y, own = Y6[i : i + 1], mt.generators(1, 3)[i]
        first = vp_noise(guess[:1], mt.generators(0, 3)[i])
        x = ABARS[t0] ** 0.5 * guess[i : i + 1] + (1 - ABARS[t0]) ** 0.5 * first
        for j in range(t0, 0, -1):
            abar, before = ABARS[j], ABARS[j - 1]
            x = blend(x, abar**0.5 * y + (1 - abar) ** 0.5 * A6(vp_noise(x, own)), 1)
            eps = vp_eps(x, abar)
            x0 = (x - (1 - abar) ** 0.5 * eps) / abar**0.5
            std = ((1 - before) / (1 - abar) * (1 - abar / before)) ** 0.5
            z = vp_noise(x, own) if j > 1 else 0
            x = before**0.5 * x0 + (1 - before - std**2) ** 0.5 * eps + std * z
        torch.testing.assert_close(ours[i : i + 1], blend(x, y, 1), rtol=1e-5, atol=1e-5)


def test_the_error_of_a_guess_shrinks_and_a_shorter_way_keeps_more_of_it():
    """Two guesses with the same noise come closer: reverse diffusion with projection is a contraction."""
    left = {}
    for sigma_start in (0.3, 1.0, 4.0):
        ends = []
        for guess in (torch.zeros(1, 1, 4).double(), torch.ones(1, 1, 4).double()):
            rest, x = come_closer(guess, COARSE, sigma_start, mt.generators(0, 1))
            problem = mt.InverseProblem(ONE.A, DATA[None], 0.0)
            ends.append(mt.last(song(WORLD.denoise, problem, rest, x, generator=mt.generators(1, 1))))
        left[sigma_start] = float((ends[0] - ends[1]).norm())
    assert left[4.0] < 0.5 * left[1.0] < 0.5 * left[0.3] < 0.5 * 2


# --- batches and refusals ----------------------------------------------------------------------------------

SAMPLERS = {
    "song": (song, {"lam": 0.7}, SCAN),
    "score_mri": (score_mri, {"correctors": 2}, PLAIN),
    "ddnm": (ddnm, {}, SCAN),
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
