"""Every engine makes the same picture of the trained networks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from nst.checkpoint import load_networks
from nst.images import limit_side, read_picture, to_tensor
from nst.inference import engines
from nst.inference.engines import (
    EngineError,
    OpenVinoEngine,
    available_engines,
    build_engine,
    build_engines,
    has_bf16,
)
from nst.inference.picture import stylize
from nst.models import VARIANTS, TransformerNet
from nst.paths import ASSETS
from tests.test_models import UPSAMPLINGS, with_upsampling

LAMPS = ASSETS / "lamps.png"


@pytest.fixture(scope="module")
def networks() -> dict[str, TransformerNet]:
    return load_networks()


@pytest.mark.parametrize("name", ["openvino", "plain"])
@pytest.mark.parametrize("side", [250, 97])
def test_same_picture_as_eager(
    networks: dict[str, TransformerNet], name: engines.EngineName, side: int
) -> None:
    photo = limit_side(read_picture(LAMPS), side)
    tensor = to_tensor(photo)[None]
    eager = build_engines(networks, "eager")
    for variant, engine in build_engines(networks, name).items():
        assert engine.name == name
        tolerance = 1e-4 if name == "plain" else 1e-3
        assert (engine(tensor) - eager[variant](tensor)).abs().max() < tolerance
        pictures = (stylize(one, photo).picture for one in (engine, eager[variant]))
        first, second = (np.asarray(picture, dtype=int) for picture in pictures)
        assert abs(first - second).max() <= 1


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
@pytest.mark.parametrize("size", [(16, 16), (17, 30), (31, 64)])
def test_one_openvino_model_for_all_sizes(upsampling: str, size: tuple[int, int]) -> None:
    for variant in VARIANTS:
        network = with_upsampling(variant, upsampling)
        engine = build_engine(network, "openvino")
        for height, width in (size, size[::-1]):
            photo = torch.rand(1, 3, height, width)
            with torch.inference_mode():
                expected = network(photo)
            assert engine(photo).shape == expected.shape
            assert torch.allclose(engine(photo), expected, atol=1e-4)


def test_threads_are_pytorchs_and_precision_is_fp32(networks: dict[str, TransformerNet]) -> None:
    engine = build_engine(networks["v3"], "openvino")
    assert isinstance(engine, OpenVinoEngine)
    assert engine.compiled.get_property("INFERENCE_NUM_THREADS") == torch.get_num_threads()
    assert engine.compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name() == "f32"


def test_callers_at_the_same_time_get_their_own(networks: dict[str, TransformerNet]) -> None:
    engine = build_engine(networks["v3"], "openvino")
    photos = [torch.randn(1, 3, 40 + 4 * number, 64) for number in range(8)]
    expected = [engine(photo) for photo in photos]
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(engine, photos))
    assert all(torch.equal(a, b) for a, b in zip(results, expected, strict=True))


def test_memory_is_given_back_and_the_next_picture_is_right(
    networks: dict[str, TransformerNet], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = build_engine(networks["v3"], "openvino")
    photos = [torch.randn(1, 3, 64, side) for side in (48, 64, 48)]
    expected = [engine(photo) for photo in photos]
    monkeypatch.setattr(engines, "RELEASE_PIXELS", 1)
    for photo, result in zip(photos, expected, strict=True):
        assert torch.equal(engine(photo), result)


def test_without_openvino_eager_takes_over_and_says_so(
    networks: dict[str, TransformerNet], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "has_openvino", lambda: False)
    assert available_engines() == ("eager",)
    with pytest.warns(UserWarning, match="OpenVINO is not installed"):
        engine = build_engine(networks["v3"], "openvino")
    assert engine.name == "eager"
    told: list[str] = []
    assert list(engines.prepare_engines({"v3": networks["v3"]}, told.append)) == ["eager"]
    assert told[0].startswith("eager: ready in ")
    assert told[1] == engines.NO_OPENVINO


def test_what_cannot_be_had_is_refused(networks: dict[str, TransformerNet]) -> None:
    with pytest.raises(EngineError, match="unknown engine 'quantum'"):
        build_engine(networks["v3"], "quantum")
    with pytest.raises(EngineError, match="fp32"):
        build_engine(networks["v3"], "eager", precision="bf16")


def test_bf16_where_the_cpu_has_it(networks: dict[str, TransformerNet]) -> None:
    if not has_bf16():
        with pytest.raises(EngineError, match="no bf16"):
            build_engine(networks["v3"], "openvino", precision="bf16")
        return
    photo = limit_side(read_picture(LAMPS), 256)
    engine = build_engine(networks["v3"], "openvino", precision="bf16")
    exact = stylize(build_engine(networks["v3"], "eager"), photo).picture
    error = np.asarray(stylize(engine, photo).picture, float) - np.asarray(exact, float)
    assert 10 * np.log10(255**2 / np.square(error).mean()) > 30
