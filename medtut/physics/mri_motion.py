"""MRI of a head that moves while it is scanned.

Simplified: rigid motion within the plane, between groups of phase-encode lines and never during one; the
coils stay where they are; what moves out of the image on one side comes back on the other.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import BadInput
from ..noise import randn
from ..operators import LinearOperator, Number, to_complex, to_real


def _slide(z: Tensor, pixels: Tensor, dim: int) -> Tensor:
    """Shift each line along `dim` by its own number of pixels: a phase ramp, hence unitary."""
    f = torch.fft.fftfreq(z.shape[dim], device=z.device, dtype=z.real.dtype)
    turn = -2 * torch.pi * (f if dim == -1 else f[:, None]) * pixels
    return torch.fft.ifft(torch.fft.fft(z, dim=dim) * torch.polar(torch.ones_like(turn), turn), dim=dim)


def rigid(z: Tensor, pose: Tensor, inverse: bool = False) -> Tensor:
    """Turn complex images (b, h, w) about pixel (h // 2, w // 2), then shift them; differentiable.

    pose: (b or 1, 3), angle in radians from the columns' axis (right) to the rows' (down), shift down, shift
    right, in pixels. The rotation is three shears by Fourier interpolation [unser1995rotation]. The inverse
    is the adjoint.
    """
    h, w = z.shape[-2:]
    angle, down, right = pose.to(z.real)[:, :, None, None].unbind(1)
    row = (torch.arange(h, device=z.device) - h // 2)[:, None].to(z.real)
    column = (torch.arange(w, device=z.device) - w // 2).to(z.real)
    slant = -torch.tan(angle / 2) * row
    steps = [
        (slant, -1),
        (torch.sin(angle) * column, -2),
        (slant + right, -1),
        (down.expand(-1, 1, w), -2),
    ]
    for pixels, dim in reversed(steps) if inverse else steps:
        z = _slide(z, -pixels if inverse else pixels, dim)
    return z


@dataclass(frozen=True, eq=False)
class MotionMRI(LinearOperator):
    """y = sum over poses p of M_p F S T_p x: each phase-encode line sees the head in the pose of its group.

    scan: the operator of a head at rest, MRI or one of its mismatches. group: (w,) integers, the pose of each
    column of k-space. poses: (b or 1, n, 3) as in `rigid`, in pixels of the image. To reconstruct as if
    nothing had moved, give `scan` as A_recon. See [zaitsev2015motion] for what this does to images.
    """

    scan: LinearOperator
    group: Tensor
    poses: Tensor

    def __post_init__(self):
        if self.poses.ndim != 3 or self.poses.shape[-1] != 3:
            raise BadInput(
                f"got poses of shape {tuple(self.poses.shape)}, need (b or 1, n, 3); use random_poses."
            )
        w, n = self.scan.coils.shape[-1], self.poses.shape[1]
        if (
            self.group.is_floating_point()
            or self.group.shape != (w,)
            or not (self.group.min() >= 0 and self.group.max() < n)
        ):
            raise BadInput(
                f"got groups of shape {tuple(self.group.shape)} for {w} columns, need a whole number from 0 "
                f"to {n - 1} for each; use line_groups(w, n)."
            )

    def __call__(self, x: Tensor) -> Tensor:
        z = to_complex(x)
        seen = [self.scan(to_real(rigid(z, pose))) * (self.group == p) for p, pose in self._poses()]
        return torch.stack(seen).sum(0)

    def adjoint(self, y: Tensor) -> Tensor:
        parts = [
            rigid(to_complex(self.scan.adjoint(y * (self.group == p))), pose, inverse=True)
            for p, pose in self._poses()
        ]
        return to_real(torch.stack(parts).sum(0))

    def _poses(self):
        return enumerate(self.poses.unbind(1))

    def restrict(self, y: Tensor) -> Tensor:
        return self.scan.restrict(y)

    def repeat(self, n: int) -> "MotionMRI":
        poses = self.poses.repeat_interleave(n, 0) if len(self.poses) > 1 else self.poses
        return MotionMRI(self.scan.repeat(n), self.group, poses)

    def scanner(self, generator=None) -> "MotionMRI":
        """The same motion before the scanner's own coil maps; see `MRI.scanner`."""
        return MotionMRI(self.scan.scanner(generator), self.group, self.poses)

    def check_truth(self, x: Tensor) -> None:
        self.scan.check_truth(x)


def line_groups(w: int, n: int) -> Tensor:
    """n groups of neighbouring columns of k-space, (w,) integers: lines measured one after the other."""
    return torch.arange(w) * n // w


def random_poses(n: int, degrees: Number, pixels: Number, generator=None) -> Tensor:
    """Poses (1 or b, n, 3) of a head that rests at first and then drifts: a random walk of n - 1 steps.

    degrees, pixels: standard deviation of one step of the angle and of each shift.
    """
    b = 1 if generator is None or isinstance(generator, torch.Generator) else len(generator)
    steps = randn((b, n, 3), generator) * torch.tensor([degrees * torch.pi / 180, pixels, pixels])
    steps[:, 0] = 0
    return steps.cumsum(1)
