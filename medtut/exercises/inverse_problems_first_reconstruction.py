"""Checkers of chapter 3/01, a first reconstruction."""

import torch

from ..checks import compare, exercise


@exercise("recon-1")
def known_columns(answer):
    """answer(measured, n) -> number of columns known if the image is real."""
    for measured, n in (([4, 5, 6, 8], 10), ([3, 4, 6], 7), ([0, 4], 8)):
        mirrored = {(2 * (n // 2) - j) % n for j in measured}
        right = len(set(measured) | mirrored)
        compare(
            answer(list(measured), n),
            right,
            known={
                "that counts each mirrored column as new, even if it was measured": 2 * len(measured),
                "that is the number measured; each tells its mirror image too": len(measured),
                "that mirrors at the edges of the list; mirror at the zero frequency, column n // 2": len(
                    set(measured) | {n - 1 - j for j in measured}
                ),
            },
            otherwise="try n = 8 with columns 4, 5 and 7: the mirror images are 4, 3 and 1",
        )
    return "a mask is only as sparse as its mirror image lets it be"


@exercise("recon-2")
def corrected(answer):
    """answer(k, y, mask, gamma) -> k-space after DDS's correction, one coil with S = 1 [chung2024dds]."""
    g = torch.Generator().manual_seed(0)
    k, y = torch.randn(2, 6, 6, dtype=torch.complex128, generator=g)
    mask, gamma = (torch.rand(6, 6, generator=g) < 0.5).double(), 3.0
    got = torch.view_as_real(answer(k, mask * y, mask, gamma).resolve_conj())
    parts = {
        "the measured lines were replaced by y: that is gamma to infinity": torch.where(mask > 0, y, k),
        "lines that were not measured must stay as they are": (k + gamma * mask * y) / (1 + gamma),
        "the division by 1 + gamma is missing where lines were measured": k + gamma * mask * y,
        "gamma weighs the data, not the guess": (gamma * k + mask * y) / (gamma + mask),
    }
    compare(
        got,
        torch.view_as_real((k + gamma * mask * y) / (1 + gamma * mask)),
        known={message: torch.view_as_real(value.contiguous()) for message, value in parts.items()},
        otherwise="solve (1 + gamma mask) v = k + gamma mask y, entry by entry",
    )
    return "on measured lines guess and data are mixed as 1 to gamma; elsewhere the guess stays"


@exercise("recon-3")
def variance_kept(answer):
    """answer(eta) -> share of the prior variance that DDS without data ends with, for many steps."""
    for eta in (0.85, 0.5, 1.0, 0.0):
        c = (1 - eta**2) ** 0.5
        compare(
            answer(eta),
            (1 + c) / 2,
            known={
                "that is the share of the old noise that is kept in one step": c,
                "that would be DDIM's eta, which keeps all of the variance": 1.0,
                "that is a standard deviation": ((1 + c) / 2) ** 0.5,
                "that is the share of the variance kept in one step, not after many": 1 - eta**2,
            },
            otherwise="test two limits: 1 at eta = 0, and one half at eta = 1",
        )
    return "at the paper's eta = 0.85 about a quarter of the prior variance is lost"


@exercise("recon-4")
def push(answer):
    """answer(g, zeta, s, s_next) -> the push of DPS in our variables [chung2023dps]."""
    g, zeta, s, s_next = 0.7, 0.3, 3.0, 2.0
    up, down = (1 + s**2) ** 0.5, (1 + s_next**2) ** 0.5
    compare(
        answer(g, zeta, s, s_next),
        zeta * up * down * g,
        known={
            "the step was copied, not converted": zeta * g,
            "the gradient is converted; the push itself must be carried to our scale too": zeta * up * g,
            "the push is converted; the gradient must be carried over too": zeta * down * g,
            "one of the roots divides instead of multiplying": zeta * g * down / up,
            "one of the roots divides instead of multiplying: compare x with x_t": zeta * g * up / down,
            "that lacks the square roots": zeta * g * up**2 * down**2,
        },
        otherwise="both levels enter, each by the root of 1 + level squared",
    )
    return "at the start this factor is in the hundreds; at the end it is 1"
