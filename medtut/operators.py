"""Measurement operators, y = A(x) + noise_std * n.

Images are real, (b, c, *space); a complex image has two channels (real, imaginary). Measurements may be
complex. Inner products are Re<u, v>, so one dot-product test checks every adjoint. `noise_std` is the
standard deviation of each real component: of the real part and, again, of the imaginary part.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from .errors import BadInput
from .noise import randn_like

Number = int | float


def dot(u: Tensor, v: Tensor) -> Tensor:
    """Re <u, v> per sample, shape (b,)."""
    return (u.conj() * v).real.flatten(1).sum(1) if u.is_complex() else (u * v).flatten(1).sum(1)


def to_complex(x: Tensor) -> Tensor:
    """Two real channels (b, 2, h, w) to one complex image (b, h, w)."""
    if x.is_complex() or x.ndim < 2 or x.shape[1] != 2:
        raise BadInput(
            f"got an image of shape {tuple(x.shape)} and type {x.dtype}, need real (b, 2, h, w) with the "
            "real and imaginary part as channels; use to_real(z) on a complex tensor."
        )
    return torch.complex(x[:, 0], x[:, 1])


def to_real(z: Tensor) -> Tensor:
    """A complex image (b, h, w) to two real channels (b, 2, h, w)."""
    if not z.is_complex():
        raise BadInput(
            f"got a real tensor of shape {tuple(z.shape)}, need a complex one; "
            "use torch.complex(re, im) to build it."
        )
    return torch.stack([z.real, z.imag], 1)


def require_real(x: Tensor, ndim: int, what: str = "image") -> None:
    """Refuse a tensor that is complex or has the wrong number of axes."""
    if x.is_complex():
        raise BadInput(
            f"got a complex {what} of shape {tuple(x.shape)}, need a real one; "
            "use to_real(z) to make the two parts channels."
        )
    if x.ndim != ndim:
        raise BadInput(
            f"got a {what} of shape {tuple(x.shape)}, need {ndim} axes (b, c, *space); "
            "use x[None] to add the batch axis."
        )


def column(v: Tensor, like: Tensor) -> Tensor:
    """One number per sample, (b,) or a single one, shaped to multiply `like`."""
    return v.reshape(-1, *[1] * (like.ndim - 1))


def conjugate_gradient(
    gram: Callable[[Tensor], Tensor],
    b: Tensor,
    x: Tensor,
    iters: int = 50,
    tol: Number | None = None,
    precond: Callable[[Tensor], Tensor] = lambda r: r,
) -> Tensor:
    """Solve gram(x) = b for a self-adjoint, positive semi-definite gram [hestenes1952cg].

    Each sample stops by itself when |residual| <= tol |b| and is then left alone, so no sample reads another.
    tol: relative, by default ten times the resolution of the type of b. precond: about the inverse of gram.
    """
    tol = 10 * torch.finfo(b.dtype).eps if tol is None else tol
    floor = tol**2 * dot(b, b)
    r = b - gram(x)
    p = z = precond(r)
    rz = dot(r, z)
    for i in range(iters):
        active = (dot(r, r) > floor) & (rz > 0)
        if i % 10 == 9 and not active.any():  # saves time only: what has stopped no longer moves
            break
        q = gram(p)
        a = column(torch.where(active, rz / dot(p, q), 0), x)
        x, r = x + a * p, r - a * q
        z, old = precond(r), rz
        rz = dot(r, z)
        p = torch.where(column(active, x), z + column(rz / old, x) * p, 0)
    return x


def moved(thing, device: torch.device | str):
    """An operator or problem, a dataclass, with its tensors and operators on another device."""
    parts = {f.name: v for f in fields(thing) if isinstance(v := getattr(thing, f.name), Tensor | Operator)}
    return replace(thing, **{name: v.to(device) for name, v in parts.items()})


class Operator(ABC):
    """A measurement that need not be linear: y = A(x)."""

    @abstractmethod
    def __call__(self, x: Tensor) -> Tensor: ...

    def restrict(self, y: Tensor) -> Tensor:
        """Set to zero every entry of y that the operator does not measure."""
        return y

    def count(self, y: Tensor) -> Tensor:
        """Number of real numbers measured, per sample, (b,)."""
        e = self.restrict(torch.ones_like(y))
        return dot(e, e) * (2 if y.is_complex() else 1)

    def noise(self, n: Tensor) -> Tensor:
        """White noise n as the detector makes it: here the same, where something is measured."""
        return self.restrict(n)

    def scanner(self, generator=None) -> "Operator":
        """The operator that makes the data if `simulate` is not told one: this, with a scanner's errors."""
        raise BadInput(
            f"got one {type(self).__name__} to simulate and to reconstruct (an inverse crime), need two "
            "operators; use A_recon=... for the second, or crime=True to commit it on purpose."
        )

    def repeat(self, n: int) -> "Operator":
        """The operator for a batch in which every sample stands n times; itself without a batch axis."""
        return self

    def to(self, device: torch.device | str) -> "Operator":
        """The same operator with its tensors, and those of the operators in it, on another device."""
        return moved(self, device)

    def check_truth(self, x: Tensor) -> None:
        """Warn of a truth that flatters the reconstruction; most operators have nothing to say."""
        return

    def adjoint(self, y: Tensor) -> Tensor:
        """A^H y, which only a `LinearOperator` has; the same goes for `gram`, `prox` and `pinv`."""
        raise BadInput(
            f"got a {type(self).__name__}, which is not linear and has no adjoint, need a linear operator; "
            "use dps, which needs only the gradient of the loss."
        )

    def gram(self, x: Tensor) -> Tensor:
        return self.adjoint(x)

    def prox(self, z: Tensor, y: Tensor, rho, iters: int = 0) -> Tensor:
        return self.adjoint(y)

    def pinv(self, y: Tensor, iters: int = 0) -> Tensor:
        return self.adjoint(y)


class LinearOperator(Operator):
    """A linear measurement with its adjoint; prox and pinv are conjugate gradients unless overridden."""

    @abstractmethod
    def adjoint(self, y: Tensor) -> Tensor: ...

    def gram(self, x: Tensor) -> Tensor:
        """A^H A x."""
        return self.adjoint(self(x))

    def prox(self, z: Tensor, y: Tensor, rho, iters: int = 50) -> Tensor:
        """argmin_x 1/2 |A x - y|^2 + rho/2 |x - z|^2; rho > 0 a number or one per sample, (b,)."""
        rho = column(torch.as_tensor(rho, dtype=z.dtype, device=z.device), z)
        return conjugate_gradient(lambda x: self.gram(x) + rho * x, self.adjoint(y) + rho * z, z, iters)

    def pinv(self, y: Tensor, iters: int = 200) -> Tensor:
        """A^+ y: of all x with the smallest |A x - y|, the shortest."""
        b = self.adjoint(y)
        return conjugate_gradient(self.gram, b, torch.zeros_like(b), iters)


@dataclass(frozen=True, eq=False)
class InverseProblem:
    """A measurement y, the operator believed to have made it, and the noise level per real component."""

    A: Operator
    y: Tensor
    noise_std: Number

    def __post_init__(self):
        if not float(self.noise_std) >= 0 or float(self.noise_std) == float("inf"):
            raise BadInput(
                f"got noise_std = {self.noise_std}, need a finite number >= 0; "
                "use the standard deviation of one real component."
            )
        if not torch.isfinite(torch.view_as_real(self.y) if self.y.is_complex() else self.y).all():
            raise BadInput(
                "got a measurement with NaN or infinite entries, need finite numbers; "
                "use A.restrict(y) to drop what was not measured."
            )

    def loss(self, x: Tensor) -> Tensor:
        """1/2 |A x - y|^2 per sample, (b,); never reduced over the batch."""
        r = self.A(x) - self.y
        return 0.5 * dot(r, r)

    def grad(self, x: Tensor) -> Tensor:
        """The gradient of `loss`, with the shape of x."""
        if isinstance(self.A, LinearOperator):
            return self.A.adjoint(self.A(x) - self.y)
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            return torch.autograd.grad(self.loss(x).sum(), x)[0]

    def chi_square(self, x: Tensor) -> Tensor:
        """|A x - y|^2 / (m noise_std^2) per sample, (b,); m real numbers measured; about 1 at the truth."""
        return 2 * self.loss(x) / (self.A.count(self.y) * self.noise_std**2)

    def to(self, device: torch.device | str) -> "InverseProblem":
        """The same problem on another device."""
        return moved(self, device)

    def repeat(self, n: int) -> "InverseProblem":
        """The same problem n times, sample by sample: batch (b,) becomes (b n,)."""
        return InverseProblem(self.A.repeat(n), self.y.repeat_interleave(n, 0), self.noise_std)


def two_operators(
    A: Operator, x: Tensor, generator=None, crime: bool = False, A_recon: Operator | None = None
) -> tuple[Operator, Operator]:
    """The operator that makes the data of the truth x and the one to reconstruct with; see `simulate`."""
    if crime and A_recon is not None:
        raise BadInput(
            "got both crime=True and A_recon, need one of them; use crime=True only to simulate and "
            "reconstruct with A itself."
        )
    if not torch.isfinite(torch.view_as_real(x) if x.is_complex() else x).all():
        raise BadInput(
            "got a truth with NaN or infinite entries, need finite numbers; use torch.nan_to_num(x) if "
            "they are air."
        )
    A.check_truth(x)
    simulator = A if crime or A_recon is not None else A.scanner(generator)
    return simulator, A if A_recon is None else A_recon


def simulate(
    A: Operator,
    x: Tensor,
    noise_std: Number,
    generator=None,
    crime: bool = False,
    A_recon: Operator | None = None,
) -> InverseProblem:
    """Measure the truth x, (b, c, *space), with white noise of `noise_std` per real component.

    The operator that makes the data and the one in the problem differ. `A_recon` reconstructs if it is given;
    otherwise `A.scanner()`, A with a scanner's errors, makes the data. `crime=True` uses A for both. Named
    mismatches to measure with, and A_recon to reconstruct: the operators of `medtut.physics.mismatch`.
    Raises on NaN, on noise_std < 0, and on a single operator that has no `scanner`.
    """
    simulator, A_recon = two_operators(A, x, generator, crime, A_recon)
    y = simulator(x)
    n = (
        torch.view_as_complex(randn_like(torch.view_as_real(y), generator))
        if y.is_complex()
        else randn_like(y, generator)
    )
    return InverseProblem(A_recon, y + noise_std * simulator.noise(n), noise_std)
