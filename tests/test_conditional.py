"""Networks and classifiers that are told, or tell, what an image shows."""

import pytest
import torch

import medtut as mt
from medtut import recipes, text, train
from medtut.__main__ import main
from medtut.classifiers import CLASSIFIERS, Classifier, classifier_guided
from medtut.data.brain import CONTRASTS, Brain
from medtut.data.conditioned import Described, Reduced, describe, reduce
from medtut.denoisers import denoising_loss
from medtut.errors import BadInput
from medtut.nets_conditional import ReducedNet, TextNet

NETS = {
    "text": lambda: TextNet(widths=(16, 32), context=16),
    "concat": lambda: ReducedNet("concat", widths=(16, 32), context=16),
    "attention": lambda: ReducedNet("attention", widths=(16, 32), context=16),
}


def woken(net):
    torch.manual_seed(0)
    for p in net.parameters():
        torch.nn.init.normal_(p, std=0.1)
    return net.eval().requires_grad_(False)


def label_for(name, b=2):
    if name == "text":
        return torch.stack([text.tokens("t1 low lesion left"), text.tokens("fdg high")])[:b]
    return torch.rand(b, 256, generator=torch.Generator().manual_seed(0))


def test_a_sentence_and_its_numbers():
    assert text.tokens("Left, T2 lesion").tolist() == [1.0, -1.0, 10.0, 11.0]
    assert text.sentence(text.tokens("high t1")) == "t1 high"
    assert text.sentence(torch.full((4,), -1.0)) == ""
    assert text.tokens("").tolist() == [-1.0] * 4
    with pytest.raises(BadInput, match="'tumour' is not in the vocabulary: t1,"):
        text.tokens("t1 tumour")
    with pytest.raises(BadInput, match="'t2' and 't1' exclude each other"):
        text.tokens("t1 t2")


def test_words_say_what_is_in_the_slice():
    cohort = Described("heldout", seed=3)
    sample, plain = cohort.batch(range(24)), Brain("heldout", 64, 3).batch(range(24))
    words = [text.sentence(row) for row in sample.label]
    for i, said in enumerate(words):
        assert CONTRASTS[int(plain.label[i, 0])].lower() in said.split()
        assert ("healthy" in said) == (sample.lesion[i].sum() == 0)
        left, right = sample.lesion[i, 0, :, :32].sum(), sample.lesion[i, 0, :, 32:].sum()
        if "left" in said.split():
            assert left > 4 * right
        if "right" in said.split():
            assert right > 4 * left
    assert sum("healthy" in said for said in words) >= 12  # every second subject has none
    assert sum("lesion" in said for said in words) >= 6
    even = torch.arange(0, 24, 2)
    assert torch.equal(sample.image[even], plain.image[even])
    assert torch.equal(describe(plain.label, sample.lesion), sample.label)


def test_the_reduced_slice_is_its_block_means():
    sample = Reduced("heldout").batch([5])
    assert torch.equal(sample.label, reduce(sample.image))
    assert sample.label[0, 17] == pytest.approx(sample.image[0, 0, 4:8, 4:8].mean().item())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["brain-128", "--words", "t1"], "reads no words; use --contrast"),
        (["brain-64-noisy-classifier"], "draws no images"),
        (["brain-64-sr3", "--contrast", "T1"], "not told contrast and position by number; use neither"),
    ],
)
def test_a_prior_is_told_only_what_it_understands(arguments, said, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["sample", *arguments]) != 0
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", NETS)
def test_a_condition_matters_and_minus_one_is_none(name):
    net, x, t = woken(NETS[name]()), torch.randn(2, 1, 64, 64), torch.full((2,), 400.0)
    label = label_for(name)
    null = net(x, t)
    told = net(x, t, label)
    assert told.shape == x.shape
    assert torch.equal(null, net(x, t, torch.full_like(label, -1)))
    assert (told - null).abs().amax((1, 2, 3)).min() > 1e-4
    assert (told - net(x, t, label.flip(0))).abs().amax((1, 2, 3)).min() > 1e-4
    alone = torch.cat([net(x[i : i + 1], t[:1], label[i : i + 1]) for i in range(2)])
    assert (told - alone).abs().max() < 1e-4 * told.abs().max()


def test_concatenation_shows_zeros_where_nothing_is_given_and_says_so():
    net, seen = NETS["concat"](), []
    net.unet.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    for label in (None, label_for("concat")):
        net(torch.zeros(2, 1, 64, 64), torch.ones(2), label)
    nothing, image = (channels[:, 7:] for channels in seen)  # after four of the patch and three of the place
    assert nothing.shape[1] == 5
    assert nothing.abs().max() == 0
    assert image[:, :4].abs().amax((1, 2, 3)).min() > 0.1
    assert (image[:, 4] == 1).all()


@pytest.mark.parametrize("name", NETS)
def test_a_label_of_the_wrong_shape_is_refused(name):
    with pytest.raises(ValueError, match=r"got a label of shape \(2, 3\); need"):
        NETS[name]()(torch.zeros(2, 1, 64, 64), torch.ones(2), torch.zeros(2, 3))


def test_an_unknown_way_in_is_refused():
    with pytest.raises(ValueError, match='is not "concat" or "attention"'):
        ReducedNet("film")


def test_each_silence_has_a_vector_of_its_own():
    net, x, t = woken(NETS["text"]()), torch.randn(1, 1, 64, 64), torch.full((1,), 400.0)
    outs = [net(x, t, text.tokens(s)[None]) for s in ("", "t1", "low", "lesion", "left", "t1 low")]
    gaps = [(a - b).abs().max() for i, a in enumerate(outs) for b in outs[:i]]
    assert min(gaps) > 1e-5


@pytest.mark.parametrize("name", sorted(r.name for r in recipes.RECIPES.values() if "brain-64" in r.name))
def test_a_recipe_takes_a_step_and_its_batch_is_told_as_it_says(name, tmp_path):
    from dataclasses import replace

    recipe = replace(recipes.get(name), pool=8, batch=4)
    pool = train.Pool(recipe.cohort(), recipe.pool)
    labels = torch.cat([train.batch_at(recipe, pool, s)[2] for s in range(40)])
    if "-sr" in name:
        assert ((labels == -1).all(1) | (labels >= 0).all(1)).all()  # all of the small image or nothing
        assert 0.02 < (labels[:, 0] == -1).float().mean() < 0.25
    elif recipe.task:
        assert (labels[:, 0] >= 0).all()
    else:
        assert 0.15 < (labels[:, 0] == -1).float().mean() < 0.45  # its own coin and the joint one
    train.train(recipe, tmp_path, device="cpu", steps=1, progress_bar=False)


def test_the_two_small_priors_differ_in_what_they_predict_only():
    one, two = (recipes.get(name).settings() for name in ("brain-64", "brain-64-flow"))
    differ = {k for k in one | two if one.get(k) != two.get(k)}
    assert differ == {"name", "parametrisation", "levels"}


def test_levels_of_a_flow_are_even_in_its_time():
    s = mt.schedules.stratified_flow(1000, torch.Generator().manual_seed(0), 0.01, 50.0)
    t = s / (1 + s)
    assert (t.diff() > 0).all()
    assert (t - (0.0099 + (50 / 51 - 0.0099) * (torch.arange(1000) + 0.5) / 1000)).abs().max() < 1e-3


def test_the_loss_of_a_flow_network_is_the_paper_s():
    """|F - (eps - x0)|^2 at the point (1-t) x0 + t eps of the straight path [liu2023rectified]."""
    x0, s = torch.randn(3, 1, 4, 4).double(), torch.tensor([0.1, 1.0, 9.0]).double()
    seen = {}

    def net(point, t, label=None):
        seen.update(point=point, t=t)
        return torch.zeros_like(point)

    model = mt.Preconditioned(net, mt.denoisers.flow())
    loss = denoising_loss(model, x0, s, generator=mt.generators(0, 3))
    eps, t = mt.randn_like(x0, mt.generators(0, 3)), (s / (1 + s))[:, None, None, None]
    assert (seen["point"] - ((1 - t) * x0 + t * eps)).abs().max() < 1e-12
    assert (seen["t"] - t.flatten()).abs().max() < 1e-12
    assert (loss - (eps - x0).square().mean((1, 2, 3))).abs().max() < 1e-12


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier_works_in_physical_units(name):
    net = woken(CLASSIFIERS[name]())
    x = torch.rand(3, 1, 64, 64)
    plain, ranged = Classifier(net), Classifier(net, shift=0.5, scale=2.0)
    assert ranged(x, 0.3).shape == (3, 6)
    assert torch.allclose(ranged(x, 0.3), plain((x - 0.5) * 2, 0.6), atol=1e-5)
    if name == "Encoder":
        assert (ranged(x, 0.3) - ranged(x, torch.tensor([0.3, 3.0, 0.3]))).abs()[1].max() > 0


MIX = mt.GaussianMixture(
    torch.tensor([0.4, 0.6]).double(),
    torch.tensor([[[[-1.0, 0.5]]], [[[1.0, 0.0]]]]).double(),
    torch.stack([0.04 * torch.eye(2), 0.09 * torch.eye(2)]).double(),
)


def exact(x, sigma):
    """The exact classifier of the mixture's components, log p(k | x, sigma)."""
    return MIX.responsibilities(x, sigma).log()


@pytest.mark.parametrize("sigma", [0.2, 1.0, 5.0])
def test_classifier_guidance_with_the_exact_classifier_is_classifier_free_guidance(sigma):
    x = sigma * torch.randn(5, 1, 1, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    for w in (0.0, 1.0, 2.5):
        label = torch.tensor([1, 0, 1, 1, 0])
        by_gradient = classifier_guided(MIX.denoise, exact, w, label)(x, sigma)
        free = MIX.denoise(x, sigma)
        wanted = free + w * (MIX.denoise(x, sigma, label) - free)
        assert (by_gradient - wanted).abs().max() < 1e-9 * max(1, wanted.abs().max())
        assert not by_gradient.requires_grad


def test_classifier_guidance_works_inside_a_sampler_and_per_sample():
    levels = mt.schedules.karras(12)

    def run(n):
        x = mt.start(levels, (n, 1, 1, 2), mt.generators(0, n), MIX.means)
        return mt.last(mt.ddim(classifier_guided(MIX.denoise, exact, 1.0, torch.tensor(0)), levels, x))

    assert (run(3)[0] - run(1)[0]).abs().max() < 1e-10
    assert (run(3)[:, 0, 0, 0] < 0).all()
