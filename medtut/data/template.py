"""The one brain of the cohort: axial slices of the ICBM 2009 template in nilearn [fonov2011icbm]."""
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

Z_MIN, Z_MAX = -12.0, 44.0          # axial range of the cohort in mm, midbrain to above the ventricles
FIELD_MM = 233.0                    # side of the square slice in mm, at 1 mm per pixel
HULL_MM = 16                        # the skull does not follow gaps narrower than twice this


class Slices(NamedTuple):
    """Axial slices at 1 mm, row 0 anterior, column 0 the patient's right (radiological convention)."""

    z: Tensor          # (n,) height in mm
    maps: Tensor       # (n, 3, 233, 233): grey, white, signed distance to the hull in mm / 100


def _distance(brain: np.ndarray) -> np.ndarray:
    """Signed distance in mm to the closed brain hull, positive outside, from a mask at 2 mm."""
    from scipy.ndimage import distance_transform_edt as edt

    grown = edt(~brain, sampling=2.0) <= HULL_MM
    hull = edt(grown, sampling=2.0) > HULL_MM
    return edt(~hull, sampling=2.0) - edt(hull, sampling=2.0)


@cache
def slices() -> Slices:
    """All slices between Z_MIN and Z_MAX, read once per process (about 3 seconds)."""
    from nilearn import datasets

    names = ("template", "gm_template", "wm_template")
    images = [getattr(datasets, f"load_mni152_{name}")(resolution=1) for name in names]
    affine = images[0].affine
    low, high = (round(z - float(affine[2, 3])) for z in (Z_MIN, Z_MAX))
    margin = 12                                  # the hull needs the slices around the range
    volume = np.stack([i.get_fdata(dtype=np.float32)[:, :, low - margin:high + margin + 1] for i in images])
    volume = np.pad(volume, ((0, 0), (18, 18), (0, 0), (0, 0)))       # 197 columns to 233
    half = volume[:, ::2, ::2, ::2]
    distance = torch.from_numpy(_distance(half[1] + half[2] + half[0] > 0.1).astype(np.float32))
    distance = F.interpolate(distance[None, None], volume.shape[1:], mode="trilinear", align_corners=True)[0]
    maps = torch.cat([torch.from_numpy(volume[1:]), distance / 100])  # (3, x, y, z)
    maps = maps[..., margin:-margin].permute(3, 0, 2, 1).flip(2, 3)   # anterior on top, right on the left
    return Slices(torch.arange(low, high + 1) + float(affine[2, 3]), maps.contiguous())
