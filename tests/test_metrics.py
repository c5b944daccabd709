"""Metrics against closed forms and independent implementations."""
import math

import pytest
import torch
from monai.metrics import PSNRMetric, SSIMMetric

from medtut import exact, metrics


@pytest.fixture
def images():
    g = torch.Generator().manual_seed(0)
    ref = torch.rand(3, 1, 40, 36, generator=g)
    return (ref + 0.1 * torch.randn(ref.shape, generator=g)), ref


def test_psnr_and_ssim_equal_monais(images):
    x, ref = images
    assert torch.allclose(metrics.psnr(x, ref, data_range=2.0), PSNRMetric(2.0)(x, ref)[:, 0], atol=1e-4)
    assert torch.allclose(metrics.ssim(x, ref), SSIMMetric(2, 1.0)(x, ref)[:, 0], atol=1e-5)


def test_known_values():
    ref = torch.full((1, 1, 16, 16), 0.5)
    x = ref + 0.1
    assert metrics.psnr(x, ref) == pytest.approx(20.0, abs=1e-4)
    assert metrics.psnr(x, ref, data_range=10.0) == pytest.approx(40.0, abs=1e-4)
    assert metrics.nrmse(x, ref) == pytest.approx(0.2, abs=1e-5)
    assert metrics.ssim(ref, ref) == pytest.approx(1.0)


def test_a_mask_leaves_the_rest_out(images):
    x, ref = images
    mask = torch.zeros(3, 1, 40, 36, dtype=torch.bool)
    mask[:, :, 10:30, 8:28] = True
    broken = torch.where(mask, x, x + 100)
    inside = metrics.psnr(x[..., 10:30, 8:28], ref[..., 10:30, 8:28])
    assert torch.allclose(metrics.psnr(broken, ref, mask), inside, atol=1e-4)
    assert torch.allclose(metrics.nrmse(broken, ref, mask),
                          metrics.nrmse(x[..., 10:30, 8:28], ref[..., 10:30, 8:28]), atol=1e-5)
    centre = torch.zeros(3, 1, 40, 36)
    centre[:, :, 20, 18] = 1
    window = metrics.ssim(x[..., 15:26, 13:24], ref[..., 15:26, 13:24])
    assert torch.allclose(metrics.ssim(x, ref, centre), window, atol=1e-5)


def test_unequal_shapes_are_refused():
    with pytest.raises(ValueError, match="equal shapes"):
        metrics.psnr(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 9))


def test_chi_square_of_pure_noise_is_one_and_counts_complex_numbers_twice():
    g = torch.Generator().manual_seed(1)
    noise = 0.3 * torch.view_as_complex(torch.randn(2, 4, 64, 64, 2, generator=g))
    mask = torch.zeros(64, 64)
    mask[:, ::4] = 1
    dof = 2 * 4 * 64 * 16
    value = metrics.chi_square(noise * mask, torch.zeros_like(noise), 0.3, mask)
    assert (value - 1).abs().max() < 4 * math.sqrt(2 / dof)
    assert metrics.chi_square(noise.real, torch.zeros(2, 4, 64, 64), 0.3) == pytest.approx(1, abs=0.05)


def test_spread_is_the_standard_deviation_over_samples():
    samples = torch.tensor([1.0, 3.0]).reshape(2, 1, 1, 1, 1).expand(2, 1, 1, 4, 4)
    mean, sd = metrics.spread(samples)
    assert torch.equal(mean, torch.full((1, 1, 4, 4), 2.0))
    assert torch.allclose(sd, torch.full((1, 1, 4, 4), math.sqrt(2)))
    with pytest.raises(ValueError, match="two or more"):
        metrics.spread(samples[:1])


def test_diversity_of_independent_noise_is_root_two():
    x = torch.randn(20, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    assert metrics.diversity(x) == pytest.approx(math.sqrt(2), rel=0.01)
    assert metrics.diversity(x[:1].repeat(5, 1, 1, 1)) == pytest.approx(0, abs=1e-6)


def test_white_noise_has_a_flat_spectrum_and_a_wave_a_peak():
    noise = 0.5 * torch.randn(32, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    f, power = metrics.radial_power_spectrum(noise, bins=8)
    assert f[0] == pytest.approx(1 / 32)
    assert torch.allclose(power.mean(0), torch.full((8,), 0.25, dtype=torch.float64), rtol=0.05)
    wave = torch.cos(2 * math.pi * 0.25 * torch.arange(64)).expand(1, 1, 64, 64)
    f, power = metrics.radial_power_spectrum(wave, bins=16)
    assert abs(f[power[0].argmax()] - 0.25) < 1 / 32


def test_mmd_is_unbiased_and_finds_a_shift():
    g = torch.Generator().manual_seed(0)
    h = torch.tensor([1.0])
    equal = [metrics.mmd2_unbiased(torch.randn(8, 1, generator=g), torch.randn(8, 1, generator=g), h)
             for _ in range(800)]
    equal = torch.tensor(equal)
    assert abs(equal.mean()) < 3 * equal.std() / math.sqrt(800)  # the biased estimator would be near +0.1
    assert (equal < 0).any()
    # for N(0, 1) and N(d, 1), h = 1: MMD^2 = 2 (1 - exp(-d^2 / 6)) / sqrt(3)
    x, y = torch.randn(2000, 1, generator=g), torch.randn(2000, 1, generator=g)
    shifted = metrics.mmd2_unbiased(x, y + 1, h)
    assert shifted == pytest.approx(2 * (1 - math.exp(-1 / 6)) / math.sqrt(3), abs=0.02)


def test_the_permutation_test_tells_equal_from_different():
    g = torch.Generator().manual_seed(0)
    x, y = torch.randn(60, 2, generator=g), torch.randn(60, 2, generator=g)
    same = metrics.mmd2_test(x, y, 200, generator=g)
    other = metrics.mmd2_test(x, y + 1, 200, generator=g)
    assert same.low <= same.value <= same.high
    assert same.p > 0.05
    assert other.value > other.high
    assert other.p == pytest.approx(1 / 201)


def test_the_bootstrap_interval_covers_as_often_as_it_says():
    g = torch.Generator().manual_seed(0)
    hits = 0
    for _ in range(300):
        interval = metrics.bootstrap_ci(torch.randn(40, generator=g), resamples=300, generator=g)
        hits += interval.low < 0 < interval.high
    assert 0.90 < hits / 300 < 0.98
    with pytest.raises(ValueError, match="one per subject"):
        metrics.bootstrap_ci(torch.zeros(1))


def test_neighbour_ratio_finds_copies():
    g = torch.Generator().manual_seed(0)
    train, strangers, new = torch.rand(3, 40, 1, 4, 4, generator=g).unbind(0)
    copies = train[:8] + 0.001
    assert metrics.neighbour_ratio(copies, train, strangers).max() < 0.02
    assert metrics.neighbour_ratio(new, train, strangers).median().item() == pytest.approx(1, abs=0.15)
    assert metrics.neighbour_ratio(strangers[:8] + 0.001, train, strangers).min() > 50
    with pytest.raises(ValueError, match="equally many"):
        metrics.neighbour_ratio(copies, train, strangers[:5])


def test_denoising_gap_is_zero_without_memory_and_large_with_it():
    g = torch.Generator().manual_seed(1)
    seen, new = torch.rand(2, 30, 1, 4, 4, generator=g).unbind(0)
    shrink = lambda x, sigma: 0.5 + (x - 0.5) / (1 + 12 * sigma**2)  # noqa: E731 - the best linear one
    gap = metrics.denoising_gap(shrink, seen, new, 0.3)
    assert gap.low < 0 < gap.high
    assert gap.high - gap.low < 2
    copying = lambda x, s: 0.99 * exact.FiniteDataset(seen).denoise(x, s) + 0.01 * x  # noqa: E731
    listed = metrics.denoising_gap(copying, seen, new, 0.1)
    assert listed.low > 10
    assert listed.low < listed.value < listed.high
