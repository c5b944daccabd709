"""Publish a trained prior: as a MONAI bundle and as a diffusers pipeline, both with safetensors weights only.

`write_bundle` writes a folder that MONAI alone can run; `PriorPipeline` is saved and loaded by diffusers.
Both give images in physical units, x = x_net / scale + shift, by DDIM on evenly spaced steps from the
noisiest one.
"""

import json
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import diffusers
import monai
import numpy as np
import safetensors.torch
import torch
from jaxtyping import Float
from monai.bundle import ConfigParser, ConfigWorkflow, verify_net_in_out
from monai.networks.nets import DiffusionModelUNet
from torch import Tensor, nn

from .errors import BadInput
from .interchange import to_diffusers
from .noise import Noise, randn

SCHEMA = "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json"
SCHEDULES = {  # MONAI's name of a table, and diffusers'
    "linear_beta": "linear",
    "scaled_linear_beta": "scaled_linear",
    "cosine": "squaredcos_cap_v2",
}


def definition(unet: DiffusionModelUNet) -> dict:
    """The entry `network_def` of a bundle: how MONAI makes this network again, without its weights."""
    blocks = [m for m in unet.modules() if hasattr(m, "transformer_blocks")]
    context = {}
    if unet.with_conditioning:
        inside = blocks[0].transformer_blocks
        context = {"with_conditioning": True, "transformer_num_layers": len(inside),
                   "cross_attention_dim": inside[0].attn2.to_k.in_features}  # fmt: skip
    return {
        "_target_": "monai.networks.nets.DiffusionModelUNet",
        "spatial_dims": unet.conv_in.conv.weight.ndim - 2,
        "in_channels": unet.in_channels,
        "out_channels": unet.out_channels,
        "channels": list(unet.block_out_channels),
        "attention_levels": list(unet.attention_levels),
        "num_res_blocks": list(unet.num_res_blocks),
        "num_head_channels": list(unet.num_head_channels),
        "norm_num_groups": unet.out[0].num_groups,
        "norm_eps": unet.out[0].eps,
        "num_class_embeds": unet.num_class_embeds,
    } | context


def inference(unet: DiffusionModelUNet, shape: Sequence[int], *, schedule: str, prediction: str, steps: int,
              shift: float, scale: float, **betas: float) -> dict:  # fmt: skip
    """The configuration `inference.json`: noise of `shape` (c, *space) to images, in MONAI's own words.

    The steps are set by hand: MONAI 1.6.1 spaces its times by 999 / (steps - 1) and walks them by
    1000 // steps, which are different numbers.
    """
    return {
        "imports": [
            "$import torch",
            "$from safetensors.torch import load_file",
            "$from safetensors.torch import save_file",
        ],
        "bundle_root": ".",
        "weights": "$str(@bundle_root) + '/models/model.safetensors'",
        "output": "$str(@bundle_root) + '/images.safetensors'",
        "dataset_dir": "",  # a generator reads no data set; MONAI's checker wants the three names
        "dataset": "$[{'image': z} for z in @noise]",
        "evaluator": "$None",
        "device": "$torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
        "count": 4,
        "seed": 0,
        "steps": steps,
        "shape": list(shape),
        "shift": shift,
        "scale": scale,
        "network_def": definition(unet),
        "network": "$@network_def.to(@device).eval()",
        "load": "$@network.load_state_dict(load_file(@weights))",
        "scheduler": {
            "_target_": "monai.networks.schedulers.DDIMScheduler",
            "num_train_timesteps": 1000,
            "schedule": schedule,
            "prediction_type": prediction,
            "clip_sample": False,
            **betas,
        },
        "set_timesteps": "$@scheduler.set_timesteps(@steps)",
        "even": "$setattr(@scheduler, 'timesteps', torch.arange(999, -1, -(1000 // @steps)))",
        "inferer": {"_target_": "monai.inferers.DiffusionInferer", "scheduler": "@scheduler"},
        "generator": "$torch.Generator().manual_seed(@seed)",
        "noise": "$torch.randn([@count, *@shape], generator=@generator).to(@device)",
        "sample": "$@inferer.sample(@noise, @network, verbose=False)",
        "image": "$@sample / @scale + @shift",
        "initialize": ["@load", "@set_timesteps", "@even"],
        "run": ["$save_file({'image': @image.cpu().contiguous()}, @output)"],
    }


def metadata(unet: nn.Module, shape: Sequence[int], name: str, description: str, version: str) -> dict:
    """The description `metadata.json`, with the versions of the packages that are installed here."""
    kind = {"type": "noise", "format": "image", "dtype": "float32", "value_range": [], "is_patch_data": False}
    side = list(shape[1:])
    return {
        "schema": SCHEMA,
        "version": version,
        "changelog": {version: "first release"},
        "monai_version": monai.__version__,
        "pytorch_version": torch.__version__.split("+")[0],
        "numpy_version": np.__version__,
        "required_packages_version": {"safetensors": safetensors.__version__},
        "name": name,
        "task": "unconditional generation of images",
        "description": description,
        "authors": "",
        "copyright": "",
        "intended_use": "Teaching. Not for clinical use.",
        "network_data_format": {
            "inputs": {"image": {**kind, "num_channels": unet.in_channels, "spatial_shape": side}},
            "outputs": {
                "pred": {
                    **kind,
                    "num_channels": unet.out_channels,
                    "spatial_shape": side,
                    "channel_def": {"0": "image"},
                }
            },
        },
    }


def write_bundle(folder: Path, unet: DiffusionModelUNet, shape: Sequence[int], *, name: str, description: str,
                 version: str = "0.1.0", schedule: str = "linear_beta", prediction: str = "v_prediction",
                 steps: int = 20, shift: float = 0.5, scale: float = 2.0, **betas) -> Path:  # fmt: skip
    """A MONAI bundle [cardoso2022monai] of a prior trained with MONAI's table `schedule` of 1000 steps.

    `shape` is that of one image, (c, *space); `betas` are the table's arguments. Writes inference.json and
    metadata.json in configs/, docs/README.md and models/model.safetensors. BadInput if the folder is not
    empty, or if `steps` does not divide 1000.
    """
    folder = Path(folder)
    if folder.exists() and any(folder.iterdir()):
        raise BadInput(f"{folder} is not empty; give a new folder")
    if 1000 % steps:
        raise BadInput(f"got steps={steps}, which does not divide 1000: the last step would not end at 0")
    knobs = {"schedule": schedule, "prediction": prediction, "steps": steps, "shift": shift, "scale": scale}
    files = {
        "configs/inference.json": json.dumps(inference(unet, shape, **knobs, **betas), indent=4),
        "configs/metadata.json": json.dumps(metadata(unet, shape, name, description, version), indent=4),
        "docs/README.md": f"# {name}\n\n{description}\n\nRun it, from this folder:\n\n"
        "    python -c \"from monai.bundle import run; run(config_file='configs/inference.json')\"\n",
    }
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text + "\n", encoding="utf-8")
    (folder / "models").mkdir()
    weights = {key: value.detach().cpu().contiguous() for key, value in unet.state_dict().items()}
    temporary = folder / "models" / "model.part"
    safetensors.torch.save_file(weights, temporary)
    os.replace(temporary, folder / "models" / "model.safetensors")
    return folder


def run_bundle(folder: Path, count=4, seed=0, device="cpu") -> Float[Tensor, "n c *space"]:
    """Images of a bundle that `write_bundle` made, by MONAI's parser of configurations: no code of ours.

    A configuration may hold Python expressions, which the parser evaluates: run only bundles you trust.
    """
    parser = ConfigParser()
    parser.read_config(Path(folder) / "configs" / "inference.json")
    parser.update({"bundle_root": str(folder), "count": count, "seed": seed, "device": device})
    for step in ("load", "set_timesteps", "even"):
        parser.get_parsed_content(step)
    return parser.get_parsed_content("image")


def verify_bundle(folder: Path) -> list[str]:
    """The properties that MONAI's own checks miss in a bundle, offline; it raises what MONAI raises.

    The network is made, called, and its channels compared with metadata.json. Not done here, because it
    downloads the schema that metadata.json names: `monai.bundle.verify_metadata`.
    """
    files = [str(Path(folder) / "configs" / name) for name in ("inference.json", "metadata.json")]
    with _quiet():
        first = {"timesteps": torch.zeros(1)}
        verify_net_in_out("network", files[1], files[0], device="cpu", extra_forward_args=first)
        flow = ConfigWorkflow(*files, logging_file=False, workflow_type="infer", bundle_root=str(folder))
        flow.initialize()
        return flow.check_properties()


@contextmanager
def _quiet() -> Iterator[None]:
    """No word on the screen: libraries log times and folders, which are different everywhere."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


# --- diffusers ---------------------------------------------------------------------------------------------


class PriorPipeline(diffusers.DiffusionPipeline):
    """A prior as a diffusers pipeline [vonplaten2022diffusers]: noise to images in physical units.

    `PriorPipeline.from_pretrained(folder)` loads what `save_pretrained(folder)` wrote.
    """

    def __init__(self, unet: nn.Module, scheduler, shift: float = 0.5, scale: float = 2.0):
        super().__init__()
        self.register_modules(unet=unet, scheduler=scheduler)
        self.register_to_config(shift=shift, scale=scale)

    @torch.no_grad()
    def __call__(
        self, count: int = 4, generator: Noise = None, num_inference_steps: int = 20, eta: float = 0.0
    ) -> Float[Tensor, "n c h w"]:
        """`count` images; `generator` as everywhere in this package: None, one, or one for each image."""
        side = self.unet.config.sample_size
        x = randn((count, self.unet.config.in_channels, side, side), generator, self.unet.conv_in.weight)
        self.scheduler.set_timesteps(num_inference_steps)
        for t in self.scheduler.timesteps:
            x = self.scheduler.step(self.unet(x, t).sample, t, x, eta=eta).prev_sample
        return x / self.config.scale + self.config.shift


def pipeline(unet: DiffusionModelUNet, side: int, *, schedule: str = "linear_beta", prediction="v_prediction",
             shift: float = 0.5, scale: float = 2.0, **betas: float) -> PriorPipeline:  # fmt: skip
    """The diffusers pipeline of a MONAI prior for images of `side` by `side`; arguments as `write_bundle`."""
    if schedule not in SCHEDULES:
        raise BadInput(f"diffusers has no table like MONAI's {schedule!r}; use one of {', '.join(SCHEDULES)}")
    scheduler = diffusers.DDIMScheduler(
        1000,
        **{"beta_start": 1e-4, "beta_end": 0.02} | betas,
        beta_schedule=SCHEDULES[schedule],
        prediction_type=prediction,
        clip_sample=False,
        timestep_spacing="trailing",
    )
    return PriorPipeline(to_diffusers(unet, sample_size=side), scheduler, shift, scale)


def load_pipeline(folder: Path) -> PriorPipeline:
    """`PriorPipeline.from_pretrained` without a progress bar; reads safetensors only, and no network."""
    diffusers.utils.logging.disable_progress_bar()
    try:
        return PriorPipeline.from_pretrained(str(folder), use_safetensors=True, local_files_only=True)
    finally:
        diffusers.utils.logging.enable_progress_bar()
