"""Our prior, operators and noise levels as deepinv's DPS, DiffPIR and DDRM take them.

deepinv lives in an environment of its own, see `make peers`: it is imported when a function is called, never
when this file is. Images are ours, 0 to 1. DPS and DiffPIR of deepinv run on 2 x - 1, in VP variables.
"""

import math

import torch
from torch import Tensor

from medtut.denoisers import Denoiser
from medtut.operators import InverseProblem
from medtut.physics.blur import Blur
from medtut.physics.pixels import Inpainting

BETA = (0.1, 20.0)  # deepinv's VP path: beta rises from the first to the second over t in [0, 1]


def deepinv():
    """The library. It imports torchvision, of which it needs no compiled operator for any sampler.

    torchvision's compiled part fails to load beside a torch that was built for another device, and then its
    Python part refuses to be imported unless these two operators are at least declared.
    """
    try:
        import deepinv
    except RuntimeError:
        for name in ("nms", "qnms"):
            torch.library.define(f"torchvision::{name}", "(Tensor a, Tensor b, float c) -> Tensor")
        import deepinv
    return deepinv


def physics_of(problem: InverseProblem, shape: tuple[int, ...]):
    """The operator of a problem for images (c, h, w), as deepinv's own, with its noise level."""
    physics = deepinv().physics
    noise = physics.GaussianNoise(float(problem.noise_std))
    if isinstance(problem.A, Inpainting):
        return physics.Inpainting(shape, mask=problem.A.mask[None], noise_model=noise)
    if isinstance(problem.A, Blur):
        return physics.BlurFFT(shape, filter=problem.A.kernel[None, None], noise_model=noise)
    raise TypeError(f"no deepinv operator for a {type(problem.A).__name__}; use Inpainting or Blur")


class Told(torch.nn.Module):
    """A denoiser in our convention as deepinv calls it; both take images from 0 to 1 and x0 + sigma eps."""

    def __init__(self, denoise: Denoiser):
        super().__init__()
        self.denoise = denoise

    def forward(self, x: Tensor, sigma: Tensor | float, *args, **kwargs) -> Tensor:
        """x0hat."""
        return self.denoise(x, float(sigma))


def clock(sigmas: Tensor) -> Tensor:
    """deepinv's time of our noise levels, which are twice as large on 2 x - 1: the inverse of its VP path."""
    low, high = BETA
    integral = torch.log1p((2 * sigmas) ** 2)  # of beta from 0 to t: low t + (high - low) t^2 / 2
    return ((low**2 + 2 * (high - low) * integral).sqrt() - low) / (high - low)


def dps(
    denoise: Denoiser, problem: InverseProblem, sigmas: Tensor, x: Tensor, *, weight: float, seed: int
) -> Tensor:
    """deepinv's DPS: the same levels, the same first state. Its step is weight (s^2 - s_next^2) g in ours."""
    solver = deepinv().sampling.DDPMSolver(clock(sigmas), rng=torch.Generator().manual_seed(seed))
    sampler = deepinv().sampling.DPS(Told(denoise), solver=solver, weight=weight)
    scale = 1 / math.sqrt(1 + 4 * float(sigmas[0]) ** 2)
    first = (scale * (2 * x - 1)).double()
    return sampler(problem.y, physics_of(problem, x.shape[1:]), x_init=first).to(x).detach()


def diffpir(
    denoise: Denoiser, problem: InverseProblem, steps: int, *, lam: float, zeta: float, seed: int
) -> Tensor:
    """deepinv's DiffPIR with its own levels, see `diffpir_levels`, and its own start from A^T y."""
    sampler = _diffpir(denoise, problem, steps, lam, zeta)
    return sampler(problem.y, physics_of(problem, problem.y.shape[1:]), seed=seed)


def _diffpir(denoise, problem, steps, lam, zeta):
    return deepinv().sampling.DiffPIR(
        Told(denoise),
        deepinv().optim.L2(),
        sigma=float(problem.noise_std),
        max_iter=steps,
        zeta=zeta,
        lambda_=lam,
    )


def diffpir_levels(problem: InverseProblem, steps: int) -> Tensor:
    """The levels at which deepinv's DiffPIR calls the network, in our units, then 0."""
    sampler = _diffpir(None, problem, steps, 1.0, 0.0)
    levels = sampler.sigmas[sampler.seq.long()].double() / 2
    return torch.cat([levels, levels.new_zeros(1)])


def ddrm(
    denoise: Denoiser, problem: InverseProblem, sigmas: Tensor, *, eta: float, eta_b: float, seed: int
) -> Tensor:
    """deepinv's DDRM at the levels above 0; its last act is a call of the network, as in ours."""
    levels = [float(s) for s in sigmas[:-1]]
    sampler = deepinv().sampling.DDRM(Told(denoise), sigmas=levels, eta=eta, etab=eta_b)
    return sampler(problem.y.clone(), physics_of(problem, problem.y.shape[1:]), seed=seed)
