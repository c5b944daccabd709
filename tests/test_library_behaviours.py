"""What chapter 1/07 says about the installed MONAI and diffusers. A failure means that a library changed.

Then read the message, look at the library's release notes, and change the chapter before this test.
"""

import importlib

import diffusers
import monai.config
import monai.utils
import pytest
import torch
from monai.inferers import DiffusionInferer
from monai.networks import schedulers
from monai.networks.nets import DiffusionModelUNet

import medtut as mt

TAU = 0.5
N = 4000


def changed(library, what):
    return f"{library} no longer {what}: change the text of chapter 1/07, then this test"


def gaussian(mean=0.0, tau=TAU):
    return mt.Gaussian(torch.full((1, 1, 1), mean).double(), torch.full((1, 1), tau**2).double())


def drawn(scheduler, steps, world=None, times=None, **knobs):
    """Samples by the library's own loop, with the exact denoiser of a Gaussian as the network, (N,)."""
    world = world or gaussian()
    table = mt.schedules.sigma_of(scheduler.alphas_cumprod.double())
    scheduler.set_timesteps(steps)
    scheduler.timesteps = scheduler.timesteps if times is None else times
    x = mt.randn((N, 1, 1, 1), torch.Generator().manual_seed(1)).double()
    noise = torch.Generator().manual_seed(2)
    for t in scheduler.timesteps:
        s = table[int(t)].item()
        unscaled = x * (1 + s**2) ** 0.5
        out = scheduler.step((unscaled - world.denoise(unscaled, s)) / s, int(t), x, generator=noise, **knobs)
        x = out[0] if isinstance(out, tuple) else out.prev_sample
    return x.flatten()


def trailing(steps):
    return torch.arange(999, -1, -(1000 // steps))


@pytest.mark.parametrize(("steps", "low", "high"), [(1000, 0.48, 0.52), (100, 0.85, 0.91), (50, 0.90, 0.97)])
def test_monai_s_ddpm_ignores_the_stride(steps, low, high):
    std = drawn(schedulers.DDPMScheduler(1000, clip_sample=False), steps).std().item()
    assert low < std < high, changed("MONAI", f"draws too wide with strided DDPM ({std:.3f} for 0.5)")


def test_diffusers_ddpm_minds_the_stride():
    std = drawn(diffusers.DDPMScheduler(1000, clip_sample=False), 50).std().item()
    assert 0.42 < std < 0.47, changed("diffusers", f"draws right with strided DDPM (std {std:.3f})")


def test_monai_s_ddim_times_do_not_match_its_steps():
    scheduler = schedulers.DDIMScheduler(1000)
    scheduler.set_timesteps(20)
    gaps = scheduler.timesteps.diff().abs()
    assert gaps.min() == 52 and gaps.max() == 53, changed("MONAI", "spaces 20 DDIM times by 999 / 19")
    assert 1000 // scheduler.num_inference_steps == 50


def test_monai_s_ddim_is_diffusers_linspace():
    ours = drawn(schedulers.DDIMScheduler(1000, clip_sample=False), 20)
    theirs = drawn(diffusers.DDIMScheduler(1000, clip_sample=False, timestep_spacing="linspace"), 20)
    assert (ours - theirs).abs().max() < 1e-5, changed("MONAI", 'is timestep_spacing="linspace" of diffusers')
    world = gaussian(1.0, 0.1)
    knobs = {"steps": 5, "world": world}
    off = 1 - drawn(schedulers.DDIMScheduler(1000, clip_sample=False), **knobs).mean()
    mended = 1 - drawn(schedulers.DDIMScheduler(1000, clip_sample=False), times=trailing(5), **knobs).mean()
    assert off > 0.04 > 0.004 > mended.abs(), changed("MONAI", "misses the mean with five DDIM steps")


@pytest.fixture
def old_ddim(monkeypatch):
    """DDIMScheduler of monai-generative 0.2.3, which asks MONAI for a name that has moved."""
    assert not hasattr(monai.config, "IgniteInfo"), changed("MONAI", "lacks monai.config.IgniteInfo")
    monkeypatch.setattr(monai.config, "IgniteInfo", monai.utils.IgniteInfo, raising=False)
    return importlib.import_module("generative.networks.schedulers").DDIMScheduler


def test_the_old_ddim_had_times_that_match(old_ddim):
    """monai-generative 0.2.3 counts 0, 50, 100, ...: porting changes the image although no weight changes."""
    old = old_ddim(1000, clip_sample=False)
    old.set_timesteps(20)
    assert old.timesteps.tolist() == list(range(950, -1, -50))
    theirs = drawn(diffusers.DDIMScheduler(1000, clip_sample=False, timestep_spacing="leading"), 20)
    assert (drawn(old_ddim(1000, clip_sample=False), 20) - theirs).abs().max() < 1e-5
    new = drawn(schedulers.DDIMScheduler(1000, clip_sample=False), 20)
    assert (new - theirs).abs().max() > 0.05, changed("MONAI", "draws otherwise than monai-generative")


@pytest.mark.parametrize("library", [schedulers, diffusers], ids=["MONAI", "diffusers"])
def test_clipping_is_the_default_and_narrows_latents(library):
    """Data of standard deviation 1, as latents are: a third of it lies outside [-1, 1]."""
    stds = {}
    for clip in (None, False):
        knobs = {} if clip is None else {"clip_sample": clip}
        scheduler = library.DDIMScheduler(1000, **knobs)
        stds[clip] = drawn(scheduler, 50, gaussian(tau=1.0), trailing(50)).std().item()
    assert stds[None] < 0.75, changed(library.__name__, "clips to [-1, 1] unless told otherwise")
    assert 0.94 < stds[False] < 1.04


@pytest.mark.parametrize("library", [schedulers, diffusers], ids=["MONAI", "diffusers"])
def test_set_alpha_to_one_false_leaves_the_last_noise(library):
    nothing = gaussian(tau=1e-6)
    knobs = {"clip_sample": False, "set_alpha_to_one": False}
    std = drawn(library.DDIMScheduler(1000, **knobs), 50, nothing, trailing(50)).std().item()
    assert 0.009 < std < 0.012, changed(library.__name__, "ends at level 0 of the table when not set to one")


def refusal(call):
    """The name of the exception that `call` raises, "" if none."""
    try:
        call()
    except Exception as error:
        return type(error).__name__
    return ""


def test_reversed_step_runs_off_the_table(old_ddim):
    scheduler = schedulers.DDIMScheduler(1000)
    scheduler.set_timesteps(50)
    x = torch.zeros(1, 1, 2, 2)
    raised = refusal(lambda: scheduler.reversed_step(x, 999, x))
    assert raised == "IndexError", changed("MONAI", "raises IndexError in the last reversed_step")
    old = old_ddim(1000)
    old.set_timesteps(50)
    old.reversed_step(x, 999, x)  # monai-generative had a guard


def small(**knobs):
    return DiffusionModelUNet(
        2, 1, 1, channels=(8,), attention_levels=(True,), num_res_blocks=1, norm_num_groups=8, **knobs
    )


def test_inferers_never_pass_class_labels():
    inferer, net = DiffusionInferer(schedulers.DDIMScheduler(4)), small(num_class_embeds=3)
    raised = refusal(lambda: inferer.sample(torch.zeros(1, 1, 4, 4), net, verbose=False))
    assert raised == "ValueError", changed("MONAI", "leaves the class label out in its inferers")


def test_the_null_of_guidance_is_minus_one_unless_told():
    """"Nothing" is a number in the context: training must have used the same."""
    seen = []

    def model(x, timesteps, context):
        seen.append(context)
        return torch.zeros_like(x)

    inferer, x = DiffusionInferer(schedulers.DDIMScheduler(2)), torch.zeros(1, 1, 4, 4)
    for knobs, null in (({}, -1.0), ({"cfg_fill_value": 0.0}, 0.0)):
        seen.clear()
        inferer.sample(x, model, conditioning=torch.full((1, 1, 1), 2.0), cfg=3.0, verbose=False, **knobs)
        assert seen[0].flatten().tolist() == [null, 2.0], changed("MONAI", "fills the null context with -1")


def test_flow_of_monai_runs_from_noise_to_data():
    """The network must give data minus noise; medtut's row and diffusers' scheduler say noise minus data."""
    world, stds = gaussian(), {}
    for sign in (1, -1):
        scheduler = schedulers.RFlowScheduler(1000, use_discrete_timesteps=False)
        scheduler.set_timesteps(50)
        times = [float(t) for t in scheduler.timesteps]
        x = mt.randn((N, 1, 1, 1), torch.Generator().manual_seed(1)).double()
        for t in times:
            tau = min(t / 1000, 0.9999)
            x0hat = world.denoise(x / (1 - tau), tau / (1 - tau))
            velocity = (x - x0hat) / tau  # eps - x0 on the path (1 - tau) x0 + tau eps
            x, _ = scheduler.step(sign * velocity, t, x)
        stds[sign] = x.std().item()
    assert 0.45 < stds[-1] < 0.55, changed("MONAI", "takes data minus noise as the flow")
    assert stds[1] > 1.5
    flow = diffusers.FlowMatchEulerDiscreteScheduler()
    flow.set_timesteps(2)
    moved = flow.step(torch.ones(1), flow.timesteps[0], torch.zeros(1)).prev_sample
    assert moved < 0, changed("diffusers", "takes noise minus data as the flow")


def test_the_flow_scheduler_is_no_module():
    raised = refusal(lambda: schedulers.RFlowScheduler().to("cpu"))
    assert raised == "AttributeError", changed("MONAI", "forgets nn.Module.__init__ in RFlowScheduler")


def test_the_tables_of_the_libraries_are_the_same_under_other_names():
    names = {"linear_beta": "linear", "scaled_linear_beta": "scaled_linear", "cosine": "squaredcos_cap_v2"}
    for name, other in names.items():
        one = schedulers.DDPMScheduler(1000, name).alphas_cumprod
        two = diffusers.DDPMScheduler(1000, 1e-4, 0.02, other).alphas_cumprod
        same = torch.allclose(one, two, rtol=2e-3, atol=1e-8)
        assert same, changed("MONAI", f"means by {name} what diffusers means by {other}")
