"""Which part of an activation a part of the next one needs, and what of it the layers make."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import nn

from nst import paper
from nst.checkpoint import load_networks
from nst.inference.activation import Activation, EagerChain, source_span

LAYERS = {
    "reflected": [nn.ReflectionPad2d(4), nn.Conv2d(1, 1, 9)],
    "down": [nn.ReflectionPad2d(1), nn.Conv2d(1, 1, 3, stride=2)],
    "up": [nn.ConvTranspose2d(1, 1, 3, stride=2, padding=1, output_padding=1)],
    "shuffled": [nn.ReflectionPad2d(1), nn.Conv2d(1, 4, 3), nn.PixelShuffle(2)],
    "repeated": [nn.Upsample(scale_factor=2), nn.ReflectionPad2d(1), nn.Conv2d(1, 1, 3)],
}
CHAINS = [
    *([name] for name in LAYERS),
    ["down", "down", "reflected", "up", "up"],
    ["down", "repeated"],
    ["up", "up", "reflected"],
]


@pytest.mark.parametrize("chain", CHAINS, ids="-".join)
@pytest.mark.parametrize("span", [(40, 41), (41, 44), (36, 48)])
def test_source_span_is_exactly_what_a_gradient_reaches(
    chain: list[str], span: tuple[int, int]
) -> None:
    layers = list(itertools.chain.from_iterable(LAYERS[name] for name in chain))
    for layer in layers:
        for parameter in layer.parameters():
            nn.init.ones_(parameter)
    source = torch.zeros(1, 1, 128, 128, requires_grad=True)
    nn.Sequential(*layers)(source)[:, :, slice(*span)].sum().backward()
    (reached,) = source.grad[0, 0].sum(1).nonzero(as_tuple=True)
    assert source_span(layers, span) == (reached.min(), reached.max() + 1)


def test_what_the_networks_see() -> None:
    """A pixel depends on about 50 px to each side, in the paper's four on the same."""
    spans = {name: source_span([network], (400, 404)) for name, network in load_networks().items()}
    for start, stop in spans.values():
        assert 40 < 400 - start < 64
        assert 40 < stop - 404 < 64
    assert len({spans[name] for name in paper.PARAMETERS}) == 1


@pytest.mark.parametrize("chain", CHAINS, ids="-".join)
@pytest.mark.parametrize("rows", [(0, 4), (3, 5), (8, 11), (12, 16), (0, 16), (15, 16)])
def test_a_part_is_the_same_part_of_the_whole(chain: list[str], rows: tuple[int, int]) -> None:
    torch.manual_seed(0)
    layers = tuple(itertools.chain.from_iterable(LAYERS[name] for name in chain))
    for layer in layers:
        for parameter in layer.parameters():
            nn.init.normal_(parameter)
    source = torch.rand(1, 24, 36)
    with torch.inference_mode():
        whole = nn.Sequential(*layers)(source[None])[0]
        # At a quarter of the picture's size.
        activation = Activation(source.permute(1, 2, 0).numpy(), 4, layers)
        assert whole.shape == (activation.channels, *activation.size)
        scale = whole.shape[1] / 16
        start, stop = int(rows[0] * scale), max(int(rows[1] * scale), int(rows[0] * scale) + 1)
        columns = (whole.shape[2] // 3, whole.shape[2] // 2)
        part = activation.part(EagerChain(activation.chained), (start, stop), columns)
    expected = whole[:, start:stop, slice(*columns)].permute(1, 2, 0)
    torch.testing.assert_close(torch.from_numpy(part), expected)


def test_what_goes_across_channels_last() -> None:
    photo = Activation(torch.zeros(16, 16, 8).numpy())
    mixed = photo.then(nn.Conv2d(8, 8, 1)).then(nn.ReLU())
    assert mixed.mixed
    assert not photo.mixed
    assert not mixed.then(nn.Conv2d(8, 8, 3, groups=8)).mixed
