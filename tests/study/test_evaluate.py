from __future__ import annotations

import torch

from nst.checkpoint import load_networks
from nst.loss import LossSettings, PerceptualLoss
from nst.study.evaluate import evaluate_photo
from nst.vgg import VGGFeatures


def test_rows_hold_the_losses_and_the_distance_from_the_baseline(tiny_vgg: VGGFeatures) -> None:
    networks = load_networks()
    settings = LossSettings(style_layers=("relu1_2", "relu2_2/2"))
    loss = PerceptualLoss(tiny_vgg, torch.rand(3, 64, 64), settings)
    photo = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    rows = {row["network"]: row for row in evaluate_photo(networks, loss, photo)}
    assert list(rows) == list(networks)
    with torch.inference_mode():
        pictures = [networks[name](photo).clamp(0, 1) for name in networks]
        terms = loss(pictures[3], loss.content_target(photo))
        apart = loss(pictures[3], loss.content_target(pictures[0])).content
    assert rows["v3"]["total"] == terms.total.item()
    assert rows["v3"]["from_baseline"] == apart.item()
    assert rows["baseline"]["from_baseline"] == 0
    assert 0 <= rows["v3"]["yellow"] <= 1
