"""The same network on PyTorch or on OpenVINO: a call takes and gives what `TransformerNet` does.

openvino  the fastest, see `nst.inference.openvino_graph`
eager     PyTorch, operation by operation, without what it wastes; see `nst.fast`
plain     the network of `nst.models` itself, as presumably in the paper, to compare with
"""

from __future__ import annotations

import copy
import importlib
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from nst.fast import fast
from nst.models import TransformerNet, check_shape

if TYPE_CHECKING:
    import openvino


Size = tuple[int, int]  # of a picture: width and height in px
EngineName = Literal["openvino", "eager", "plain"]
Precision = Literal["fp32", "bf16"]
HINTS: dict[Precision, str] = {"fp32": "f32", "bf16": "bf16"}  # OpenVINO's names
ENGINES: tuple[EngineName, ...] = ("openvino", "eager")  # for pictures, the fastest first
ALL_ENGINES: tuple[EngineName, ...] = (*ENGINES, "plain")
OFTEN, RECENT = 2, 4  # a size that so many of the last so many pictures had gets its own model
KEPT_SIZES, KEPT_PIXELS = 2, 600_000  # of such models; at 512×512 px one takes about 100 MB
RELEASE_PIXELS = 300_000  # after a larger picture OpenVINO's memory is given back ...
LARGE_PIXELS = 1_100_000  # ... and after such a picture with its model, which would keep 0.6 GB
TRIAL_SIDE = 32  # px
INSTEAD = "so pictures are made by eager PyTorch, more slowly"


class EngineError(ValueError):
    """An engine that does not exist, or cannot do what it is asked for on this machine."""


class EngineUnavailableError(EngineError):
    """An engine that does not work here: not installed, not loadable, not on this CPU."""


class Engine(Protocol):
    """A network ready to run."""

    name: EngineName
    precision: Precision

    def __call__(self, x: Tensor) -> Tensor:
        """(1, 3, H, W) RGB in [0, 1] -> the same, H and W 16 at least.

        Raises:
            ValueError: another shape.
        """


def check_picture(x: Tensor) -> None:
    """Raises ValueError: it is not (1, 3, H, W), H and W 16 at least."""
    check_shape(x)
    if len(x) != 1:
        raise ValueError(f"{len(x)} pictures at once: one at a time")


class PlainEngine:
    """The network itself, in PyTorch, operation by operation."""

    name: EngineName = "plain"
    precision: Precision = "fp32"

    def __init__(self, network: TransformerNet) -> None:
        self.network = network.eval()

    @torch.inference_mode()
    def __call__(self, x: Tensor) -> Tensor:
        check_picture(x)
        return self.network(x)


class EagerEngine(PlainEngine):
    """The same weights in faster layers; the numbers differ by rounding only."""

    name: EngineName = "eager"

    def __init__(self, network: TransformerNet) -> None:
        super().__init__(fast(copy.deepcopy(network)))  # which moves weights in memory


class OpenVinoEngine:
    """OpenVINO on the CPU.

    One model takes pictures of any size.  A model that is told its size is faster, but has to be
    compiled, which takes as long as some pictures.  So a size that keeps coming gets one, and so
    does a large picture, at once.

    Args:
        precision: "bf16" where the CPU has instructions for it; "fp32" computes as eager does.

    Raises:
        EngineUnavailableError: OpenVINO cannot be imported, or the network does not run on it.
        EngineError: bf16 was asked for and the CPU has none.
    """

    name: EngineName = "openvino"

    def __init__(self, network: TransformerNet, precision: Precision = "fp32") -> None:
        _import_openvino()
        if precision == "bf16" and not has_bf16():
            raise EngineError("this CPU has no bf16 instructions; fp32 is what it can do")
        self.network = network
        self.precision: Precision = precision
        self._one_at_a_time = threading.Lock()
        self._recent: deque[Size] = deque(maxlen=RECENT)
        self._of_size: dict[Size, openvino.InferRequest] = {}  # the one used last stands last
        self._kept: Size | None = None
        try:
            self._of_any_size = self.compile().create_infer_request()
            self(torch.zeros(1, 3, TRIAL_SIDE, TRIAL_SIDE))  # what compiles may still not run
        except Exception as error:
            raise EngineUnavailableError(f"OpenVINO fails here ({_first_line(error)})") from error

    def model(self, size: Size | None = None) -> openvino.Model:
        """The network for pictures of a size, or of any."""
        from nst.inference.openvino_graph import groups_pay, openvino_model

        pixels = size[0] * size[1] if size else 0
        return openvino_model(
            self.network,
            size,
            centred=pixels >= LARGE_PIXELS,
            for_bf16=self.precision == "bf16",
            grouped=groups_pay(self.network.architecture, pixels),
        )

    def compile(self, size: Size | None = None, profiled: bool = False) -> openvino.CompiledModel:
        """Its `model` compiled for this CPU; `profiled`: with a clock around every operation."""
        settings: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "INFERENCE_PRECISION_HINT": HINTS[self.precision],
            "PERF_COUNT": profiled,
        }
        return _import_openvino().Core().compile_model(self.model(size), "CPU", settings)

    def prepare(self, size: Size) -> None:
        """Compile what the next picture needs if it has this size; else its call would do it."""
        with self._one_at_a_time:
            self._request(size)

    def keep(self, size: Size) -> None:
        """Compile the model for pictures of a size, and keep it, however large: for a film."""
        with self._one_at_a_time:
            self._kept = size
            self._of_size = {size: self.compile(size).create_infer_request()}

    def __call__(self, x: Tensor) -> Tensor:
        check_picture(x)
        # Put in order by NumPy: PyTorch's threads would wait for more work, busily, for some
        # milliseconds, and take the processors from OpenVINO's (7 ms of 46 at 384×288, two cores).
        values = np.ascontiguousarray(x.detach().float().numpy())
        height, width = values.shape[2:]
        with self._one_at_a_time:
            request = self._request((width, height))
            if width * height >= LARGE_PIXELS and (width, height) != self._kept:
                del self._of_size[width, height]
            self._recent.append((width, height))
            result = request.infer({0: values}, share_inputs=True, share_outputs=False)[0]
            if request is self._of_any_size and width * height > RELEASE_PIXELS:
                request.get_compiled_model().release_memory()
        return torch.from_numpy(result)

    def _request(self, size: Size) -> openvino.InferRequest:
        """Of the model for pictures of that size, which is compiled where it pays."""
        if size in self._of_size:
            request = self._of_size.pop(size)
        elif size[0] * size[1] >= LARGE_PIXELS or self._recent.count(size) >= OFTEN:
            request = self.compile(size).create_infer_request()
        else:
            return self._of_any_size
        self._of_size[size] = request
        while len(self._of_size) > 1 and (
            len(self._of_size) > KEPT_SIZES
            or sum(width * height for width, height in self._of_size) > KEPT_PIXELS
        ):
            del self._of_size[next(iter(self._of_size))]
        return request


def _import_openvino() -> ModuleType:
    """OpenVINO, imported here so that everything else works without it.

    Raises:
        EngineUnavailableError: it is not installed, or something that it needs is missing.
    """
    try:
        return importlib.import_module("openvino")
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name == "openvino":
            reason = "is not installed (pip install openvino)"
        else:
            reason = f"is installed but cannot be loaded ({_first_line(error)})"
        raise EngineUnavailableError(f"OpenVINO {reason}") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def has_bf16() -> bool:
    """Whether OpenVINO has bf16 kernels for this CPU."""
    try:
        core = _import_openvino().Core()
    except EngineUnavailableError:
        return False
    return "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _build_engine(network: TransformerNet, name: EngineName, precision: Precision) -> Engine:
    if name not in ALL_ENGINES:
        raise EngineError(f"unknown engine {name!r}; known: {', '.join(ALL_ENGINES)}")
    if name == "openvino":
        return OpenVinoEngine(network, precision)
    if precision != "fp32":
        raise EngineError(f"{name} PyTorch runs in fp32 here")
    return EagerEngine(network) if name == "eager" else PlainEngine(network)


def build_engines(
    networks: Mapping[str, TransformerNet],
    name: EngineName = "openvino",
    *,
    precision: Precision = "fp32",
    report: Callable[[str], object] | None = warnings.warn,
) -> dict[str, Engine]:
    """Networks by name on one engine; eager, for all of them, where OpenVINO does not work.

    Args:
        report: then gets a sentence; None: an error instead.

    Raises:
        EngineError: no such engine, or bf16 where there is none.
        EngineUnavailableError: OpenVINO does not work here, and nothing shall take its place.
    """
    try:
        with ThreadPoolExecutor(torch.get_num_threads()) as pool:  # compiled side by side
            built = pool.map(
                lambda network: _build_engine(network, name, precision), networks.values()
            )
            return dict(zip(networks, built, strict=True))
    except EngineUnavailableError as error:
        if report is None:
            raise
        report(f"{error}, {INSTEAD}")
    return {
        variant: _build_engine(network, "eager", "fp32") for variant, network in networks.items()
    }


def prepare_engines(
    networks: Mapping[str, TransformerNet], report: Callable[[str], object] = print
) -> dict[EngineName, dict[str, Engine]]:
    """All engines that can make pictures here, the fastest first; each network has run once on it.

    Args:
        report: gets a sentence about each, with the time it took, or why it does not work here.
    """
    engines = {}
    for name in ENGINES:
        started = time.perf_counter()
        try:
            engines[name] = build_engines(networks, name, report=None)
            report(f"{name}: ready in {time.perf_counter() - started:.1f} s")
        except EngineUnavailableError as error:
            report(f"{error}, {INSTEAD}")
    return engines
