"""More mutants, of the six families of generative models: file, sound text, wrong text, tests."""

ROWS = [
    ("families.py", "log_scale.flatten(1).sum(1)\n", "-log_scale.flatten(1).sum(1)\n", "families"),
    ("families.py", "(moved - shift) * (-log_scale).exp()", "moved * (-log_scale).exp() - shift", "families"),
    ("families.py", "dims, levels, width=2.0)", "dims, levels, width=1.0)", "families"),
    ("families.py", "normal(x, *self.decode(z)) - kl", "normal(x, *self.decode(z)) + kl", "families"),
    ("families.py", "+ normal(z) - normal(z, mean, log_sd)", "+ normal(z)", "families"),
    ("families.py", "self.judge(made.detach())", "self.judge(made)", "families"),
    ("families.py", "x - self.step * slope", "x + self.step * slope", "families"),
    ("families.py", "gain = 0.5 * (", "gain = 1.0 * (", "families"),
    ("nets_families.py", "size // 2 + int(itself) :]", "size // 2 + 1 :]", "families"),
    ("nets_families.py", "self.reach = 3 + blocks", "self.reach = 2 + blocks", "families"),
]
