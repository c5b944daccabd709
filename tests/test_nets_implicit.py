"""Coordinate networks: what they draw, how they begin, what they refuse."""

import pytest
import torch
from refusals import refused_in_one_sentence

import medtut as mt
from medtut.nets_implicit import ACTIVATIONS, Implicit, encode


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_it_learns_the_image_it_is_shown_and_each_network_its_own(activation):
    y, x = torch.meshgrid(torch.linspace(-1, 1, 10), torch.linspace(-1, 1, 12), indexing="ij")
    images = torch.stack([x + y, x * y, (2 * x).sin()])[:, None].repeat(1, 2, 1, 1)
    net = Implicit(images.shape, activation, width=24, omega=5.0, generator=mt.generators(0, 3))
    assert net().shape == images.shape
    adam = torch.optim.Adam(net.parameters(), 3e-3)
    for _ in range(400):
        adam.zero_grad()
        (net() - images).square().mean().backward()
        adam.step()
    assert (net() - images).square().mean() < 0.01 * images.square().mean()


def test_waves_begin_with_frequencies_up_to_omega():
    """The first layer's weights fill +-1 / 2, so its phases omega (w x + b) run through omega / 2 a side."""
    net = Implicit((1, 1, 8, 8), "sine", width=4000, hidden=1, omega=30.0, generator=mt.generators(0, 1))
    first, second = net.weights[0].abs(), net.weights[1].abs()
    assert 0.49 < first.max() <= 0.5
    assert 0.98 * (6 / 4000) ** 0.5 / 30 < second.max() <= (6 / 4000) ** 0.5 / 30
    assert torch.allclose(net.inputs.min(0).values, torch.tensor([-1.0, -1.0]))


def test_positions_are_encoded_by_octaves():
    position = torch.tensor([[0.25, -0.5]])
    e = encode(position, octaves=2)
    turns = torch.pi * torch.tensor([0.25, -0.5, 0.5, -1.0])
    torch.testing.assert_close(e, torch.cat([position[0], turns.sin(), turns.cos()])[None], atol=1e-6, rtol=0)


def test_an_unknown_activation_is_refused():
    refused_in_one_sentence(lambda: Implicit((1, 1, 4, 4), "tanh"), "tanh")
