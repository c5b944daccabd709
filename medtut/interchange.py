"""One network, one chain of noise levels, in the words of MONAI and of diffusers.

MONAI's DiffusionModelUNet and diffusers' UNet2DModel (with a context: UNet2DConditionModel) descend from
one design. Where each has the same settings, a checkpoint moves by renaming its tensors, and the outputs are
equal.
"""

from collections.abc import Callable

import diffusers
import torch
from jaxtyping import Float
from monai.networks import schedulers
from monai.networks.nets import DiffusionModelUNet
from torch import Tensor, nn

from .errors import BadInput
from .schedules import abar

NAMES = (  # what a tensor is called in MONAI, and in diffusers; applied from top to bottom
    ("time_embed.0.", "time_embedding.linear_1."),
    ("time_embed.2.", "time_embedding.linear_2."),
    ("middle_block.resnet_1.", "mid_block.resnets.0."),
    ("middle_block.resnet_2.", "mid_block.resnets.1."),
    ("middle_block.attention.", "mid_block.attentions.0."),
    ("downsampler.op.conv.", "downsamplers.0.conv."),
    ("upsampler.postconv.conv.", "upsamplers.0.conv."),
    ("skip_connection.conv.", "conv_shortcut."),
    ("conv_in.conv.", "conv_in."),
    ("conv1.conv.", "conv1."),
    ("conv2.conv.", "conv2."),
    ("proj_in.conv.", "proj_in."),
    ("proj_out.conv.", "proj_out."),
    ("out_proj.", "to_out.0."),
    (".attn.", "."),
    ("ff.linear1.", "ff.net.0.proj."),
    ("ff.linear2.", "ff.net.2."),
    ("out.0.", "conv_norm_out."),
    ("out.2.conv.", "conv_out."),
)


def diffusers_name(key: str, context: bool = False) -> str:
    """The name in diffusers of a tensor of MONAI's DiffusionModelUNet, with or without a context."""
    for monai, other in NAMES:
        if key.startswith(monai) or not monai.startswith("out."):  # "out." is a prefix, the others are parts
            key = key.replace(monai, other)
    return key if context else key.replace(".norm.", ".group_norm.")


def _settings(unet: nn.Module) -> dict:
    """What a MONAI network was built with, as far as diffusers can be told; BadInput for the rest."""
    blocks, heads = set(unet.num_res_blocks), set(unet.num_head_channels)
    dims = unet.conv_in.conv.weight.ndim - 2
    if dims != 2:
        raise BadInput(f"got a network for {dims} dimensions; diffusers' U-Nets of this design take images")
    if len(blocks) > 1 or (len(heads) > 1 and not unet.with_conditioning):
        raise BadInput(
            f"got num_res_blocks {tuple(unet.num_res_blocks)} and num_head_channels "
            f"{tuple(unet.num_head_channels)}; diffusers' UNet2DModel has one number for all levels"
        )
    resnet = type(unet.middle_block.resnet_1)
    if any(isinstance(m, resnet) for name, m in unet.named_modules() if "sampler" in name):
        raise BadInput("got resblock_updown=True; only convolutions that halve and double are mapped")
    if any(getattr(m, "use_combined_linear", False) for m in unet.modules()):
        raise BadInput("got use_combined_linear=True; only separate to_q, to_k and to_v are mapped")
    norm = unet.out[0]
    return {
        "in_channels": unet.in_channels,
        "out_channels": unet.out_channels,
        "block_out_channels": tuple(unet.block_out_channels),
        "layers_per_block": blocks.pop(),
        "norm_num_groups": norm.num_groups,
        "norm_eps": norm.eps,
        "num_class_embeds": unet.num_class_embeds,
    }


def _identities(unet: nn.Module) -> dict[str, Tensor]:
    """Projections that change nothing, for a MONAI network made with include_fc=False, which has none."""
    found = {key: value for key, value in unet.state_dict().items() if ".to_out.0." in key}
    return {k: torch.eye(len(v)).to(v) if v.ndim == 2 else torch.zeros_like(v) for k, v in found.items()}


def to_diffusers(unet: DiffusionModelUNet, sample_size: int | None = None) -> nn.Module:
    """The same network as diffusers' UNet2DModel, or UNet2DConditionModel where it takes a context.

    Same outputs up to rounding, same dtype and device; the weights are copies. `sample_size`, the width of
    its images, is only noted in the config. BadInput names the setting that diffusers does not have.
    """
    common, levels = _settings(unet) | {"sample_size": sample_size}, tuple(unet.attention_levels)
    widths, heads = unet.block_out_channels, unet.num_head_channels
    cross = "Cross" if unet.with_conditioning else ""
    common["down_block_types"] = tuple(f"{cross}AttnDownBlock2D" if a else "DownBlock2D" for a in levels)
    common["up_block_types"] = tuple(f"{cross}AttnUpBlock2D" if a else "UpBlock2D" for a in levels[::-1])
    if cross:
        if common["norm_eps"] != 1e-6:
            raise BadInput(
                f"got norm_eps {common['norm_eps']:g}; diffusers' transformer blocks have 1e-6 built in"
            )
        blocks = unet.middle_block.attention.transformer_blocks
        other = diffusers.UNet2DConditionModel(
            **common,
            attention_head_dim=tuple(w // h for w, h in zip(widths, heads, strict=True)),  # here: how many
            transformer_layers_per_block=len(blocks),
            cross_attention_dim=blocks[0].attn2.to_k.in_features,
        )
    else:
        other = diffusers.UNet2DModel(**common, attention_head_dim=heads[0])
    weights = {diffusers_name(key, bool(cross)): value for key, value in unet.state_dict().items()}
    other = other.to(unet.conv_in.conv.weight)
    other.load_state_dict(_identities(other) | weights)
    return other.train(unet.training)


def to_monai(unet: nn.Module) -> DiffusionModelUNet:
    """The same network as MONAI's DiffusionModelUNet, from diffusers' UNet2DModel without a context.

    Same outputs up to rounding, same dtype and device; the weights are copies. BadInput names the settings,
    if any, that MONAI does not have.
    """
    if not isinstance(unet, diffusers.UNet2DModel):
        raise BadInput(f"got {type(unet).__name__}; only diffusers' UNet2DModel is mapped to MONAI")
    config = unet.config
    needed = {"time_embedding_type": "positional", "freq_shift": 0, "flip_sin_to_cos": True, "act_fn": "silu",
              "center_input_sample": False, "downsample_padding": 1, "downsample_type": "conv",
              "upsample_type": "conv", "resnet_time_scale_shift": "default", "mid_block_scale_factor": 1,
              "mid_block_type": "UNetMidBlock2D", "add_attention": True, "class_embed_type": None,
              "time_embedding_dim": None, "attn_norm_num_groups": None}  # fmt: skip
    wrong = {k: config[k] for k, v in needed.items() if config[k] != v}
    types = {"DownBlock2D": False, "AttnDownBlock2D": True}
    levels = tuple(types.get(name) for name in config.down_block_types)
    mirrored = tuple(name.replace("Down", "Up") for name in config.down_block_types[::-1])
    if None in levels or mirrored != tuple(config.up_block_types):
        wrong["down_block_types"], wrong["up_block_types"] = config.down_block_types, config.up_block_types
    if config.attention_head_dim is None:
        wrong["attention_head_dim"] = None
    if wrong:
        raise BadInput(f"got {wrong}; MONAI's DiffusionModelUNet has no counterpart to that")
    made = DiffusionModelUNet(
        spatial_dims=2,
        in_channels=config.in_channels,
        out_channels=config.out_channels,
        num_res_blocks=config.layers_per_block,
        channels=tuple(config.block_out_channels),
        attention_levels=levels,
        norm_num_groups=config.norm_num_groups,
        norm_eps=config.norm_eps,
        num_head_channels=config.attention_head_dim,
        num_class_embeds=config.num_class_embeds,
    ).to(unet.conv_in.weight)
    theirs = unet.state_dict()
    made.load_state_dict({key: theirs[diffusers_name(key)] for key in made.state_dict()})
    return made.train(unet.training)


# --- the chain ---------------------------------------------------------------------------------------------


class ForInferer(nn.Module):
    """A network as MONAI's inferers [pinaya2023monai] call one: model(x, timesteps=, context=).

    `net` is called as net(x, c_noise, label). The step number is an index into `times`, the network's own
    clock at each step. The label travels as the context, because inferers hand on no class label; -1 is null
    for both.
    """

    def __init__(self, net: Callable, times: Float[Tensor, " n"]):
        super().__init__()
        self.net = net
        self.register_buffer("times", torch.as_tensor(times, dtype=torch.float64))

    def forward(self, x: Tensor, timesteps: Tensor, context: Tensor | None = None) -> Tensor:
        """The raw output for x, (b, c, h, w); one step number for all, or one for each."""
        time = self.times[timesteps.long()].to(x).expand(len(x))
        return self.net(x, time, label=context)


def betas(sigmas: Float[Tensor, " n1"]) -> Float[Tensor, " n"]:
    """The betas of the VP chain whose n levels are exactly those of a schedule, from clean to noisy."""
    share = abar(sigmas.double().flip(0))  # the clean image's 1 comes first
    return 1 - share[1:] / share[:-1]


@schedulers.NoiseSchedules.add_def("medtut_levels", "The levels of a decreasing schedule of sigmas")
def _levels(num_train_timesteps: int, sigmas: Float[Tensor, " n1"]) -> tuple[Tensor, Tensor, Tensor]:
    b = betas(sigmas)
    if len(b) != num_train_timesteps:
        raise BadInput(f"got {len(b)} levels for num_train_timesteps={num_train_timesteps}; they must agree")
    return b, 1 - b, abar(sigmas.double().flip(0))[1:]


def monai_scheduler(name: str, sigmas: Float[Tensor, " n1"], prediction: str, **knobs) -> nn.Module:
    """MONAI's scheduler `name` ("DDPMScheduler", "DDIMScheduler") on exactly these levels, none left out.

    `prediction` is "epsilon", "sample" or "v_prediction". Nothing is clipped unless `knobs` say so.
    """
    knobs = {"clip_sample": False} | knobs
    n = len(sigmas) - 1
    return getattr(schedulers, name)(n, "medtut_levels", prediction_type=prediction, sigmas=sigmas, **knobs)


def diffusers_scheduler(name: str, sigmas: Float[Tensor, " n1"], prediction: str, **knobs):
    """diffusers' scheduler `name` ("DDPMScheduler", "DDIMScheduler") on exactly these levels, none left out.

    As `monai_scheduler`. Its table is replaced by one in double precision: diffusers keeps single.
    """
    knobs = {"clip_sample": False} | knobs
    b = betas(sigmas)
    made = getattr(diffusers, name)(len(b), trained_betas=b.tolist(), prediction_type=prediction, **knobs)
    made.betas, made.alphas, made.alphas_cumprod = _levels(len(b), sigmas)
    made.set_timesteps(len(b))
    return made
