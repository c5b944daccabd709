"""The dictionary of book/notation.md, row by row, against the exact denoiser of a Gaussian in float64."""

import re
from pathlib import Path

import pytest
import torch

import medtut as mt

PAGE = Path(__file__).resolve().parents[1] / "book" / "notation.md"
M, P = 0.3, 0.7  # the prior N(M, P**2)
LEVELS = torch.tensor([0.05, 0.4, 1.3, 6.0], dtype=torch.float64)
X = torch.tensor([0.4, -0.9, 0.9, 5.0], dtype=torch.float64)


def denoise(x, s):
    return (P**2 * x + s**2 * M) / (P**2 + s**2)


def score(scale, s=LEVELS):
    """Score of scale * x at scale * X, differentiated from the log density."""
    z = (scale * X).requires_grad_()
    log_p = -((z - scale * M) ** 2) / (2 * scale**2 * (P**2 + s**2))
    return torch.autograd.grad(log_p.sum(), z)[0]


def path(s):
    """The probability-flow path through X at LEVELS, at the levels s."""
    return M + (X - M) * ((P**2 + s**2) / (P**2 + LEVELS**2)).sqrt()


def slope(f, at, h=1e-6):
    return (f(at + h) - f(at - h)) / (2 * h)


@pytest.fixture
def words():
    """sigma, abar, tau, x0hat and eps of the dictionary."""
    s, x0hat = LEVELS, denoise(X, LEVELS)
    return s, 1 / (1 + s**2), s / (1 + s), x0hat, (X - x0hat) / s


def same(a, b, tol=1e-9):
    assert (a - b).abs().max() <= tol * b.abs().max()


def test_scores(words):
    s, abar, tau, x0hat, eps = words
    same(score(torch.ones(4, dtype=torch.float64)), (x0hat - X) / s**2)
    same(score(torch.ones(4, dtype=torch.float64)), -eps / s)
    same(score(abar.sqrt()), -eps / (1 - abar).sqrt())
    same(score(1 - tau), -eps / tau)


def test_indices(words):
    s, abar, tau, _, _ = words
    same(((1 - abar) / abar).sqrt(), s)
    same(tau / (1 - tau), s)
    same(abar / (1 - abar), s**-2)
    same((1 - tau) ** 2 / tau**2, s**-2)
    same(mt.schedules.sigma_of(mt.schedules.abar(s)), s)


def test_deterministic_flows(words):
    s, abar, tau, x0hat, eps = words
    same(slope(path, s), eps, 1e-6)
    same(slope(lambda t: (1 - t) * path(t / (1 - t)), tau), eps - x0hat, 1e-6)
    beta = 2.0
    per_time = beta / (2 * s * abar)  # dsigma/dt of the VP equation
    got = slope(lambda v: path(v) / (1 + v**2).sqrt(), s) * per_time
    same(got, -beta / 2 * (abar.sqrt() * X + score(abar.sqrt())), 1e-6)


@pytest.mark.parametrize("name", mt.denoisers.PARAMETRISATIONS)
def test_targets(words, name):
    """With the stated target in the place of F, each row of coefficients returns x0hat."""
    s, abar, _, x0hat, eps = words
    target = {"eps": eps, "x0": x0hat, "v": abar.sqrt() * eps - (1 - abar).sqrt() * x0hat,
              "score": -eps, "flow": eps - x0hat}
    c_skip, c_out, _, _ = (c(s) for c in mt.denoisers.PARAMETRISATIONS[name]())
    if name == "edm":  # a mixture of unit variance for data of variance 0.5**2
        variance = (0.5**2 * (1 - c_skip) ** 2 + c_skip**2 * s**2) / c_out**2
        same(variance, torch.ones_like(variance))
    else:
        same(c_skip * X + c_out * target[name], x0hat)


def test_steps(words):
    """DDPM's and DDIM's steps in both columns of the table."""
    s, abar, _, x0hat, eps = words
    n = 0.6 * s
    abar_n, r, eta = 1 / (1 + n**2), n**2 / s**2, 0.7
    beta = 1 - abar / abar_n
    tilde_beta = (1 - abar_n) / (1 - abar) * beta
    x_vp = abar.sqrt() * X
    mean = abar_n.sqrt() * beta / (1 - abar) * x0hat + (1 - beta).sqrt() * (1 - abar_n) / (1 - abar) * x_vp
    same(r * X + (1 - r) * x0hat, mean / abar_n.sqrt())
    same(n**2 * (1 - r), tilde_beta / abar_n)
    ddim = abar_n.sqrt() * x0hat + (1 - abar_n - eta**2 * tilde_beta).sqrt() * eps
    same(x0hat + (n**2 - eta**2 * n**2 * (1 - r)).sqrt() * eps, ddim / abar_n.sqrt())


def test_guidance_weight():
    conditional, null, w = torch.tensor(2.0), torch.tensor(0.5), 3.0
    same((1 + (w - 1)) * conditional - (w - 1) * null, null + w * (conditional - null))


def test_step_size_from_vp(words):
    """zeta times a gradient in x_vp, landing at the next level, is the stated factor in ours."""
    s, abar, _, _, _ = words
    n = 0.6 * s
    x = X.clone().requires_grad_()
    ours = torch.autograd.grad((x**2).sum(), x)[0]
    x_vp = (abar.sqrt() * X).requires_grad_()
    theirs = torch.autograd.grad(((x_vp / abar.sqrt()) ** 2).sum(), x_vp)[0]
    same(theirs * (1 + n**2).sqrt(), ((1 + s**2) * (1 + n**2)).sqrt() * ours)


def test_worked_example():
    """The printed numbers follow from DDPM's linear schedule, to the digits shown."""
    section = PAGE.read_text(encoding="utf-8").split("(dictionary-example)=")[1].split("## What a network")[0]
    rows = re.findall(r"^\| (\d+) \| (.+?) \|$", section, flags=re.M)
    assert len(rows) == 3
    table = mt.schedules.vp_table(1000, "linear")
    for step, cells in rows:
        s = float(table[int(step) - 1])
        right = [1 / (1 + s**2), (1 + s**2) ** -0.5, s, s / (1 + s)]
        for shown, value in zip(cells.split(" | "), right, strict=True):
            assert float(f"{value:.4g}") == float(shown), (step, shown, value)
    s = float(table[499])
    assert f"only {100 * (1 + s**2) ** -0.5:.0f} %" in section
    assert f"standard deviation {s:.1f}" in section
