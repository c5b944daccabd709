"""Our samplers and the schedulers of MONAI and diffusers: one network, one noise, one trajectory."""

import diffusers
import pytest
import torch
from monai.networks import nets, schedulers

import medtut as mt
from medtut import denoisers as dn
from medtut import schedules as sc

T = 1000
SHAPE = (2, 1, 8, 8)
TAU = 0.5


def scrambled(unet):
    """Random weights everywhere: libraries start the last layer at 0, which tests nothing."""
    g = torch.Generator().manual_seed(0)
    for p in unet.parameters():
        p.data = torch.randn(p.shape, generator=g) * 0.15
    return unet.double().eval().requires_grad_(False)


@pytest.fixture(scope="module")
def unet():
    return scrambled(
        nets.DiffusionModelUNet(
            2, 1, 1, num_res_blocks=1, channels=(8, 16), attention_levels=(False, True), norm_num_groups=8
        )
    )


def precise(scheduler):
    """The scheduler with its table in double precision: in single, an untrained network blows rounding up."""
    scheduler.betas = scheduler.betas.double()
    scheduler.alphas = 1 - scheduler.betas
    scheduler.alphas_cumprod = scheduler.alphas.cumprod(0)
    return scheduler, sc.sigma_of(scheduler.alphas_cumprod)


def library_run(scheduler, call, steps, timesteps=None, **knobs):
    """A library's own loop from N(0, 1), in its VP variables; returns the final image."""
    scheduler.set_timesteps(steps)
    scheduler.timesteps = scheduler.timesteps if timesteps is None else timesteps
    x, noise = mt.randn(SHAPE, torch.Generator().manual_seed(1)).double(), torch.Generator().manual_seed(2)
    for t in scheduler.timesteps:
        out = scheduler.step(call(x, t), int(t), x, generator=noise, **knobs)
        x = out[0] if isinstance(out, tuple) else out.prev_sample
    return x


def our_run(sampler, net, levels, table, row=dn.eps, **knobs):
    """The same start and noise in x = x0 + sigma * eps."""
    denoise = mt.Preconditioned(net, row(dn.table_clock(table, nearest=True)))
    x = mt.randn(SHAPE, torch.Generator().manual_seed(1)).double() * (1 + levels[0] ** 2) ** 0.5
    return mt.last(sampler(denoise, levels, x, generator=torch.Generator().manual_seed(2), **knobs))


def assert_same(theirs, ours):
    assert theirs.std() > 0.05
    assert (theirs - ours).abs().max() < 1e-8 * max(1.0, theirs.abs().max().item())


def times(x, t):
    return torch.full((len(x),), float(t), dtype=torch.float64)


def test_tables_are_theirs():
    for theirs in (diffusers.DDPMScheduler(), schedulers.DDPMScheduler()):
        assert torch.allclose(sc.abar(sc.vp_table()), theirs.alphas_cumprod.double(), rtol=1e-4)
    cosine = diffusers.DDPMScheduler(beta_schedule="squaredcos_cap_v2").alphas_cumprod.double()
    assert torch.allclose(sc.abar(sc.vp_table(kind="cosine")), cosine, rtol=1e-3, atol=1e-9)


@pytest.mark.parametrize("spacing", ["leading", "trailing"])
@pytest.mark.parametrize("eta", [0.0, 0.7])
@pytest.mark.parametrize(
    ("prediction", "row"), [("epsilon", dn.eps), ("v_prediction", dn.v), ("sample", dn.x0)]
)
def test_ddim_is_diffusers_ddim(unet, spacing, eta, prediction, row):
    theirs, table = precise(
        diffusers.DDIMScheduler(clip_sample=False, timestep_spacing=spacing, prediction_type=prediction)
    )
    levels = getattr(sc, spacing)(table, 20)
    want = library_run(theirs, lambda x, t: unet(x, times(x, t)), 20, eta=eta)
    assert_same(want, our_run(mt.ddim, mt.denoisers.from_monai(unet), levels, table, row, eta=eta))


@pytest.mark.parametrize(
    ("spacing", "variance"),
    [("leading", "fixed_small"), ("trailing", "fixed_small"), ("leading", "fixed_large")],
)
def test_ddpm_is_diffusers_ddpm_at_any_stride(unet, spacing, variance):
    """Not trailing and large: there diffusers adds noise at the last step, and the paper does not."""
    theirs, table = precise(
        diffusers.DDPMScheduler(clip_sample=False, timestep_spacing=spacing, variance_type=variance)
    )
    levels = getattr(sc, spacing)(table, 20)
    want = library_run(theirs, lambda x, t: unet(x, times(x, t)), 20)
    net = mt.denoisers.from_monai(unet)
    assert_same(want, our_run(mt.ddpm, net, levels, table, large=variance == "fixed_large"))


@pytest.mark.parametrize("eta", [0.0, 0.7])
def test_ddim_is_monai_s_ddim(unet, eta):
    """MONAI 1.6.1 spaces its times by 999/19 but steps by 1000/20: equal only on times 50 apart."""
    theirs, table = precise(schedulers.DDIMScheduler(num_train_timesteps=T, clip_sample=False))
    ours = our_run(mt.ddim, mt.denoisers.from_monai(unet), sc.leading(table, 20), table, eta=eta)
    apart = torch.arange(950, -1, -50)
    assert_same(library_run(theirs, lambda x, t: unet(x, times(x, t)), 20, apart, eta=eta), ours)
    own = library_run(theirs, lambda x, t: unet(x, times(x, t)), 20, eta=eta)
    assert (own - ours).abs().max() > 0.01 * ours.abs().max()


@pytest.mark.parametrize("variance", ["fixed_small", "fixed_large"])
def test_ddpm_is_monai_s_ddpm_when_no_step_is_left_out(unet, variance):
    theirs, table = precise(
        schedulers.DDPMScheduler(num_train_timesteps=40, clip_sample=False, variance_type=variance)
    )
    want = library_run(theirs, lambda x, t: unet(x, times(x, t)), 40)
    net = mt.denoisers.from_monai(unet)
    assert_same(want, our_run(mt.ddpm, net, sc.trailing(table, 40), table, large=variance == "fixed_large"))


def test_monai_s_strided_ddpm_is_another_chain():
    """MONAI 1.6.1 takes alpha_bar of step t-1 even when that step is left out: far too wide."""
    prior = mt.Gaussian(torch.zeros(1, 1, 1).double(), torch.full((1, 1), TAU**2).double())
    theirs, table = precise(schedulers.DDPMScheduler(num_train_timesteps=T, clip_sample=False))
    theirs.set_timesteps(50)
    x = start = mt.randn((4000, 1, 1, 1), torch.Generator().manual_seed(1)).double()
    for t in theirs.timesteps:
        s = table[int(t)].item()
        unscaled = x * (1 + s**2) ** 0.5
        x = theirs.step((unscaled - prior.denoise(unscaled, s)) / s, int(t), x)[0]
    levels = sc.leading(table, 50)
    ours = mt.last(mt.ddpm(prior.denoise, levels, start * (1 + levels[0] ** 2) ** 0.5))
    assert x.std() > 1.6 * TAU
    assert 0.85 * TAU < ours.std() < 1.02 * TAU


def test_adaptors_call_the_networks_with_the_null_class():
    monai_net = scrambled(
        nets.DiffusionModelUNet(
            2,
            1,
            1,
            num_res_blocks=1,
            channels=(8,),
            attention_levels=(False,),
            norm_num_groups=8,
            num_class_embeds=4,
        )
    )
    other = scrambled(
        diffusers.UNet2DModel(
            8, 1, 1, down_block_types=("DownBlock2D",), up_block_types=("UpBlock2D",),
            block_out_channels=(8,), layers_per_block=1, norm_num_groups=8, num_class_embeds=4,
        )
    )  # fmt: skip
    x, t = mt.randn(SHAPE, torch.Generator().manual_seed(1)).double(), torch.tensor([3.0, 700.0]).double()
    label = torch.tensor([2.0, -1.0])
    ids, null = torch.tensor([2, 3]), torch.tensor([3, 3])
    for adaptor, plain in (
        (dn.from_monai(monai_net), lambda c: monai_net(x, t, class_labels=c)),
        (dn.from_diffusers(other), lambda c: other(x, t, class_labels=c).sample),
    ):
        assert torch.equal(adaptor(x, t, label), plain(ids))
        assert torch.equal(adaptor(x, t), plain(null))
        assert not torch.equal(plain(ids), plain(null))
        assert list(adaptor.parameters())
