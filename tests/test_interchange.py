"""One network and one chain in three libraries: equal outputs, equal images, equal training steps."""

import diffusers
import pytest
import torch
import torch.nn.functional as F
from generative.networks.nets import DiffusionModelUNet as OldUNet
from monai.inferers import DiffusionInferer
from monai.networks.nets import DiffusionModelUNet

import medtut as mt
from medtut import denoisers as dn
from medtut import interchange
from medtut.errors import BadInput

PLAIN = {"channels": (8, 16, 16), "attention_levels": (False, False, False), "num_res_blocks": 1}
SELF = {"channels": (8, 16), "attention_levels": (False, True), "num_res_blocks": 2, "num_head_channels": 8,
        "num_class_embeds": 4}  # fmt: skip
CROSS = {"channels": (8, 16, 32), "attention_levels": (False, True, True), "num_res_blocks": 1,
         "num_head_channels": (4, 8, 16), "with_conditioning": True, "cross_attention_dim": 3,
         "transformer_num_layers": 2}  # fmt: skip


def scrambled(unet):
    """Random weights everywhere: libraries start some layers at 0, which tests nothing."""
    g = torch.Generator().manual_seed(0)
    for p in unet.parameters():
        p.data = torch.randn(p.shape, generator=g) * 0.15
    return unet.double().eval().requires_grad_(False)


def monai(knobs, **more):
    return scrambled(DiffusionModelUNet(2, 2, 3, **({"norm_num_groups": 8} | knobs | more)))


def inputs(n=3):
    g = torch.Generator().manual_seed(1)
    x = torch.randn(n, 2, 16, 16, generator=g, dtype=torch.float64)
    return x, torch.tensor([3, 500, 999])[:n], torch.randn(n, 5, 3, generator=g, dtype=torch.float64)


@pytest.mark.parametrize("knobs", [PLAIN, SELF], ids=["plain", "self-attention and classes"])
def test_monai_s_network_is_diffusers_unet2dmodel_and_back(knobs):
    unet, (x, t, _) = monai(knobs), inputs()
    told = torch.tensor([0, 1, 3]) if "num_class_embeds" in knobs else None
    want, other = unet(x, t, class_labels=told), interchange.to_diffusers(unet, sample_size=16)
    assert isinstance(other, diffusers.UNet2DModel)
    assert other.config.sample_size == 16
    assert want.std() > 0.01
    assert (other(x, t, class_labels=told).sample - want).abs().max() < 1e-12
    back = interchange.to_monai(other)
    assert (back(x, t, class_labels=told) - want).abs().max() < 1e-12
    assert all(torch.equal(a, b) for a, b in zip(back.parameters(), unet.parameters(), strict=True))


def test_a_network_with_context_is_unet2dconditionmodel():
    unet, (x, t, context) = monai(CROSS), inputs()
    other = interchange.to_diffusers(unet)
    assert isinstance(other, diffusers.UNet2DConditionModel)
    want = unet(x, t, context=context)
    assert (other(x, t, context).sample - want).abs().max() < 1e-12
    assert (other(x, t, -context).sample - want).abs().max() > 1e-6


def test_single_precision_agrees_to_rounding():
    unet, (x, t, _) = monai(PLAIN).float(), inputs()
    other = interchange.to_diffusers(unet)
    assert (other(x.float(), t).sample - unet(x.float(), t)).abs().max() < 1e-5


def test_another_epsilon_of_the_norms_is_another_network():
    """The libraries' defaults, 1e-6 and 1e-5: keys and shapes fit, and the outputs do not."""
    unet, (x, t, _) = monai(PLAIN), inputs()
    other = interchange.to_diffusers(unet)
    wrong = diffusers.UNet2DModel.from_config({**other.config, "norm_eps": 1e-5}).double().eval()
    wrong.load_state_dict(other.state_dict())
    assert (wrong(x, t).sample - unet(x, t)).abs().max() > 1e-8


@pytest.mark.parametrize(
    ("knobs", "words"),
    [
        ({**PLAIN, "num_res_blocks": (1, 2, 1)}, "num_res_blocks"),
        ({**PLAIN, "num_head_channels": (4, 8, 8)}, "num_head_channels"),
        ({**PLAIN, "resblock_updown": True}, "resblock_updown"),
        ({**SELF, "use_combined_linear": True}, "use_combined_linear"),
        ({**CROSS, "norm_eps": 1e-5}, "1e-6 built in"),
    ],
)
def test_what_diffusers_lacks_is_refused(knobs, words):
    with pytest.raises(BadInput, match=words):
        interchange.to_diffusers(monai(knobs))


def test_three_dimensions_are_refused():
    with pytest.raises(BadInput, match="3 dimensions"):
        interchange.to_diffusers(DiffusionModelUNet(3, 1, 1, norm_num_groups=8, **PLAIN))


@pytest.mark.parametrize(
    "knobs",
    [
        {"freq_shift": 1},
        {"downsample_padding": 0},
        {"resnet_time_scale_shift": "scale_shift"},
        {"up_block_types": ("AttnUpBlock2D", "UpBlock2D")},
        {"attention_head_dim": None},
    ],
    ids=lambda k: next(iter(k)),
)
def test_what_monai_lacks_is_refused(knobs):
    base = {"block_out_channels": (8, 16), "norm_num_groups": 8, "up_block_types": ("UpBlock2D", "UpBlock2D"),
            "down_block_types": ("DownBlock2D", "DownBlock2D")}  # fmt: skip
    with pytest.raises(BadInput, match=next(iter(knobs))):
        interchange.to_monai(diffusers.UNet2DModel(**base | knobs))


def old_checkpoint(knobs, **more):
    """monai-generative 0.2.3's network, and MONAI's with its weights: other names, one setting to mind."""
    renamed = {("num_channels" if k == "channels" else k): v for k, v in knobs.items()}
    old, new = scrambled(OldUNet(2, 2, 3, norm_num_groups=8, **renamed)), monai(knobs, **more)
    new.load_old_state_dict(old.state_dict())
    return old, new


def test_an_old_checkpoint_gives_the_old_output():
    x, t, context = inputs()
    told = torch.tensor([0, 1, 3])
    old, new = old_checkpoint(CROSS)
    assert (new(x, t, context=context) - old(x, t, context=context)).abs().max() < 1e-12
    old, new = old_checkpoint(PLAIN)  # no level has attention, but the middle always has
    assert (new(x, t) - old(x, t)).abs().max() > 1e-3, "MONAI's default now loads old self-attention"
    old, new = old_checkpoint(SELF, include_fc=False)
    want = old(x, t, class_labels=told)
    assert (new(x, t, class_labels=told) - want).abs().max() < 1e-12
    assert (interchange.to_diffusers(new)(x, t, class_labels=told).sample - want).abs().max() < 1e-12


def test_only_the_plain_network_of_diffusers_comes_back():
    with pytest.raises(BadInput, match="UNet2DConditionModel"):
        interchange.to_monai(interchange.to_diffusers(monai(CROSS)))


# --- the chain ---------------------------------------------------------------------------------------------


SIGMAS = mt.schedules.karras(8, 0.02, 40.0)
LABEL = torch.tensor([[0.0, 0.5], [1.0, -1.0]]).double()


@pytest.fixture(scope="module")
def prior():
    """The shipped weights in double precision, as a denoiser in the network's own range."""
    return mt.load("phantom-10", device="cpu").double().denoise


def monai_run(name, prior, z, **knobs):
    model = interchange.ForInferer(prior.net, dn.cosine_clock(SIGMAS[:-1].flip(0)))
    scheduler = interchange.monai_scheduler(name, SIGMAS, "v_prediction")
    torch.manual_seed(3)
    return DiffusionInferer(scheduler).sample(z, model, verbose=False, **knobs)


def diffusers_run(name, prior, z, label=None):
    model = interchange.ForInferer(prior.net, dn.cosine_clock(SIGMAS[:-1].flip(0)))
    scheduler, x = interchange.diffusers_scheduler(name, SIGMAS, "v_prediction"), z
    noise = torch.Generator().manual_seed(3)
    for t in scheduler.timesteps:
        x = scheduler.step(model(x, t, label), t, x, generator=noise).prev_sample
    return x


@pytest.mark.parametrize("name", ["DDIMScheduler", "DDPMScheduler"])
def test_one_prior_three_samplers_one_image(prior, name):
    z = mt.randn((2, 1, 32, 32), mt.generators(1, 2)).double()
    start = z * (1 + SIGMAS[0] ** 2) ** 0.5
    if name == "DDIMScheduler":
        ours = mt.last(mt.ddim(prior, SIGMAS, start))
    else:
        ours = mt.last(mt.ddpm(prior, SIGMAS, start, generator=torch.Generator().manual_seed(3)))
    assert ours.std() > 0.05
    assert (monai_run(name, prior, z) - ours).abs().max() < 1e-8
    assert (diffusers_run(name, prior, z) - ours).abs().max() < 1e-8


def test_guidance_of_the_inferer_is_guided():
    """With the label as the context, and -1 as the null of both."""
    net = scrambled(mt.nets.BrainNet(patch=2, widths=(16, 32), attention=(False, True)))
    prior = mt.Preconditioned(net, dn.v())
    z = mt.randn((2, 1, 16, 16), mt.generators(1, 2)).double()
    ours = mt.last(mt.ddim(mt.guided(prior, 3.0, LABEL), SIGMAS, z * (1 + SIGMAS[0] ** 2) ** 0.5))
    theirs = monai_run("DDIMScheduler", prior, z, conditioning=LABEL, cfg=3.0)
    plain = monai_run("DDIMScheduler", prior, z, conditioning=LABEL)
    assert (theirs - ours).abs().max() < 1e-8 * ours.abs().max()
    assert (theirs - plain).abs().max() > 1e-3


def test_levels_survive_the_betas():
    share = (1 - interchange.betas(SIGMAS)).cumprod(0)
    assert torch.allclose(mt.schedules.sigma_of(share), SIGMAS[:-1].flip(0), rtol=1e-9)


def test_a_chain_of_another_length_is_refused():
    with pytest.raises(BadInput, match="8 levels"):
        interchange.schedulers.DDIMScheduler(10, "medtut_levels", sigmas=SIGMAS)


def test_a_training_step_is_the_same_in_all_three():
    """MONAI's inferer, diffusers' add_noise, and our loss: one loss, one gradient."""
    table = mt.schedules.vp_table()
    unet = scrambled(DiffusionModelUNet(2, 1, 1, norm_num_groups=8, **PLAIN)).requires_grad_(True)
    other = interchange.to_diffusers(unet).requires_grad_(True)
    x0 = mt.randn((4, 1, 16, 16), mt.generators(5, 4)).double()
    eps, t = mt.randn_like(x0, mt.generators(6, 4)), torch.tensor([5, 100, 500, 900])
    share = mt.schedules.abar(table)
    first = interchange.schedulers.DDPMScheduler(1000, prediction_type="v_prediction")
    first.alphas_cumprod = share
    second = diffusers.DDPMScheduler(1000, prediction_type="v_prediction")
    second.alphas_cumprod = share
    by_monai = F.mse_loss(DiffusionInferer(first)(x0, unet, eps, t), first.get_velocity(x0, eps, t))
    by_diffusers = F.mse_loss(other(second.add_noise(x0, eps, t), t).sample, second.get_velocity(x0, eps, t))
    ours = mt.Preconditioned(dn.from_monai(unet), dn.v(dn.table_clock(table, nearest=True)))
    by_us = mt.denoising_loss(ours, x0, table[t], generator=mt.generators(6, 4)).mean()
    losses = (by_monai, by_diffusers, by_us)
    assert max(losses) - min(losses) < 1e-6 * min(losses)
    grads = [torch.autograd.grad(loss, next(net.parameters()))[0]
             for loss, net in zip(losses, (unet, other, unet), strict=True)]  # fmt: skip
    assert (grads[0] - grads[1]).abs().max() < 1e-10 * grads[0].abs().max()
    assert (grads[0] - grads[2]).abs().max() < 1e-6 * grads[0].abs().max()
