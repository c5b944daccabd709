"""Blind samplers: the operator's kernel is estimated with the image.

`problem.A` is an operator with a `kernel` field, such as `Blur`. It says what the measurement does with a
kernel, and how large the kernel is.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from ..denoisers import Denoiser
from ..errors import BadInput
from ..noise import Noise
from ..operators import InverseProblem, Number, Operator, column, dot
from ..samplers import renoise, start
from .steps import white


class BlindState(NamedTuple):
    """One step of a blind sampler: a `State` and the kernel. What is yielded is never written to again."""

    step: int  # 0, 1, ...
    sigma: float  # noise level of x, after the step
    x: Tensor  # (b, c, *space) the iterate, after the step
    x0hat: Tensor  # (b, c, *space) the estimate of the clean image that the step used
    kernel: Tensor  # (b, 1, kh, kw) the kernel that the step used, sum 1


def with_kernel(A: Operator, kernel: Tensor) -> Operator:
    """The same operator with another kernel, (b, 1, kh, kw), whose gradients pass."""
    return replace(A, kernel=kernel)


def _first_kernel(problem: InverseProblem, x: Tensor) -> Tensor:
    """The operator's own kernel for each sample of x, (b, 1, kh, kw), scaled to a largest tap of 1.

    Raises BadInput if the operator has none.
    """
    if not hasattr(problem.A, "kernel"):
        raise BadInput(
            f"got a {type(problem.A).__name__}, which has no kernel to estimate, need an operator with one, "
            "such as Blur; use dps, which takes the operator as known."
        )
    kernel = problem.A.kernel.to(x)
    kernel = kernel.reshape(-1, 1, *kernel.shape[-2:]).expand(len(x), -1, -1, -1)
    return kernel / kernel.amax((-2, -1), keepdim=True)


def blind_dps(
    denoise: Denoiser,
    problem: InverseProblem,
    sigmas: Tensor,
    x: Tensor,
    *,
    denoise_kernel: Denoiser | None = None,
    zeta: Number = 0.3,
    zeta_kernel: Number | None = None,
    lam: Number = 1.0,
    growing: bool = False,
    eta: Number = 1.0,
    generator: Noise = None,
) -> Iterator[BlindState]:
    """Two reverse diffusions, of the image and of the kernel, coupled by the likelihood alone
    [chung2023blinddps]. Targets an approximation of the posterior of both.

    Each takes one ancestral step (eta = 1), then one step down |y - k0hat * x0hat| + lam |k0hat|_1, one norm
    per sample, differentiated through both denoisers. The kernel's prior is over kernels with a largest tap
    of about 1; in the data term k0hat is divided by its sum. Its state starts as noise of sigmas[0], drawn
    here. denoise_kernel = None is a uniform prior: no diffusion, the taps follow their gradient from the
    kernel of problem.A. zeta and zeta_kernel (by default zeta) are in VP variables, like the zeta of `dps`.
    growing=True multiplies both by sqrt(abar), as the authors' code does; the paper's are constant.
    """
    white(problem, "blind_dps")
    zeta_kernel = zeta if zeta_kernel is None else zeta_kernel
    k = _first_kernel(problem, x)
    if denoise_kernel is not None:
        k = start(sigmas, k.shape, generator, x)
    for i, (s, s_next) in enumerate(pairwise(sigmas.tolist())):
        with torch.enable_grad():
            x, k = x.detach().requires_grad_(), k.detach().requires_grad_()
            x0hat = denoise(x, s)  # Tweedie, twice
            k0hat = k if denoise_kernel is None else denoise_kernel(k, s)
            kernel = k0hat / k0hat.sum((-2, -1), keepdim=True)
            r = with_kernel(problem.A, kernel)(x0hat) - problem.y
            loss = dot(r, r).sqrt() + lam * kernel.abs().sum((-3, -2, -1))
            g_x, g_k = torch.autograd.grad(loss.sum(), (x, k))
        x, x0hat, k, k0hat = x.detach(), x0hat.detach(), k.detach(), k0hat.detach()
        # a step of 1, from VP to x = x0 + sigma eps
        step = (1 + s_next**2) ** 0.5 if growing else ((1 + s**2) * (1 + s_next**2)) ** 0.5
        x = renoise(x, x0hat, s, s_next, eta, generator) - zeta * step * g_x
        if denoise_kernel is None:
            k = k - zeta_kernel * g_k
        else:
            k = renoise(k, k0hat, s, s_next, eta, generator) - zeta_kernel * step * g_k
        yield BlindState(i, s_next, x, x0hat, kernel.detach())


def unrolled(denoise: Denoiser, sigmas: Tensor, x: Tensor, gradient: str = "true") -> Tensor:
    """DDIM from x, of noise level sigmas[0], to an image, as one differentiable map [chihaoui2024bird].

    gradient="true" passes through every call of the denoiser. "straight-through" takes each noise estimate
    as a constant, as the authors' code does: the map's Jacobian is then the identity.
    """
    if gradient not in ("true", "straight-through"):
        raise BadInput(
            f'got gradient = {gradient!r}, need "true" or "straight-through"; use "true" for backpropagation.'
        )
    for s, s_next in pairwise(sigmas.tolist()):
        with torch.set_grad_enabled(torch.is_grad_enabled() and gradient == "true"):
            eps = (x - denoise(x, s)) / s
        x = x + (s_next - s) * eps
    return x


def bird(
    denoise: Denoiser,
    problem: InverseProblem,
    sigmas: Tensor,
    x: Tensor,
    *,
    gradient: str = "true",
    iterations: int = 100,
    lr: Number = 3e-3,
    lr_kernel: Number = 0.03,
    sphere: bool = True,
    generator: Noise = None,
) -> Iterator[BlindState]:
    """Inversion of DDIM: the initial noise z and the kernel that explain y best [chihaoui2024bird]. Targets a
    point estimate.

    Adam [kingma2015adam, alg. 1] on the mean square of y - k * f(z), with f the map `unrolled` along sigmas;
    then z goes back to the sphere |z| = sqrt(d), each sample to its own. z is the paper's VP noise, that is
    x / sqrt(1 + sigmas[0]^2). The kernel is a softmax of free numbers, which start at the logarithm of the
    kernel of problem.A; the authors' code puts a small network before the softmax. lr_kernel = 0 takes the
    operator as known. noise_std plays no part, so that stopping early is all that keeps the noise out. A step
    is one iteration; its x and x0hat are f(z), before the update. Draws no noise.
    """
    white(problem, "bird")
    scale = (1 + float(sigmas[0]) ** 2) ** 0.5
    z = (x / scale).requires_grad_()
    theta = torch.zeros_like(x) if lr_kernel == 0 else _first_kernel(problem, x).clamp(min=1e-4).log()
    theta.requires_grad_()
    adam = torch.optim.Adam([{"params": [z], "lr": lr}, {"params": [theta], "lr": lr_kernel}])
    for i in range(iterations):
        with torch.enable_grad():
            x0hat = unrolled(denoise, sigmas, scale * z, gradient)
            kernel = theta.flatten(1).softmax(1).reshape(theta.shape)
            A = problem.A if lr_kernel == 0 else with_kernel(problem.A, kernel)
            r = A(x0hat) - problem.y
            loss = dot(r, r) / problem.A.count(problem.y)
            z.grad, theta.grad = torch.autograd.grad(loss.sum(), (z, theta), allow_unused=True)
        adam.step()
        if sphere:
            with torch.no_grad():
                z *= column((z[0].numel() / dot(z, z)).sqrt(), z)
        x0hat, kernel = x0hat.detach(), kernel.detach()
        yield BlindState(i, 0.0, x0hat, x0hat, kernel)
