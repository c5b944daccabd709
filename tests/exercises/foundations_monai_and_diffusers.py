"""Planted wrong answers of chapter 1/07."""

NOTEBOOK = "notebooks/1_foundations/07_monai_and_diffusers.ipynb"


def namespace():
    """What stub and solution cells find defined."""
    import medtut as mt

    return {"mt": mt}


def step(x, x0hat, a, a_next, alpha=None):
    alpha = a / a_next if alpha is None else alpha
    return (a_next**0.5 * (1 - alpha) * x0hat + alpha**0.5 * (1 - a_next) * x) / (1 - a)


def one_beta(x, x0hat, t, t_next, abar):
    return step(x, x0hat, abar[t], abar[t_next], abar[t] / abar[t - 1])


RIGHT = {
    "beta_schedule": "scaled_linear", "beta_start": 0.0015, "beta_end": 0.0195,
    "prediction_type": "v_prediction", "clip_sample": False, "timestep_spacing": "linspace",
}  # fmt: skip


def without(*names, **changed):
    return {k: v for k, v in RIGHT.items() if k not in names} | changed


WRONG = {
    "libs-1": [
        (lambda x, x0hat, t, t_next, abar: step(x, x0hat, abar[t], abar[t - 1]), "step to t - 1"),
        (one_beta, "beta is still"),
        (lambda x, x0hat, t, t_next, abar: step(x0hat, x, abar[t], abar[t_next]), "changed places"),
        (lambda x, x0hat, t, t_next, abar: step(x, x0hat, abar[t], abar[t_next]), "last entry"),
        (lambda x, x0hat, t, t_next, abar: step(x, x0hat, abar[t], abar[max(t_next, 0)]), "noise of level 0"),
        (lambda x, x0hat, t, t_next, abar: x0hat, "in all its places"),
    ],
    "libs-2": [
        (lambda d_null, d_0, d_1, w: d_null + w * (d_1 - d_null), "never asked"),
        (lambda d_null, d_0, d_1, w: d_null + w * (d_0 - d_null), "towards class 0"),
        (lambda d_null, d_0, d_1, w: d_1 + w * (d_0 - d_1), "changed places"),
        (lambda d_null, d_0, d_1, w: w * d_1, "hears a class"),
        (lambda d_null, d_0, d_1, w: d_1, "in the place of the null"),
    ],
    "libs-3": [
        ("scaled_linear", "a dictionary"),
        (without(beta_schedule="scaled_linear_beta"), "does not take that"),
        (without("beta_schedule"), "another one"),
        (without("beta_start", "beta_end"), "ends of the table"),
        (without("prediction_type"), "predicts v"),
        (without("clip_sample"), "ruins latents"),
        (without("timestep_spacing"), "leading"),
        (without(timestep_spacing="trailing"), "sound spacing"),
        (without(set_alpha_to_one=False), "clean image"),
    ],
    "libs-4": [
        (lambda D, x, tau: (x - D(x / (1 - tau), tau / (1 - tau))) / tau, "noise minus data"),
        (lambda D, x, tau: (D(x, tau / (1 - tau)) - x) / tau, "divide the state"),
        (lambda D, x, tau: (D(x / (1 - tau), tau) - x) / tau, "not tau"),
        (lambda D, x, tau: D(x / (1 - tau), tau / (1 - tau)) - x, "divided by tau"),
        (lambda D, x, tau: D(x, tau), "estimate of D"),
    ],
}
