"""A network as CUDA graphs: small batches wait for the launch of kernels, and a graph launches them all."""

from collections.abc import Callable

import torch
from torch import Tensor


class Graphed:
    """A network of `mt.load` on a GPU, recorded once for each shape and played back, gradients in x included.

    A result is overwritten by the next call of the same shape, so it is handed out as a copy.
    """

    def __init__(self, network: Callable):
        self.network, self.played = network, {}

    def __call__(self, x: Tensor, sigma, label: Tensor | None = None) -> Tensor:
        wanted = x.requires_grad and torch.is_grad_enabled()
        key = (tuple(x.shape), wanted)
        if key not in self.played:
            self.played[key] = Recording(self.network, x, label, wanted)
        return self.played[key](x, float(sigma), label)


class Recording:
    """One forward and, if `wanted`, one backward pass in memory of their own."""

    def __init__(self, network: Callable, x: Tensor, label: Tensor, wanted: bool):
        self.x = x.detach().clone().requires_grad_(wanted)
        self.sigma = torch.ones(len(x), dtype=torch.float64, device=x.device)
        self.label, self.push = label.clone(), torch.zeros_like(x)
        self.forward, self.backward = torch.cuda.CUDAGraph(), torch.cuda.CUDAGraph()

        def run() -> Tensor:
            with torch.set_grad_enabled(wanted):
                return network(self.x, self.sigma, label=self.label)

        def pull(y: Tensor) -> Tensor:  # the activations stay: one forward pass may be followed by several
            return torch.autograd.grad(y, self.x, self.push, retain_graph=True)[0]

        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(2):
                y = run()
                if wanted:
                    pull(y)
        torch.cuda.current_stream().wait_stream(side)
        with torch.cuda.graph(self.forward):
            self.y = run()
        if wanted:
            with torch.cuda.graph(self.backward, pool=self.forward.pool()):
                self.gradient = pull(self.y)

    def __call__(self, x: Tensor, sigma: float, label: Tensor) -> Tensor:
        self.sigma.fill_(sigma)
        self.label.copy_(label)
        if self.x.requires_grad:
            return _Played.apply(x, self)
        self.x.copy_(x)
        self.forward.replay()
        return self.y.clone()


class _Played(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, recording: Recording) -> Tensor:
        ctx.recording = recording
        with torch.no_grad():
            recording.x.copy_(x)
        recording.forward.replay()
        return recording.y.detach().clone()

    @staticmethod
    def backward(ctx, push: Tensor) -> tuple[Tensor, None]:
        ctx.recording.push.copy_(push)
        ctx.recording.backward.replay()
        return ctx.recording.gradient.clone(), None
