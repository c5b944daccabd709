"""Two exact worlds, and every unconditional sampler that walks a schedule, by name."""

import torch

import medtut as mt

TAU = 0.5
PRIOR = mt.Gaussian(torch.zeros(1, 1, 1).double(), torch.full((1, 1), TAU**2).double())
WORLD = mt.GaussianMixture(
    torch.tensor([0.4, 0.6]).double(),
    torch.tensor([[[[-1.0, 0.5]]], [[[1.0, 0.0]]]]).double(),
    torch.stack([0.04 * torch.eye(2), 0.09 * torch.eye(2)]).double(),
)


def euler(*args, **knobs):
    """Euler's method, with churn if `knobs` say so."""
    return mt.churn(*args, order=1, **knobs)


FAST = {
    "euler": euler,
    "churn": lambda *a, **k: mt.churn(*a, s_churn=6.0, s_min=0.02, s_max=20.0, s_noise=1.01, **k),
    "euler churn": lambda *a, **k: euler(*a, s_churn=6.0, **k),
    "2m": mt.dpmpp_2m,
    "2m sde": lambda *a, **k: mt.dpmpp_2m(*a, eta=1.0, **k),
    "2s": lambda *a, generator=None: mt.dpmpp_2s(*a),
    "unipc": lambda *a, generator=None: mt.unipc(*a),
}
SAMPLERS = FAST | {
    "ddim": mt.ddim,
    "ddim eta 0.5": lambda *a, **k: mt.ddim(*a, eta=0.5, **k),
    "ddpm": mt.ddpm,
    "ddpm large": lambda *a, **k: mt.ddpm(*a, large=True, **k),
    "heun": lambda *a, generator=None: mt.heun(*a),
}
