"""One table of parametrisations, one loss, one rule for labels: each against a denoiser known exactly."""

import math

import pytest
import torch
from jaxtyping import TypeCheckError

import medtut as mt
from medtut import denoisers as dn

TABLE = mt.schedules.vp_table()
SIGMAS = torch.tensor([0.02, 0.1, 1.0, 5.0, 50.0], dtype=torch.float64)


def worlds():
    g = torch.Generator().manual_seed(3)
    mean = torch.randn(2, 1, 2, 2, generator=g, dtype=torch.float64)
    root = torch.randn(2, 4, 4, generator=g, dtype=torch.float64) * 0.5
    covs = root @ root.mT + 0.01 * torch.eye(4)
    weights = torch.tensor([0.3, 0.7], dtype=torch.float64)
    return {
        "gaussian": mt.Gaussian(mean[0], covs[0]),
        "mixture": mt.GaussianMixture(weights, mean, covs),
    }


WORLDS = worlds()


def col(s):
    return s.reshape(-1, 1, 1, 1)


def exact_net(kind, world):
    """The best possible raw network, from the *definition* of what it predicts; not from the table."""
    log_table, index = TABLE.log(), torch.arange(1000.0, dtype=torch.float64)

    def sigma_at(c):
        if kind == "eps":  # an index into the table
            lo = c.long().clamp(0, 998)
            return (log_table[lo] + (c - index[lo]) * (log_table[lo + 1] - log_table[lo])).exp()
        inverse = {
            "x0": lambda: (math.pi * c / 2000).tan(),
            "v": lambda: (math.pi * c / 2000).tan(),
            "score": lambda: 2 * c.exp(),
            "flow": lambda: c / (1 - c),
            "edm": lambda: (4 * c).exp(),
        }
        return inverse[kind]()

    def net(z, c, label=None):
        s = col(sigma_at(c))
        scale = {"score": 1.0, "flow": 1 / (1 + s), "edm": (s**2 + 0.25) ** -0.5}.get(
            kind, (1 + s**2) ** -0.5
        )
        x = z / scale
        x0hat = world.denoise(x, s.flatten())
        noise = (x - x0hat) / s
        signal_part, noise_part = (1 + s**2) ** -0.5, s * (1 + s**2) ** -0.5
        return {
            "eps": noise,
            "x0": x0hat,
            "v": signal_part * noise - noise_part * x0hat,
            "score": (x0hat - x) / s,
            "flow": noise - x0hat,
            "edm": (x0hat - 0.25 / (s**2 + 0.25) * x) / (0.5 * s * (s**2 + 0.25) ** -0.5),
        }[kind]

    return net


def model(kind, world):
    precond = dn.eps(dn.table_clock(TABLE)) if kind == "eps" else dn.PARAMETRISATIONS[kind]()
    return mt.Preconditioned(exact_net(kind, world), precond)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("kind", dn.PARAMETRISATIONS)
def test_every_parametrisation_is_the_exact_denoiser(kind, world):
    x = col(SIGMAS) * mt.randn((5, 1, 2, 2), mt.generators(1, 5), SIGMAS)
    got, want = model(kind, WORLDS[world])(x, SIGMAS), WORLDS[world].denoise(x, SIGMAS)
    assert (got - want).abs().max() < 1e-8 * (1 + want.abs().max())


@pytest.mark.parametrize("kind", dn.PARAMETRISATIONS)
def test_the_loss_is_least_at_the_exact_network(kind):
    """At the exact network the expected loss is the posterior variance / c_out^2, and no change lowers it."""
    tau, s, n = 0.7, 0.6, 40_000
    world = mt.Gaussian(torch.zeros(1, 1, 1).double(), torch.full((1, 1), tau**2).double())
    exact = model(kind, world)
    x0, sigma = world.sample(n, torch.Generator().manual_seed(0)), torch.full((n,), s, dtype=torch.float64)

    def loss(tilt):
        tilted = mt.Preconditioned(lambda z, c, label=None: exact.net(z, c) + tilt * z, exact.precond)
        return mt.denoising_loss(tilted, x0, sigma, generator=torch.Generator().manual_seed(1))

    best = loss(0.0)
    expected = (tau**2 * s**2 / (tau**2 + s**2)) / float(exact.precond.c_out(sigma[:1])) ** 2
    assert abs(best.mean() - expected) < 4 * best.std() / n**0.5
    for tilt in (-0.2, 0.2):
        difference = loss(tilt) - best
        assert difference.mean() > 4 * difference.std() / n**0.5


def test_the_clocks():
    assert torch.allclose(dn.table_clock(TABLE)(TABLE), torch.arange(1000.0).double(), atol=1e-8)
    between = (TABLE[41] * TABLE[42]).sqrt().reshape(1)
    assert dn.table_clock(TABLE)(between).item() == pytest.approx(41.5, abs=1e-9)
    assert dn.table_clock(TABLE, nearest=True)(between * 1.0001).item() == 42
    assert dn.table_clock(TABLE)(TABLE[-1:] * 2).item() == 999
    assert dn.cosine_clock(torch.ones(1)).item() == pytest.approx(500)


def test_numbers_and_tensors_mean_the_same_level():
    exact = model("v", WORLDS["gaussian"])
    x = mt.randn((3, 1, 2, 2), mt.generators(0, 3), SIGMAS)
    for sigma in (torch.tensor(2.0).double(), torch.full((3,), 2.0).double(), 2):
        assert torch.equal(exact(x, sigma), exact(x, 2.0))


def test_single_precision_stays_single():
    net = mt.Preconditioned(lambda z, c, label=None: z * c.reshape(-1, 1, 1, 1), dn.v())
    x = torch.ones(2, 1, 2, 2)
    assert net(x, 0.5).dtype == net(x, SIGMAS[:2]).dtype == torch.float32
    assert mt.denoising_loss(net, x, SIGMAS[:2]).dtype == torch.float32


def test_shapes_are_checked_while_the_tests_run():
    net = mt.Preconditioned(lambda z, c, label=None: z, dn.v())
    with pytest.raises(TypeCheckError):
        mt.denoising_loss(net, torch.ones(2, 1, 2, 2), SIGMAS[:3])
    with pytest.raises(TypeCheckError):
        mt.FiniteDataset(torch.zeros(3, 1, 2, 2)).denoise(torch.zeros(2, 1, 2, 2), "loud")


def test_ranged_is_the_same_world_in_other_units():
    physical = mt.Gaussian(
        torch.full((1, 1, 2), 0.4).double(), torch.diag(torch.tensor([0.04, 0.01]).double())
    )
    in_net = mt.Gaussian((physical.mean - 0.25) * 4, physical.cov * 16)
    x = mt.randn((4, 1, 1, 2), mt.generators(0, 4), physical.mean)
    for sigma in (0.3, torch.linspace(0.1, 2, 4).double()):
        got = mt.Ranged(in_net.denoise, shift=0.25, scale=4.0)(x, sigma)
        assert torch.allclose(got, physical.denoise(x, sigma), atol=1e-12)


def test_guidance_weights_mean_what_they_say():
    mix, label = WORLDS["mixture"], torch.tensor([1])
    x = mt.randn((4, 1, 2, 2), mt.generators(0, 4), SIGMAS)
    free, told = mix.denoise(x, 0.8), mix.denoise(x, 0.8, torch.ones(4))
    assert (free - told).abs().max() > 0.05
    assert torch.allclose(mt.guided(mix.denoise, 0.0, label)(x, 0.8), free)
    assert torch.allclose(mt.guided(mix.denoise, 1.0, label)(x, 0.8), told)
    assert torch.allclose(mt.guided(mix.denoise, 3.0, label)(x, 0.8), free + 3 * (told - free))
    away = mt.guided(mix.denoise, 2.0, label, base=torch.tensor([0]))(x, torch.full((4,), 0.8).double())
    other = mix.denoise(x, 0.8, torch.zeros(4))
    assert torch.allclose(away, other + 2 * (told - other))


def test_guidance_makes_one_call_on_the_doubled_batch():
    seen = []

    def spy(x, sigma, label=None):
        seen.append((len(x), label.tolist()))
        return x

    mt.guided(spy, 2.0, torch.tensor([3.0, 0.5]))(torch.zeros(2, 1, 1, 1), torch.ones(2))
    assert seen == [(4, [[-1.0, -1.0]] * 2 + [[3.0, 0.5]] * 2)]


def test_outside_its_interval_guidance_is_the_labelled_denoiser_in_one_call():
    mix, label, calls = WORLDS["mixture"], torch.tensor([1]), []

    def spy(x, sigma, label=None):
        calls.append(len(x))
        return mix.denoise(x, sigma, label)

    x = mt.randn((4, 1, 2, 2), mt.generators(0, 4), SIGMAS)
    limited = mt.guided(spy, 3.0, label, interval=(0.5, 2.0))
    for sigma, inside in ((0.5, False), (0.6, True), (2.0, True), (2.1, False)):
        wanted = mt.guided(mix.denoise, 3.0 if inside else 1.0, label)(x, sigma)
        calls.clear()
        assert torch.allclose(limited(x, sigma), wanted), sigma
        assert calls == [8 if inside else 4]
    s = torch.tensor([0.4, 0.6, 2.0, 3.0]).double()
    each = [mt.guided(mix.denoise, w, label)(x, s)[i] for i, w in enumerate((1.0, 3.0, 3.0, 1.0))]
    assert torch.allclose(limited(x, s), torch.stack(each))


@pytest.mark.parametrize("rescale", [0.3, 1.0])
def test_rescaled_guidance_has_the_standard_deviation_in_between(rescale):
    """std = (1 - r) std_guided + r std_labelled, for each image; its direction stays [lin2024zerosnr]."""
    mix, label = WORLDS["mixture"], torch.tensor([1])
    x = mt.randn((4, 1, 2, 2), mt.generators(0, 4), SIGMAS)
    plain, told = mt.guided(mix.denoise, 6.0, label)(x, 1.0), mix.denoise(x, 1.0, torch.ones(4))
    found = mt.guided(mix.denoise, 6.0, label, rescale=rescale)(x, 1.0)
    std = [image.flatten(1).std(1) for image in (plain, told, found)]
    assert (std[0] - std[1]).abs().min() > 1e-3
    assert torch.allclose(std[2], (1 - rescale) * std[0] + rescale * std[1])
    assert torch.allclose(found / plain, (std[2] / std[0])[:, None, None, None].expand_as(found))


def test_no_label_is_the_null_label_and_given_repeats_one():
    mix = WORLDS["mixture"]
    x = mt.randn((4, 1, 2, 2), mt.generators(0, 4), SIGMAS)
    assert torch.equal(mix.denoise(x, 1.0), mix.denoise(x, 1.0, torch.full((4,), -1)))
    told = mt.given(mix.denoise, torch.tensor(0))(x, 1.0)
    assert torch.allclose(told, mix.components[0].denoise(x, 1.0))
    each = mt.given(mix.denoise, torch.tensor([[0], [1], [0], [-1]]))(x, 1.0)
    assert torch.allclose(each[1], mix.components[1].denoise(x, 1.0)[1])
    assert torch.allclose(each[3], mix.denoise(x, 1.0)[3])


def test_the_noise_helper():
    together = mt.randn((4, 2, 3), mt.generators(5, 4))
    assert torch.equal(together[:2], mt.randn((2, 2, 3), mt.generators(5, 2)))
    one, two = (mt.randn((4, 2), torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(one, two)
    assert not torch.equal(together[0], together[1])
    assert mt.randn_like(torch.zeros(2, dtype=torch.bfloat16)).dtype == torch.bfloat16
    with pytest.raises(ValueError, match="one per sample"):
        mt.randn((3, 2), mt.generators(0, 2))


def test_turning_leaves_a_symmetric_denoiser_as_it_is_and_averages_another():
    x = torch.randn(3, 2, 6, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    shrink = mt.turned(lambda x, sigma: x / (1 + sigma**2), mt.generators(0, 3))
    torch.testing.assert_close(shrink(x, 0.5), x / 1.25)
    lopsided = torch.linspace(0, 1, 5, dtype=torch.float64)  # keeps the real part, and more of the right side

    def keep(x, sigma):
        return x * torch.tensor([1.0, 0.0]).reshape(1, 2, 1, 1) * lopsided

    many = mt.turned(keep, torch.Generator().manual_seed(1))(x[:1].expand(20000, 2, 6, 5), 0.5)
    torch.testing.assert_close(many.mean(0), x[0] / 4, atol=0.02, rtol=0)  # half, twice
    together = mt.turned(keep, mt.generators(2, 3))(x, 0.5)
    alone = mt.turned(keep, mt.generators(2, 3)[1:2])(x[1:2], 0.5)
    torch.testing.assert_close(together[1:2], alone)
