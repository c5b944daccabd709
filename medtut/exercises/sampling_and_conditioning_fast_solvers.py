"""Checkers of chapter 2/02, fast solvers."""
import math

from ..checks import compare, exercise


@exercise("fast-solvers-1")
def exact_step(answer):
    """answer(x, d, s, s_next) -> the exact end of a step along which D stays d."""
    x, d, s, s_next = 3.0, 0.5, 2.0, 0.8
    keep, h = s_next / s, math.log(s / s_next)
    compare(answer(x, d, s, s_next), keep * x + (1 - keep) * d, known={
        "the two weights are exchanged: a short step must leave x almost as it was":
            (1 - keep) * x + keep * d,
        "the quotient is upside down: exp(-h) is s_next / s, less than 1": x / keep + (1 - 1 / keep) * d,
        "the weights must sum to 1: the second is 1 - s_next / s": keep * x + d,
        "D pulls with the rest of the weight, and here it does not pull at all": keep * x,
        "h itself was used: the state keeps exp(-h)": h * x + (1 - h) * d,
        "that is a step of the SDE, which forgets twice as fast": keep**2 * x + (1 - keep**2) * d,
    }, otherwise="test two limits: s_next = s must give x, and s_next = 0 must give d")
    return "a point between x and D, and the nearer to D the longer the step"


@exercise("fast-solvers-2")
def guess_2m(answer):
    """answer(now, before, s_before, s, s_next) -> D in the middle of the step [lu2022dpmpp]."""
    now, before, s_before, s, s_next = 1.0, 0.4, 9.0, 3.0, 1.5
    h, h_before = math.log(s / s_next), math.log(s_before / s)
    change = now - before
    compare(answer(now, before, s_before, s, s_next), now + h / (2 * h_before) * change, known={
        "that is the end of the step; the mean is near its middle: half as far": now + h / h_before * change,
        "the lengths are exchanged: the last change is over the length of the last step":
            now + h_before / (2 * h) * change,
        "that goes back in time: add the change now - before": now - h / (2 * h_before) * change,
        "that is right only for steps of the same length": now + change / 2,
        "lengths are measured in log(sigma), not in sigma":
            now + (s - s_next) / (2 * (s_before - s)) * change,
        "that is DDIM's guess: use the call before too": now,
    }, otherwise="for steps of the same length it must be now + (now - before) / 2")
    return "the line through the last two calls, read in the middle of the step"


@exercise("fast-solvers-3")
def steps_needed(answer):
    """answer(n, error, target, p) -> the steps that a solver of order p needs."""
    n, error, target, p = 10, 0.08, 0.005, 2
    upside_down = math.ceil(n * (target / error) ** (1 / p))
    compare(answer(n, error, target, p), 40, known={
        "that is order 1: take the p-th root of the quotient": n * error / target,
        "the quotient is upside down: a smaller error takes more steps": upside_down,
        "the error falls as the p-th power of the steps, so the steps grow as the p-th ROOT":
            n * (error / target) ** p,
        "that is how many times more steps; multiply by n": (error / target) ** (1 / p),
    }, otherwise="an error 16 times smaller takes 4 times the steps at order 2")
    compare(answer(10, 0.08, 0.001, 3), 44, known={
        "it is not a whole number: round up": 10 * 80 ** (1 / 3),
        "round up, not down: 43 steps are not quite enough": 43,
        "use the order p that is given": math.ceil(10 * 80**0.5),
    }, otherwise="it is wrong for order 3")
    return "at order 2 a hundredth of the error costs ten times the steps, at order 1 a hundred times"


@exercise("fast-solvers-4")
def churn_std(answer):
    """answer(s, s_churn, n) -> standard deviation of the noise added [karras2022edm, alg. 2]."""
    s, s_churn, n = 2.0, 4.0, 20
    gamma = s_churn / n
    right = s * math.sqrt((1 + gamma) ** 2 - 1)
    compare(answer(s, s_churn, n), right, known={
        "that is the new level minus the old one; it is variances that add": gamma * s,
        "that is the new level itself; how much noise is missing on the way there?": (1 + gamma) * s,
        "that is the variance; a standard deviation is asked": right**2,
        "s_churn is shared out over the steps: gamma is s_churn / n": s,  # the cap
        "the level s is missing: gamma is a share of it": right / s,
    }, otherwise="it must be the root of raised**2 - s**2")
    compare(answer(s, 100.0, n), s, known={
        "the cap is missing: gamma is at most sqrt(2) - 1": s * math.sqrt(36 - 1),
    }, otherwise="at the cap the variance doubles, so the noise added has standard deviation s")
    return "at the cap the added noise is as strong as the noise already there"
