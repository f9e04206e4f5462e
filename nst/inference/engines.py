"""The same network on PyTorch or on OpenVINO: a call takes and gives what `TransformerNet` does.

openvino  the fastest, see `nst.inference.openvino_graph`
eager     PyTorch, operation by operation, without what it wastes; see `nst.fast`
plain     the network of `nst.models` itself, as presumably in the paper, to compare with
"""

from __future__ import annotations

import copy
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from nst.fast import fast
from nst.inference.openvino_form import Form, best_form
from nst.models import TransformerNet

if TYPE_CHECKING:
    import openvino


EngineName = Literal["openvino", "eager", "plain"]
Precision = Literal["fp32", "bf16"]
HINTS: dict[Precision, str] = {"fp32": "f32", "bf16": "bf16"}  # OpenVINO's names
ENGINES: tuple[EngineName, ...] = ("openvino", "eager")  # for pictures, the fastest first
ALL_ENGINES: tuple[EngineName, ...] = (*ENGINES, "plain")
RELEASE_PIXELS = 300_000  # after a larger picture OpenVINO's memory is given back ...
RENEW_PIXELS = 1_500_000  # ... and after a larger one it is compiled anew, in 0.3 s: OpenVINO
# keeps 0.6 GB for each network after 2048×2048 px, whatever it is asked to release
TRIAL_SIDE = 32  # px
INSTEAD = "so pictures are made by eager PyTorch, more slowly"


class EngineError(ValueError):
    """An engine that does not exist, or cannot do what it is asked for on this machine."""


class EngineUnavailableError(EngineError):
    """An engine that does not work here: not installed, not loadable, not on this CPU."""


class Engine(Protocol):
    """A network ready to run: (1, 3, H, W) RGB in [0, 1] -> the same, H and W 16 at least."""

    name: EngineName
    precision: Precision

    def __call__(self, x: Tensor) -> Tensor: ...


class PlainEngine:
    """The network itself, in PyTorch, operation by operation."""

    name: EngineName = "plain"
    precision: Precision = "fp32"

    def __init__(self, network: TransformerNet) -> None:
        self.network = network.eval()

    @torch.inference_mode()
    def __call__(self, x: Tensor) -> Tensor:
        return self.network(x)


class EagerEngine(PlainEngine):
    """The same weights in faster layers; the numbers differ by rounding only."""

    name: EngineName = "eager"

    def __init__(self, network: TransformerNet) -> None:
        super().__init__(fast(copy.deepcopy(network)))  # which moves weights in memory


class OpenVinoEngine:
    """OpenVINO on the CPU, in one form for small pictures and one for large ones.

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
        self._requests: dict[str, openvino.InferRequest] = {}  # by their form
        try:
            # What compiles may still not run.  The form for small pictures waits until one comes.
            self._run(np.zeros((1, 3, TRIAL_SIDE, TRIAL_SIDE), np.float32), RELEASE_PIXELS)
        except Exception as error:
            raise EngineUnavailableError(f"OpenVINO fails here ({_first_line(error)})") from error

    def compile(self, pixels: int, profiled: bool = False) -> openvino.CompiledModel:
        """The network compiled for this CPU and for pictures of about so many pixels.

        Args:
            profiled: with a clock around every operation.
        """
        import openvino  # here, so that everything else works without it

        from nst.inference.openvino_graph import openvino_model

        settings: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "INFERENCE_PRECISION_HINT": HINTS[self.precision],
            "PERF_COUNT": profiled,
        }
        model = openvino_model(self.network, self._form(pixels))
        return openvino.Core().compile_model(model, "CPU", settings)

    def __call__(self, x: Tensor) -> Tensor:
        # Put in order by NumPy: PyTorch's threads would wait for more work, busily, for some
        # milliseconds, and take the processors from OpenVINO's (7 ms of 46 at 384×288, two cores).
        values = np.ascontiguousarray(x.detach().float().numpy())
        return torch.from_numpy(self._run(values, values[0, 0].size))

    def _run(self, values: np.ndarray, pixels: int) -> np.ndarray:
        """(1, 3, H, W) -> the same, in the form for pictures of so many pixels."""
        form = str(self._form(pixels))
        with self._one_at_a_time:
            if form not in self._requests:
                self._requests[form] = self.compile(pixels).create_infer_request()
            request = self._requests[form]
            result = request.infer({0: values}, share_inputs=True, share_outputs=False)[0]
            if pixels > RENEW_PIXELS:
                del self._requests[form]
            elif pixels > RELEASE_PIXELS:
                request.get_compiled_model().release_memory()
        return result

    def _form(self, pixels: int) -> Form:
        return best_form(self.network.architecture, pixels, self.precision)


def _import_openvino() -> None:
    """Raises EngineUnavailableError: it is not installed, or something that it needs is missing."""
    try:
        import openvino  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "openvino":
            raise _not_loadable(error) from error
        raise EngineUnavailableError("OpenVINO is not installed (pip install openvino)") from None
    except Exception as error:
        raise _not_loadable(error) from error


def _not_loadable(error: Exception) -> EngineUnavailableError:
    return EngineUnavailableError(
        f"OpenVINO is installed but cannot be loaded ({_first_line(error)})"
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def has_bf16() -> bool:
    """Whether OpenVINO has bf16 kernels for this CPU."""
    try:
        _import_openvino()
    except EngineUnavailableError:
        return False
    import openvino

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


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


def build_engine(network: TransformerNet, name: EngineName = "openvino", **options: Any) -> Engine:
    """`build_engines` for one network."""
    return build_engines({"it": network}, name, **options)["it"]


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
            built = build_engines(networks, name, report=None)
        except EngineUnavailableError as error:
            report(f"{error}, {INSTEAD}")
            continue
        engines[name] = built
        report(f"{name}: ready in {time.perf_counter() - started:.1f} s")
    return engines
