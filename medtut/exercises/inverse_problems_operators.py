"""Checkers of chapter 3/02, operators."""

import torch

from ..checks import compare, exercise, require


@exercise("op-1")
def block_adjoint(answer):
    """answer(y, f) -> the adjoint of the mean over f x f blocks."""
    g = torch.Generator().manual_seed(0)
    for f in (2, 3):
        y = torch.randn(2, 1, 4, 5, generator=g, dtype=torch.float64)
        copies = y.repeat_interleave(f, -1).repeat_interleave(f, -2)
        tiles = y.repeat(1, 1, f, f)
        corner = torch.zeros_like(copies)
        corner[..., ::f, ::f] = y
        compare(
            answer(y, f),
            copies / f**2,
            known={
                "that is the pseudo-inverse; the adjoint keeps the weight 1 / f^2": copies,
                "the block has f rows and f columns, so the weight is 1 / f^2": copies / f,
                "each datum goes back to its own block, not to copies of the whole image": tiles / f**2,
                "all pixels of the block entered the mean, not only its first": corner,
            },
            otherwise="compare <Ax, y> with <x, A*y> for a random x and y",
        )
    return "the pseudo-inverse undoes; the adjoint only sends back"


class _Matrix:
    """y = M x for images (b, 1, 4, 8), with the pseudo-inverse."""

    def __init__(self, M: torch.Tensor):
        self.M, self.inverse = M, torch.linalg.pinv(M)

    def __call__(self, x):
        return x.flatten(1) @ self.M.T

    def pinv(self, y):
        return (y @ self.inverse.T).reshape(-1, 1, 4, 8)


def _cases():
    g = torch.Generator().manual_seed(1)
    rows = torch.eye(32, dtype=torch.float64)[torch.randperm(32, generator=g)[:20]]
    for M in (rows, torch.randn(12, 32, generator=g, dtype=torch.float64)):
        x, change = (torch.rand(2, 1, 4, 8, generator=g, dtype=torch.float64) for _ in range(2))
        yield _Matrix(M), x, change


@exercise("op-2")
def twin(answer):
    """answer(A, x, change) -> an image with the same data that carries the unseen part of the change."""
    for A, x, change in _cases():
        got = answer(A, x, change)
        require(torch.is_tensor(got) and got.shape == x.shape, "give an image with the shape of x")
        require((got - x).abs().max() > 1e-6, "that is x itself: no part of the change is in it")
        gap = (A(got) - A(x)).abs().max()
        seen = A.pinv(A(change))
        require(
            not torch.allclose(got, x + change, atol=1e-3), "the scanner notices that: the data are different"
        )
        require(
            not torch.allclose(got, x + seen, atol=1e-3),
            "that is the part of the change that the data see; the other part is wanted",
        )
        require(gap < 1e-3, "A(x) and A of your image differ: take away what A sees of the change")
        compare(
            got,
            x + change - seen,
            known={"the sign: the change should be added": x - change + seen},
            otherwise="the data agree, but more of the change would fit; keep all of its null-space part",
        )
    return "no reconstruction method can tell the two apart"


@exercise("op-3")
def heard(answer):
    """answer(s, sigma, tau) -> number of directions whose variance is at least halved by the data."""
    s = torch.tensor([1.0, 0.5, 0.21, 0.19, 0.13, 0.07, 0.05, 0.02, 0.013, 0.004, 0.003] + 7 * [0.0])
    for sigma, tau in ((0.06, 0.3), (0.02, 0.5), (0.3, 0.5)):
        half = int((s * tau >= sigma).sum())
        compare(
            answer(s, sigma, tau),
            half,
            known={
                "the prior's scale must enter: a strong prior has less to learn": int((s >= sigma).sum()),
                "tau multiplies s, it does not divide it": int((s >= sigma * tau).sum()),
                "that counts the directions with any datum, however noisy": int((s > 0).sum()),
                "that compares variances with standard deviations": int((s * tau >= sigma**2).sum()),
                "that is the number of those not heard": len(s) - half,
            },
            otherwise="the variance is halved where s tau = sigma",
        )
    return "this number, not the number of data, says how much a scan tells"


@exercise("op-4")
def unbiased_magnitude(answer):
    """answer(y, sigma) -> magnitude from the mean of squares, not below 0."""
    g = torch.Generator().manual_seed(2)
    sigma = 0.5
    signal = torch.tensor([0.0, 0.0, 0.0, 0.4, 1.0, 3.0], dtype=torch.float64)[:, None]
    noise = sigma * torch.randn(2, 6, 50, generator=g, dtype=torch.float64)
    y = torch.hypot(signal + noise[0], noise[1])
    power = y.square().mean(-1)
    right = (power - 2 * sigma**2).clamp(min=0).sqrt()
    require(
        bool((power < 2 * sigma**2).any()), "the checker's own noise has changed; report this, it is a fault"
    )
    got = torch.as_tensor(answer(y, sigma))
    require(not got.isnan().any(), "the difference can be negative by chance; cut it off at 0 first")
    compare(
        got,
        right,
        known={
            "that is the mean magnitude, bias and all": y.mean(-1),
            "noise sits in the real and in the imaginary part: 2 sigma^2": (power - sigma**2)
            .clamp(min=0)
            .sqrt(),
            "that is the mean square; take its root": (power - 2 * sigma**2).clamp(min=0),
            "the bias of the mean square is missing": power.sqrt(),
            "the mean must be taken over squares, before the bias is removed": (
                (y.square() - 2 * sigma**2).clamp(min=0).sqrt().mean(-1)
            ),
        },
        otherwise="mean of the squares, minus 2 sigma^2, not below 0, root",
    )
    return "what is added to a square has a mean that can be subtracted; what bends a magnitude has not"
