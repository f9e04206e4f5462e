from __future__ import annotations

from pathlib import Path

import torch

from nst.loss import LossSettings, PerceptualLoss
from nst.training.data import PhotoSet
from nst.training.settings import Settings
from nst.training.sources import find_photos
from nst.training.speed import PlainLoop
from nst.vgg import VGGFeatures


def test_the_plain_loop_minimises_the_same_loss(photos: Path, tiny_vgg: VGGFeatures) -> None:
    loss_settings = LossSettings(style_layers=("relu1_2", "relu2_2/2"))
    loss = PerceptualLoss(tiny_vgg, torch.rand(3, 48, 48), loss_settings)
    photo_set = PhotoSet(find_photos([photos]), side=32)
    plain = PlainLoop("v3", photo_set, loss, Settings(photo_side=32))
    batch, pictures = photo_set.batch([0, 1]), torch.rand(2, 3, 32, 32)
    expected = loss(pictures, loss.content_target(batch))
    for value, target in zip(plain.terms(pictures, batch), expected, strict=True):
        torch.testing.assert_close(value, target)
