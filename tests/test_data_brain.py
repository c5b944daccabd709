"""The brain cohort: deterministic, held out as it says, physical, and changed where it claims to be."""
import time

import pytest
import torch

from medtut.data.brain import CONTRASTS, HELD_OUT_SLABS, Brain, label_of
from medtut.data.contrast import MR, TISSUES, mr_signal, signals
from medtut.data.template import Z_MAX, Z_MIN, slices


def heights(split: str) -> torch.Tensor:
    position = Brain(split).batch(range(200)).label[:, 1]
    return Z_MIN + position * (Z_MAX - Z_MIN)


def test_a_sample_depends_on_its_index_alone():
    cohort = Brain(seed=3, lesions=True)
    alone, among = cohort.batch([17]), cohort.batch([4, 17, 90])
    for a, b in zip(alone, among, strict=True):
        torch.testing.assert_close(a[0], b[1], atol=1e-6, rtol=0)
    assert not torch.equal(cohort.batch([18]).image, alone.image)
    assert not torch.equal(Brain(seed=4, lesions=True).batch([17]).image, alone.image)


def test_held_out_slabs_are_whole_and_never_trained_on():
    train, held_out = heights("train"), heights("heldout")
    for low, high in HELD_OUT_SLABS:
        assert high - low >= 8
        assert not ((train > low - 0.99) & (train < high + 0.99)).any()
        inside = held_out[(held_out >= low) & (held_out <= high)]
        assert inside.min() < low + 1 and inside.max() > high - 1
    assert all(any(low <= z <= high for low, high in HELD_OUT_SLABS) for z in held_out)


def test_the_two_splits_share_no_subject():
    train, held_out = Brain("train").batch(range(8)), Brain("heldout").batch(range(8))
    nearest = torch.cdist(held_out.image.flatten(1), train.image.flatten(1)).min()
    assert nearest > 0.1 * train.image.flatten(1).norm(dim=1).mean()


@pytest.mark.parametrize("size", [64, 128])
@pytest.mark.parametrize("is_complex", [False, True])
def test_air_is_zero_and_values_are_physical(size, is_complex):
    sample = Brain(size=size, complex=is_complex, lesions=True).batch(range(12))
    channels = 2 if is_complex else 1
    assert sample.image.shape == (12, channels, size, size) and sample.head.shape == (12, 1, size, size)
    magnitude = sample.image.norm(dim=1, keepdim=True)
    assert (magnitude[~sample.head] == 0).all() and magnitude.isfinite().all()
    assert 0.4 < magnitude.amax() < 1.5001
    if not is_complex:
        assert sample.image.min() >= 0
    filled = sample.tissue.sum(1, keepdim=True) + sample.lesion
    assert filled.max() < 1.3 and (filled[sample.head] > 0.01).all()


def test_complex_images_always_have_phase():
    image = Brain(complex=True).batch(range(24)).image
    imaginary = image[:, 1].square().sum((1, 2)) / image.square().sum((1, 2, 3))
    phase = torch.atan2(image[:, 1], image[:, 0])
    inside = image.norm(dim=1) > 0.1
    spread = torch.stack([p[m].cos().std() + p[m].sin().std() for p, m in zip(phase, inside, strict=True)])
    assert (imaginary > 0.001).all() and (spread > 0.05).all()
    flat = Brain(complex=True, phase=False).batch(range(2)).image
    assert (flat[:, 1] == 0).all() and (flat[:, 0] >= 0).all()


def test_hemispheres_differ_although_the_template_is_symmetric():
    maps = slices().maps[::8, :2]
    assert (maps - maps.flip(-1)).abs().max() < 0.02                         # the template's own asymmetry
    grey = Brain().batch(range(16)).tissue[:, 1:2]
    mirror = (grey - grey.flip(-1)).square().mean() / grey.square().mean()
    assert mirror > 0.1


def test_half_of_the_heads_have_a_skull_and_every_ct_does():
    sample = Brain().batch(range(200))
    skull = sample.tissue[:, 3].sum((1, 2)) > 100
    ct = sample.label[:, 0] == CONTRASTS.index("CT")
    assert skull[ct].all()
    share = skull[~ct].float().mean()
    assert abs(share - 0.5) < 3 * (0.25 / int((~ct).sum())) ** 0.5


def test_contrasts_order_tissues_as_radiologists_know_them():
    u, spread = torch.full((1, 3), 0.5), torch.ones(1, 3, len(TISSUES))
    s = {c: dict(zip(TISSUES, mr_signal(c, u, spread)[0].tolist(), strict=True)) for c in MR}
    assert s["T1"]["white"] > s["T1"]["grey"] > s["T1"]["csf"]
    assert s["T2"]["csf"] > s["T2"]["grey"] > s["T2"]["white"]
    assert s["PD"]["grey"] > s["PD"]["white"]
    assert s["FLAIR"]["csf"] < 0.2 * s["FLAIR"]["grey"] and s["FLAIR"]["lesion"] > s["FLAIR"]["white"]
    assert s["T2"]["lesion"] > s["T2"]["white"] and s["T1"]["lesion"] < s["T1"]["white"]
    ct = signals(torch.tensor([CONTRASTS.index("CT")]), u, spread)[0]
    assert ct[TISSUES.index("bone")] > 0.9 and abs(ct[TISSUES.index("grey")] - 0.5185) < 1e-4   # 37 HU
    fdg = signals(torch.tensor([CONTRASTS.index("FDG")]), u, spread)[0]
    assert fdg[TISSUES.index("grey")] > 2 * fdg[TISSUES.index("white")]


def test_flair_nulls_fluid_at_the_textbook_inversion_time():
    tr, te, t1, t2 = 9000.0, 115.0, 4000.0, 1500.0  # middle of the protocol
    ti = t1 * torch.tensor(2 / (1 + torch.e ** (-tr / t1))).log().item()
    z = 1 - 2 * torch.e ** (-ti / t1) + torch.e ** (-tr / t1)
    assert abs(z) < 1e-6
    signal = mr_signal("FLAIR", torch.tensor([[0.5, 0.5, 0.5]]), torch.ones(1, 3, 7))[0, 0]
    assert signal == pytest.approx(abs(z) * torch.e ** (-te / t2), abs=1e-5)


def test_fine_texture_reaches_the_power_of_a_raw_scan():
    """Raw T1 scans measured -29 dB at 0.3-0.4 cycles per pixel relative to 0.02-0.05, the template -36."""
    sample = Brain(contrasts=("T1",)).batch(range(64))
    bare = sample.tissue[:, 3].sum((1, 2)) < 100
    for group in (bare, ~bare):
        power = torch.fft.fft2(sample.image[group]).abs().square().mean((0, 1))
        f = torch.fft.fftfreq(128)
        radius = (f[:, None] ** 2 + f**2).sqrt()
        low, high = (power[(radius >= a) & (radius < b)].mean() for a, b in ((0.02, 0.05), (0.3, 0.4)))
        assert abs(10 * torch.log10(high / low) + 29) < 3


def test_lesions_are_small_lie_in_the_head_and_change_the_image():
    with_lesion, without = Brain(lesions=True).batch(range(16)), Brain().batch(range(16))
    area = (with_lesion.lesion > 0.5).sum((1, 2, 3))
    assert (area >= 3).all() and (area < 600).all()
    assert with_lesion.head[with_lesion.lesion > 0.5].float().mean() > 0.95
    assert torch.equal(with_lesion.label, without.label) and (without.lesion == 0).all()
    changed = (with_lesion.image - without.image).abs().amax((1, 2, 3))
    assert (changed[with_lesion.label[:, 0] < 2] > 0.02).all()


def test_it_is_fast_enough_to_feed_training():
    cohort = Brain()
    cohort.batch(range(2))
    best = min(_seconds(cohort, k) for k in range(5))
    assert best < 0.25  # a training step takes more than twice that


def _seconds(cohort: Brain, k: int) -> float:
    start = time.perf_counter()
    cohort.batch(range(16 * k, 16 * k + 16))
    return time.perf_counter() - start


def test_bad_arguments_are_refused_in_words():
    with pytest.raises(ValueError, match="split 'test'"):
        Brain("test")
    with pytest.raises(ValueError, match="size 100"):
        Brain(size=100)
    with pytest.raises(ValueError, match="MR contrasts"):
        Brain(contrasts=("CT",), complex=True)
    with pytest.raises(ValueError, match="'T3'"):
        label_of("T3")
    assert label_of("T2", 0.5).tolist() == [1.0, 0.5] and label_of("CT").tolist() == [4.0, -1.0]
