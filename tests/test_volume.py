"""A volume from a prior of slices: the authors' lines, limits that are known, and stacks of one subject."""

from itertools import pairwise

import pytest
import torch

import medtut as mt
from medtut.data.brain import Brain
from medtut.data.stack import brain_stack
from medtut.operators import InverseProblem, LinearOperator, simulate
from medtut.physics.pixels import Inpainting
from medtut.posterior import dds, dds_volume
from medtut.posterior.volume import between, between_adjoint, shrink

ABARS = (1 / (1 + mt.schedules.vp_table() ** 2))[::40]
SIGMAS = torch.cat([((1 - ABARS) / ABARS).sqrt().flip(0), torch.zeros(1, dtype=torch.float64)])
SHAPE = (5, 1, 4, 6)


def g(seed):
    return torch.Generator().manual_seed(seed)


def denoise(x, sigma, label=None):
    """The exact denoiser of white slices of variance 0.5, which know nothing of each other."""
    return 0.5 * x / (0.5 + sigma**2)


@pytest.fixture
def problem():
    A = Inpainting((torch.rand(4, 6, generator=g(0)) > 0.5).double())
    x0 = torch.randn(SHAPE, generator=g(1), dtype=torch.float64)
    return simulate(A, x0, 0.05, g(2), crime=True)


def run(problem, sampler=dds_volume, sigmas=SIGMAS, **knobs):
    x = mt.start(sigmas, SHAPE, g(3), like=torch.zeros((), dtype=torch.float64))
    return mt.last(sampler(denoise, problem, sigmas, x, generator=g(4), **knobs))


def solve(matrix, right):
    """Dense, for what conjugate gradients approach."""
    n = right.numel()
    columns = torch.stack([matrix(e.reshape(SHAPE)).flatten() for e in torch.eye(n, dtype=right.dtype)], 1)
    return torch.linalg.solve(columns, right.flatten()).reshape(SHAPE)


def test_it_is_the_authors_loop_in_vp_variables(problem):
    """Noise prediction, one ADMM step with kept variables, and their DDIM step; the system solved exactly."""
    A, y, gamma, rho, lam, eta, noise = problem.A, problem.y, 3.0, 0.7, 0.05, 0.85, g(4)
    x = mt.start(SIGMAS, SHAPE, g(3), like=torch.zeros((), dtype=torch.float64))
    x = x / (1 + SIGMAS[0] ** 2) ** 0.5
    split = dual = torch.zeros(4, *SHAPE[1:], dtype=torch.float64)
    for at, next_ in pairwise([*ABARS.flip(0).tolist(), 1.0]):
        e = (x - at**0.5 * denoise(x / at**0.5, ((1 - at) / at) ** 0.5)) / (1 - at) ** 0.5
        x0 = (x - (1 - at) ** 0.5 * e) / at**0.5
        right = x0 + gamma * A.adjoint(y) + rho * (between_adjoint(split) - between_adjoint(dual))
        x0 = solve(lambda v: v + gamma * A.gram(v) + rho * between_adjoint(between(v)), right)
        d = between(x0)
        split = shrink(d + dual, lam / rho)
        dual = d - split + dual
        x = next_**0.5 * x0 + (1 - next_) ** 0.5 * (1 - eta**2) ** 0.5 * e
        if next_ < 1:
            x = x + (1 - next_) ** 0.5 * eta * torch.randn(SHAPE, generator=noise, dtype=torch.float64)
    ours = run(problem, gamma=gamma, rho=rho, lam=lam, eta=eta, cg_steps=120)
    torch.testing.assert_close(ours, x, atol=1e-5, rtol=1e-5)


def test_without_the_penalty_it_is_dds(problem):
    ours = run(problem, gamma=3.0, rho=0.0, lam=0.0, cg_steps=60)
    torch.testing.assert_close(ours, run(problem, dds, gamma=3.0, cg_steps=60), atol=1e-8, rtol=1e-8)


def test_a_large_penalty_makes_all_slices_one(problem):
    """Where nothing is measured too; and a moderate one lies in between."""
    rough = [between(run(problem, rho=5.0, lam=lam, cg_steps=60)).square().mean() for lam in (0.0, 0.05, 50)]
    assert rough[2] < 0.02 * rough[0]
    assert rough[2] < rough[1] < rough[0]


def test_slices_are_solved_together_however_few_the_steps(problem):
    """Conjugate gradients take one step length for the volume; slice by slice would leave the equation."""

    class Told(LinearOperator):
        def __call__(self, x):
            return x * torch.linspace(0.2, 1, len(x), dtype=x.dtype).reshape(-1, 1, 1, 1)

        def adjoint(self, y):
            return self(y)

    own = InverseProblem(Told(), torch.randn(SHAPE, generator=g(5), dtype=torch.float64), 0.05)
    x0hat = torch.zeros(SHAPE, dtype=torch.float64)
    right = x0hat + 30 * own.A.adjoint(own.y)
    want = solve(lambda v: v + 30 * own.A.gram(v) + 2 * between_adjoint(between(v)), right)
    found = next(dds_volume(
        lambda x, s: x0hat, own, torch.tensor([1.0, 0.0]), x0hat, gamma=30.0, rho=2.0, cg_steps=80
    )).x  # fmt: skip
    torch.testing.assert_close(found, want, atol=1e-6, rtol=1e-6)


def test_between_and_shrink():
    x, p = (torch.randn(n, 2, 3, 4, generator=g(n), dtype=torch.float64) for n in (6, 5))
    assert torch.allclose((between(x) * p).sum(), (x * between_adjoint(p)).sum())
    assert shrink(torch.tensor([-3.0, -0.5, 0.5, 2.0]), 1.0).tolist() == [-2.0, 0.0, 0.0, 1.0]


def test_a_stack_is_one_subject_and_its_slices_change_slowly():
    cohort = Brain("heldout", complex=True)
    stack = brain_stack(cohort, 3, "T1", [25.0, 26.0, 27.0, 31.0])
    assert stack.image.shape == (4, 2, 128, 128)
    assert (stack.label[:, 0] == 0).all()
    assert torch.allclose(stack.label[:, 1] * 56 - 12, torch.tensor([25.0, 26.0, 27.0, 31.0]), atol=1e-4)
    near = (stack.image[1] - stack.image[0]).square().mean()
    far = (stack.image[3] - stack.image[0]).square().mean()
    other = (brain_stack(cohort, 4, "T1", [25.0]).image[0] - stack.image[0]).square().mean()
    assert 0 < near < far < other
    alone = brain_stack(cohort, 3, "T1", [25.0]).image
    assert torch.allclose(alone[0], stack.image[0], atol=1e-6)


@pytest.mark.parametrize("subject", [3, 8])
def test_a_stack_at_the_height_of_a_sample_is_that_sample_but_for_texture(subject):
    cohort = Brain("heldout", complex=True, contrasts=["T2"])
    sample = cohort.batch([subject])
    height = float(sample.label[0, 1]) * 56 - 12
    again = brain_stack(cohort, subject, "T2", [height])
    assert torch.allclose(again.tissue, sample.tissue, atol=1e-3)
    assert (again.image - sample.image).abs().mean() < 0.02
    assert torch.equal(again.head, sample.head)
