"""Every engine makes the same picture of the trained networks."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from nst.inference import engines
from nst.inference.engines import (
    INSTEAD,
    EagerEngine,
    Engine,
    EngineError,
    EngineUnavailableError,
    OpenVinoEngine,
    PlainEngine,
    build_engines,
    has_bf16,
)
from nst.inference.picture import stylize
from nst.models import TransformerNet
from nst.paths import ASSETS
from nst.pictures.reading import limit_side, read_picture
from nst.pictures.tensors import to_tensor
from tests.helpers import run_python

LAMPS = ASSETS / "lamps.png"


@pytest.mark.parametrize(
    ("name", "side"),
    [("openvino", 500), ("openvino", 250), ("openvino", 97), ("plain", 250), ("plain", 97)],
)
def test_same_picture_as_eager(
    networks: dict[str, TransformerNet], name: engines.EngineName, side: int
) -> None:
    photo = limit_side(read_picture(LAMPS), side)
    tensor = to_tensor(photo)[None]
    eager = build_engines(networks, "eager")
    for variant, engine in build_engines(networks, name).items():
        assert engine.name == name
        tolerance = 2e-4 if name == "plain" else 1e-3  # rounding, which trained weights amplify
        assert (engine(tensor) - eager[variant](tensor)).abs().max() < tolerance
        pictures = (stylize(one, photo).picture for one in (engine, eager[variant]))
        first, second = (np.asarray(picture, dtype=int) for picture in pictures)
        assert abs(first - second).max() <= 1


@pytest.mark.parametrize("engine", [PlainEngine, EagerEngine, OpenVinoEngine])
def test_other_shapes_are_refused_by_every_engine_alike(
    engine: type[Engine], networks: dict[str, TransformerNet]
) -> None:
    for network in (networks["v4"], networks["v1"]):
        run = engine(network)
        for shape in ((3, 37, 50), (1, 1, 37, 50), (1, 4, 37, 50), (2, 3, 37, 50), (37, 50)):
            with pytest.raises(ValueError, match=r"not \(|one at a time"):
                run(torch.zeros(shape))
        for shape in ((1, 3, 15, 16), (1, 3, 16, 15), (1, 3, 0, 20)):
            with pytest.raises(ValueError, match="too small: 16 px"):
                run(torch.zeros(shape))
        assert run(torch.zeros(1, 3, 16, 17)).shape == (1, 3, 16, 17)


def test_callers_at_the_same_time_get_their_own(networks: dict[str, TransformerNet]) -> None:
    engine = OpenVinoEngine(networks["v3"])
    photos = [torch.randn(1, 3, 40 + 4 * number, 64) for number in range(8)]
    expected = [engine(photo) for photo in photos]
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(engine, photos))
    assert all(torch.equal(a, b) for a, b in zip(results, expected, strict=True))


FIRST = """
import os, signal, threading, time
import nst.inference.openvino_graph
import openvino

def ask():
    barrier.wait()
    end = time.perf_counter() + 0.02
    while time.perf_counter() < end:  # so that all of them want the interpreter
        pass
    openvino.Type.f32.to_dtype()

for _ in range(4):
    if os.fork():
        assert os.wait()[1] == 0
    else:
        signal.alarm(60)  # ends what hangs
        barrier = threading.Barrier(8)
        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        break
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="POSIX's fork")
def test_the_first_inferences_may_come_at_the_same_time() -> None:
    """Four trials: without what `openvino_operations` does about it, nearly half of them hang."""
    pytest.importorskip("openvino")
    done = run_python("-c", FIRST)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ModuleNotFoundError(name="openvino"), "OpenVINO is not installed"),
        (ModuleNotFoundError("No module named 'x'", name="x"), "installed but cannot be loaded"),
        (ImportError("libtbb.so.12: cannot open\nmore"), r"loaded \(libtbb.so.12: cannot open\)"),
        (RuntimeError("this CPU is too old"), "cannot be loaded"),
    ],
)
def test_without_openvino_eager_takes_over_and_says_so(
    error: Exception,
    words: str,
    networks: dict[str, TransformerNet],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Refusing:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "openvino":
                raise error

    monkeypatch.delitem(sys.modules, "openvino", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Refusing(), *sys.meta_path])
    assert_eager_takes_over(networks["v3"], words)
    assert not has_bf16()


@pytest.mark.parametrize("what", ["compile", "__call__"])
def test_what_fails_on_openvino_runs_on_eager(
    what: str, networks: dict[str, TransformerNet], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the first run too, where a CPU lacks what was compiled for it."""

    def fail(*_: object) -> None:
        raise RuntimeError("Exception from src/inference:\nCheck failed")

    monkeypatch.setattr(OpenVinoEngine, what, fail)
    assert_eager_takes_over(networks["v3"], r"fails here \(Exception from src/inference:\)")


def assert_eager_takes_over(network: TransformerNet, words: str) -> None:
    with pytest.warns(UserWarning, match=words) as warned:
        built = build_engines({"a": network, "b": network}, "openvino")
    assert len(warned) == 1
    assert str(warned[0].message).endswith(INSTEAD)
    assert "\n" not in str(warned[0].message)
    assert {engine.name for engine in built.values()} == {"eager"}
    with pytest.raises(EngineUnavailableError, match=words):
        build_engines({"v3": network}, "openvino", report=None)
    told: list[str] = []
    assert list(engines.prepare_engines({"v3": network}, told.append)) == ["eager"]
    assert told[0] == str(warned[0].message)
    assert told[1].startswith("eager: ready in ")


def test_what_cannot_be_had_is_refused(networks: dict[str, TransformerNet]) -> None:
    with pytest.raises(EngineError, match="unknown engine 'quantum'"):
        build_engines(networks, "quantum")
    with pytest.raises(EngineError, match="fp32"):
        build_engines(networks, "eager", precision="bf16")


def test_bf16_where_the_cpu_has_it(networks: dict[str, TransformerNet]) -> None:
    if not has_bf16():
        with pytest.raises(EngineError, match="no bf16"):
            OpenVinoEngine(networks["v3"], "bf16")
        return
    photo = limit_side(read_picture(LAMPS), 256)
    engine = OpenVinoEngine(networks["v3"], "bf16")
    exact = stylize(EagerEngine(networks["v3"]), photo).picture
    error = np.asarray(stylize(engine, photo).picture, float) - np.asarray(exact, float)
    assert 10 * np.log10(255**2 / np.square(error).mean()) > 30
