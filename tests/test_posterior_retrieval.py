"""Hybrid input-output and error reduction: their lines, their fixed point, what they promise and what not."""

import pytest
import torch
from test_posterior import g

import medtut as mt
from medtut.errors import BadInput
from medtut.operators import InverseProblem
from medtut.physics.phase import PhaseRetrieval, aligned
from medtut.physics.pixels import Inpainting
from medtut.posterior import hybrid_input_output

A = PhaseRetrieval(2)


def image(b=2, h=9, w=8):
    x = torch.zeros(b, 1, h, w, dtype=torch.float64)
    x[..., 2:7, 2:6] = torch.rand(b, 1, 5, 4, generator=g(), dtype=torch.float64)
    return x


def guess(n, x):
    return mt.randn((n, *x.shape[1:]), mt.generators(3, n), x).abs()


def transcription(y, x, iters, reductions, beta):
    """The published steps on one image, pixel by pixel, the image in the middle of its frame."""
    h, w = x.shape
    rows, columns = y.shape
    top, left = (rows - h) // 2, (columns - w) // 2
    frame = torch.zeros(rows, columns, dtype=x.dtype)
    frame[top : top + h, left : left + w] = x
    for k in range(iters + reductions):
        G = torch.fft.fftshift(torch.fft.fft2(torch.fft.ifftshift(frame), norm="ortho"))
        G = y * G / G.abs()
        new = torch.fft.fftshift(torch.fft.ifft2(torch.fft.ifftshift(G), norm="ortho")).real
        for r in range(rows):
            for c in range(columns):
                within = top <= r < top + h and left <= c < left + w
                if not within or new[r, c] < 0:
                    new[r, c] = frame[r, c] - beta * new[r, c] if k < iters else 0
        frame = new
    return frame[top : top + h, left : left + w]


@pytest.mark.parametrize(("iters", "reductions", "beta"), [(0, 5, 0.9), (5, 0, 0.9), (4, 2, 0.6)])
def test_the_published_steps(iters, reductions, beta):
    x = image()
    problem, first = InverseProblem(A, A(x), 0.0), guess(2, x)
    got = hybrid_input_output(problem, first, iters=iters, reductions=reductions, beta=beta)
    for k in range(2):
        expected = transcription(problem.y[k, 0], first[k, 0], iters, reductions, beta)
        torch.testing.assert_close(got[k, 0], expected, atol=1e-9, rtol=1e-9)


def test_the_truth_and_its_turn_stay_where_they_are():
    x = image()
    problem = InverseProblem(A, A(x), 0.0)
    for start in (x, x.flip(-2, -1)):
        torch.testing.assert_close(hybrid_input_output(problem, start), start, atol=1e-6, rtol=0)


def test_error_reduction_never_increases_the_misfit():
    x = image()
    problem = InverseProblem(A, A(x), 0.0)
    state, misfits = guess(2, x), []
    for _ in range(30):
        state = hybrid_input_output(problem, state, iters=0, reductions=1)
        misfits.append(problem.loss(state))
    misfits = torch.stack(misfits)
    assert (misfits.diff(dim=0) <= 1e-12).all()
    assert (misfits[-1] < 0.5 * misfits[0]).all()


def test_the_hybrid_gets_out_of_where_error_reduction_stays():
    """From twenty guesses, on data without noise."""
    x = image(1)
    problem, first = InverseProblem(A, A(x), 0.0).repeat(20), guess(20, x)
    stuck = hybrid_input_output(problem, first, iters=0, reductions=400)
    moved = hybrid_input_output(problem, first, iters=350, reductions=50)

    def solved(z):
        return ((aligned(z, x.expand_as(z)) - x).abs().amax((1, 2, 3)) < 0.02).double().mean()

    assert solved(moved) > solved(stuck) + 0.3


def test_no_sample_reads_another():
    x = image()
    problem, first = InverseProblem(A, A(x), 0.0), guess(2, x)
    both = hybrid_input_output(problem, first, iters=6, reductions=2)
    one = hybrid_input_output(InverseProblem(A, problem.y[1:], 0.0), first[1:], iters=6, reductions=2)
    torch.testing.assert_close(both[1:], one, atol=1e-10, rtol=0)


def test_another_operator_is_refused():
    problem = InverseProblem(Inpainting(torch.ones(4, 4)), torch.ones(1, 1, 4, 4), 0.1)
    with pytest.raises(BadInput, match=r"got a Inpainting, .* needs PhaseRetrieval; use dps"):
        hybrid_input_output(problem, torch.ones(1, 1, 4, 4))
