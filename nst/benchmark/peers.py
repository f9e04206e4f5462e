"""Other ways to run the same networks, which `nst.benchmark --peers` compares the engines with.

onnxruntime       ONNX Runtime on the files of `nst.export`
torch.compile     PyTorch's compiler on the networks as `nst.models` has them, for each size anew
pytorch/examples  the network of fast_neural_style there in PyTorch, operation by operation: the
                  baseline's layers, but a transposed one is a nearest doubling and a convolution
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from nst.export import ExportError, export, load_exported
from nst.inference.engines import EngineError, PlainEngine
from nst.models import TransformerNet, build_model

Peer = Callable[[Tensor], Tensor]  # (1, 3, H, W) RGB in [0, 1] -> the same

EXAMPLES = "pytorch/examples"
MOST_FORMS = 1000  # of networks and sizes that are compiled
# What is not the network of its name: its name for `build_model`, with as many parameters.
OTHER_NETWORKS = {(EXAMPLES, "baseline"): "baseline-resize"}


class CompiledEngine(PlainEngine):
    """`torch.compile`'s form of a network, compiled at the first picture of each size.

    Args:
        backend: one of PyTorch's; "eager" follows the network and compiles nothing.

    Raises:
        EngineError: (when called) there is no C++ compiler.
    """

    def __init__(self, network: TransformerNet, backend: str = "inductor") -> None:
        super().__init__(network)
        self._compiled = torch.compile(self.network, dynamic=False, backend=backend)

    @torch.inference_mode()
    def __call__(self, x: Tensor) -> Tensor:
        try:
            # One method of all networks: after eight forms of it PyTorch would compile no more.
            with torch._dynamo.config.patch(recompile_limit=MOST_FORMS):
                return self._compiled(x)
        except Exception as error:  # every backend has its own
            reason = str(error).strip().partition("\n")[0]
            raise EngineError(f"torch.compile does not work here ({reason})") from error


def peers(networks: Mapping[str, TransformerNet]) -> dict[str, dict[str, Peer]]:
    """Networks by name on each peer; that of pytorch/examples as its only network, "baseline".

    Raises:
        EngineError: ONNX Runtime, or what exporting needs, is not installed.
    """
    return {
        "onnxruntime": {name: _on_onnxruntime(network) for name, network in networks.items()},
        "torch.compile": {name: CompiledEngine(network) for name, network in networks.items()},
        EXAMPLES: {"baseline": PlainEngine(build_model(OTHER_NETWORKS[EXAMPLES, "baseline"]))},
    }


def _on_onnxruntime(network: TransformerNet) -> Peer:
    with tempfile.TemporaryDirectory() as folder:
        try:
            path = export(network, {}, Path(folder, "network.onnx"), "onnx")
            run = load_exported(path, threads=torch.get_num_threads())
        except ExportError as error:
            raise EngineError(str(error)) from error
    return lambda photo: torch.from_numpy(run(photo.numpy()))
