"""Image contrasts from tissue: MR signal equations, CT attenuation, FDG uptake.

Relaxation times are typical of brain tissue near 3 T: T1 as short as in [wansapura1999relaxation] (longer in
[stanisz2005relaxation]: 1820 ms in grey and 1084 ms in white matter), T2 as in the latter. Means of a spread.
"""
import torch
from torch import Tensor

CONTRASTS = ("T1", "T2", "PD", "FLAIR", "CT", "FDG")
MR = CONTRASTS[:4]
TISSUES = ("csf", "grey", "white", "fat", "bone", "marrow", "lesion")

#                 csf     grey    white   fat    bone  marrow lesion
T1_MS = torch.tensor([4000.0, 1400.0, 850.0, 380.0, 1000.0, 550.0, 1500.0])
T2_MS = torch.tensor([1500.0, 98.0, 74.0, 70.0, 1.0, 50.0, 170.0])
PD = torch.tensor([1.00, 0.85, 0.68, 0.30, 0.04, 0.20, 0.90])         # fat and marrow partly suppressed
HU = torch.tensor([8.0, 37.0, 29.0, -60.0, 950.0, 400.0, 20.0])
FDG = torch.tensor([0.04, 0.90, 0.30, 0.08, 0.05, 0.12, 0.22])

#            TR            TE            TI (a fraction of the time that nulls CSF, for FLAIR), all in ms
PROTOCOL = {"T1": ((1900.0, 2500.0), (2.0, 4.0), (850.0, 1050.0)),
            "T2": ((3500.0, 5500.0), (80.0, 110.0), None),
            "PD": ((2800.0, 4000.0), (12.0, 28.0), None),
            "FLAIR": ((8000.0, 10000.0), (100.0, 140.0), (0.96, 1.04))}


def _between(low_high: tuple[float, float], u: Tensor) -> Tensor:
    return low_high[0] + (low_high[1] - low_high[0]) * u


def mr_signal(contrast: str, u: Tensor, spread: Tensor) -> Tensor:
    """Magnitude signal of every tissue, (b, 7), before scaling.

    Spin echo `PD (1 - e^(-TR/T1)) e^(-TE/T2)`; with an inversion pulse
    `PD |1 - 2 e^(-TI/T1) + e^(-TR/T1)| e^(-TE/T2)` [bernstein2004handbook].
    `u` (b, 3) in [0, 1] chooses TR, TE, TI; `spread` (b, 3, 7) scales T1, T2 and PD.
    """
    tr_range, te_range, ti_range = PROTOCOL[contrast]
    tr, te = _between(tr_range, u[:, :1]), _between(te_range, u[:, 1:2])
    t1, t2, pd = (table * spread[:, i] for i, table in enumerate((T1_MS, T2_MS, PD)))
    recovery = 1 - torch.exp(-tr / t1)
    if ti_range is not None:
        ti = _between(ti_range, u[:, 2:])
        if contrast == "FLAIR":
            ti = ti * t1[:, :1] * torch.log(2 / (1 + torch.exp(-tr / t1[:, :1])))    # nulls CSF, column 0
        recovery = (1 - 2 * torch.exp(-ti / t1) + torch.exp(-tr / t1)).abs()
    return pd * recovery * torch.exp(-te / t2)


def signals(contrast: Tensor, u: Tensor, spread: Tensor) -> Tensor:
    """Value of every tissue in every sample, (b, 7), scaled so that images lie in about 0 to 1.

    MR: the brightest of CSF, grey, white is 0.85. CT: 0 air, 0.5 water, 1 about +1000 HU. FDG: uptake.
    """
    out = torch.zeros(len(contrast), len(TISSUES))
    for k, name in enumerate(CONTRASTS):
        rows = contrast == k
        if name in MR:
            s = mr_signal(name, u[rows], spread[rows])
            out[rows] = 0.85 * s / s[:, :3].amax(1, keepdim=True)
        elif name == "CT":
            out[rows] = (1 + HU * spread[rows, 0] / 1000) / 2
        else:
            out[rows] = FDG * spread[rows, 2] * (0.9 + 0.2 * u[rows, :1])
    return out
