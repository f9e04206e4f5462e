"""The perceptual loss with a gradient of its own, faster on a CPU than what autograd makes of it.

VGG is frozen and only the pictures' gradient is wanted, so VGG's layers are one node for autograd:

- ReLU is part of the convolution (oneDNN's fused form), so no activation is written twice;
- activations stay in bf16 (or fp32) and channels last, nothing is copied to fp32.  Gram matrices
  are products of bf16 with sums in fp32, rounded to bf16, which the terms do not show;
- on the way back, max-pooling's gradient, ReLU's mask and the gradients of Gram matrix and content
  meet in one compiled kernel, instead of a scatter by 64-bit indices and three passes more.

Shapes in comments are (N, H, W, C) where a name says `features`, (N, C, H, W) elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nst.loss import LossTerms, PerceptualLoss, shrink
from nst.models import normalise

PLAIN = ([1, 1], [1, 1], [1, 1])  # stride, padding, dilation of all of VGG's convolutions


class Target(NamedTuple):
    """What the content of pictures is compared with."""

    features: Tensor  # (N, H, W, C)
    energy: Tensor  # sum of squares of each photo, (N,)


@dataclass(frozen=True)
class Layer:
    """A convolution with its ReLU, before which there may be a max-pooling."""

    pooled: bool
    weight: Tensor
    bias: Tensor
    gram: Tensor | None  # the style picture's, (1, C, C)
    is_content: bool


@dataclass
class Step:
    """One layer at work, with what the way back needs of it."""

    layer: Layer
    x: Tensor  # input of the convolution
    y: Tensor  # its output, after ReLU
    gram_error: Tensor | None = None  # Gram matrices less the style picture's, (N, C, C)


class FastLoss(nn.Module):
    """`PerceptualLoss` on a CPU; with `content_target` in a form of its own.

    Args:
        loss: whose VGG, style picture and weights are taken.
        dtype: of the activations, bf16 or fp32.
    """

    def __init__(self, loss: PerceptualLoss, dtype: torch.dtype) -> None:
        super().__init__()
        self.loss, self.dtype = loss, dtype
        self.fused = torch.backends.mkldnn.is_available() and (
            dtype == torch.float32 or torch.ops.mkldnn._is_mkldnn_bf16_supported()
        )
        self.scales = {scale: self._layers(scale) for scale in {1: [], **loss.scales}}

    def _layers(self, scale: int) -> list[Layer]:
        """VGG's layers, as far as something looks at them."""
        vgg, content_layer = self.loss.vgg, self.loss.settings.content_layer
        style_names = self.loss.scales.get(scale, [])
        names = {position: name for name, position in vgg.positions.items()}
        wanted = [*style_names, *([content_layer] if scale == 1 else [])]
        layers, pooled = [], False
        for position, layer in enumerate(vgg.layers[: max(vgg.positions[n] for n in wanted)]):
            if isinstance(layer, nn.MaxPool2d):
                pooled = True
            if not isinstance(layer, nn.Conv2d):
                continue
            name = names[position + 1]
            weight = layer.weight.detach().to(self.dtype, memory_format=torch.channels_last)
            bias = layer.bias.detach().to(self.dtype)
            gram = self.loss.style_target(name, scale) if name in style_names else None
            is_content = scale == 1 and name == content_layer
            layers.append(Layer(pooled, weight, bias, gram, is_content))
            pooled = False
        return layers

    @torch.no_grad()
    def content_target(self, photos: Tensor) -> Target:
        """What `forward` compares with: (N, 3, H, W) in [0, 1]."""
        walk = self._walk(self._input(photos, scale=1), scale=1)
        features = next(nhwc(step.y) for step in walk if step.layer.is_content)
        return Target(features, features.float().square().sum((1, 2, 3)))

    def forward(self, pictures: Tensor, target: Target) -> LossTerms:
        """As `PerceptualLoss.forward`."""
        content = style = pictures.new_zeros((), dtype=torch.float32)
        for scale in self.scales:
            x = self._input(pictures, scale)
            content_here, style_here = _ThroughVGG.apply(x, self, scale, target)
            content, style = content + content_here, style + style_here
        return self.loss.weighted(content, style, pictures)

    def _input(self, pictures: Tensor, scale: int) -> Tensor:
        x = normalise(shrink(pictures.float(), scale)).to(self.dtype)
        return x.contiguous(memory_format=torch.channels_last)

    def _walk(self, x: Tensor, scale: int) -> Iterator[Step]:
        """Layer by layer through VGG: (max-pooling,) convolution, ReLU."""
        for layer in self.scales[scale]:
            if layer.pooled:
                x = nchw(pool(nhwc(x)))
            if self.fused:
                y = torch.ops.mkldnn._convolution_pointwise(
                    x, layer.weight, layer.bias, *PLAIN, 1, "relu", [], ""
                )
            else:
                y = F.conv2d(x, layer.weight, layer.bias, padding=1).relu_()
            yield Step(layer, x, y)
            x = y

    def forth(
        self, x: Tensor, scale: int, target: Target, keep: bool
    ) -> tuple[Tensor, Tensor, list[Step]]:
        """Content and style term of pictures as VGG gets them, (N, 3, H, W).

        And, if it is to be kept, what `back` needs, first layer first.
        """
        content = style = x.new_zeros((), dtype=torch.float32)
        tape = []
        for step in self._walk(x, scale):
            layer, features = step.layer, nhwc(step.y)
            if layer.gram is not None:
                columns = features.flatten(1, 2)  # (N, H·W, C)
                gram = (columns.mT @ columns).float() / features[0].numel()
                step.gram_error = gram - layer.gram
                error = step.gram_error.square().sum((1, 2)).mean()
                style = style + error / energy(layer.gram)
            if layer.is_content:
                distance = squared_distance(features, target.features)
                content = (distance / target.energy).mean()
            if keep:
                tape.append(step)
        return content, style, tape

    def back(self, tape: list[Step], target: Target, content: Tensor, style: Tensor) -> Tensor:
        """The gradient of `content`·content term + `style`·style term, (N, 3, H, W)."""
        gradient = pooled = None  # of the layer's output, as it comes from the layers above
        for step in reversed(tape):
            layer, features = step.layer, nhwc(step.y)
            from_gram = goal = factor = None
            if step.gram_error is not None:
                scaled = step.gram_error * (4 * style / (energy(layer.gram) * features.numel()))
                columns = features.flatten(1, 2)
                from_gram = (columns @ scaled.to(columns.dtype)).view(features.shape)
            if layer.is_content:
                goal = target.features
                factor = 2 * content / (target.energy * len(features))
            gradient = gather(features, gradient, pooled, from_gram, goal, factor)
            pooled = nhwc(step.x) if layer.pooled else None
            gradient = nhwc(
                torch.ops.aten.convolution_backward(
                    *(nchw(gradient), step.x, layer.weight, None, *PLAIN),
                    *(False, [0, 0], 1, [True, False, False]),
                )[0]
            )
        assert gradient is not None
        return nchw(gradient)


class _ThroughVGG(torch.autograd.Function):
    """Pictures at one scale -> content and style terms."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, loss: FastLoss, scale: int, target: Target
    ) -> tuple[Tensor, Tensor]:
        content, style, tape = loss.forth(x, scale, target, keep=ctx.needs_input_grad[0])
        ctx.loss, ctx.target, ctx.tape = loss, target, tape
        return content, style

    @staticmethod
    def backward(ctx: Any, content: Tensor, style: Tensor) -> tuple[Tensor, None, None, None]:
        gradient = ctx.loss.back(ctx.tape, ctx.target, content, style)
        ctx.tape = []
        return gradient, None, None, None


def nhwc(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1)


def nchw(x: Tensor) -> Tensor:
    return x.permute(0, 3, 1, 2)


def energy(gram: Tensor) -> Tensor:
    return gram.square().sum()


def quarters(y: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The pixels of each whole 2×2 square, in the order in which max-pooling looks at them."""
    n, h, w, c = y.shape
    y = y[:, : h // 2 * 2, : w // 2 * 2].reshape(n, h // 2, 2, w // 2, 2, c)
    return y[:, :, 0, :, 0], y[:, :, 0, :, 1], y[:, :, 1, :, 0], y[:, :, 1, :, 1]


@torch.compile(dynamic=False)
def pool(y: Tensor) -> Tensor:
    """2×2 max-pooling: (N, H, W, C) -> (N, H / 2, W / 2, C)."""
    a, b, c, d = quarters(y)
    return torch.maximum(torch.maximum(a, b), torch.maximum(c, d))


@torch.compile(dynamic=False)
def squared_distance(y: Tensor, goal: Tensor) -> Tensor:
    """Of each sample, (N,), in fp32."""
    return (y.float() - goal.float()).square().sum((1, 2, 3))


@torch.compile(dynamic=False)
def gather(
    y: Tensor,
    above: Tensor | None,
    pooled: Tensor | None,
    from_gram: Tensor | None,
    goal: Tensor | None,
    factor: Tensor | None,
) -> Tensor:
    """The gradient before a ReLU, from all that looks at its output `y`, (N, H, W, C).

    Args:
        above: the gradient from the layer above: of `pooled` if it is given, else of `y`.
        pooled: `y` after max-pooling; of equal pixels the first gets the gradient.
        from_gram: the gradient from the Gram matrix.
        goal, factor: the gradient from the content term is factor · (y − goal).
    """
    gradient = torch.zeros_like(y) if above is None else above
    if pooled is not None:
        a, b, c, _ = (quarter == pooled for quarter in quarters(y))
        first = (a, b & ~a, c & ~(a | b), ~(a | b | c))
        a, b, c, d = (torch.where(here, gradient, 0) for here in first)
        rows = torch.stack([torch.stack([a, b], dim=3), torch.stack([c, d], dim=3)], dim=2)
        n, h, w, channels = y.shape
        gradient = rows.reshape(n, h // 2 * 2, w // 2 * 2, channels)
        gradient = F.pad(gradient, (0, 0, 0, w % 2, 0, h % 2))
    if from_gram is not None:
        gradient = gradient + from_gram
    if goal is not None and factor is not None:
        distance = y.float() - goal.float()
        gradient = gradient.float() + factor[:, None, None, None] * distance
    return torch.where(y > 0, gradient, 0).to(y.dtype)
