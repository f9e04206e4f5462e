from __future__ import annotations

import torch

from nst.models import denormalise, normalise
from nst.pictures.tensors import to_picture, to_tensor
from tests.helpers import random_picture


def test_tensor_and_picture_are_inverse() -> None:
    picture = random_picture(31, 17)
    tensor = to_tensor(picture)
    assert tensor.shape == (3, 17, 31)
    assert to_picture(tensor).tobytes() == picture.tobytes()
    assert to_picture(torch.tensor([-3.0, 0.5, 9.0]).view(3, 1, 1)).getpixel((0, 0)) == (
        0,
        128,
        255,
    )
    torch.testing.assert_close(denormalise(normalise(tensor)), tensor)
