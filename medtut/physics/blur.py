"""Blur by a known kernel, alone, with a lower resolution, or behind a camera's nonlinear response.

The boundary is circular: what leaves the image on one side comes back on the other. Images with an air
margin as wide as the kernel do not notice; for others it is a simplification.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import BadInput
from ..noise import randn
from ..operators import LinearOperator, Number, Operator, column, require_real

KERNEL_ERROR = 0.05  # relative error of every tap that a simulated device has and its user does not know


def _check(kernel: Tensor) -> None:
    if kernel.is_complex() or kernel.ndim not in (2, 4) or (kernel.ndim == 4 and kernel.shape[1] != 1):
        raise BadInput(
            f"got a kernel of shape {tuple(kernel.shape)} and type {kernel.dtype}, need real (kh, kw) or "
            "(b, 1, kh, kw); use gaussian_kernel(size, width)."
        )


def response(kernel: Tensor, image: Tensor) -> Tensor:
    """Discrete Fourier transform of the kernel on the grid of the image, its middle tap at pixel (0, 0)."""
    (kh, kw), (h, w) = kernel.shape[-2:], image.shape[-2:]
    if kh > h or kw > w:
        raise BadInput(
            f"got a kernel of {kh} x {kw} taps for an image of {h} x {w} pixels, need a kernel that fits; "
            "use a smaller kernel."
        )
    padded = torch.nn.functional.pad(kernel.to(image), (0, w - kw, 0, h - kh))
    return torch.fft.fft2(padded.roll((-(kh // 2), -(kw // 2)), (-2, -1)))


def require_multiples(x: Tensor, factor: int) -> None:
    """Refuse an image whose sides are not multiples of the factor by which it is made coarser."""
    if x.shape[-1] % factor or x.shape[-2] % factor:
        raise BadInput(
            f"got an image of {x.shape[-2]} x {x.shape[-1]} pixels, need multiples of {factor}; "
            "use torch.nn.functional.pad(x, ...) to reach one."
        )


def _filter(x: Tensor, factor: Tensor) -> Tensor:
    return torch.fft.ifft2(factor * torch.fft.fft2(x)).real


def _reciprocal(power: Tensor) -> Tensor:
    """1 / power, and 0 where power = |response|^2 is nothing but rounding."""
    floor = (10 * torch.finfo(power.dtype).eps) ** 2
    return torch.where(power > floor * power.amax((-2, -1), keepdim=True), 1 / power, 0)


def _perturbed(kernel: Tensor, generator) -> Tensor:
    b = 1 if generator is None or isinstance(generator, torch.Generator) else len(generator)
    error = randn((b, 1, *kernel.shape[-2:]), generator, kernel)
    wrong = kernel * (1 + KERNEL_ERROR * error)
    return wrong * kernel.sum((-2, -1), keepdim=True) / wrong.sum((-2, -1), keepdim=True)


def _repeated(kernel: Tensor, n: int) -> Tensor:
    return kernel.repeat_interleave(n, 0) if kernel.ndim == 4 and len(kernel) > 1 else kernel


@dataclass(frozen=True, eq=False)
class Blur(LinearOperator):
    """y = k * x, circular convolution of (b, c, h, w) with a kernel (kh, kw) or (b, 1, kh, kw).

    The middle tap is (kh // 2, kw // 2). Sum 1 keeps the brightness. prox and pinv are exact, by FFT.
    """

    kernel: Tensor

    def __post_init__(self):
        _check(self.kernel)

    def __call__(self, x: Tensor) -> Tensor:
        require_real(x, 4)
        return _filter(x, response(self.kernel, x))

    def adjoint(self, y: Tensor) -> Tensor:
        return _filter(y, response(self.kernel, y).conj())

    def gram(self, x: Tensor) -> Tensor:
        return _filter(x, response(self.kernel, x).abs().square().to(x))

    def prox(self, z: Tensor, y: Tensor, rho, iters: int = 0) -> Tensor:
        rho = column(torch.as_tensor(rho, dtype=z.dtype, device=z.device), z)
        power = response(self.kernel, z).abs().square()
        return _filter(self.adjoint(y) + rho * z, 1 / (power + rho))

    def pinv(self, y: Tensor, iters: int = 0) -> Tensor:
        k = response(self.kernel, y)
        return _filter(y, k.conj() * _reciprocal(k.abs().square()))

    def scanner(self, generator=None) -> "Blur":
        """The same blur with a true kernel whose taps differ by a relative error of `KERNEL_ERROR`."""
        return Blur(_perturbed(self.kernel, generator))

    def repeat(self, n: int) -> "Blur":
        return Blur(_repeated(self.kernel, n))


@dataclass(frozen=True, eq=False)
class SuperResolution(LinearOperator):
    """y = every factor-th pixel of k * x, of (b, c, h, w), h and w multiples of it; kernel as in `Blur`.

    prox and pinv are exact: A A^T is again a circular convolution, on the coarse grid [zhao2016sr].
    """

    kernel: Tensor
    factor: int

    def __post_init__(self):
        _check(self.kernel)

    def __call__(self, x: Tensor) -> Tensor:
        require_multiples(x, self.factor)
        return Blur(self.kernel)(x)[..., :: self.factor, :: self.factor]

    def adjoint(self, y: Tensor) -> Tensor:
        fine = y.new_zeros(*y.shape[:-2], y.shape[-2] * self.factor, y.shape[-1] * self.factor)
        fine[..., :: self.factor, :: self.factor] = y
        return Blur(self.kernel).adjoint(fine)

    def _power(self, y: Tensor) -> Tensor:
        """Eigenvalues of A A^T: the mean of |response|^2 over the frequencies that alias onto each other."""
        f = self.factor
        fine = y.new_empty(y.shape[-2] * f, y.shape[-1] * f)
        power = response(self.kernel, fine).abs().square()
        return power.unflatten(-1, (f, -1)).unflatten(-3, (f, -1)).mean((-4, -2))

    def prox(self, z: Tensor, y: Tensor, rho, iters: int = 0) -> Tensor:
        rho = column(torch.as_tensor(rho, dtype=z.dtype, device=z.device), z)
        return z + self.adjoint(_filter(y - self(z), 1 / (self._power(y) + rho)))

    def pinv(self, y: Tensor, iters: int = 0) -> Tensor:
        return self.adjoint(_filter(y, _reciprocal(self._power(y))))

    def scanner(self, generator=None) -> "SuperResolution":
        """The same with a true kernel whose taps differ by a relative error of `KERNEL_ERROR`."""
        return SuperResolution(_perturbed(self.kernel, generator), self.factor)

    def repeat(self, n: int) -> "SuperResolution":
        return SuperResolution(_repeated(self.kernel, n), self.factor)


@dataclass(frozen=True, eq=False)
class NonlinearBlur(Operator):
    """y = s(k * x) with the response s(v) = v (v^2 + toe^2)^((gamma - 1) / 2), about |v|^gamma.

    A stand-in for the learned camera blurs of the literature: smooth, odd, its slope at 0 finite by the toe.
    """

    kernel: Tensor
    gamma: Number = 1 / 2.2
    toe: Number = 0.05

    def __post_init__(self):
        _check(self.kernel)
        if not (self.gamma > 0 and self.toe > 0):
            raise BadInput(
                f"got gamma = {self.gamma} and toe = {self.toe}, need both positive; use 1 / 2.2 and 0.05."
            )

    def __call__(self, x: Tensor) -> Tensor:
        v = Blur(self.kernel)(x)
        return v * (v.square() + self.toe**2) ** ((self.gamma - 1) / 2)

    def scanner(self, generator=None) -> "NonlinearBlur":
        """The same with a true kernel whose taps differ by a relative error of `KERNEL_ERROR`."""
        return NonlinearBlur(_perturbed(self.kernel, generator), self.gamma, self.toe)

    def repeat(self, n: int) -> "NonlinearBlur":
        return NonlinearBlur(_repeated(self.kernel, n), self.gamma, self.toe)


def gaussian_kernel(size: int, width: Number) -> Tensor:
    """Gaussian of standard deviation `width` pixels, cut to size x size taps (odd) and scaled to sum 1."""
    if size % 2 == 0 or not width > 0:
        raise BadInput(f"got size = {size} and width = {width}, need an odd size, width > 0; use 9 and 1.5.")
    step = torch.arange(size) - size // 2
    profile = torch.exp(-(step**2) / (2 * width**2))
    kernel = profile[:, None] * profile
    return kernel / kernel.sum()


def motion_kernel(size: int, generator: torch.Generator | None = None, bend: Number = 2.0) -> Tensor:
    """The trace of a shaking camera, size x size taps (odd), sum 1: a steady walk that turns at random.

    bend: standard deviation of the turn over the whole path, in radians; 0 is a straight line. Centred.
    """
    if size % 2 == 0 or size < 5:
        raise BadInput(f"got size = {size}, need an odd number of at least 5 taps; use 15.")
    steps = 8 * size
    turns = randn((steps,), generator)
    turns[0] = 0
    start = 2 * torch.pi * torch.rand((), generator=generator)
    heading = start + (bend / steps**0.5 * turns).cumsum(0)
    path = torch.stack([heading.sin(), heading.cos()]).cumsum(1)
    path = path - path.mean(1, keepdim=True)
    path = path * ((size // 2 - 0.5) / path.abs().max())  # the longest reach ends inside the last tap
    taps = torch.arange(size) - size // 2
    rows, columns = ((1 - (taps - p[:, None]).abs()).clamp(min=0) for p in path)  # linear weights
    return rows.mT @ columns / steps
