"""The standard problems of part 3, and the settings that were tuned on them."""

import inspect

import pytest
import torch
from refusals import refused_in_one_sentence

import medtut as mt
from medtut import tasks
from medtut.operators import LinearOperator
from medtut.posterior import tuned
from medtut.posterior.classical import normalised


@pytest.mark.parametrize("name", tasks.NAMES)
def test_a_task_is_a_noisy_scan_of_held_out_slices(name):
    task = tasks.make(name, range(2))
    assert task.truth.shape[0] == len(task.keys) == 2
    # the truth explains the data up to noise; what the reconstruction does not know adds to it
    assert ((task.problem.chi_square(task.truth) - 1.3).abs() < 0.4).all()
    assert task.psnr(task.truth + 0.1 * task.head).mean() == pytest.approx(20, abs=2.5)
    assert (task.psnr(task.truth) > 80).all()


@pytest.mark.parametrize("name", ["mri-4x-8", "ct-low-dose", "motion-blur"])
def test_a_slice_is_measured_alike_in_any_batch(name):
    both, second = tasks.make(name, [4, 7]), tasks.make(name, [7])
    torch.testing.assert_close(both.problem.y[1:], second.problem.y)
    torch.testing.assert_close(both.truth[1:], second.truth)


def test_repeat_keeps_each_slice_beside_its_copies():
    task = tasks.make("mri-4x-8", [1, 2])
    many = task.repeat(3)
    assert many.keys == [1, 1, 1, 2, 2, 2]
    torch.testing.assert_close(many.truth[3:4], task.truth[1:])
    torch.testing.assert_close(many.problem.loss(many.truth)[::3], task.problem.loss(task.truth))
    assert many.start(mt.schedules.geometric(2), None).shape == many.truth.shape
    assert many.start(mt.schedules.geometric(2), None, particles=5).shape == (6, 5, 2, 128, 128)


def test_phase_retrieval_is_scored_after_alignment():
    task = tasks.make("phase-retrieval", [0])
    assert (task.psnr(task.truth.flip(-2, -1).roll((3, -5), (-2, -1))) > 80).all()


def test_the_prior_of_complex_images_is_turned_and_that_of_real_ones_is_not():
    task = tasks.make("inpainting", [0])
    x = task.start(mt.schedules.geometric(2, 0.5, 1.0), mt.generators(0, 1))
    assert torch.equal(task.prior()(x, 0.5), task.denoise(x, 0.5))
    scan = tasks.make("mri-4x-1", [0])
    x = scan.start(mt.schedules.geometric(2, 0.5, 1.0), mt.generators(0, 1))
    assert not torch.equal(scan.prior(mt.generators(1, 1))(x, 0.5), scan.denoise(x, 0.5))


def test_an_unknown_task_is_refused():
    refused_in_one_sentence(lambda: tasks.make("mri-3x", [0]), "mri-3x")


@pytest.mark.parametrize("name", ["ct-20", "ct-low-dose", "super-resolution", "mri-4x-8"])
def test_a_normalised_problem_has_a_norm_near_one_and_the_same_chi_square(name):
    task = tasks.make(name, [0])
    problem = normalised(task.problem, task.truth.shape[1:])
    v = mt.randn(task.truth.shape, torch.Generator().manual_seed(3))
    for _ in range(30):
        v = problem.A.gram(v)
        size = float(v.norm())
        v = v / size
    assert 0.8 < size < 1.25  # a few power iterations, and 5 % to spare
    before, after = task.problem.chi_square(task.truth), problem.chi_square(task.truth)
    torch.testing.assert_close(before, after, rtol=1e-4, atol=0)


@pytest.mark.parametrize("task", tasks.NAMES)
def test_tuned_settings_fit_their_functions(task):
    for method, rows in tuned._stored()[task].items():
        known = inspect.signature(getattr(mt.posterior, method, mt.ddpm)).parameters
        for steps in rows:
            sigmas, knobs = tuned.best(task, method, int(steps))
            assert sigmas[-1] == 0
            assert (sigmas.diff() < 0).all()
            assert set(knobs) <= set(known)


def test_tuned_settings_cover_the_linear_tasks():
    for task in ("mri-4x-8", "ct-20", "inpainting"):
        assert isinstance(tasks.make(task, [0]).problem.A, LinearOperator)
        assert {"dps", "dds", "diffpir", "daps", "pnp_dm", "pigdm", "pnp_admm"} <= set(tuned._stored()[task])


def test_what_was_not_tuned_is_refused():
    refused_in_one_sentence(lambda: tuned.best("ct-20", "ddrm"), "'ddrm' with 100 calls")
    refused_in_one_sentence(lambda: tuned.best("mri-4x-8", "dps", 30), "30 calls on 'mri-4x-8'")
