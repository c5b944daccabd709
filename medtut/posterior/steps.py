"""Steps that several samplers share: what a Gaussian belief about x0 becomes once the data are seen."""

from collections.abc import Callable
from functools import wraps

import torch
from torch import Tensor

from ..denoisers import Denoiser
from ..errors import BadInput
from ..noise import Noise, randn_like
from ..operators import InverseProblem, LinearOperator, Number
from ..physics.likelihoods import Likelihood


def linear(problem: InverseProblem, name: str) -> LinearOperator:
    """The operator of a problem if it is linear and its noise white, as the sampler `name` needs; else raises
    BadInput.
    """
    white(problem, name)
    if not isinstance(problem.A, LinearOperator):
        raise BadInput(
            f"got a {type(problem.A).__name__}, which is not linear, but {name} needs a linear operator; "
            "use dps, which needs only its gradient."
        )
    return problem.A


def only_linear(sampler: Callable) -> Callable:
    """The sampler with the refusals of `linear` in front of it."""

    @wraps(sampler)
    def checked(denoise: Denoiser, problem: InverseProblem, sigmas: Tensor, x: Tensor, **knobs):
        linear(problem, sampler.__name__)
        return sampler(denoise, problem, sigmas, x, **knobs)

    return checked


def white(problem: InverseProblem, name: str) -> None:
    """Refuse a problem whose noise is not white and Gaussian, for a sampler `name` that takes it for that."""
    if isinstance(problem, Likelihood):
        raise BadInput(
            f"got a {type(problem).__name__}, but {name} needs white Gaussian noise; use dps, which takes "
            "any loss, or low_dose, which makes the noise of transmission CT white."
        )


def noisy(problem: InverseProblem, name: str, instead: str) -> Number:
    """The noise level of a problem if it is positive; raises BadInput naming the sampler to use `instead`."""
    white(problem, name)
    if problem.noise_std == 0:
        raise BadInput(f"got noise_std = 0, but {name} needs a noise level above 0; use {instead}.")
    return problem.noise_std


def conditional_mean(problem: InverseProblem, z: Tensor, variance: Number, cg_steps: int = 50) -> Tensor:
    """E[x0 | y] if x0 ~ N(z, variance I): z + variance A^H (variance A A^H + noise_std^2)^-1 (y - A z).

    With noise_std = 0 this is the projection z + A^+ (y - A z), whatever the variance. z: (b, c, *space).
    At most cg_steps of conjugate gradients, unless A has a closed form.
    """
    if problem.noise_std == 0:
        return project(problem, z, problem.y, cg_steps)
    return problem.A.prox(z, problem.y, problem.noise_std**2 / variance, cg_steps)


def conditional_draw(
    problem: InverseProblem, z: Tensor, variance: Number, generator: Noise = None, cg_steps: int = 50
) -> Tensor:
    """One exact draw of x0 | y if x0 ~ N(z, variance I): the mean, with z and y noised [papandreou2010]."""
    z = z + variance**0.5 * randn_like(z, generator)
    y = problem.y + problem.noise_std * measurement_noise(problem, generator)
    return conditional_mean(InverseProblem(problem.A, y, problem.noise_std), z, variance, cg_steps)


def measurement_noise(problem: InverseProblem, generator: Noise = None) -> Tensor:
    """White noise of variance 1 per real component, with the shape of y, where something is measured."""
    y = problem.y
    if not y.is_complex():
        return problem.A.restrict(randn_like(y, generator))
    return problem.A.restrict(torch.view_as_complex(randn_like(torch.view_as_real(y), generator)))


def project(problem: InverseProblem, x: Tensor, y: Tensor, cg_steps: int, lam: Number = 1.0) -> Tensor:
    """x + lam A^+ (y - A x): lam = 1 replaces what y measures and keeps the rest.

    One step of conjugate gradients is exact for a mask or one coil. With several coils A is ill-conditioned,
    and many steps would carry the noise of y into x; a few leave it where A hardly sees.
    """
    return x + lam * problem.A.pinv(y - problem.A(x), cg_steps)
