"""The baselines of the leaderboard: no diffusion prior, or none at all."""

from functools import cache

import torch
from torch import Tensor

import medtut as mt
from medtut.data.brain import Brain
from medtut.operators import InverseProblem, conjugate_gradient
from medtut.physics.ct import CT, fbp
from medtut.physics.likelihoods import Weighted
from medtut.posterior import FittedGaussian, cg_sense, fit_gaussian, gaussian_map, total_variation
from medtut.tasks import MR, Task

from .methods import scaled


def plain(problem: InverseProblem) -> InverseProblem:
    """The problem whose A is a CT scan, where counting noise has made it a weighted one."""
    if isinstance(problem.A, Weighted):
        return InverseProblem(problem.A.A, problem.y / problem.A.weight, 0.0)
    return problem


def simplest(task: Task, _) -> Tensor:
    """Zero filling, filtered back-projection with a Hann window, block copies, or the blurred image."""
    problem = plain(task.problem)
    if isinstance(problem.A, CT):
        return fbp(problem.A, problem.y, hann=True)
    if isinstance(problem.A, mt.physics.Downsample):
        return problem.A.pinv(problem.y)
    return problem.A.adjoint(problem.y)


def tikhonov(task: Task, weight: float) -> Tensor:
    """Least squares with a small penalty: CG-SENSE where there are coils."""
    return cg_sense(scaled(task.problem, task), weight)


def edges(task: Task, weight: float) -> Tensor:
    """Total variation."""
    return total_variation(scaled(task.problem, task), weight, 1000 if needs_long(task) else 300)


def needs_long(task: Task) -> bool:
    """CT is ill-conditioned: the primal-dual method takes longer."""
    return isinstance(task.problem.A, CT | Weighted)


@cache
def gaussian(complex_: bool, contrasts: tuple, device: str) -> FittedGaussian:
    """Fitted to training slices. Real images are given an imaginary part of 0, and its share of the power."""
    train = Brain("train", complex=complex_, contrasts=list(contrasts))
    images = torch.cat([train.batch(range(i, i + 64)).image for i in range(0, 512, 64)])
    if complex_:
        fitted = fit_gaussian(images, 64)
    else:
        fitted = fit_gaussian(torch.cat([images, torch.zeros_like(images)], 1), 64)
        fitted = FittedGaussian(fitted.mean, fitted.factors, 2 * fitted.spectrum)
    return FittedGaussian(*(t.to(device) for t in (fitted.mean, fitted.factors, fitted.spectrum)))


def wiener(task: Task, weight: float) -> Tensor:
    """The posterior mean under the fitted Gaussian, told a noise level times its weight."""
    ct = isinstance(plain(task.problem).A, CT)
    complex_ = task.truth.shape[1] == 2
    prior = gaussian(complex_, ("CT",) if ct else tuple(MR), str(task.device))
    problem = scaled(task.problem, task)
    told = InverseProblem(problem.A, problem.y, weight * problem.noise_std)
    if complex_:
        return gaussian_map(told, prior, 15)
    A, mean = told.A, prior.mean[:1].expand(len(told.y), -1, -1, -1)

    def covariance(x: Tensor) -> Tensor:
        return prior.covariance(torch.cat([x, torch.zeros_like(x)], 1))[:, :1]

    def evidence(v: Tensor) -> Tensor:
        return A(covariance(A.adjoint(v))) + told.noise_std**2 * v

    innovation = told.y - A(mean)
    v = conjugate_gradient(evidence, innovation, torch.zeros_like(innovation), 150)
    return mean + covariance(A.adjoint(v))


def supervised(task: Task, _) -> Tensor:
    """The network that was trained on pairs: for 4x and 8 coils, or for 20 views. Elsewhere it is lost."""
    problem = plain(task.problem)
    name = "ct-after-fbp" if isinstance(problem.A, CT) else "mri-unrolled"
    return mt.load(name, str(task.device))(problem, task.label)


CLASSICAL = {  # name: (function, the weights that are tried)
    "zero filling": (simplest, [0.0]),
    "Tikhonov": (tikhonov, [3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1]),
    "total variation": (edges, [1e-4, 3e-4, 6e-4, 1e-3, 2e-3, 3e-3, 6e-3, 0.012, 0.024]),
    "fitted Gaussian": (wiener, [0.5, 1.0, 2.0, 4.0, 8.0]),
    "supervised network": (supervised, [1.0]),
}
