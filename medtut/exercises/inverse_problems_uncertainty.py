"""Checkers of chapter 3/12, uncertainty and calibration."""

import math

import torch

from ..checks import compare, exercise, require


@exercise("unc-1")
def conformal_radius(answer):
    """answer(e, alpha) -> the radius of a split conformal interval; infinite with too few scores."""
    g = torch.Generator().manual_seed(0)
    for n, alpha in ((19, 0.1), (30, 0.2), (50, 0.07)):
        e = torch.rand(n, generator=g, dtype=torch.float64)
        k = math.ceil((n + 1) * (1 - alpha) - 1e-9)
        ordered = e.sort().values
        compare(
            answer(e.clone(), alpha),
            ordered[k - 1],
            known={
                "Python counts from 0: the k-th smallest is entry k - 1": ordered[min(k, n - 1)],
                "sort the scores first": e[k - 1],
                "that leaves a share of 1 - alpha outside": ordered[math.ceil((n + 1) * alpha - 1e-9) - 1],
                "the new slice counts, too: n + 1, not n": ordered[math.ceil(n * (1 - alpha) - 1e-9) - 1],
                "an interpolated quantile promises too little": e.quantile(1 - alpha),
            },
            otherwise="take the k-th smallest score with k = (n + 1)(1 - alpha), rounded up",
        )
    few = float(answer(torch.rand(5, generator=g, dtype=torch.float64), 0.1))
    require(few == math.inf, "with 5 scores and alpha = 0.1 only an infinite radius keeps the promise")
    return "it covers with probability k / (n + 1), whatever the estimate is worth"


@exercise("unc-2")
def unheard(answer):
    """answer(A, lesion) -> the part of the lesion in the null space of A."""
    g = torch.Generator().manual_seed(1)
    A, lesion = torch.randn(5, 12, generator=g, dtype=torch.float64), torch.arange(12.0).double()
    seen = torch.linalg.pinv(A) @ (A @ lesion)
    compare(
        answer(A.clone(), lesion.clone()),
        lesion - seen,
        known={
            "that is the part which the scan does hear": seen,
            "the rows are not orthonormal: use the pseudo-inverse, not the transpose": lesion
            - A.T @ (A @ lesion),
            "that has the opposite sign": seen - lesion,
        },
        otherwise="subtract A^+ A lesion from the lesion; A times the rest must be zero",
    )
    return "added to any image, it leaves the measurement as it was"


@exercise("unc-3")
def detectability(answer):
    """answer(A, s, C, noise_std) -> d' of the ideal observer of a known signal in Gaussian anatomy."""
    g = torch.Generator().manual_seed(2)
    A, root = (torch.randn(n, 9, generator=g, dtype=torch.float64) for n in (6, 9))
    s, C, noise_std = torch.randn(9, generator=g, dtype=torch.float64), root @ root.T, 0.7
    signal, eye = A @ s, torch.eye(6, dtype=torch.float64)

    def square(S):
        return signal @ torch.linalg.solve(S, signal)

    anatomy = A @ C @ A.T
    right = square(anatomy + noise_std**2 * eye)
    compare(
        answer(A.clone(), s.clone(), C.clone(), noise_std),
        right.sqrt(),
        known={
            "that is the square of d'": right,
            "anatomy varies, too: add A C A^T to the noise": square(noise_std**2 * eye).sqrt(),
            "the detector has noise, too": square(anatomy).sqrt(),
            "noise_std is a deviation; its square is the variance": square(anatomy + noise_std * eye).sqrt(),
            "that is the matched template's: weight the data by S^-1 instead": square(eye)
            / (signal @ (anatomy + noise_std**2 * eye) @ signal).sqrt(),
        },
        otherwise="build S = A C A^T + noise_std^2 I, and take the root of (A s)^T S^-1 (A s)",
    )
    return "no reconstruction from the same data can have more"
