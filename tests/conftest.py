"""Small photos and a small random VGG, made here: tests need no network, GPU or shared data."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from nst.checkpoint import load_networks
from nst.models import TransformerNet
from nst.vgg import VGGFeatures, load_vgg16
from tests.helpers import random_picture
from tests.load import page

TINY_WIDTHS = {0: (3, 4), 2: (4, 4), 5: (4, 6), 7: (6, 6), 10: (6, 8), 12: (8, 8), 14: (8, 8)}


# Gradio reads it when it is imported; the other worker keeps its files elsewhere.
_temporary = tempfile.TemporaryDirectory()
os.environ["GRADIO_TEMP_DIR"] = _temporary.name


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests first: one that comes last keeps one core waiting for the other."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of 12 photos."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(12):
        random_picture(40, 34, seed=number).save(folder / f"{number:02}.jpg", quality=95)
    return folder


@pytest.fixture
def painting(tmp_path: Path) -> Path:
    path = tmp_path / "painting.png"
    random_picture(64, 48, seed=99).save(path)
    return path


@pytest.fixture
def tiny_vgg_file(tmp_path: Path) -> Path:
    """VGG-16 up to relu3_3 with torchvision's keys and few channels."""
    generator = torch.Generator().manual_seed(0)
    weights = {}
    for position, (in_channels, out_channels) in TINY_WIDTHS.items():
        shape = (out_channels, in_channels, 3, 3)
        weight = torch.randn(shape, generator=generator) / (9 * in_channels) ** 0.5
        weights[f"features.{position}.weight"] = weight
        weights[f"features.{position}.bias"] = torch.rand(out_channels, generator=generator) / 10
    path = tmp_path / "tiny_vgg.safetensors"
    save_file(weights, path)
    return path


@pytest.fixture
def tiny_vgg(tiny_vgg_file: Path) -> VGGFeatures:
    return load_vgg16(tiny_vgg_file)


@pytest.fixture(scope="session")
def networks() -> dict[str, TransformerNet]:
    """The published networks, which no test changes."""
    return load_networks()


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    """The system's Chromium, through Playwright."""
    from tests.browser import chromium

    with chromium() as browser:
        if browser is None:
            pytest.skip("no Chromium on this machine")
        yield browser


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """The address of the page as `python app.py` starts it."""
    with page() as (address, _):
        yield address


@pytest.fixture(autouse=True)
def as_many_threads_as_before() -> Iterator[None]:
    """What a test says about PyTorch's threads holds for that test: sums depend on their number."""
    threads = torch.get_num_threads()
    yield
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
