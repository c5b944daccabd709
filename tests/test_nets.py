"""Networks: sizes, labels with a null in each column, and image sizes that differ from the trained one."""

import pytest
import torch

from medtut.nets import MLP, NETS, BrainNet, TinyUNet, coordinates


def woken(net):
    """The net with every parameter drawn: an untrained last layer is 0, and a test on 0 tests nothing."""
    torch.manual_seed(0)
    for p in net.parameters():
        torch.nn.init.normal_(p, std=0.05)
    return net.eval()


def count(net):
    return sum(p.numel() for p in net.parameters())


@pytest.fixture(scope="module")
def brain():
    return woken(BrainNet())


@torch.no_grad()
def ask(net, x, label=None):
    return net(x, torch.full((len(x),), 400.0), label)


def test_sizes_are_those_that_the_weight_budget_allows():
    for channels in (1, 2):
        assert 3.8e6 < count(BrainNet(channels)) < 4.0e6
        assert 2 * count(BrainNet(channels)) < 8 * 2**20
    assert 1e5 < count(TinyUNet()) < 2e5
    assert set(NETS) == {"BrainNet", "TinyUNet", "MLP"}


@pytest.mark.parametrize("size", [64, 128])
def test_brain_net_keeps_the_shape(brain, size):
    x = torch.randn(2, 1, size, size)
    assert ask(brain, x).shape == x.shape
    assert ask(brain, x).abs().max() > 0


def test_no_label_is_the_null_label(brain):
    x = torch.randn(2, 1, 64, 64)
    assert torch.equal(ask(brain, x), ask(brain, x, torch.full((2, 2), -1.0)))


def test_each_column_matters_alone_and_null_is_no_value(brain):
    x = torch.randn(1, 1, 64, 64)
    labels = [(-1, -1), (0, -1), (5, -1), (-1, 0), (-1, 0.5), (-1, 1), (0, 0.5)]
    outs = [ask(brain, x, torch.tensor([row], dtype=torch.float32)) for row in labels]
    for i, a in enumerate(outs):
        for b in outs[:i]:
            assert (a - b).abs().max() > 1e-4


def test_labels_belong_to_their_sample(brain):
    x = torch.randn(2, 1, 64, 64)
    label = torch.tensor([[0.0, 0.3], [-1.0, 0.9]])
    both = ask(brain, x, label)
    alone = torch.cat([ask(brain, x[i : i + 1], label[i : i + 1]) for i in range(2)])
    assert (both - alone).abs().max() < 1e-4


def test_a_label_of_the_wrong_shape_is_refused(brain):
    with pytest.raises(ValueError, match="contrast, position"):
        brain(torch.randn(2, 1, 64, 64), torch.ones(2), torch.zeros(2, 1))


def test_half_precision_parameters_leave_the_image_in_its_own():
    net = woken(BrainNet())
    x = torch.randn(1, 1, 64, 64)
    full = ask(net, x)
    half = ask(net.bfloat16(), x)
    assert half.dtype == torch.float32
    assert 0 < (half - full).norm() / full.norm() < 0.05


def test_coordinates_cover_the_same_field_at_every_size():
    small, large = coordinates(16, 16, torch.zeros(1)), coordinates(32, 32, torch.zeros(1))
    for c in (small, large):
        assert c.shape[1] == 3
        assert (c[0, 0, 0, 0], c[0, 1, 0, 0], c[0, 2, 0, 0]) == (-1, -1, 2)
        assert (c[0, 0, 0, -1], c[0, 1, 0, -1]) == (1, -1)


@pytest.mark.parametrize("net", [TinyUNet(classes=3), MLP(classes=3)])
def test_small_nets_know_time_and_label(net):
    net = woken(net)
    x = torch.randn(2, 1, 32, 32) if isinstance(net, TinyUNet) else torch.randn(2, 2)
    base = ask(net, x)
    assert base.shape == x.shape
    assert torch.equal(base, ask(net, x, torch.tensor([-1, -1])))
    assert (base - ask(net, x, torch.tensor([0, 2]))).abs().max() > 1e-4
    with torch.no_grad():
        assert (base - net(x, torch.full((2,), 600.0))).abs().max() > 1e-4
