"""Six families of generative models behind one set of names, so that one loop trains and one loop draws.

All see x of (b, *shape) in [-1, 1]. `loss(x, generator)` is what training lowers, `sample(n, generator)`
draws. What else a family offers says what it knows of its density, in nats per sample: `log_prob` is exact,
`bound` is a lower bound, `energy` is minus the log density up to a constant. The GAN offers none of them.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor, nn
from torch.func import functional_call

from .denoisers import Preconditioned, denoising_loss, v
from .noise import randn, randn_like
from .samplers import ddpm, last, likelihood, start
from .schedules import cosine, geometric, stratified_cosine

Batch = Float[Tensor, "b *shape"]
Nats = Float[Tensor, " b"]


def dequantise(k: Int[Tensor, "b *shape"], levels: int, generator: Generator | None = None) -> Batch:
    """Grey levels 0 .. levels - 1 as real numbers, uniform within their bins of [-1, 1] [theis2016note]."""
    u = torch.rand(k.shape, generator=generator)
    return 2 * (k + u) / levels - 1


def quantise(x: Batch, levels: int) -> Int[Tensor, "b *shape"]:
    """The bin of each value: the inverse of `dequantise`, whatever the noise was."""
    return ((x + 1) / 2 * levels).floor().long().clamp(0, levels - 1)


def bits_per_dim(nats: Nats, dims: int, levels: int) -> Nats:
    """Bits per value of the image of grey levels, from the log density in [-1, 1] [theis2016note]."""
    return likelihood.bits_per_dim(nats, dims, levels, width=2.0)


def normal(x: Batch, mean: Batch | float = 0.0, log_sd: Batch | float = 0.0) -> Nats:
    """Log density of independent Gaussians, one number per sample."""
    log_sd = torch.as_tensor(log_sd, dtype=x.dtype, device=x.device)
    z = (x - mean) * (-log_sd).exp()
    return -(0.5 * z**2 + log_sd + 0.5 * math.log(2 * math.pi)).expand_as(x).flatten(1).sum(1)


class VAE(nn.Module):
    """Variational autoencoder: a bound on log p(x) from a guess of the latent z [kingma2014vae].

    encoder: x -> mean and log sd of q(z | x), (b, 2 * latent). decoder: z -> those of p(x | z), on axis 1.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, latent: int, floor: float = -5.0):
        super().__init__()
        self.encoder, self.decoder, self.latent, self.floor = encoder, decoder, latent, floor

    def decode(self, z: Float[Tensor, "b k"]) -> tuple[Batch, Batch]:
        """Mean and log sd of p(x | z); the floor keeps a pixel that never varies from an infinite density."""
        mean, log_sd = self.decoder(z).chunk(2, 1)
        return mean, self.floor + nn.functional.softplus(log_sd - self.floor)

    def bound(self, x: Batch, generator: Generator | None = None) -> Nats:
        """log p(x | z) - KL(q(z | x) || N(0, I)) at one z drawn from q: at most log p(x) on average."""
        mean, log_sd = self.encoder(x).chunk(2, 1)
        z = mean + log_sd.exp() * randn_like(mean, generator)
        kl = (0.5 * (mean**2 + (2 * log_sd).exp() - 1) - log_sd).sum(1)
        return normal(x, *self.decode(z)) - kl

    def importance(self, x: Batch, draws: int, generator: Generator | None = None) -> Nats:
        """log of the mean of p(x, z) / q(z | x) over `draws` of z: a tighter bound [burda2016iwae]."""
        mean, log_sd = self.encoder(x).chunk(2, 1)
        found = []
        for _ in range(draws):
            z = mean + log_sd.exp() * randn_like(mean, generator)
            found.append(normal(x, *self.decode(z)) + normal(z) - normal(z, mean, log_sd))
        return torch.stack(found).logsumexp(0) - math.log(draws)

    def loss(self, x: Batch, generator: Generator | None = None) -> Tensor:
        return -self.bound(x, generator).mean() / x[0].numel()

    def sample(self, n: int, generator: Generator | None = None, noise: bool = True) -> Batch:
        """A draw of p(x | z); noise=False is its mean, which is not a draw of the model."""
        z = randn((n, self.latent), generator, next(self.parameters()))
        mean, log_sd = self.decode(z)
        return mean + log_sd.exp() * randn_like(mean, generator) if noise else mean


class GAN(nn.Module):
    """A generator and the judge it tries to fool [goodfellow2014gan]. It has no density to ask for."""

    def __init__(self, generator: nn.Module, judge: nn.Module, latent: int):
        super().__init__()
        self.generator, self.judge, self.latent = generator, judge, latent

    def loss(self, x: Batch, generator: Generator | None = None) -> Tensor:
        """Both players' losses in one sum; neither gradient reaches the other player's weights.

        The generator raises log D(G(z)) instead of lowering log(1 - D(G(z))), as the paper advises.
        """
        made = self.sample(len(x), generator)
        frozen = {name: p.detach() for name, p in self.judge.named_parameters()}
        softplus = nn.functional.softplus  # -log sigmoid(a) = softplus(-a)
        judge = softplus(-self.judge(x)).mean() + softplus(self.judge(made.detach())).mean()
        return judge + softplus(-functional_call(self.judge, frozen, (made,))).mean()

    def sample(self, n: int, generator: Generator | None = None) -> Batch:
        return self.generator(randn((n, self.latent), generator, next(self.parameters())))


class Coupling(nn.Module):
    """One half of axis 1 scales and shifts the other [dinh2017realnvp]; then the axis is reordered.

    net: the half that stays, (b, c, ...), -> log scale and shift of the other, (b, 2c, ...).
    """

    def __init__(self, net: nn.Module, order: list[int]):
        super().__init__()
        self.net, self.order = net, order
        self.back = [order.index(i) for i in range(len(order))]

    def change(self, kept: Tensor) -> tuple[Tensor, Tensor]:
        """Log scale, at most 2 in size so that the inverse stays accurate, and shift."""
        log_scale, shift = self.net(kept).chunk(2, 1)
        return 2 * torch.tanh(log_scale / 2), shift

    def forward(self, x: Tensor) -> tuple[Tensor, Nats]:
        kept, moved = x.chunk(2, 1)
        log_scale, shift = self.change(kept)
        y = torch.cat([kept, moved * log_scale.exp() + shift], 1)
        return y[:, self.order], log_scale.flatten(1).sum(1)

    def inverse(self, y: Tensor) -> Tensor:
        kept, moved = y[:, self.back].chunk(2, 1)
        log_scale, shift = self.change(kept)
        return torch.cat([kept, (moved - shift) * (-log_scale).exp()], 1)


class Fold(nn.Module):
    """Squares of 2 x 2 pixels become channels: nothing is lost, and axis 1 can be halved."""

    def forward(self, x: Tensor) -> tuple[Tensor, Nats]:
        return nn.functional.pixel_unshuffle(x, 2), x.new_zeros(len(x))

    def inverse(self, y: Tensor) -> Tensor:
        return nn.functional.pixel_shuffle(y, 2)


class Flow(nn.Module):
    """A normalising flow: invertible steps to Gaussian noise, with an exact density [dinh2017realnvp]."""

    def __init__(self, steps: list[nn.Module], shape: tuple[int, ...]):
        """shape: of the noise at the end, as the last step leaves it."""
        super().__init__()
        self.steps, self.shape = nn.ModuleList(steps), shape

    def forward(self, x: Batch) -> tuple[Tensor, Nats]:
        """The noise of x, and the log determinant of the map to it."""
        total = x.new_zeros(len(x))
        for step in self.steps:
            x, log_det = step(x)
            total = total + log_det
        return x, total

    def inverse(self, z: Tensor) -> Batch:
        for step in reversed(self.steps):
            z = step.inverse(z)
        return z

    def log_prob(self, x: Batch) -> Nats:
        """log N(f(x); 0, I) + log |det df/dx|."""
        z, log_det = self(x)
        return normal(z) + log_det

    def loss(self, x: Batch, generator: Generator | None = None) -> Tensor:
        return -self.log_prob(x).mean() / x[0].numel()

    def sample(self, n: int, generator: Generator | None = None) -> Batch:
        return self.inverse(randn((n, *self.shape), generator, next(self.parameters())))


class Autoregressive(nn.Module):
    """One value after the other, each from a table of `levels` probabilities [oord2016pixel].

    net: x, (b, *shape), -> logits (b, levels, *shape), those of a value from earlier values only;
    net.at(x, i) gives the logits (b, levels) of value i, in reading order.
    """

    def __init__(self, net: nn.Module, shape: tuple[int, ...], levels: int):
        super().__init__()
        self.net, self.shape, self.levels = net, shape, levels

    def centres(self, k: Int[Tensor, "b *shape"]) -> Batch:
        return (2 * k + 1) / self.levels - 1

    def log_mass(self, k: Int[Tensor, "b *shape"]) -> Nats:
        """log P(k): the sum over values of log P(k_i | earlier values), exact."""
        log_p = self.net(self.centres(k)).log_softmax(1)
        return log_p.gather(1, k[:, None]).flatten(1).sum(1)

    def log_prob(self, x: Batch) -> Nats:
        """The density that is constant in each bin."""
        return self.log_mass(quantise(x, self.levels)) + x[0].numel() * math.log(self.levels / 2)

    def loss(self, x: Batch, generator: Generator | None = None) -> Tensor:
        return -self.log_mass(quantise(x, self.levels)).mean() / x[0].numel()

    @torch.no_grad()
    def sample(self, n: int, generator: Generator | None = None) -> Batch:
        """One call of the network for each value; uniform within the bins, like the data."""
        x = torch.zeros(n, *self.shape, device=next(self.parameters()).device)
        flat, found = x.flatten(1), []
        for i in range(flat.shape[1]):
            p = self.net.at(x, i).softmax(1).cpu()
            found.append(torch.multinomial(p, 1, generator=generator))
            flat[:, i] = self.centres(found[-1][:, 0]).to(x)
        return dequantise(torch.cat(found, 1).reshape(x.shape), self.levels, generator).to(x)


class Energy(nn.Module):
    """p(x) = exp(-E(x)) / Z with Z unknown, trained against its own Langevin chains [du2019ebm].

    net: x -> (b,). Chains of `steps` start from a store of earlier ends, or for one in twenty from noise.
    A move is `step` times the downhill gradient, cut at `cut`, plus noise of sd `noise`. Without the cut and
    with noise = sqrt(2 step) it is a Langevin move of this density; for images it is a colder, faster one.
    """

    def __init__(self, net: nn.Module, shape, steps=15, step=2e-4, noise=0.02, cut=math.inf, stored=256):
        super().__init__()
        self.net, self.steps, self.step, self.noise, self.cut = net, steps, step, noise, cut
        self.register_buffer("store", 2 * torch.rand(stored, *shape) - 1)

    def energy(self, x: Batch) -> Nats:
        return self.net(x).flatten()

    @torch.enable_grad()
    def chain(self, x: Batch, steps: int, generator: Generator | None = None) -> Batch:
        """Langevin moves within [-1, 1]."""
        for _ in range(steps):
            x = x.detach().requires_grad_()
            slope = torch.autograd.grad(self.energy(x).sum(), x)[0]
            slope = slope.clamp(-self.cut, self.cut)
            x = (x - self.step * slope + self.noise * randn_like(x, generator)).clamp(-1, 1)
        return x.detach()

    def loss(self, x: Batch, generator: Generator | None = None) -> Tensor:
        """E(data) - E(chains), and a little of E**2, without which the energies drift away together."""
        i = torch.randint(len(self.store), (len(x),), generator=generator)
        began = self.store[i]
        fresh = 2 * torch.rand(began.shape, generator=generator).to(began) - 1
        began = torch.where(torch.arange(len(x)).reshape(-1, *[1] * (x.ndim - 1)) % 20 == 0, fresh, began)
        self.store[i] = made = self.chain(began, self.steps, generator)
        low, high = self.energy(x), self.energy(made)
        return (low - high).mean() + 0.01 * (low**2 + high**2).mean()

    def sample(self, n: int, generator: Generator | None = None, steps: int = 60) -> Batch:
        """Chains that go on from stored ends: without the store a far longer chain is needed."""
        i = torch.randint(len(self.store), (n,), generator=generator)
        return self.chain(self.store[i], steps, generator)


class Diffusion(nn.Module):
    """The diffusion model of chapter 1/02 behind the same names [ho2020ddpm]."""

    LOW, HIGH = 0.003, 80.0

    def __init__(self, net: nn.Module, shape: tuple[int, ...]):
        super().__init__()
        self.denoise, self.shape = Preconditioned(net, v()), shape

    def loss(self, x: Batch, generator: Generator | None = None) -> Tensor:
        sigma = stratified_cosine(len(x), generator, self.LOW, self.HIGH).to(x)
        return denoising_loss(self.denoise, x, sigma, generator=generator).mean()

    def sample(self, n: int, generator: Generator | None = None, steps: int = 50) -> Batch:
        sigmas = cosine(steps, 0.01, self.HIGH)
        x = start(sigmas, (n, *self.shape), generator, next(self.parameters()))
        return last(ddpm(self.denoise, sigmas, x, generator=generator))

    def bound(self, x: Batch, generator: Generator | None = None, calls: int = 50) -> Nats:
        """The bound of chapter 1/02 for a chain of 10,000 geometric levels [ho2020ddpm].

        Its sum is estimated from `calls` levels, one in each of as many equal strata.
        """
        s = geometric(10_000, self.LOW, self.HIGH)[:-1].flip(0)
        end = 1 / (1 + s[-1].item() ** 2)
        far = 0.5 * (end * x**2 - end - math.log1p(-end)).flatten(1).sum(1)
        width, between = (len(s) - 1) / calls, torch.zeros_like(far)
        for i in range(calls):
            t = 1 + int((i + torch.rand((), generator=generator).item()) * width)
            gain = 0.5 * (s[t - 1].item() ** -2 - s[t].item() ** -2)
            between += width * gain * self.error(x, s[t].item(), generator)
        x1 = x + s[0].item() * randn_like(x, generator)
        return normal(x, self.denoise(x1, s[0].item()), math.log(s[0].item())) - between - far

    def error(self, x: Batch, s: float, generator: Generator | None = None) -> Nats:
        """|x - x0hat|**2 at noise level s."""
        return (x - self.denoise(x + s * randn_like(x, generator), s)).square().flatten(1).sum(1)
