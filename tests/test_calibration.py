"""Measures of samples: values known exactly, exact draws pass, two impostors do not."""

import math

import pytest
import torch
from refusals import refused_in_one_sentence

from medtut import calibration as cal

B, K, D = 1500, 19, 4
NOISE = 0.5


def g(seed=0):
    return torch.Generator().manual_seed(seed)


def white(*shape, seed):
    return torch.randn(shape, generator=g(seed), dtype=torch.float64)


# x0 ~ N(0, diag(LAM)), y = the first two entries + noise: the posterior is diagonal, too
LAM = torch.tensor([2.0, 0.5, 1.0, 0.1]).double()
SEEN = torch.tensor([1.0, 1.0, 0.0, 0.0]).double()
GAIN = SEEN * LAM / (LAM + NOISE**2)
COV = (1 - GAIN) * LAM
TRUTH = LAM.sqrt() * white(B, D, seed=1)
Y = SEEN * (TRUTH + NOISE * white(B, D, seed=2))
MEAN = GAIN * Y
Z = white(B, K, D, seed=3)  # shared, so that a difference of scores is not lost in their noise
DRAWS = {
    "exact": MEAN[:, None] + COV.sqrt() * Z,
    "prior": LAM.sqrt() * Z,
    "mean + white noise": MEAN[:, None] + COV.mean().sqrt() * Z,
    "too wide": MEAN[:, None] + (2 * COV).sqrt() * Z,
    "too narrow": MEAN[:, None] + (COV / 2).sqrt() * Z,
}


def likelihood(x):
    """log p(y | x) up to a constant: the quantity that looks at the data."""
    y = Y if x.ndim == 2 else Y[:, None]
    return -(SEEN * (x - y)).square().sum(-1) / (2 * NOISE**2)


def ratio_error(samples):
    """Standard error of the ratio, from the ratios of ten parts of the problems."""
    parts = [cal.identity_ratio(s, t) for s, t in zip(samples.chunk(10), TRUTH.chunk(10), strict=True)]
    return float(torch.tensor(parts).std()) / 10**0.5


# --- by hand -----------------------------------------------------------------------------------------------


def test_values_by_hand():
    samples, truth = torch.tensor([[0.0, 2.0]]), torch.tensor([1.5])
    assert cal.identity_ratio(samples, truth) == pytest.approx(1.25 / 2)  # mean square 1.25, variance 2
    assert cal.crps(samples, truth).tolist() == pytest.approx([1 - 2 / 2])
    assert cal.energy_score(samples, truth).tolist() == pytest.approx([0])
    three, four = torch.tensor([[1.0, 5.0, 2.0], [1.0, 5.0, 2.0]]), torch.tensor([2.5, 7.0])
    assert cal.coverage(three, four, 0.5).tolist() == [1, 0]  # within 1 to 5, or not
    assert cal.rank_counts(three, four).counts.tolist() == [0, 0, 1, 1]
    assert cal.rank_counts(three, four).chi_square == pytest.approx(2)  # (4 - 2) of 2 expected
    # E |X - 2.5| = 1.5, E |X - X'| = (1 + 3 + 4) / 3
    assert cal.crps(three, four)[0] == pytest.approx(1.5 - 8 / 6)
    assert cal.energy_score(three, four)[0] == pytest.approx(1.5 - 8 / 6)


def test_the_score_of_images_is_the_mean_over_entries_or_one_norm():
    samples, truth = white(3, 5, 2, 4, seed=0), white(3, 2, 4, seed=1)
    single = [cal.crps(samples[:, :, i, j], truth[:, i, j]) for i in range(2) for j in range(4)]
    torch.testing.assert_close(cal.crps(samples, truth), torch.stack(single).mean(0))
    pairs = (samples[:, :, None] - samples[:, None]).flatten(3).norm(dim=3).sum((1, 2)) / (5 * 4)
    miss = (samples - truth[:, None]).flatten(2).norm(dim=2).mean(1)
    torch.testing.assert_close(cal.energy_score(samples, truth), miss - pairs / 2)


@pytest.mark.parametrize("k", [2, 50])
def test_crps_is_unbiased_whatever_the_number_of_draws(k):
    """For N(0, 1) and a truth z it is z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi)."""
    z = 0.7
    exact = z * math.erf(z / 2**0.5) + 2 * math.exp(-(z**2) / 2) / (2 * math.pi) ** 0.5 - math.pi**-0.5
    got = cal.crps(white(20000, k, seed=k), torch.full((20000,), z).double())
    assert abs(got.mean() - exact) < 3 * got.std() / 20000**0.5
    assert got.std() / 20000**0.5 < 0.02 * exact


def test_energy_score_of_a_gaussian():
    """E |X - x0| = E |X - X'| = 2 Gamma((d + 1) / 2) / Gamma(d / 2) for N(0, I): half of it remains."""
    got = cal.energy_score(white(4000, 6, D, seed=0), white(4000, D, seed=1))
    exact = math.gamma((D + 1) / 2) / math.gamma(D / 2)
    assert abs(got.mean() - exact) < 3 * got.std() / 4000**0.5
    assert got.std() / 4000**0.5 < 0.02 * exact


def test_sliced_wasserstein_of_a_shift_and_of_a_scale():
    a = white(300, 3, seed=0)
    shift = torch.tensor([1.0, -2.0, 0.5]).double()
    got = cal.sliced_wasserstein(a, a[torch.randperm(300, generator=g())] + shift, 5000, g(1))
    assert got == pytest.approx(float(shift.norm()) / 3**0.5, rel=0.02)
    assert cal.sliced_wasserstein(a[:, :1], 3 * a[:, :1], 5) == pytest.approx(
        2 * float(a[:, 0].square().mean().sqrt())
    )
    assert cal.sliced_wasserstein(a, a.flip(0)) == 0


def test_floor_of_the_sliced_wasserstein_distance():
    """Two sets of the same 2,000 draws' law are apart by the floor; a covariance off by 2 is far above."""
    a, b = white(2000, 4, seed=0), white(2000, 4, seed=1)
    floor = cal.sliced_wasserstein(a, b, generator=g())
    assert 0.02 < floor < 0.1
    assert cal.sliced_wasserstein(a, 2**0.5 * b, generator=g()) > 4 * floor


def test_moments_of_a_known_sample():
    cov = torch.diag(torch.tensor([2.0, 1.0])).double()
    x = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]).double()  # variances 2/3
    mean, spread = cal.moment_errors(x, torch.tensor([3.0, 4.0]), cov)
    assert mean == pytest.approx(5 / 3**0.5)
    assert spread == pytest.approx(math.hypot(4 / 3, 1 / 3) / 5**0.5)
    row, null = cal.subspace_variances(x, cov, torch.tensor([[3.0, 0.0]]))
    assert (row, null) == pytest.approx((1 / 3, 2 / 3))
    assert math.isnan(cal.subspace_variances(x, cov, torch.eye(2))[1])


def test_expected_chi_square_averages_to_one():
    matrix = torch.diag(SEEN)[:2]
    each = [cal.expected_chi_square(m, torch.diag(COV), matrix, y[:2], NOISE)
            for m, y in zip(MEAN[:500], Y[:500], strict=True)]  # fmt: skip
    each = torch.tensor(each)
    assert abs(each.mean() - 1) < 3 * each.std() / 500**0.5
    drawn = ((DRAWS["exact"][0, :, :2] - Y[0, :2]).square().sum(1) / (2 * NOISE**2)).double()
    assert abs(drawn.mean() - each[0]) < 3 * drawn.std() / K**0.5


# --- exact draws pass, others do not -----------------------------------------------------------------------


def test_identity_ratio_of_exact_wide_and_narrow_draws():
    """With c times the variance the ratio is (1 + c) / c."""
    for name, ratio in {"exact": 2, "prior": 2, "too wide": 1.5, "too narrow": 3}.items():
        error = ratio_error(DRAWS[name])
        assert 3 * error < 0.25  # half the way from 2 to the next
        assert abs(cal.identity_ratio(DRAWS[name], TRUTH) - ratio) < 3 * error, name


@pytest.mark.parametrize("level", [0.9, 0.8, 0.1])
def test_coverage_is_the_level_for_exact_draws_and_no_other(level):
    def errors(name):
        each = cal.coverage(DRAWS[name], TRUTH, level)
        return float((each.mean() - level) / (each.std() / B**0.5))

    assert abs(errors("exact")) < 3
    assert errors("too wide") > 5
    assert errors("too narrow") < -5


def test_39_draws_allow_95_per_cent():
    truth, samples = white(40000, seed=0), white(40000, 39, seed=1)
    assert abs(cal.coverage(samples, truth, 0.95).mean() - 0.95) < 3 * (0.95 * 0.05 / 40000) ** 0.5


def test_ranks_are_uniform_for_exact_draws_and_no_other():
    for name, passes in {"exact": True, "prior": True, "too wide": False, "too narrow": False}.items():
        found = cal.rank_counts(DRAWS[name][..., 0], TRUTH[:, 0])
        assert found.counts.sum() == B
        assert (found.p > 0.01) is passes, name
    wide, narrow = (cal.rank_counts(DRAWS[n][..., 2], TRUTH[:, 2]) for n in ("too wide", "too narrow"))
    assert wide.counts[[0, -1]].sum() < B / 10 < narrow.counts[[0, -1]].sum()


def test_ties_are_broken_fairly():
    same = cal.rank_counts(torch.zeros(2000, 9), torch.zeros(2000), generator=g())
    assert same.p > 0.01
    assert (same.ranks == cal.rank_counts(torch.zeros(2000, 9), torch.zeros(2000), generator=g()).ranks).all()
    assert (same.ranks.min(), same.ranks.max()) == (0, 9)
    coins = torch.rand(4000, 10, generator=g()).round()
    assert cal.rank_counts(coins[:, 1:], coins[:, 0], bins=5, generator=g(1)).p > 0.01


def test_p_values_of_the_rank_test_are_themselves_uniform():
    p = [cal.rank_counts(white(200, 9, seed=s), white(200, seed=1000 + s)).p for s in range(200)]
    assert abs(sum(p) / 200 - 0.5) < 3 * (1 / 12 / 200) ** 0.5
    assert 0.01 < sum(v < 0.1 for v in p) / 200 < 0.19


# --- two impostors -----------------------------------------------------------------------------------------


def test_draws_of_the_prior_pass_all_that_does_not_look_at_the_data():
    prior = DRAWS["prior"]
    assert abs(cal.identity_ratio(prior, TRUTH) - 2) < 3 * ratio_error(prior)
    each = cal.coverage(prior, TRUTH, 0.9)
    assert abs(each.mean() - 0.9) < 3 * each.std() / B**0.5
    assert all(cal.rank_counts(prior[..., i], TRUTH[:, i]).p > 0.01 for i in range(D))


@pytest.mark.parametrize("name", ["prior", "mean + white noise", "too wide", "too narrow"])
@pytest.mark.parametrize("score", [cal.crps, cal.energy_score])
def test_proper_scores_expose_every_impostor(name, score):
    worse = score(DRAWS[name], TRUTH) - score(DRAWS["exact"], TRUTH)
    assert worse.mean() > 3 * worse.std() / B**0.5


def test_the_likelihood_as_quantity_exposes_draws_of_the_prior():
    assert cal.rank_counts(likelihood(DRAWS["exact"]), likelihood(TRUTH)).p > 0.01
    assert cal.rank_counts(likelihood(DRAWS["prior"]), likelihood(TRUTH)).p < 1e-6


def test_the_mean_with_white_noise_passes_the_ratio_and_fails_in_its_subspaces():
    impostor = DRAWS["mean + white noise"]
    assert abs(cal.identity_ratio(impostor, TRUTH) - 2) < 3 * ratio_error(impostor)
    x = MEAN[0] + COV.mean().sqrt() * white(2000, D, seed=4)
    row, null = cal.subspace_variances(x, torch.diag(COV), torch.diag(SEEN)[:2])
    assert row > 1.2
    assert null < 0.9
    assert cal.moment_errors(x, MEAN[0], torch.diag(COV))[1] > 0.3
    exact = MEAN[0] + COV.sqrt() * white(2000, D, seed=5)
    assert cal.subspace_variances(exact, torch.diag(COV), torch.diag(SEEN)[:2]) == pytest.approx(
        (1, 1), abs=0.1
    )


# --- refusals ----------------------------------------------------------------------------------------------


def test_a_level_that_the_draws_do_not_allow_is_refused():
    refused_in_one_sentence(lambda: cal.coverage(white(5, 10, seed=0), white(5, seed=1), 0.9), "use 19 draws")
    refused_in_one_sentence(
        lambda: cal.coverage(white(5, 10, seed=0), white(5, seed=1), 0.95), "use 39 draws"
    )
    for level in (0.0, 1.0, 1.7):
        refused_in_one_sentence(
            lambda: cal.coverage(white(5, 10, seed=0), white(5, seed=1), level),  # noqa: B023
            "use a level between",
        )


def test_bad_input_is_refused():
    good, truth = white(3, 4, seed=0), white(3, seed=1)
    for measure in (cal.crps, cal.energy_score, cal.identity_ratio):
        refused_in_one_sentence(lambda: measure(good, white(4, seed=1)), "truth")  # noqa: B023
        refused_in_one_sentence(lambda: measure(good[:, :1], truth), "k >= 2")  # noqa: B023
        refused_in_one_sentence(lambda: measure(good * torch.nan, truth), "NaN")  # noqa: B023
        refused_in_one_sentence(lambda: measure(good + 0j, truth + 0j), "complex")  # noqa: B023
    refused_in_one_sentence(
        lambda: cal.rank_counts(white(3, 4, 2, seed=0), white(3, 2, seed=1)), "one number"
    )
    refused_in_one_sentence(lambda: cal.rank_counts(good, truth, bins=2), "divide 5")
    refused_in_one_sentence(lambda: cal.sliced_wasserstein(good, good[:2]), "equal shapes")
