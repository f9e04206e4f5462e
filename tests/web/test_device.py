"""The networks on a visitor's own device, by WebGPU, which Chromium has without a GPU too."""

from __future__ import annotations

import numpy as np
import pytest

from nst.models import VARIANTS, TransformerNet
from tests.browser import Page
from tests.web.webgpu import check_equal, colourful, eager, received, sent

SIZES = [(17, 23), (64, 48)]  # width, height
LARGER = [(16, 16), (131, 97), (256, 192)]


@pytest.mark.parametrize("name", VARIANTS)
def test_paints_what_pytorch_paints(
    engine_page: Page, networks: dict[str, TransformerNet], name: str
) -> None:
    pictures = [colourful(*size) for size in SIZES]
    check_equal(engine_page, name, networks[name], pictures)


@pytest.mark.slow
@pytest.mark.parametrize("name", VARIANTS)
def test_paints_what_pytorch_paints_in_larger_sizes(
    engine_page: Page, networks: dict[str, TransformerNet], name: str
) -> None:
    check_equal(engine_page, name, networks[name], [colourful(*size) for size in LARGER])


@pytest.mark.parametrize("name", ["v1", "v4"])
def test_statistics_as_gpus_add_them_up(
    engine_page: Page, networks: dict[str, TransformerNet], name: str
) -> None:
    """A software adapter adds them up in another way by itself."""
    pictures = [colourful(17, 23), colourful(48, 80)]
    check_equal(engine_page, name, networks[name], pictures, merged=True)


def test_transparent_pictures_are_on_white(
    engine_page: Page, networks: dict[str, TransformerNet]
) -> None:
    check_equal(engine_page, "v4", networks["v4"], [colourful(30, 41, alpha=True)])


def test_norms_of_nearly_uniform_pictures_keep_their_digits(
    engine_page: Page, networks: dict[str, TransformerNet]
) -> None:
    picture = colourful(96, 80)
    picture[..., :3] = 250 + picture[..., :3] // 64
    check_equal(engine_page, "v4", networks["v4"], [picture])


@pytest.mark.parametrize("source", ["ImageBitmap", "canvas"])
def test_paints_what_pages_have_pictures_in(
    engine_page: Page, networks: dict[str, TransformerNet], source: str
) -> None:
    picture = colourful(40, 26)
    text = engine_page.evaluate(
        """async ([kind, picture]) => {
            const data = pictureOf(...picture);
            const canvas = new OffscreenCanvas(data.width, data.height);
            canvas.getContext("2d").putImageData(data, 0, 0);
            const source = kind === "canvas" ? canvas : await createImageBitmap(data);
            const engine = await Engine.open("/v4.nst");
            const painted = await engine.stylize(source);
            await engine.close();
            return textOf(painted);
        }""",
        [source, sent(picture)],
    )
    painted = received(text, picture)[..., :3]
    assert np.abs(painted - eager(networks["v4"], picture)).max() <= 1


def test_says_what_it_runs_on(engine_page: Page) -> None:
    name, software = engine_page.evaluate(
        """async () => {
            const engine = await Engine.open("/v4.nst");
            const told = [engine.name, engine.software];
            await engine.close();
            return told;
        }"""
    )
    assert "swiftshader" in name.lower()
    assert software
