"""Reconstruction before diffusion: no prior, Tikhonov, total variation, a fitted Gaussian."""

import torch
from torch import Tensor

from ..noise import Noise, randn_like
from ..operators import InverseProblem, Number, column, conjugate_gradient, dot, simulate
from ..physics.likelihoods import Weighted
from .fitted import FittedGaussian


def zero_filled(problem: InverseProblem) -> Tensor:
    """A^H y: what was not measured is taken as zero; coils are combined as in [roemer1990array]."""
    return problem.A.adjoint(problem.y)


def cg_sense(problem: InverseProblem, lam: Number = 1e-2, iters: int = 50) -> Tensor:
    """argmin 1/2 |A x - y|^2 + lam/2 |x|^2: CG-SENSE [pruessmann2001cgsense] with Tikhonov's term."""
    back = problem.A.adjoint(problem.y)
    return conjugate_gradient(lambda x: problem.A.gram(x) + lam * x, back, torch.zeros_like(back), iters)


def gradient(x: Tensor) -> Tensor:
    """Forward differences of (b, c, h, w), zero at the far edge: (b, 2, c, h, w)."""
    d = x.new_zeros(x.shape[0], 2, *x.shape[1:])
    d[:, 0, :, :-1] = x[..., 1:, :] - x[..., :-1, :]
    d[:, 1, :, :, :-1] = x[..., 1:] - x[..., :-1]
    return d


def gradient_adjoint(d: Tensor) -> Tensor:
    """The adjoint of `gradient`: minus the divergence."""
    x = torch.zeros_like(d[:, 0])
    x[..., 1:, :] += d[:, 0, :, :-1]
    x[..., :-1, :] -= d[:, 0, :, :-1]
    x[..., 1:] += d[:, 1, :, :, :-1]
    x[..., :-1] -= d[:, 1, :, :, :-1]
    return x


def tv_norm(x: Tensor) -> Tensor:
    """Isotropic total variation per sample, (b,); real and imaginary part share their edges."""
    return gradient(x).square().sum((1, 2)).sqrt().flatten(1).sum(1)


def _norm_squared(A, x: Tensor, iters: int = 10) -> Tensor:
    """The largest eigenvalue of A^H A per sample by power iteration from a fixed start, 5 % to spare."""
    v = randn_like(x[:1], torch.Generator().manual_seed(0)).expand_as(x)
    for _ in range(iters):
        v = A.gram(v)
        size = dot(v, v).sqrt()
        v = v / column(size, v)
    return 1.05 * size


@torch.no_grad()
def normalised(problem: InverseProblem, size: tuple[int, ...]) -> InverseProblem:
    """The same problem with |A| about 1, for images of `size` (c, *space).

    Steps and weights then mean the same in CT, whose A is small, as in MRI. Linear operators only.
    """
    x = torch.zeros(1, *size, device=problem.y.device)
    norm = float(_norm_squared(problem.A, x).max()) ** 0.5
    weight = torch.full((1,) * problem.y.ndim, 1 / norm, device=problem.y.device)
    return InverseProblem(Weighted(problem.A, weight), problem.y / norm, problem.noise_std / norm)


@torch.no_grad()
def total_variation(problem: InverseProblem, weight: Number, iters: int = 300) -> Tensor:
    """argmin 1/2 |A x - y|^2 + weight TV(x) [block2007tv], weight > 0, by [chambolle2011primal, Alg. 1].

    Both terms are dual variables, so that no linear system is solved: q for the data, p for the gradient.
    """
    A, y = problem.A, problem.y
    x = A.adjoint(y)
    ratio = min(max(0.1 / weight, 1), 100)  # of the steps: p lives on the scale of weight, x on that of 1
    sigma = column((_norm_squared(A, x) + 8).rsqrt(), x) / ratio  # |grad|^2 <= 8
    tau = sigma * ratio**2  # tau sigma |K|^2 <= 1
    p, q, ahead = torch.zeros_like(gradient(x)), torch.zeros_like(y), x
    for _ in range(iters):
        p = p + sigma[:, None] * gradient(ahead)
        p = p / (p.square().sum((1, 2), keepdim=True).sqrt() / weight).clamp(min=1)
        q = (q + sigma * (A(ahead) - y)) / (1 + sigma)
        new = x - tau * (gradient_adjoint(p) + A.adjoint(q))
        x, ahead = new, 2 * new - x
    return x


def gaussian_map(problem: InverseProblem, prior: FittedGaussian, iters: int = 30) -> Tensor:
    """The posterior mean of an MRI problem, also the mode, for noise_std > 0: a Wiener filter [wiener1949].

    Conjugate gradients on (A^H A / noise_std^2 + Sigma^-1) d = A^H (y - A mean) / noise_std^2, the normal
    equations. Their preconditioner takes A^H A for a filter, which it is for one coil: one step is enough.
    """
    A, variance, dtype = problem.A, problem.noise_std**2, prior.mean.dtype
    prior = FittedGaussian(
        prior.mean.double(), prior.factors.double(), prior.spectrum.double()
    )  # Sigma is stiff
    back = A.adjoint(problem.y - A(prior.mean.expand(len(problem.y), *prior.mean.shape))) / variance
    density = A.density().double()
    data = prior.inverse(density / (density * prior.spectrum + variance))
    prior_inverse = prior.inverse(1 / prior.spectrum)

    def precond(r: Tensor) -> Tensor:  # (F^H density F / noise_std^2 + Sigma^-1)^-1 r
        s = prior.covariance(r)
        return s - prior.covariance(data(s))

    def gram(d: Tensor) -> Tensor:
        return A.gram(d) / variance + prior_inverse(d)

    d = conjugate_gradient(gram, back, torch.zeros_like(back), iters, tol=1e-8, precond=precond)
    return (prior.mean + d).to(dtype)


def gaussian_sample(
    problem: InverseProblem, prior: FittedGaussian, generator: Noise = None, iters: int = 30
) -> Tensor:
    """One exact draw of the posterior: a draw of the prior, moved by what its data lack [papandreou2010]."""
    x = prior.sample(len(problem.y), generator)
    own = simulate(problem.A, x, problem.noise_std, generator, crime=True)
    moved = InverseProblem(problem.A, problem.y - own.y, problem.noise_std)
    centred = FittedGaussian(torch.zeros_like(prior.mean), prior.factors, prior.spectrum)
    return x + gaussian_map(moved, centred, iters)
