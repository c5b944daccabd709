"""Properties that every measurement operator must have, in float64, odd sizes included."""

import importlib
import pkgutil
from inspect import isabstract

import pytest
import torch
from operator_examples import LINEAR, NONLINEAR, g, mri, single
from refusals import refused_in_one_sentence

import medtut as mt
import medtut.physics
from medtut import operators as op
from medtut.errors import BadInput
from medtut.physics.matrix import Matrix
from medtut.physics.mri import MRI, cartesian_mask, coil_maps
from medtut.physics.phase import PhaseRetrieval
from medtut.physics.pixels import Downsample, Inpainting
from medtut.physics.spectral import svd

EVERY = {**LINEAR, **NONLINEAR}
EACH = pytest.mark.parametrize("name", LINEAR)
DECOMPOSED = tuple(kind for kind in svd.registry if kind not in (object, op.Operator))
ANY = pytest.mark.parametrize("name", EVERY)


def image(shape, seed=0):
    return torch.randn(shape, generator=g(seed), dtype=torch.float64)


def measurement(A, shape, seed=1):
    y = A(image(shape, seed))
    n = torch.randn((*y.shape, 2), generator=g(seed + 1), dtype=torch.float64)
    return torch.view_as_complex(n) if y.is_complex() else n[..., 0]


def size(u):
    return op.dot(u, u).sqrt().max()


def subclasses(cls):
    return {s for c in cls.__subclasses__() for s in {c, *subclasses(c)}}


def test_every_operator_of_the_package_is_in_the_list():
    for module in pkgutil.iter_modules(medtut.physics.__path__, "medtut.physics."):
        importlib.import_module(module.name)
    ours = {c for c in subclasses(op.Operator) if c.__module__.startswith("medtut.") and not isabstract(c)}
    assert ours == {type(e.A) for e in EVERY.values()}
    assert all(isinstance(e.A, op.LinearOperator) == (name in LINEAR) for name, e in EVERY.items())


@EACH
def test_linear(name):
    A, shape, _ = LINEAR[name]
    u, v = image(shape), image(shape, 1)
    assert size(A(2 * u - 3 * v) - (2 * A(u) - 3 * A(v))) < 1e-10


@EACH
def test_adjoint(name):
    A, shape, _ = LINEAR[name]
    x, y = image(shape), measurement(A, shape)
    torch.testing.assert_close(op.dot(A(x), y), op.dot(x, A.adjoint(y)), rtol=1e-10, atol=1e-10)
    assert size(A.gram(x) - A.adjoint(A(x))) < 1e-10


@EACH
def test_prox_is_optimal_with_a_rho_per_sample(name):
    A, shape, _ = LINEAR[name]
    y, z, rho = measurement(A, shape), image(shape, 3), torch.tensor([0.3, 1.0, 4.0])
    x = A.prox(z, y, rho, iters=200)
    slope = A.adjoint(A(x) - y) + op.column(rho, x) * (x - z)
    assert size(slope) < 1e-10 * (1 + size(A.adjoint(y)))
    one = A.prox(z, y, 1.0, iters=200)
    torch.testing.assert_close(one[1], x[1], rtol=0, atol=1e-10)


@EACH
def test_pseudo_inverse(name):
    A, shape, _ = LINEAR[name]
    x, y = image(shape), measurement(A, shape)
    assert size(A(A.pinv(A(x), iters=1000)) - A(x)) < 1e-10 * size(A(x))  # A A+ A = A
    back = A.pinv(y, iters=1000)
    assert size(A.adjoint(A(back) - y)) < 1e-10 * size(y)  # the residual is orthogonal to the range
    assert size(A.pinv(A(back), iters=1000) - back) < 1e-7 * size(back)  # the shortest: A+ A A+ = A+


@EACH
def test_restrict_is_a_projection_that_keeps_the_data(name):
    A, shape, _ = LINEAR[name]
    x, y = image(shape), measurement(A, shape)
    assert size(A.restrict(A(x)) - A(x)) == 0
    assert size(A.restrict(A.restrict(y)) - A.restrict(y)) == 0
    assert size(A.adjoint(y) - A.adjoint(A.restrict(y))) < 1e-12
    parts = 2 if y.is_complex() else 1
    assert (A.count(y) == parts * (A.restrict(torch.ones_like(y)) != 0).flatten(1).sum(1)).all()


@EACH
def test_samples_of_a_batch_do_not_touch(name):
    A, shape, one = LINEAR[name]
    one = A if one is None else one
    x, y, z = image(shape), measurement(A, shape), image(shape, 3)
    y = y * torch.tensor([1e-3, 1.0, 1e3]).reshape(-1, *[1] * (y.ndim - 1))
    for f in (
        lambda A, x, y, z: A(x),
        lambda A, x, y, z: A.adjoint(y),
        lambda A, x, y, z: A.pinv(y, iters=30),
        lambda A, x, y, z: A.prox(z, y, 0.5),
    ):
        together, alone = f(A, x, y, z)[1:2], f(one, x[1:2], y[1:2], z[1:2])
        assert size(together - alone) < 1e-10 * (1 + size(alone))


@pytest.mark.parametrize("name", [n for n, e in LINEAR.items() if isinstance(e.A, DECOMPOSED)])
def test_singular_value_decomposition(name):
    A, shape, _ = LINEAR[name]
    x, y = image(shape), measurement(A, shape)
    if isinstance(A, MRI) and A.coils.shape[1] > 1:
        with pytest.raises(BadInput, match=r"got MRI with \d coils"):
            svd(A, x)
        return
    values, vh, v, uh = svd(A, x)
    c, y = vh(x), A.restrict(y)
    assert c.shape == x.shape
    assert size(v(c) - x) < 1e-10
    torch.testing.assert_close(op.dot(c, c), op.dot(x, x))  # V is orthonormal
    assert size(uh(A(x)) - values * c) < 1e-10  # U^T A = S V^T
    assert size(A.adjoint(y) - v(values * uh(y))) < 1e-10  # A^T = V S U^T
    inverse = torch.where(values > 0, uh(y) / values, 0)
    assert size(A.pinv(y) - v(inverse)) < 1e-9 * size(inverse)  # A+ = V S+ U^T


@ANY
def test_float32_images_give_float32_results(name):
    A, x = single(EVERY[name].A), image(EVERY[name].shape).float()
    assert A(x).real.dtype == torch.float32
    if name in LINEAR:
        assert A.adjoint(A(x)).dtype == torch.float32


@ANY
def test_repeat_lets_every_sample_stand_twice(name):
    A, shape, _ = EVERY[name]
    x = image(shape)
    problem = op.InverseProblem(A, 0.7 * A(image(shape, 1)), 0.1)
    torch.testing.assert_close(
        problem.repeat(2).loss(x.repeat_interleave(2, 0)), problem.loss(x).repeat_interleave(2)
    )


@pytest.mark.parametrize("name", NONLINEAR)
def test_nonlinear_gradient_and_batch(name):
    A, shape, one = NONLINEAR[name]
    x, v = image(shape), image(shape, 1)
    problem = op.InverseProblem(A, 0.7 * A(image(shape, 2)), 0.1)
    step = 1e-5
    slope = (problem.loss(x + step * v) - problem.loss(x - step * v)) / (2 * step)
    torch.testing.assert_close(op.dot(problem.grad(x), v), slope, rtol=1e-6, atol=1e-6)
    assert size(A(x)[1:2] - (A if one is None else one)(x[1:2])) < 1e-10
    assert size(A.restrict(A(x)) - A(x)) == 0
    assert torch.isfinite(problem.grad(torch.zeros_like(x))).all()


def test_conjugate_gradients_stop_each_sample_by_itself():
    torch.manual_seed(0)
    M = torch.randn(3, 12, 12, dtype=torch.float64)
    M = M @ M.mT + torch.tensor([0.01, 1.0, 100.0]).double()[:, None, None] * torch.eye(12)
    b = torch.randn(3, 12, dtype=torch.float64)
    x = op.conjugate_gradient(lambda v: torch.einsum("bij,bj->bi", M, v), b, torch.zeros_like(b), 200)
    torch.testing.assert_close(x, torch.linalg.solve(M, b), rtol=1e-7, atol=1e-8)
    for i in range(3):
        alone = op.conjugate_gradient(lambda v, i=i: v @ M[i], b[i : i + 1], torch.zeros(1, 12).double(), 200)
        torch.testing.assert_close(x[i : i + 1], alone, rtol=0, atol=1e-10)


def test_conjugate_gradients_leave_a_solved_sample_alone():
    b = torch.tensor([[1.0, 2.0], [0.0, 0.0]])
    x = op.conjugate_gradient(lambda v: 2 * v, b, b / 2, 50)
    assert torch.equal(x, b / 2)
    with_precond = op.conjugate_gradient(
        lambda v: v * torch.tensor([1.0, 1e4]),
        b,
        torch.zeros_like(b),
        1,
        precond=lambda r: r / torch.tensor([1.0, 1e4]),
    )
    torch.testing.assert_close(with_precond, b / torch.tensor([1.0, 1e4]))


def test_loss_and_gradient_agree_with_autograd_for_any_operator():
    class Square(op.Operator):
        def __call__(self, x):
            return x**2

    x = image((2, 1, 4, 4))
    for A in (Square(), Downsample(2), Inpainting(torch.ones(4, 4))):
        problem = op.InverseProblem(A, 0.5 * A(image((2, 1, 4, 4), 5)), 0.1)
        v = x.clone().requires_grad_()
        (expected,) = torch.autograd.grad(problem.loss(v).sum(), v)
        torch.testing.assert_close(problem.grad(x), expected)
        assert problem.loss(x).shape == (2,)


def test_noise_has_its_level_in_each_component_and_only_where_measured():
    A = MRI(cartesian_mask(64, 64, 4, generator=g()), coil_maps(4, 64, 64, g()))
    x = 0.3 * image((2, 2, 64, 64)).float()
    problem = op.simulate(A, x, 0.05, g(3), crime=True)
    n = problem.y - A(x)
    measured = n[(A.mask * torch.ones_like(n.real)) > 0]
    m = measured.numel()
    for part in (measured.real, measured.imag):
        assert abs(part.std() / 0.05 - 1) < 4 / (2 * m) ** 0.5
    assert abs((measured.real * measured.imag).mean()) < 4 * 0.05**2 / m**0.5
    assert (n * (1 - A.mask)).abs().max() == 0
    assert (problem.chi_square(x) - 1).abs().max() < 4 * (2 / problem.A.count(problem.y).min()) ** 0.5


def test_simulation_and_reconstruction_differ_unless_the_crime_is_explicit():
    x = image((2, 2, 16, 16)).float()
    A = MRI(cartesian_mask(16, 16, 2, generator=g()), coil_maps(2, 16, 16, g()))
    honest = op.simulate(A, x, 0.0, g(1))
    assert honest.A is A
    gap = op.dot(honest.y - A(x), honest.y - A(x)).sqrt() / op.dot(A(x), A(x)).sqrt()
    assert ((gap > 0.002) & (gap < 0.05)).all()
    assert torch.equal(op.simulate(A, x, 0.0, g(1), crime=True).y, A(x))
    other = MRI(A.mask, coil_maps(2, 16, 16, g(9)))
    given = op.simulate(A, x, 0.0, g(1), A_recon=other)
    assert given.A is other
    assert torch.equal(given.y, A(x))
    with pytest.raises(BadInput, match=r"inverse crime.*crime=True"):
        op.simulate(PhaseRetrieval(), x, 0.1)
    with pytest.raises(BadInput, match="one of them"):
        op.simulate(A, x, 0.1, crime=True, A_recon=other)


def test_simulation_of_a_sample_is_the_same_in_any_batch():
    x = image((3, 2, 16, 16)).float()
    A = MRI(cartesian_mask(16, 16, 2, generator=g()), coil_maps(2, 16, 16, g()))
    together = op.simulate(A, x, 0.1, mt.generators(5, 3))
    alone = op.simulate(A, x[2:], 0.1, mt.generators(5, 3)[2:])
    torch.testing.assert_close(together.y[2:], alone.y)


def test_complex_and_real_round_trip():
    x = image((2, 2, 5, 4))
    assert torch.equal(op.to_real(op.to_complex(x)), x)
    u, v = op.to_complex(x), op.to_complex(image((2, 2, 5, 4), 1))
    torch.testing.assert_close(op.dot(u, v), op.dot(op.to_real(u), op.to_real(v)))


A_OK, NAN = Inpainting(torch.ones(4, 4)), float("nan")
BAD = {
    "NaN truth": (lambda: op.simulate(A_OK, torch.full((1, 1, 4, 4), NAN), 0.1, crime=True), "NaN"),
    "NaN data": (lambda: op.InverseProblem(A_OK, torch.full((1, 1, 4, 4), NAN), 0.1), "NaN"),
    "negative noise": (lambda: op.InverseProblem(A_OK, torch.ones(1, 1, 4, 4), -0.1), "noise_std = -0.1"),
    "NaN noise": (lambda: op.InverseProblem(A_OK, torch.ones(1, 1, 4, 4), NAN), "noise_std = nan"),
    "complex image": (lambda: A_OK(torch.ones(1, 1, 4, 4) * 1j), "complex image"),
    "complex channels": (lambda: op.to_complex(torch.ones(1, 2, 4, 4) * 1j), "complex64"),
    "real where complex": (lambda: op.to_real(torch.ones(1, 4, 4)), "real tensor"),
    "one channel": (lambda: op.to_complex(torch.ones(1, 1, 4, 4)), r"\(1, 1, 4, 4\)"),
    "not a multiple": (lambda: Downsample(3)(torch.ones(1, 1, 9, 8)), "multiples of 3"),
    "missing axis": (lambda: Downsample(3)(torch.ones(1, 9, 9)), "4 axes"),
    "grey mask": (lambda: Inpainting(torch.tensor([0.5])), "binary"),
    "grey k-space mask": (lambda: MRI(0.5 * torch.ones(4, 4), coil_maps(1, 4, 4)), "binary"),
    "wrong size": (lambda: mri(1, 8, 10)(torch.ones(1, 2, 10, 8).double()), r"\(10, 8\) pixels"),
    "wrong mask": (lambda: MRI(torch.ones(4, 5), coil_maps(1, 4, 4)), r"\(4, 5\)"),
    "wrong columns": (lambda: Matrix(torch.ones(2, 5), (1, 2, 3)), r"\(2, 5\) for images \(1, 2, 3\)"),
    "wrong vector": (lambda: Matrix(torch.ones(2, 5))(torch.ones(3, 1, 4)), r"need \(b, 1, 5\)"),
    "real coils": (lambda: MRI(torch.ones(4, 4), torch.ones(1, 1, 4, 4)), "complex"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_in_one_sentence(name):
    refused_in_one_sentence(*BAD[name])
