"""Mutants of the translation between libraries and of what is published: file, sound, wrong text, tests."""

ROWS = [
    (
        "interchange.py",
        '"middle_block.resnet_2.", "mid_block.resnets.1."',
        '"middle_block.resnet_2.", "mid_block.resnets.0."',
        "interchange",
    ),
    ("interchange.py", '"norm_eps": norm.eps', '"norm_eps": 10 * norm.eps', "interchange"),
    ("interchange.py", "tuple(w // h for", "tuple(h for", "interchange"),
    ("interchange.py", "torch.eye(len(v)).to(v)", "-torch.eye(len(v)).to(v)", "interchange"),
    ("interchange.py", "1 - share[1:] / share[:-1]", "1 - (share[1:] / share[:-1]).sqrt()", "interchange"),
    ("interchange.py", "self.times[timesteps.long()]", "self.times.flip(0)[timesteps.long()]", "interchange"),
    ("interchange.py", "label=context)", "label=None)", "interchange"),
    (
        "interchange.py",
        "return b, 1 - b, abar(sigmas.double().flip(0))[1:]",
        "return b, 1 - b, abar(sigmas.double().flip(0))[:-1]",
        "interchange",
    ),
    (
        "interchange.py",
        "num_head_channels=config.attention_head_dim",
        "num_head_channels=2 * config.attention_head_dim",
        "interchange",
    ),
    ("publish.py", '"$@sample / @scale + @shift"', '"$@sample * @scale + @shift"', "publish"),
    (
        "publish.py",
        "torch.arange(999, -1, -(1000 // @steps))",
        "torch.arange(980, -1, -(1000 // @steps))",
        "publish",
    ),
    (
        "publish.py",
        "x / self.config.scale + self.config.shift",
        "x / self.config.scale - self.config.shift",
        "publish",
    ),
    ("publish.py", 'timestep_spacing="trailing"', 'timestep_spacing="leading"', "publish"),
    ("publish.py", "if 1000 % steps:", "if steps % 1000 and False:", "publish"),
]
