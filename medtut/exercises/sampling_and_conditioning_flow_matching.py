"""Checkers of chapter 2/03, flow matching."""
import torch

from ..checks import compare, exercise, require


@exercise("flow-1")
def estimates(answer):
    """answer(x_f, tau, u) -> (x0hat, eps) for x_f = (1 - tau) x0 + tau eps and u = eps - x0."""
    x0, eps = torch.randn(2, 3, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    tau = 0.3
    x_f, u = (1 - tau) * x0 + tau * eps, eps - x0
    found = answer(x_f, tau, u)
    require(isinstance(found, tuple | list) and len(found) == 2, "give two values: image and noise")
    compare(found[0], x0, known={
        "that is the noise: image first, then noise": eps,
        "the sign: u points from the image to the noise, and you want to go back": x_f + tau * u,
        "the image is tau away along the line, not 1 - tau": x_f - (1 - tau) * u,
    }, otherwise="put u = eps - x0 into x_f = x0 + tau * (eps - x0), and solve for x0")
    compare(found[1], eps, known={
        "the sign of the noise: u points towards it": x_f - (1 - tau) * u,
        "the noise is 1 - tau away along the line, not tau": x_f + tau * u,
    }, otherwise="the noise is where the line ends at tau = 1: how far is it from x_f?")
    return "two ends of one line"


@exercise("flow-2")
def denoise_with(answer):
    """answer(net, x, sigma) -> D(x, sigma), the network being MONAI's x0 - eps at timestep 1000 tau."""
    mean, sigma = 0.5, 3.0
    x = torch.randn(6, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 3
    calls = []

    def net(x_f, timestep):
        timestep = torch.as_tensor(timestep, dtype=torch.float64).reshape(-1)[0]
        calls.append((x_f, float(timestep)))
        tau = timestep / 1000
        slope = (tau - (1 - tau)) / (tau**2 + (1 - tau) ** 2)
        return mean - slope * (x_f - (1 - tau) * mean)  # minus the velocity of a Gaussian of variance 1

    got = answer(net, x, sigma)
    compare(got, got)
    require(len(calls) == 1, "call the network once")
    x_f, timestep = calls[0]
    require(not torch.allclose(x_f, x), "the network wants x_f = x / (1 + sigma), and got our x")
    require(torch.allclose(x_f, x / (1 + sigma)), "the input's scale is 1 / (1 + sigma)")
    require(abs(timestep - 0.75) > 1e-6, "the timestep runs to 1000, not to 1")
    require(abs(timestep - 250) > 1e-6, "time runs the other way: timestep 0 is the image")
    require(abs(timestep - 750) < 1e-6, "the timestep is 1000 tau, with tau = sigma / (1 + sigma)")
    out = net(x_f, timestep)
    compare(got, x_f + 0.75 * out, known={
        "the sign: this network predicts image minus noise": x_f - 0.75 * out,
        "add the output to x_f, not to x: both belong to the same scale": x + 0.75 * out,
        "that is x_f moved by a whole unit of time; the image is tau away": x_f + out,
        "that is the network's output, not the image": out,
    }, otherwise="the image is tau away from x_f along the network's output")
    return "scale, time and sign: three conversions, and a foreign network is a denoiser"


@exercise("flow-3")
def std_two_steps(answer):
    """answer(c) -> standard deviation after two even Euler steps on N(0, c^2)."""
    c = 0.5
    compare(answer(c), c**2 / (1 + c**2), known={
        "that is the truth, which two steps do not reach": c,
        "that is a variance: take the product of the factors, not of their squares":
            (c**2 / (1 + c**2)) ** 2,
        "that is the second factor alone; the first step halves the deviation": 2 * c**2 / (1 + c**2),
        "one step lands on the mean; two do not": 0.0,
    }, otherwise="the factors are 1 - a(1)/2 = 1/2 and 1 - a(1/2)/2")
    compare(answer(1.0), 0.5, otherwise="test c = 1: the result must be one half")
    return "even for c = 1, where no step should change anything, two steps halve the width"


@exercise("flow-4")
def bend(answer):
    """answer(points, taus) -> S of one path [liu2023rectified], as a squared norm."""
    taus = torch.tensor([1.0, 0.9, 0.5, 0.2, 0.0], dtype=torch.float64)
    points = torch.randn(5, 2, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    spans = taus.diff()
    velocity = points.diff(dim=0) / spans[:, None]
    gap = (points[0] - points[-1] - velocity).square()
    line = taus[:, None] * points[:1]
    got = answer(points, taus)
    compare(got, (spans.abs() * gap.sum(1)).sum(), known={
        "each step counts as long as it lasts: weight it by its span": gap.sum(1).mean(),
        "that sums the steps without their spans": gap.sum(),
        "the squared norm sums over the two values, and does not divide by them":
            (spans.abs() * gap.mean(1)).sum(),
        "the chord leads from tau = 0 to tau = 1: its sign is that of the velocity, which is per rising tau":
            (spans.abs() * (points[-1] - points[0] - velocity).square().sum(1)).sum(),
        "S is not negative: spans of falling times are": (spans * gap.sum(1)).sum(),
        "divide each difference by its span: it is a velocity that is compared with the chord":
            (spans.abs() * (points[0] - points[-1] - points.diff(dim=0)).square().sum(1)).sum(),
    }, otherwise="velocity = difference of points / difference of times; chord = point at 1 - point at 0")
    compare(answer(line, taus), 0.0, otherwise="a straight line at constant speed must give 0")
    return "0 for a line at constant speed, however its points are spaced"
