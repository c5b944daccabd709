"""Schedules: decreasing, float64, ending in 0, and equal to the published formulas."""

import math
from itertools import pairwise

import pytest
import torch

from medtut import schedules as sc

TABLE = sc.vp_table()
SCHEDULES = {
    "trailing": lambda n: sc.trailing(TABLE, n),
    "leading": lambda n: sc.leading(TABLE, n),
    "karras": sc.karras,
    "geometric": sc.geometric,
    "cosine": sc.cosine,
}


@pytest.mark.parametrize("n", [1, 2, 7, 50])
@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_decreases_to_zero(name, n):
    s = SCHEDULES[name](n)
    assert s.dtype == torch.float64
    assert s.shape == (n + 1,)
    assert s[-1] == 0
    assert all(a > b for a, b in pairwise(s.tolist()))


@pytest.mark.parametrize("name", ["karras", "geometric", "cosine"])
def test_the_ends_are_the_ones_asked_for(name):
    s = getattr(sc, name)(9, sigma_min=0.01, sigma_max=30.0)
    assert s[0].item() == pytest.approx(30)
    assert s[-2].item() == pytest.approx(0.01)


def test_the_middle_is_even_in_its_own_coordinate():
    for name, f in {"karras": lambda s: s ** (1 / 7), "geometric": torch.log, "cosine": torch.atan}.items():
        steps = f(getattr(sc, name)(9)[:-1]).diff()
        assert torch.allclose(steps, steps[:1].expand(8), rtol=1e-9), name


def test_linear_table_has_the_known_ends():
    """abar at the first and last step, from the definition of beta, multiplied out in logarithms."""
    betas = [1e-4 + (0.02 - 1e-4) * i / 999 for i in range(1000)]
    total = math.fsum(math.log1p(-b) for b in betas)
    assert sc.abar(TABLE[0]).item() == pytest.approx(1 - 1e-4)
    assert sc.abar(TABLE[-1]).item() == pytest.approx(math.exp(total), rel=1e-10)


def test_cosine_table_is_the_paper_s():
    f = lambda t: math.cos((t / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2  # noqa: E731
    table = sc.vp_table(kind="cosine")
    for t in (1, 250, 500, 990):
        assert sc.abar(table[t - 1]).item() == pytest.approx(f(t) / f(0), rel=1e-9)
    assert 1 - sc.abar(table[-1]) / sc.abar(table[-2]) == pytest.approx(0.999)
    with pytest.raises(ValueError, match="linear"):
        sc.vp_table(kind="sine")


def test_levels_and_signal_shares_are_inverse():
    assert torch.allclose(sc.sigma_of(sc.abar(TABLE)), TABLE, rtol=1e-9)
    assert sc.abar(1.0) == 0.5
    assert sc.sigma_of(0.2) == pytest.approx(2.0)


def test_strides_pick_the_table_s_entries():
    assert torch.equal(sc.trailing(TABLE, 4)[:-1], TABLE[[999, 749, 499, 249]])
    assert torch.equal(sc.leading(TABLE, 4)[:-1], TABLE[[750, 500, 250, 0]])
    assert torch.equal(sc.trailing(TABLE, 1000)[:-1], TABLE.flip(0))


def test_training_levels_fill_every_stratum():
    b = 64
    s = sc.stratified_cosine(b, torch.Generator().manual_seed(0), 0.01, 50.0)
    lo, hi = math.atan(0.01), math.atan(50.0)
    assert torch.equal(((s.atan() - lo) / (hi - lo) * b).floor(), torch.arange(b).double())
    assert torch.equal(s, sc.stratified_cosine(b, torch.Generator().manual_seed(0), 0.01, 50.0))
    assert not torch.equal(s, sc.stratified_cosine(b, torch.Generator().manual_seed(1), 0.01, 50.0))
