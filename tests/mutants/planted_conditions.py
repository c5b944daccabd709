"""Mutants of what tells a network something, and of classifiers: file, sound text, wrong text, tests."""

ROWS = [
    ("denoisers.py", "(s > low) & (s <= high)", "(s >= low) & (s <= high)", "denoisers"),
    ("denoisers.py", "torch.where(inside, w, 1.0)", "torch.where(inside, w, 0.0)", "denoisers"),
    ("denoisers.py", "1 + rescale * (ratio - 1)", "1 - rescale * (ratio - 1)", "denoisers"),
    (
        "classifiers.py",
        "levels(sigma, len(x)), x) ** 2 * gradient",
        "levels(sigma, len(x)), x) * gradient",
        "conditional",
    ),
    ("classifiers.py", "sigma) + w * per_image", "sigma) - w * per_image", "conditional"),
    (
        "classifiers.py",
        "levels(sigma, len(x)) * self.scale",
        "levels(sigma, len(x)) / self.scale",
        "conditional",
    ),
    ("nets_conditional.py", "torch.where(number < 0, silence, number)", "number.clamp(min=0)", "conditional"),
    ("nets_conditional.py", "large * given", "large", "conditional"),
    ("data/conditioned.py", "share < 1 - ONE_SIDE", "share > 1 - ONE_SIDE", "conditional"),
    ("data/conditioned.py", "i) % 2 == 1", "i) % 2 == 0", "conditional"),
    ("schedules.py", "+ u) / b\n    return t / (1 - t)", "+ u) / b\n    return t / (1 + t)", "conditional"),
    ("train.py", "recipe.joint_drop_at(step)] = -1.0", "recipe.joint_drop_at(step)] = 0.5", "conditional"),
]
