"""Operators and problems move to another device with all that is in them."""

from dataclasses import dataclass

import pytest
import torch
from operator_examples import LINEAR, NONLINEAR

import medtut as mt
from medtut import operators as op
from medtut.physics.likelihoods import PoissonProblem, Weighted


@dataclass(frozen=True, eq=False)
class Gain(op.LinearOperator):
    """y = gain * x, on any device."""

    gain: torch.Tensor
    name: str = "gain"

    def __call__(self, x):
        return self.gain * x

    adjoint = __call__


def test_an_operator_moves_with_all_its_tensors():
    moved = Gain(torch.ones(3), "mine").to("meta")
    assert (moved.gain.device.type, moved.name) == ("meta", "mine")
    nested = Weighted(Gain(torch.ones(3)), torch.ones(1, 3)).to("meta")
    assert (nested.weight.device.type, nested.A.gain.device.type) == ("meta", "meta")


@pytest.mark.parametrize("name", [*LINEAR, *NONLINEAR])
def test_a_moved_operator_measures_the_same(name):
    A, shape, _ = {**LINEAR, **NONLINEAR}[name]
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    y = A(x)
    assert torch.equal(A.to("cpu")(x), y)
    device = mt.device()
    moved = A.to(device)(x.to(device))
    assert moved.device.type == device
    torch.testing.assert_close(moved.cpu(), y, rtol=1e-10, atol=1e-12)


def test_a_problem_moves():
    problem = op.InverseProblem(Gain(torch.ones(3)), torch.ones(1, 3), 0.1)
    assert type(problem.to("cpu").A) is Gain
    assert problem.to("cpu").noise_std == 0.1
    counts = PoissonProblem(Gain(torch.ones(3)), torch.ones(1, 3), torch.full((1, 3), 0.5))
    x = torch.rand(1, 3, generator=torch.Generator().manual_seed(0))
    assert torch.equal(counts.to("cpu").loss(x), counts.loss(x))
