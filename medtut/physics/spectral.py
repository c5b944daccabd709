"""Operators whose singular value decomposition is known: A = U diag(values) V^H, without a matrix.

Coordinates are real and have the shape of the image: one singular value and one data point for each, 0 where
nothing is measured.
"""

from collections.abc import Callable
from functools import singledispatch
from typing import NamedTuple

import torch
from torch import Tensor

from ..errors import BadInput
from ..operators import LinearOperator, Operator, to_complex, to_real
from .blur import Blur, SuperResolution, require_multiples, response
from .matrix import Matrix
from .mri import MRI, fft2c, ifft2c
from .pixels import Downsample, Inpainting


class SVD(NamedTuple):
    """values >= 0, broadcast to the coordinates; vh: image to coordinates; v: back; uh: y to coordinates."""

    values: Tensor
    vh: Callable[[Tensor], Tensor]
    v: Callable[[Tensor], Tensor]
    uh: Callable[[Tensor], Tensor]


@singledispatch
def svd(A: Operator, x: Tensor) -> SVD:
    """The decomposition of A on images like x, (b, c, *space); raises BadInput if none is known.

    A new operator joins by `@svd.register`.
    """
    instead = "dds or diffpir" if isinstance(A, LinearOperator) else "dps"
    raise BadInput(
        f"got a {type(A).__name__}, whose singular values are not known, need an operator with an SVD such "
        f"as Inpainting, Downsample or single-coil MRI; use {instead}, without an SVD."
    )


@svd.register
def _(A: Inpainting, x: Tensor) -> SVD:
    return SVD(A.mask.to(x), lambda x: x, lambda z: z, A.restrict)


@svd.register
def _(A: Matrix, x: Tensor) -> SVD:
    return SVD(A.values(x), A.vh, A.v, A.uh)


@svd.register
def _(A: MRI, x: Tensor) -> SVD:
    if A.coils.shape[1] > 1 or not torch.allclose(A.coils.abs(), torch.ones_like(A.coils.abs())):
        raise BadInput(
            f"got MRI with {A.coils.shape[1]} coils, whose singular values are not known, need one coil of "
            "magnitude 1; use dds or diffpir, without an SVD."
        )
    coil, mask = A.coils[:, 0], A.mask.reshape(-1, 1, *A.mask.shape[-2:]).to(x)
    return SVD(
        mask,
        lambda x: to_real(fft2c(coil * to_complex(x))),
        lambda z: to_real(coil.conj() * ifft2c(to_complex(z))),
        lambda y: to_real(A.restrict(y)[:, 0]),
    )


@svd.register
def _(A: Downsample, x: Tensor) -> SVD:
    """V is a reflection in each block that takes its first pixel to the constant block of norm 1."""
    f = A.factor
    first = torch.zeros(f, f).to(x)
    first[0, 0] = 1
    normal = first - torch.full_like(first, 1 / f)  # the reflection swaps the two
    scale = 2 / normal.square().sum().clamp(min=torch.finfo(x.dtype).tiny)

    def reflect(x: Tensor) -> Tensor:
        blocks = x.reshape(*x.shape[:-2], x.shape[-2] // f, f, x.shape[-1] // f, f)
        part = torch.einsum("...hiwj,ij->...hw", blocks, normal)
        return (blocks - scale * torch.einsum("...hw,ij->...hiwj", part, normal)).reshape(x.shape)

    def place(y: Tensor) -> Tensor:  # y at the first pixel of its block
        spread = torch.einsum("...hw,ij->...hiwj", y, first)
        return spread.reshape(*y.shape[:-2], f * y.shape[-2], f * y.shape[-1])

    return SVD(place(torch.ones_like(x[:1, :1, ::f, ::f])) / f, reflect, reflect, place)


@svd.register
def _(A: Blur, x: Tensor) -> SVD:
    """V is the Hartley transform, U the same behind the phase of the response."""
    k = response(A.kernel, x).expand(1 if A.kernel.ndim == 2 else -1, 1, -1, -1)
    size = k.abs()
    lost = size <= 10 * torch.finfo(x.dtype).eps * size.amax((-2, -1), keepdim=True)
    values, phase = torch.where(lost, 0, size), torch.where(lost, 0, k / size)

    def uh(y: Tensor) -> Tensor:
        return torch.where(lost, 0, _hartley(torch.fft.ifft2(phase.conj() * torch.fft.fft2(y)).real))

    return SVD(values, _hartley, _hartley, uh)


@svd.register
def _(A: SuperResolution, x: Tensor) -> SVD:
    """The factor^2 frequencies that alias onto one another are a block with one singular value.

    V reflects each block so that the direction it measures becomes its constant direction, up to a phase:
    that of the images which are 0 between the pixels of the coarse grid. There stand the coordinates with a
    singular value, by the Hartley transform of the coarse grid; all the others are the null space.
    """
    require_multiples(x, A.factor)
    f = A.factor

    def blocks(z: Tensor) -> Tensor:  # axes -4 and -2 run over the frequencies of a block
        return z.unflatten(-1, (f, -1)).unflatten(-3, (f, -1))

    def middle(z: Tensor) -> Tensor:
        return z.mean((-4, -2), keepdim=True)

    k = blocks(response(A.kernel, x).expand(1 if A.kernel.ndim == 2 else -1, 1, -1, -1))
    size = middle(k.abs().square()).sqrt()
    lost = size <= 10 * torch.finfo(x.dtype).eps * size.amax((-3, -1), keepdim=True)
    seen = torch.where(lost, 1 / f, k.conj() / (f * size))  # what a block measures, of norm 1
    overlap = f * middle(seen)  # with the constant direction
    phase = torch.where(overlap == 0, 1, overlap / overlap.abs())
    normal = seen + phase / f  # the reflection takes `seen` to -phase times the constant direction

    def reflect(x: Tensor) -> Tensor:
        z = blocks(torch.fft.fft2(x))
        part = f**2 * middle(normal.conj() * z) / (1 + overlap.abs())
        return torch.fft.ifft2((z - normal * part).flatten(-2).flatten(-3, -2)).real

    def turn(x: Tensor, phase: Tensor) -> Tensor:
        return torch.fft.ifft2(-phase.flatten(-2).flatten(-3, -2) * torch.fft.fft2(x)).real

    def place(x: Tensor, coarse: Tensor) -> Tensor:
        x = x.clone()
        x[..., ::f, ::f] = coarse
        return x

    def vh(x: Tensor) -> Tensor:
        x = reflect(x)
        return place(x, _hartley(turn(x[..., ::f, ::f], phase.conj())))

    def v(z: Tensor) -> Tensor:
        return reflect(place(z, turn(_hartley(z[..., ::f, ::f]), phase)))

    values = torch.where(lost, 0, size).flatten(-2).flatten(-3, -2)

    def uh(y: Tensor) -> Tensor:
        fine = y.new_zeros(*y.shape[:-2], f * y.shape[-2], f * y.shape[-1])
        return place(fine, torch.where(values > 0, _hartley(y), 0))

    return SVD(place(torch.zeros_like(x[:1, :1]).expand(len(values), -1, -1, -1), values), vh, v, uh)


def _hartley(x: Tensor) -> Tensor:
    """A real transform that is its own inverse."""
    f = torch.fft.fft2(x, norm="ortho")
    return f.real - f.imag
