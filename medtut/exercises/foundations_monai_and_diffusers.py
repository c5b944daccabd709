"""Checkers of chapter 1/07, MONAI and diffusers."""

import diffusers
import torch

from ..checks import compare, exercise, require


@exercise("libs-1")
def ddpm_mean(answer):
    """answer(x, x0hat, t, t_next, abar) -> the mean of a DDPM step to any time before [ho2020ddpm, eq. 7]."""
    abar = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64), 0)
    x, x0hat = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def mean(a, a_next):
        alpha = a / a_next
        return (a_next**0.5 * (1 - alpha) * x0hat + alpha**0.5 * (1 - a_next) * x) / (1 - a)

    t, t_next = 500, 450
    a, a_next, beta = abar[t], abar[t_next], 1 - abar[t] / abar[t - 1]
    mixed = (a_next**0.5 * beta * x0hat + (1 - beta) ** 0.5 * (1 - a_next) * x) / (1 - a)
    compare(answer(x, x0hat, t, t_next, abar), mean(a, a_next), known={
        "that is the step to t - 1: it leaves the state there, 49 levels noisier than t_next":
            mean(a, abar[t - 1]),
        "the level is right, but beta is still that of one step; the jump has its own": mixed,
        "x and x0hat have changed places": mean(a, a_next) * 0 + (
            a_next**0.5 * (1 - a / a_next) * x + (a / a_next) ** 0.5 * (1 - a_next) * x0hat) / (1 - a),
    }, otherwise="replace abar[t - 1] in all its places by abar of the time that the step goes to")
    compare(answer(x, x0hat, 49, -1, abar), x0hat, known={
        "at the last step abar[-1] is Python's last entry, the noisiest; a clean image has abar = 1":
            mean(abar[49], abar[-1]),
        "at the last step abar[0] leaves the noise of level 0; a clean image has abar = 1":
            mean(abar[49], abar[0]),
    }, otherwise="the last step must return x0hat: a clean image has abar = 1")
    return "the mean belongs to the two levels that are used"


@exercise("libs-2")
def heard(answer):
    """answer(d_null, d_0, d_1, w) -> what guidance towards class 1 becomes when 0 is used as the null."""
    null, zero, one = torch.randn(3, 2, 4, generator=torch.Generator().manual_seed(0))
    w = 3.0
    compare(answer(null, zero, one, w), zero + w * (one - zero), known={
        "that is the right guidance; the network was never asked for its null": null + w * (one - null),
        "that guides towards class 0; the request was for class 1": null + w * (zero - null),
        "the two classes have changed places: w = 1 must give class 1": one + w * (zero - one),
        "a context of 0 is not nothing: the network hears a class": w * one,
    }, otherwise="put the estimate that the network gives for a context of 0 in the place of the null")
    return "away from class 0, whatever class 1 is"


@exercise("libs-3")
def translated(answer):
    """The arguments of diffusers' DDIMScheduler for a MONAI scheduler."""
    require(isinstance(answer, dict), "give a dictionary of arguments, such as {'clip_sample': False}")
    try:
        made = diffusers.DDIMScheduler(**answer)
    except (TypeError, NotImplementedError) as error:
        require(False, f"diffusers does not take that: {error}; its tables are called linear, scaled_linear "
                       "and squaredcos_cap_v2")
    config = made.config
    require(config.num_train_timesteps == 1000, "the table has 1000 steps")
    require(config.beta_schedule == "scaled_linear", "the table is another one: look at beta_schedule")
    require(abs(config.beta_start - 0.0015) + abs(config.beta_end - 0.0195) < 1e-9,
            "the ends of the table are left at the defaults: beta_start and beta_end must travel too")
    require(config.prediction_type == "v_prediction", "the network predicts v, and the scheduler reads noise")
    require(not config.clip_sample, "the default clips to [-1, 1], which ruins latents")
    made.set_timesteps(20)
    require(made.timesteps.tolist()[:2] != [950, 900],
            "the times are 950, 900, ...: the default spacing is leading, and MONAI spreads from 999 to 0")
    require(made.timesteps.tolist()[1] != 949,
            "the times are 999, 949, ...: that is the sound spacing, but not the one MONAI uses")
    require(made.timesteps.tolist()[:2] == [999, 946], "look at timestep_spacing: MONAI has 999, 946, ...")
    require(config.set_alpha_to_one, "MONAI ends at the clean image: leave set_alpha_to_one as it is")
    return "table, ends, target, clipping and times: a scheduler is all of these"


@exercise("libs-4")
def velocity(answer):
    """answer(D, x, tau) -> data minus noise, what MONAI's RFlowScheduler wants [lipman2023flow]."""
    def denoise(x, sigma):
        return 0.3 + (x - 0.3) * 0.25 / (0.25 + sigma**2)

    x, tau = torch.linspace(-2, 2, 9, dtype=torch.float64), 0.7
    x0hat = denoise(x / (1 - tau), tau / (1 - tau))
    unscaled, wrong_sigma = denoise(x, tau / (1 - tau)), denoise(x / (1 - tau), tau)
    compare(answer(denoise, x, tau), (x0hat - x) / tau, known={
        "that is noise minus data, the sign of diffusers and of our row": (x - x0hat) / tau,
        "divide the state by 1 - tau before you ask D: its noise level is meant in our scale":
            (unscaled - x) / tau,
        "the noise level in our scale is tau / (1 - tau), not tau": (wrong_sigma - x) / tau,
        "the difference still has to be divided by tau": x0hat - x,
    }, otherwise="a step of length tau with this velocity must end in the estimate of D")
    return "scale, ask, subtract"
