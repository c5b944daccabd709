"""The six families: densities that integrate to one, bounds that lie below, causal tables, equal sizes."""

import math

import pytest
import torch

from medtut import families, nets_families
from medtut.families import bits_per_dim, dequantise, quantise
from medtut.nets_families import FAMILIES, Pair, PixelNet, weights_of

STIR = 0.3  # sd of what is added to the weights: an untrained flow is the identity and would pass any test


def stirred(model, seed=0, stir=STIR):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(stir * torch.randn(p.shape, generator=generator) / max(p[0].numel(), 1) ** 0.5)
    return model.double()


class Bowl(torch.nn.Module):
    def forward(self, x):
        return (x**2).sum(1) / (2 * 0.2**2)


class Exact(torch.nn.Module):
    """The denoiser of a Gaussian of sd 0.3."""

    def forward(self, x, s):
        return x * 0.09 / (0.09 + s**2)


def square(n=801, span=1.0):
    """Midpoints of n x n cells of [-span, span]^2, and the area of a cell."""
    u = (torch.arange(n, dtype=torch.float64) + 0.5) / n * 2 * span - span
    return torch.stack(torch.meshgrid(u, u, indexing="ij"), -1).reshape(-1, 2), (2 * span / n) ** 2


@pytest.mark.parametrize("world", ["plane", "brain"])
def test_equal_sizes(world):
    made = getattr(nets_families, world)()
    assert tuple(made) == FAMILIES
    target = {"plane": 10_000, "brain": 100_000}[world]
    assert all(abs(weights_of(m) / target - 1) < 0.05 for m in made.values())


@pytest.mark.parametrize("name", FAMILIES)
def test_one_loop_trains_and_draws(name):
    torch.manual_seed(0)
    model, g = nets_families.plane()[name], torch.Generator().manual_seed(1)
    x = 0.3 * torch.randn(16, 2, generator=g)
    model.loss(x, g).backward()
    found = [p.grad for p in model.parameters()]
    assert all(grad is not None and grad.isfinite().all() for grad in found)
    drawn = model.sample(5, torch.Generator().manual_seed(2))
    assert drawn.shape == (5, 2)
    if name != "energy":  # its chains go on from a store that training has moved
        assert torch.equal(drawn, model.sample(5, torch.Generator().manual_seed(2)))


def test_who_knows_a_density():
    made = nets_families.plane()
    knows = {what: {n for n in made if hasattr(made[n], what)} for what in ("log_prob", "bound", "energy")}
    assert knows["log_prob"] == {"flow", "autoregressive"}
    assert knows["bound"] == {"VAE", "diffusion"}
    assert knows["energy"] == {"energy"}


def test_the_flow_is_invertible_and_its_density_integrates_to_one():
    torch.manual_seed(0)
    flow = stirred(nets_families.plane()["flow"], stir=0.1)
    x, cell = square(1201, 12.0)
    z, log_det = flow(x[::5000])
    torch.testing.assert_close(flow.inverse(z), x[::5000], atol=1e-9, rtol=0)
    assert log_det.std() > 0.1
    with torch.no_grad():
        mass = sum(flow.log_prob(part).exp().sum() for part in x.split(200_000)) * cell
    assert mass.item() == pytest.approx(1, abs=1e-3)


def test_the_log_determinant_is_that_of_the_jacobian():
    torch.manual_seed(0)
    flow, x = stirred(nets_families.folded_flow((6, 6, 6), (2, 2, 1))), torch.rand(1, 1, 8, 8).double()
    flow.shape = (64, 1, 1)
    jacobian = torch.autograd.functional.jacobian(lambda y: flow(y)[0], x).reshape(64, 64)
    torch.testing.assert_close(flow(x)[1][0], torch.linalg.slogdet(jacobian)[1])
    torch.testing.assert_close(flow.inverse(flow(x)[0]), x)
    assert flow.sample(3).shape == (3, 1, 8, 8)


def test_the_table_sums_to_one():
    torch.manual_seed(0)
    model = families.Autoregressive(stirred(Pair(8, 6)).float(), (2,), 6)
    k = torch.cartesian_prod(torch.arange(6), torch.arange(6))
    masses = model.log_mass(k).exp()
    assert masses.sum().item() == pytest.approx(1, abs=1e-6)
    assert masses.std() > 1e-4
    x = dequantise(k, 6, torch.Generator().manual_seed(0))
    torch.testing.assert_close(model.log_prob(x).exp() * (2 / 6) ** 2, masses)


def test_the_pixel_network_is_causal_and_its_patch_is_enough():
    torch.manual_seed(0)
    net = stirred(PixelNet(width=8, blocks=2, levels=4, shape=(1, 12, 12)))
    net.grid = net.grid.double()
    x = torch.rand(1, 1, 12, 12).double()
    whole = net(x)
    for i in (0, 5, 77, 143):
        y = x.clone()
        y.flatten()[i] += 1
        moved = (net(y) - whole).abs().amax(1).flatten() > 0
        assert not moved[: i + 1].any()
        assert i == 143 or moved[i + 1]
        torch.testing.assert_close(net.at(x, i), whole.flatten(2)[:, :, i])


def test_sampling_follows_the_table():
    torch.manual_seed(0)
    model = families.Autoregressive(stirred(Pair(8, 4)).float(), (2,), 4)
    k = quantise(model.sample(20_000, torch.Generator().manual_seed(0)), 4)
    counts = torch.bincount(4 * k[:, 0] + k[:, 1], minlength=16) / len(k)
    cells = torch.cartesian_prod(torch.arange(4), torch.arange(4))
    p = model.log_mass(cells).exp()
    assert ((counts - p).abs() < 4 * (p / len(k)).sqrt()).all()


def test_vae_bounds_lie_in_order_below_the_density():
    torch.manual_seed(0)
    vae = stirred(nets_families.plane()["VAE"])
    x, g = 0.5 * torch.randn(200, 2).double(), torch.Generator().manual_seed(0)
    with torch.no_grad():
        bound = torch.stack([vae.bound(x, g) for _ in range(64)]).mean(0)
        tighter = torch.stack([vae.importance(x, 64, g) for _ in range(4)]).mean(0)
        z, cell = square(161, 6.0)
        prior = families.normal(z) + math.log(cell)
        mean, log_sd = vae.decode(z)
        joint = [families.normal(p.expand_as(mean), mean, log_sd) + prior for p in x]
        exact = torch.stack(joint).logsumexp(1)
    assert bound.mean() < tighter.mean() < exact.mean() + 1e-3
    assert (exact - tighter).mean() < 0.5 * (exact - bound).mean()


def test_one_step_of_the_gan_moves_each_player_for_itself():
    torch.manual_seed(0)
    gan, g = nets_families.plane()["GAN"], torch.Generator()
    x = torch.randn(8, 2)
    gan.loss(x, g.manual_seed(0)).backward()
    softplus = torch.nn.functional.softplus
    made = gan.sample(8, g.manual_seed(0))
    judge = softplus(-gan.judge(x)).mean() + softplus(gan.judge(made.detach())).mean()
    want = torch.autograd.grad(judge, list(gan.judge.parameters()))
    for p, grad in zip(gan.judge.parameters(), want, strict=True):
        torch.testing.assert_close(p.grad, grad)
    want = torch.autograd.grad(softplus(-gan.judge(made)).mean(), list(gan.generator.parameters()))
    for p, grad in zip(gan.generator.parameters(), want, strict=True):
        torch.testing.assert_close(p.grad, grad)


def test_long_chains_draw_from_the_energy():
    """With noise sqrt(2 step) the chain of E = |x|^2 / 2s^2 has the sd s; the clamp is far away."""
    model = families.Energy(Bowl(), (2,), step=5e-4, noise=0.001**0.5)
    ends = model.chain(torch.zeros(4000, 2), 400, torch.Generator().manual_seed(0))
    assert ends.std().item() == pytest.approx(0.2, rel=0.03)


def test_the_diffusion_bound_meets_the_entropy_of_a_gaussian():
    """With the exact denoiser the bound is minus the entropy, but for the error of a finite chain."""
    tau = 0.3
    model = nets_families.plane()["diffusion"]
    model.denoise = Exact()
    g = torch.Generator().manual_seed(0)
    x = tau * torch.randn(4000, 2, generator=g)
    found = model.bound(x, g, calls=100)
    entropy = math.log(2 * math.pi * math.e * tau**2)
    assert found.mean().item() == pytest.approx(-entropy, abs=0.08)
    assert found.mean().item() < families.normal(x, 0.0, math.log(tau)).mean().item() + 0.03


def test_bits():
    k = torch.arange(8).repeat(4)[None]
    x = dequantise(k, 8, torch.Generator().manual_seed(0))
    assert torch.equal(quantise(x, 8), k)
    assert x.abs().max() <= 1
    uniform = torch.full((1,), 32 * math.log(0.5))  # the density of [-1, 1]
    torch.testing.assert_close(bits_per_dim(uniform, 32, 8), torch.tensor([3.0]))
