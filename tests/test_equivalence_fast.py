"""Fast solvers and the schedulers of diffusers: one exact denoiser, one noise, one list of levels."""

import diffusers
import pytest
import torch

import medtut as mt
from medtut import schedules as sc

WORLD = mt.GaussianMixture(
    torch.tensor([0.4, 0.6]).double(),
    torch.tensor([[[[-1.0, 0.5]]], [[[1.0, 0.0]]]]).double(),
    torch.stack([0.04 * torch.eye(2), 0.09 * torch.eye(2)]).double(),
)
LEVELS = sc.karras(20, 0.01, 40.0)


def begin():
    return mt.start(LEVELS, (3, 1, 1, 2), mt.generators(0, 3), WORLD.means)


def set_up(theirs, sigmas):
    """The scheduler with our levels in double precision; time stands for the index of a call."""
    theirs.set_timesteps(len(sigmas) - 1)
    theirs.sigmas, theirs.timesteps = sigmas, torch.arange(len(sigmas) - 1.0)
    theirs.num_inference_steps = len(sigmas) - 1
    theirs.set_begin_index(0)
    theirs.is_scale_input_called = True
    return theirs


def their_run(theirs, calls, x, vp=True, **knobs):
    """Their loop on the exact denoiser at the levels `calls`, in VP variables or in ours."""
    x = x / (1 + calls[0] ** 2) ** 0.5 if vp else x
    for t, s in enumerate(calls.tolist()):
        x0hat = WORLD.denoise(x * (1 + s**2) ** 0.5 if vp else x, s)
        x = theirs.step(x0hat, torch.tensor(float(t)), x, return_dict=False, **knobs)[0]
    return x


@pytest.fixture
def in_double(monkeypatch):
    """Several of their steps cast to single precision; in double the comparison is sharp."""
    monkeypatch.setattr(torch, "float32", torch.float64)


def assert_same(theirs, ours):
    assert theirs.std() > 0.05
    assert (theirs - ours).abs().max() < 1e-8


@pytest.mark.parametrize("n", [8, 20])
@pytest.mark.parametrize("algorithm", ["dpmsolver++", "sde-dpmsolver++"])
def test_2m_is_diffusers_2m(n, algorithm, in_double):
    sigmas, noise = sc.karras(n, 0.01, 40.0), torch.Generator().manual_seed(2)
    theirs = diffusers.DPMSolverMultistepScheduler(prediction_type="sample", algorithm_type=algorithm)
    want = their_run(set_up(theirs, sigmas), sigmas[:-1], begin(), generator=noise)
    eta, again = float(algorithm.startswith("sde")), torch.Generator().manual_seed(2)
    assert_same(want, mt.last(mt.dpmpp_2m(WORLD.denoise, sigmas, begin(), eta=eta, generator=again)))


def test_2m_that_ends_above_zero_is_diffusers_only_from_fifteen_steps():
    """Below fifteen steps diffusers takes the last one at order one, wherever it ends; we only at 0."""
    apart = []
    for n in (8, 20):
        sigmas = sc.karras(n + 1, 0.3, 40.0)[:-1]
        theirs = diffusers.DPMSolverMultistepScheduler(
            prediction_type="sample", final_sigmas_type="sigma_min"
        )
        want = their_run(set_up(theirs, sigmas), sigmas[:-1], begin()) * (1 + sigmas[-1] ** 2) ** 0.5
        ours = mt.last(mt.dpmpp_2m(WORLD.denoise, sigmas, begin()))
        apart.append((want - ours).abs().max().item())
    assert apart[1] < 1e-5 < 1e-3 < apart[0]


@pytest.mark.parametrize("n", [8, 20])
def test_unipc_is_diffusers_unipc(n):
    sigmas = sc.karras(n, 0.01, 40.0)
    theirs = diffusers.UniPCMultistepScheduler(prediction_type="sample", final_sigmas_type="zero")
    assert theirs.config.solver_type == "bh2"
    assert theirs.config.solver_order == 2
    want = their_run(set_up(theirs, sigmas), sigmas[:-1], begin())
    assert_same(want, mt.last(mt.unipc(WORLD.denoise, sigmas, begin())))


def test_2s_is_diffusers_2s_when_every_other_level_is_a_middle():
    """Theirs makes its second call at the next level of the list, ours in the middle of the step."""
    steps, begun = sc.karras(11, 0.01, 40.0), begin()
    middles = (steps[:-2] * steps[1:-1]).sqrt()
    sigmas = torch.cat([torch.stack([steps[:-2], middles], 1).flatten(), steps[-2:]])
    theirs = diffusers.DPMSolverSinglestepScheduler(prediction_type="sample", lower_order_final=True)
    set_up(theirs, sigmas).order_list = theirs.get_order_list(len(sigmas) - 1)
    want = their_run(theirs, sigmas[:-1], begun)
    assert_same(want, mt.last(mt.dpmpp_2s(WORLD.denoise, steps, begun)))


def test_heun_is_diffusers_heun():
    theirs = diffusers.HeunDiscreteScheduler(prediction_type="sample")
    twice = torch.cat([LEVELS[:1], LEVELS[1:-1].repeat_interleave(2), LEVELS[-1:]])
    want = their_run(set_up(theirs, twice), twice[:-1], begin(), vp=False)
    assert_same(want, mt.last(mt.churn(WORLD.denoise, LEVELS, begin())))


def test_diffusers_churn_is_not_algorithm_2(in_double):
    """EulerDiscrete adds the noise after the network was called, so D belongs to the level before it."""

    def both(s_churn):
        theirs = set_up(diffusers.EulerDiscreteScheduler(prediction_type="sample"), LEVELS)
        noise, again = torch.Generator().manual_seed(2), torch.Generator().manual_seed(2)
        want = their_run(theirs, LEVELS[:-1], begin(), vp=False, s_churn=s_churn, generator=noise)
        return want, mt.last(
            mt.churn(WORLD.denoise, LEVELS, begin(), s_churn=s_churn, order=1, generator=again)
        )

    assert_same(*both(0.0))
    theirs, ours = both(8.0)
    assert (theirs - ours).abs().max() > 0.05
