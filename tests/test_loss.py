from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from nst.loss import LossSettings, PerceptualLoss, gram_matrix, total_variation
from nst.models import build_model
from nst.vgg import VGGFeatures, load_vgg16

STYLE_LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu2_2/2")


def make_loss(vgg: VGGFeatures, style: torch.Tensor, **settings: object) -> PerceptualLoss:
    return PerceptualLoss(vgg, style, LossSettings(**{"style_layers": STYLE_LAYERS, **settings}))


def test_gram_matrix_against_a_plain_loop() -> None:
    features = torch.randn(2, 3, 4, 5)
    expected = torch.zeros(2, 3, 3)
    for n in range(2):
        for i in range(3):
            for j in range(3):
                for y in range(4):
                    for x in range(5):
                        expected[n, i, j] += features[n, i, y, x] * features[n, j, y, x]
    torch.testing.assert_close(gram_matrix(features), expected / (3 * 4 * 5))


def test_gram_matrix_of_bf16_is_fp32() -> None:
    features = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(0)).bfloat16()
    expected = gram_matrix(features.float())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        gram = gram_matrix(features)
    assert gram.dtype == torch.float32
    torch.testing.assert_close(gram, expected, rtol=1e-5, atol=1e-7)


def test_total_variation_of_a_ramp() -> None:
    ramp = torch.arange(8.0).expand(1, 3, 8, 8) / 10  # rises by 0.1 to the right, not downwards
    torch.testing.assert_close(total_variation(ramp), torch.tensor(0.01))


def test_terms_are_zero_at_their_targets(tiny_vgg: VGGFeatures) -> None:
    photo = torch.rand(1, 3, 48, 48)
    loss = make_loss(tiny_vgg, photo[0])
    terms = loss(photo, loss.content_target(photo))
    assert terms.content == 0
    assert terms.style < 1e-10
    other = loss(torch.rand(1, 3, 48, 48), loss.content_target(photo))
    assert other.content > 0.01
    assert other.style > 1e-4


def test_total_is_the_weighted_sum(tiny_vgg: VGGFeatures) -> None:
    weights = {"content_weight": 2.0, "style_weight": 3.0, "tv_weight": 5.0}
    loss = make_loss(tiny_vgg, torch.rand(3, 32, 32), **weights)
    photos = torch.rand(2, 3, 32, 32)
    terms = loss(photos.flip(0), loss.content_target(photos))
    expected = 2 * terms.content + 3 * terms.style + 5 * terms.tv
    torch.testing.assert_close(terms.total, expected)


def test_gradient_flows_into_the_network_only(tiny_vgg: VGGFeatures) -> None:
    loss = make_loss(tiny_vgg, torch.rand(3, 32, 32))
    photos = torch.rand(2, 3, 32, 32)
    model = build_model("v3")
    loss(model(photos), loss.content_target(photos)).total.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    assert any(p.grad.abs().sum() > 0 for p in model.parameters())
    assert all(p.grad is None and not p.requires_grad for p in loss.parameters())


def test_unchanged_when_all_activations_are_50_times_larger(
    tiny_vgg_file: Path, tmp_path: Path
) -> None:
    # Scaling the first weights and all biases scales every activation, through all ReLUs.
    weights = load_file(tiny_vgg_file)
    scaled = {
        name: value * 50 if name.endswith("bias") or name == "features.0.weight" else value
        for name, value in weights.items()
    }
    save_file(scaled, tmp_path / "scaled.safetensors")
    style, photo, picture = (
        torch.rand(3, 40, 40),
        torch.rand(1, 3, 32, 32),
        torch.rand(1, 3, 32, 32),
    )
    terms = []
    for path in (tiny_vgg_file, tmp_path / "scaled.safetensors"):
        loss = make_loss(load_vgg16(path), style)
        terms.append(loss(picture, loss.content_target(photo)))
    torch.testing.assert_close(torch.stack(terms[0]), torch.stack(terms[1]), rtol=1e-4, atol=0)


def test_an_unreachable_style_layer_is_left_out_aloud(tiny_vgg: VGGFeatures) -> None:
    said: list[str] = []
    settings = LossSettings(style_layers=("relu1_2", "relu4_3/2"))
    loss = PerceptualLoss(tiny_vgg, torch.rand(3, 32, 32), settings, report=said.append)
    assert said == ["style layer relu4_3/2 left out: the VGG weights do not reach it"]
    assert loss.settings.style_layers == ("relu1_2",)


@pytest.mark.parametrize("weight", [-1, float("nan"), float("inf")])
def test_a_weight_is_a_number_from_0_on(weight: float) -> None:
    with pytest.raises(ValueError, match="not a number from 0 on"):
        LossSettings(style_weight=weight)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"content_layer": "relu4_2"}, "do not reach content layer relu4_2"),
        ({"style_layers": ("relu4_3",)}, "reach none of the style layers"),
        ({"style_layers": ("conv1",)}, "no style layer is called 'conv1'"),
    ],
)
def test_impossible_layers_are_refused(
    tiny_vgg: VGGFeatures, settings: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make_loss(tiny_vgg, torch.rand(3, 32, 32), **settings)
