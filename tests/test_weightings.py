"""Weights of the loss: the same whatever the network predicts, and equal to the papers' own forms."""

import pytest
import torch

import medtut as mt
from medtut import denoisers as dn
from medtut import weightings as w

WORLD = mt.GaussianMixture(
    torch.tensor([0.4, 0.6]).double(),
    torch.tensor([[[[-1.0, 0.5]]], [[[1.0, 0.0]]]]).double(),
    torch.stack([0.04 * torch.eye(2), 0.09 * torch.eye(2)]).double(),
)
SIGMA = torch.logspace(-2, 2, 9).double()
SNR = 1 / SIGMA**2
ROWS = {name: row() for name, row in dn.PARAMETRISATIONS.items() if name != "edm"} | {"edm": dn.edm(0.6)}
WEIGHTS = {"min": w.min_snr(5.0), "edm": w.edm(0.6), "p2": w.p2(), "bound": w.bound()}


class Inside:
    """The network whose denoiser is a wrong but fixed one: the exact estimate, moved by 0.1 x."""

    def __init__(self, row):
        self.row = row

    def __call__(self, x_in, c_noise, label=None):
        c_skip, c_out, c_in, _ = (dn.per_image(c(SIGMA), x_in) for c in self.row)
        x = x_in / c_in
        return (WORLD.denoise(x, SIGMA) + 0.1 * x - c_skip * x) / c_out


@pytest.mark.parametrize("weight", WEIGHTS.values(), ids=WEIGHTS)
def test_changing_the_target_does_not_change_the_loss(weight):
    x0 = WORLD.sample(len(SIGMA), torch.Generator().manual_seed(0))
    found = {
        name: w.weighted_loss(
            mt.Preconditioned(Inside(row), row), x0, SIGMA, weight, generator=mt.generators(1, 9)
        )
        for name, row in ROWS.items()
    }
    x = x0 + SIGMA[:, None, None, None] * mt.randn_like(x0, mt.generators(1, 9))
    by_hand = weight(SIGMA) * (WORLD.denoise(x, SIGMA) + 0.1 * x - x0).square().flatten(1).mean(1)
    for name, loss in found.items():
        torch.testing.assert_close(loss, by_hand, rtol=1e-9, atol=0, msg=name)


@pytest.mark.parametrize("gamma", [1.0, 5.0])
def test_min_snr_has_the_paper_s_three_forms(gamma):
    least = SNR.clamp(max=gamma)
    for row, wanted in ((dn.x0(), least), (dn.eps(), least / SNR), (dn.v(), least / (SNR + 1))):
        torch.testing.assert_close(w.on_target(w.min_snr(gamma), row)(SIGMA), wanted, rtol=1e-12, atol=0)


def test_edm_weighs_its_own_target_with_one():
    ones = torch.ones_like(SIGMA)
    torch.testing.assert_close(w.on_target(w.edm(0.6), dn.edm(0.6))(SIGMA), ones, rtol=1e-12, atol=0)
    torch.testing.assert_close(w.edm(1.0)(SIGMA), w.plain(dn.v())(SIGMA), rtol=1e-12, atol=0)
    assert (w.edm(0.6)(SIGMA) / w.plain(dn.v())(SIGMA)).std() > 0.1


def test_p2_divides_the_simple_loss_by_a_power():
    torch.testing.assert_close(w.on_target(w.p2(0.0), dn.eps())(SIGMA), torch.ones_like(SIGMA))
    wanted = (0.5 + SNR) ** -2.0
    torch.testing.assert_close(w.on_target(w.p2(2.0, 0.5), dn.eps())(SIGMA), wanted, rtol=1e-12, atol=0)


def test_the_bound_s_weight_is_the_fine_limit_of_the_chain_s():
    """A chain pays half the signal-to-noise ratio gained [kingma2021vdm]: this, per unit of sigma."""
    s = torch.linspace(0.5, 0.501, 2).double()
    per_unit = 0.5 * (1 / s[0] ** 2 - 1 / s[1] ** 2) / (s[1] - s[0])
    assert w.bound()(s.mean()[None]).item() == pytest.approx(per_unit.item(), rel=1e-5)


def test_plain_is_what_the_loss_does_by_itself():
    x0 = WORLD.sample(len(SIGMA), torch.Generator().manual_seed(0))
    for row in ROWS.values():
        model = mt.Preconditioned(Inside(row), row)
        ours = w.weighted_loss(model, x0, SIGMA, w.plain(row), generator=mt.generators(1, 9))
        theirs = mt.denoising_loss(model, x0, SIGMA, generator=mt.generators(1, 9))
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=0)


def test_no_weight_moves_the_minimum():
    """On a list of two images the exact denoiser has a lower loss than its neighbours under every weight."""
    data = torch.tensor([[-1.0], [1.0]]).double()
    s = torch.full((20_000,), 0.7).double()
    x0 = mt.FiniteDataset(data).sample(len(s), torch.Generator().manual_seed(2))

    def loss(shift, weight):
        def net(x_in, c_noise, label=None):
            return mt.FiniteDataset(data).denoise(x_in * (1 + 0.7**2) ** 0.5, 0.7) + shift

        model = mt.Preconditioned(net, dn.x0())
        return w.weighted_loss(model, x0, s, weight, generator=torch.Generator().manual_seed(3)).mean()

    for weight in (w.min_snr(5.0), w.edm(0.6), w.p2(), w.bound()):
        assert loss(0.0, weight) < min(loss(0.2, weight), loss(-0.2, weight))
