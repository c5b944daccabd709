"""What an error counts at each noise level: weights of |x0 - x0hat|**2 as functions of sigma.

A paper states its weight for the target that its network predicts. Here every weight is stated for the clean
image, so that two papers can be compared; `on_target` translates it to what a network predicts.
"""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

from .denoisers import Label, Precond, Preconditioned, denoising_loss
from .noise import Noise

Weight = Callable[[Float[Tensor, " b"]], Float[Tensor, " b"]]


def min_snr(gamma: float = 5.0) -> Weight:
    """min(SNR, gamma) with SNR = 1 / sigma**2: faint noise counts no more than gamma [hang2023minsnr]."""
    return lambda s: (1 / s**2).clamp(max=gamma)


def edm(sd: float = 0.5) -> Weight:
    """(sigma**2 + sd**2) / (sigma sd)**2, for data of deviation `sd` [karras2022edm, table 1]."""
    return lambda s: (s**2 + sd**2) / (s * sd) ** 2


def p2(gamma: float = 1.0, k: float = 1.0) -> Weight:
    """SNR / (k + SNR)**gamma: L_simple (gamma = 0) with less weight on faint noise [choi2022p2]."""
    return lambda s: 1 / s**2 / (k + 1 / s**2) ** gamma


def bound() -> Weight:
    """sigma**-3, what the likelihood's bound asks for, per unit of sigma [kingma2021vdm].

    Levels drawn with a density p(sigma) see it divided by p(sigma).
    """
    return lambda s: s**-3


def plain(precond: Precond) -> Weight:
    """The weight that `denoising_loss` gives without saying so: 1 on the network's own target."""
    return lambda s: precond.c_out(s) ** -2


def on_target(weight: Weight, precond: Precond) -> Weight:
    """The same weight, to be put on the squared error of what the network predicts: times c_out**2."""
    return lambda s: weight(s) * precond.c_out(s) ** 2


def weighted_loss(
    model: Preconditioned,
    x0: Float[Tensor, "b *shape"],
    sigma: Float[Tensor, " b"],
    weight: Weight,
    label: Label | None = None,
    generator: Noise = None,
) -> Float[Tensor, " b"]:
    """weight(sigma) times the mean over pixels of |x0 - x0hat|**2, (b,); whatever the network predicts."""
    error = denoising_loss(model, x0, sigma, label, generator)
    return on_target(weight, model.precond)(sigma).to(error) * error
