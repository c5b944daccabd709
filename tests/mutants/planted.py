"""Small wrong edits of the package, one row each; the named tests must find every one."""

from importlib import import_module
from pathlib import Path
from typing import NamedTuple


class Mutant(NamedTuple):
    """In `file`, the only occurrence of `old` becomes `new`; tests/test_<tests>.py must then fail."""

    file: str
    old: str
    new: str
    tests: str


# the lines of `heun`, with enough around them to tell them from those of `churn`
HEUN = "sigmas.tolist())):\n        x0hat = denoise(x, s)\n        slope = (x - x0hat)"
LAST = """        if s_next > 0:
            slope_next = (x_next - denoise(x_next, s_next)) / s_next
            x_next = x + (s_next - s) * (slope + slope_next) / 2"""

MUTANTS = [
    # signs
    Mutant("denoisers.py", "torch.neg, _vp_in, clock", "torch.ones_like, _vp_in, clock", "denoisers"),
    Mutant("denoisers.py", "lambda s: -s * _vp_in(s)", "lambda s: s * _vp_in(s)", "denoisers"),
    Mutant("denoisers.py", "lambda s: -s / (1 + s)", "lambda s: s / (1 + s)", "denoisers"),
    Mutant(
        "denoisers.py",
        "(x0 - per_image(c_skip, x0) * x) /",
        "(x0 + per_image(c_skip, x0) * x) /",
        "denoisers",
    ),
    Mutant("denoisers.py", "out = d_base + per_image", "out = d_label + per_image", "denoisers"),
    Mutant("samplers/ode.py", HEUN, HEUN.replace("(x - x0hat)", "(x + x0hat)"), "samplers"),
    Mutant("posterior/guidance.py", "- step * gradient", "+ step * gradient", "posterior"),
    Mutant("posterior/classical.py", "x[..., 1:] += d", "x[..., 1:] -= d", "classical"),
    Mutant("exact.py", "self.cov - gain @ M @ self.cov", "self.cov + gain @ M @ self.cov", "exact"),
    # a square or a square root too many or too few, a lost factor of two
    Mutant("denoisers.py", "return (1 + s**2).rsqrt()", "return (1 + s).rsqrt()", "denoisers"),
    Mutant("schedules.py", "return ((1 - abar) / abar) ** 0.5", "return (1 - abar) / abar", "schedules"),
    Mutant(
        "samplers/ancestral.py", "kept = (s_next**2 - fresh**2) ** 0.5", "kept = s_next - fresh", "samplers"
    ),
    Mutant("samplers/ancestral.py", "mean + variance**0.5 *", "mean + variance *", "samplers"),
    Mutant(
        "samplers/ancestral.py", "(s_next / s) ** 2 * (x - x0hat)", "(s_next / s) * (x - x0hat)", "samplers"
    ),
    Mutant("samplers/ode.py", LAST, LAST.removesuffix(" / 2"), "samplers"),
    Mutant("operators.py", "return 0.5 * dot(r, r)", "return dot(r, r)", "operators"),
    Mutant("operators.py", "y + noise_std * simulator", "y + noise_std * 2**-0.5 * simulator", "operators"),
    Mutant("posterior/guidance.py", "residual = (2 * problem", "residual = (problem", "posterior"),
    Mutant(
        "posterior/guidance.py", "((1 + s**2) * (1 + s_next**2)) ** 0.5", "(1 + s**2) ** 0.5", "posterior"
    ),
    Mutant("posterior/projection.py", "(1 - eta**2) ** 0.5 * eps", "(1 - eta) * eps", "posterior"),
    Mutant("exact.py", "variances / (variances + s2)", "variances / (variances + s2.sqrt())", "exact"),
    Mutant("exact.py", "data.square().sum(1) / 2", "data.square().sum(1)", "exact"),
    Mutant("metrics.py", "10 * torch.log10(", "20 * torch.log10(", "metrics"),
    # swapped arguments, wrong neighbours, lost conjugates
    Mutant(
        "denoisers.py",
        "cat([rows(base, len(x)), rows(label,",
        "cat([rows(label, len(x)), rows(base,",
        "denoisers",
    ),
    Mutant("denoisers.py", "sigma * self.scale", "sigma", "denoisers"),
    Mutant("samplers/ancestral.py", "(kept / s) * (x - x0hat)", "(kept / s) * (x0hat - x)", "samplers"),
    Mutant("physics/mri.py", "self.coils.conj() * ifft2c", "self.coils * ifft2c", "operators"),
    Mutant(
        "physics/mri.py",
        "torch.fft.fft2(torch.fft.ifftshift(x",
        "torch.fft.fft2(torch.fft.fftshift(x",
        "mri",
    ),
    Mutant("physics/pixels.py", "self.pinv(y) / self.factor**2", "self.pinv(y)", "operators"),
    Mutant("physics/blur.py", "(-(kh // 2), -(kw // 2))", "(kh // 2, kw // 2)", "physics_blur"),
    Mutant("physics/blur.py", "response(self.kernel, y).conj()", "response(self.kernel, y)", "operators"),
    Mutant("physics/spectral.py", "phase.conj() * torch", "phase * torch", "operators"),
    Mutant("physics/spectral.py", "normal.conj() * z", "normal * z", "operators"),
    Mutant("physics/spectral.py", "/ (1 + overlap.abs())", "/ (1 - overlap.abs())", "operators"),
    Mutant("physics/mri_radial.py", "eps=eps, isign=-1", "eps=eps, isign=1", "physics_mri"),
    Mutant("physics/mri_radial.py", "(2 * np.pi * v)", "(np.pi * v)", "physics_mri"),
    Mutant("posterior/steps.py", "isinstance(problem, Likelihood)", "False", "posterior_claims"),
    Mutant("physics/blur.py", "mean((-4, -2))", "sum((-4, -2))", "operators"),
    Mutant("physics/blur.py", "((self.gamma - 1) / 2)", "(self.gamma - 1)", "physics_blur"),
    Mutant("physics/mri.py", "(w / 6)) ** 2) / 2)", "(w / 6)) ** 2))", "physics_mri"),
    Mutant("physics/mri_motion.py", "-torch.tan(angle / 2)", "torch.tan(angle / 2)", "physics_mri"),
    Mutant("physics/mri_motion.py", "reversed(steps) if", "steps if", "operators"),
    Mutant("physics/mismatch.py", "_finer(part, factor)", "_finer(part.abs(), factor)", "physics_mri"),
    Mutant("physics/mismatch.py", "self._parts) / self.factor**2", "self._parts)", "physics_mri"),
    Mutant("physics/mismatch.py", "k[:, None] + self.pixels", "k[:, None] - self.pixels", "physics_mri"),
    Mutant("physics/mismatch.py", '"ij,bj...->bi..."', '"ji,bj...->bi..."', "physics_mri"),
    Mutant("physics/ct.py", "slope = angle - np.arctan", "slope = angle + np.arctan", "physics_ct"),
    Mutant("physics/ct.py", "part**2 / (2 *", "part**2 / (", "physics_ct"),
    Mutant("physics/ct.py", "kernel[g.bins] = 0.25", "kernel[g.bins] = 0.5", "physics_ct"),
    Mutant("physics/ct.py", "/ inverse**2", "/ inverse", "physics_ct"),
    Mutant("physics/ct.py", "- path, -1) / self.depth", "- path, -1)", "physics_ct"),
    Mutant("physics/ct.py", "edge = g.offset - g.bins / 2", "edge = -g.offset - g.bins / 2", "physics_ct"),
    Mutant("physics/likelihoods.py", "(2 * variance) - bessel", "variance - bessel", "physics_counts"),
    Mutant("physics/likelihoods.py", "weight = depth * counts", "weight = counts", "physics_counts"),
    Mutant(
        "physics/likelihoods.py",
        "(a / best).log() + self.y / a",
        "self.y / a - (a / best).log()",
        "physics_counts",
    ),
    Mutant("physics/likelihoods.py", "2 * looks)", "looks)", "physics_counts"),
    Mutant("physics/pet.py", "exp(-depth * projector", "exp(depth * projector", "physics_counts"),
    Mutant("physics/pet.py", "+ problem.background", "", "physics_counts"),
    Mutant("physics/pet.py", ".adjoint(self._factor(y) * y)", ".adjoint(y)", "operators"),
    Mutant("physics/phase.py", "candidate).conj()", "candidate)", "physics_phase"),
    Mutant("physics/mri_radial.py", "turn = -2 * torch.pi * k", "turn = 2 * torch.pi * k", "physics_mri"),
    Mutant("physics/mri_radial.py", "self._scale**2", "self._scale", "operators"),
    Mutant("metrics.py", "within - 2 * xy.mean()", "within - xy.mean()", "metrics"),
    # a sign or a root of two in every sampler of the posterior
    Mutant("posterior/guidance.py", "zeta=alpha, generator", "zeta=-alpha, generator", "posterior_guidance"),
    Mutant(
        "posterior/guidance.py", "y = y + s_next * A(", "y = y + 2**0.5 * s_next * A(", "posterior_guidance"
    ),
    Mutant("posterior/guidance.py", "+ (1 if adaptive else", "- (1 if adaptive else", "posterior_guidance"),
    Mutant(
        "posterior/guidance.py",
        "r2 = variance * s**2 /",
        "r2 = 2**0.5 * variance * s**2 /",
        "posterior_guidance",
    ),
    Mutant(
        "posterior/guidance.py",
        "x0hat.detach() + spread(v)",
        "x0hat.detach() - spread(v)",
        "posterior_guidance",
    ),
    Mutant(
        "posterior/guidance.py",
        "return s**2 * torch.autograd",
        "return s * torch.autograd",
        "posterior_guidance",
    ),
    Mutant(
        "posterior/steps.py",
        "problem.noise_std**2 / variance",
        "problem.noise_std**2 / variance**0.5",
        "posterior_guidance",
    ),
    Mutant(
        "posterior/steps.py", "x + lam * problem.A.pinv(", "x - lam * problem.A.pinv(", "posterior_guidance"
    ),
    Mutant(
        "posterior/steps.py",
        "z = z + variance**0.5 *",
        "z = z + (variance / 2) ** 0.5 *",
        "posterior_splitting",
    ),
    Mutant(
        "posterior/steps.py",
        "y = problem.y + problem.noise_std *",
        "y = problem.y + 2**0.5 * problem.noise_std *",
        "posterior_splitting",
    ),
    Mutant(
        "posterior/langevin.py", "pull = -problem.grad(x)", "pull = problem.grad(x)", "posterior_langevin"
    ),
    Mutant("posterior/langevin.py", "(2 * size) ** 0.5 *", "size**0.5 *", "posterior_langevin"),
    Mutant(
        "posterior/langevin.py",
        "data = step * (problem.y - A(x))",
        "data = step * (A(x) - problem.y)",
        "posterior_langevin",
    ),
    Mutant("posterior/langevin.py", "(2 * step) ** 0.5 * s *", "step**0.5 * s *", "posterior_langevin"),
    Mutant("posterior/langevin.py", "(2 * step) ** 0.5 * noise", "step**0.5 * noise", "posterior_langevin"),
    Mutant(
        "posterior/projection.py", "y_s = y + s * A(", "y_s = y + 2**0.5 * s * A(", "posterior_projection"
    ),
    Mutant(
        "posterior/projection.py",
        "s_next**2) * (x0hat - x) / s**2",
        "s_next**2) * (x - x0hat) / s**2",
        "posterior_projection",
    ),
    Mutant("posterior/projection.py", "2 * snr**2 * dot(z, z)", "snr**2 * dot(z, z)", "posterior_projection"),
    Mutant(
        "posterior/projection.py",
        "guess + float(rest[0]) *",
        "guess + 2**0.5 * float(rest[0]) *",
        "posterior_projection",
    ),
    Mutant(
        "posterior/projection.py",
        "(s_next**2 - fresh**2) ** 0.5 * eps",
        "(s_next - fresh) * eps",
        "posterior_projection",
    ),
    Mutant(
        "posterior/projection.py",
        "x = x + fresh * randn",
        "x = x + 2**0.5 * fresh * randn",
        "posterior_projection",
    ),
    Mutant(
        "posterior/spectral.py",
        "mean + keep * (datum - mean) / nu",
        "mean + keep * (mean - datum) / nu",
        "posterior_spectral",
    ),
    Mutant(
        "posterior/spectral.py",
        "keep * eps + s_next * eta * z",
        "keep * eps + 2**-0.5 * s_next * eta * z",
        "posterior_spectral",
    ),
    Mutant("posterior/spectral.py", "mean - lam * error", "mean + lam * error", "posterior_spectral"),
    Mutant(
        "posterior/spectral.py",
        ".sqrt(), s_next * eta)",
        ".sqrt(), 2**0.5 * s_next * eta)",
        "posterior_spectral",
    ),
    Mutant("posterior/splitting.py", "eps = (x - x0hat) / s", "eps = (x0hat - x) / s", "posterior_splitting"),
    Mutant("posterior/splitting.py", "s_next * zeta**0.5 *", "s_next * zeta *", "posterior_splitting"),
    Mutant(
        "posterior/splitting.py",
        "denoise(x, s), s**2 / lam",
        "denoise(x, s), s**2 * lam",
        "posterior_splitting",
    ),
    Mutant(
        "posterior/splitting.py",
        "problem, x0hat, s**2, generator",
        "problem, x0hat, s**2 / 2, generator",
        "posterior_splitting",
    ),
    Mutant("posterior/splitting.py", "(x0 - x0hat) / s**2", "(x0hat - x0) / s**2", "posterior_splitting"),
    Mutant("posterior/splitting.py", "(2 * size) ** 0.5 *", "size**0.5 *", "posterior_splitting"),
    Mutant(
        "posterior/splitting.py",
        "problem, x, s**2, generator",
        "problem, x, 2 * s**2, generator",
        "posterior_splitting",
    ),
    Mutant(
        "posterior/variational.py", "(epshat - eps) / size", "(eps - epshat) / size", "posterior_splitting"
    ),
    Mutant(
        "posterior/variational.py",
        "problem.grad(mu) / count",
        "2**0.5 * problem.grad(mu) / count",
        "posterior_splitting",
    ),
    Mutant(
        "posterior/particles.py",
        "mean + (s**2 - s_next**2) * score",
        "mean - (s**2 - s_next**2) * score",
        "posterior_particles",
    ),
    Mutant("posterior/particles.py", ".sum(1) / (2 * std**2)", ".sum(1) / std**2", "posterior_particles"),
    Mutant(
        "posterior/particles.py", "spread = std**2 *", "spread = 2**0.5 * std**2 *", "posterior_particles"
    ),
    Mutant(
        "posterior/particles.py",
        "problem.y) + std * problem.A",
        "problem.y) + 2**0.5 * std * problem.A",
        "posterior_particles",
    ),
    Mutant("posterior/particles.py", "log_w = -potential(", "log_w = potential(", "posterior_particles"),
    Mutant(
        "posterior/particles.py", "std * (1 - gain).sqrt() * z", "std * (1 - gain) * z", "posterior_particles"
    ),
    Mutant(
        "posterior/splitting.py",
        "x = x0 + s_next * randn_like(x0",
        "x = x0 + 2**0.5 * s_next * randn_like(x0",
        "posterior_splitting",
    ),
    Mutant(
        "posterior/splitting.py",
        "karras(inner, s / 50, s), z",
        "karras(inner, s / 50, 2**0.5 * s), z",
        "posterior_splitting",
    ),
    Mutant("posterior/particles.py", "_choose(-misfit", "_choose(misfit", "posterior_particles"),
    Mutant("posterior/particles.py", "+ offset) / n", ") / n + offset", "posterior_particles"),
]
for file in sorted(Path(__file__).parent.glob("planted_*.py")):
    MUTANTS += [Mutant(*row) for row in import_module(file.stem).ROWS]
