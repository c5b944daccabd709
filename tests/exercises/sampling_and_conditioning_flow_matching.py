"""Planted wrong answers of chapter 2/03."""

NOTEBOOK = "notebooks/2_sampling_and_conditioning/03_flow_matching.ipynb"


def namespace():
    """What stub and solution cells find defined."""
    import medtut as mt

    return {"mt": mt}


def _with(scale=lambda s: 1 / (1 + s), clock=lambda s: 1000 * s / (1 + s), back=None):
    """A conversion with one part replaced; back(x, x_f, tau, out)."""
    back = back or (lambda x, x_f, tau, out: x_f + tau * out)

    def denoise_with(net, x, sigma):
        x_f = scale(sigma) * x
        return back(x, x_f, sigma / (1 + sigma), net(x_f, clock(sigma)))

    return denoise_with


def _bend(weight=lambda spans: spans.abs(), sign=1, values=lambda gap: gap.sum(1), divide=True):
    def bend(points, taus):
        spans = taus.diff()
        velocity = points.diff(dim=0) / (spans[:, None] if divide else 1)
        gap = (sign * (points[0] - points[-1]) - velocity).square()
        return (weight(spans) * values(gap)).sum()

    return bend


WRONG = {
    "flow-1": [
        (lambda x_f, tau, u: (x_f + (1 - tau) * u, x_f - tau * u), "image first"),
        (lambda x_f, tau, u: (x_f + tau * u, x_f - (1 - tau) * u), "go back"),
        (lambda x_f, tau, u: (x_f - (1 - tau) * u, x_f + tau * u), "not 1 - tau"),
        (lambda x_f, tau, u: (x_f - tau * u, x_f - (1 - tau) * u), "points towards it"),
        (lambda x_f, tau, u: (x_f - tau * u, x_f + tau * u), "not tau"),
        (lambda x_f, tau, u: (x_f - tau * u, u), "where the line ends"),
        (lambda x_f, tau, u: (x_f, u), "solve for x0"),
        (lambda x_f, tau, u: x_f - tau * u, "two values"),
    ],
    "flow-2": [
        (_with(scale=lambda s: 1.0), "got our x"),
        (_with(scale=lambda s: (1 + s**2) ** -0.5), "input's scale"),
        (_with(clock=lambda s: s / (1 + s)), "not to 1"),
        (_with(clock=lambda s: 1000 / (1 + s)), "other way"),
        (_with(clock=lambda s: 1000 * s), "1000 tau"),
        (_with(back=lambda x, x_f, tau, out: x_f - tau * out), "image minus noise"),
        (_with(back=lambda x, x_f, tau, out: x + tau * out), "same scale"),
        (_with(back=lambda x, x_f, tau, out: x_f + out), "whole unit"),
        (_with(back=lambda x, x_f, tau, out: out), "not the image"),
        (_with(back=lambda x, x_f, tau, out: x_f + (1 - tau) * out), "tau away"),
        (lambda net, x, sigma: x, "once"),
    ],
    "flow-3": [
        (lambda c: c, "do not reach"),
        (lambda c: (c**2 / (1 + c**2)) ** 2, "variance"),
        (lambda c: 2 * c**2 / (1 + c**2), "second factor"),
        (lambda c: 0.0, "lands on the mean"),
        (lambda c: c**2, "factors are"),
        (lambda c: 0.2, "one half"),
    ],
    "flow-4": [
        (_bend(weight=lambda spans: 1 / len(spans)), "as long as it lasts"),
        (_bend(weight=lambda spans: 1.0), "without their spans"),
        (_bend(values=lambda gap: gap.mean(1)), "does not divide"),
        (_bend(sign=-1), "rising tau"),
        (_bend(weight=lambda spans: spans), "not negative"),
        (_bend(divide=False), "velocity that is compared"),
        (lambda points, taus: points.square().sum(), "difference of points"),
    ],
}
