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


def test_sigmoid_table_is_the_paper_s():
    """At the middle of start = -end the sigmoid is 1/2, so abar is too, whatever tau."""
    for tau in (0.5, 1.0, 2.0):
        table = sc.sigmoid_table(1000, tau=tau)
        assert sc.abar(table[499]).item() == pytest.approx(0.5, rel=1e-9)
        g = lambda z: 1 / (1 + math.exp(-z))  # noqa: E731
        lo, hi = g(-3 / tau), g(3 / tau)
        wanted = (hi - g((-3 + 6 * 0.25) / tau)) / (hi - lo)
        assert sc.abar(table[249]).item() == pytest.approx(wanted, rel=1e-9)
        assert sc.abar(table[-1]).item() == pytest.approx(1e-9)
        assert (table.diff() > 0).all()
    straight = sc.abar(sc.sigmoid_table(1000, tau=100.0))
    assert (straight - torch.linspace(0.999, 0, 1000).double()).abs().max() < 1e-3


def test_zero_terminal_is_the_library_s_but_for_the_end():
    from diffusers.schedulers.scheduling_ddpm import rescale_zero_terminal_snr

    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2  # Stable Diffusion's
    table = sc.sigma_of((1 - betas).cumprod(0))
    theirs = sc.sigma_of((1 - rescale_zero_terminal_snr(betas.clone())).cumprod(0))
    ours = sc.zero_terminal(table, 1000.0)
    kept = len(ours) - 1
    assert torch.allclose(ours[:-1], theirs[:kept], rtol=1e-6)
    assert ours[-1] == 1000
    assert ours[0].item() == pytest.approx(table[0].item())
    assert (ours.diff() > 0).all()
    assert theirs[kept] >= 1000  # what sigma_max stands in for
    with pytest.raises(ValueError, match="first level"):
        sc.zero_terminal(table, 0.001)


def test_log_normal_levels_are_logit_normal_in_the_flow_s_time():
    s = sc.log_normal(50_000, torch.Generator().manual_seed(0), -1.2, 1.2)
    assert s.log().mean().item() == pytest.approx(-1.2, abs=4 * 1.2 / 50_000**0.5)
    assert s.log().std().item() == pytest.approx(1.2, rel=4 / 100_000**0.5)
    tau = sc.log_normal(50_000, torch.Generator().manual_seed(1), 0.0, 1.0)
    logits = torch.logit(tau / (1 + tau))
    assert logits.mean().item() == pytest.approx(0, abs=4 / 50_000**0.5)
    assert logits.std().item() == pytest.approx(1, rel=4 / 100_000**0.5)


def test_levels_from_a_table_are_its_entries_equally_often():
    s = sc.from_table(TABLE, 100_000, torch.Generator().manual_seed(0))
    assert torch.isin(s, TABLE).all()
    counts = torch.bincount(torch.searchsorted(TABLE, s), minlength=1000).double()
    assert counts.min() > 40  # the last one too
    chi2 = ((counts - 100) ** 2 / 100).sum().item()
    assert abs(chi2 - 999) < 4 * (2 * 999) ** 0.5
