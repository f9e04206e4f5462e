"""Layers of a part of a picture in OpenVINO, for `nst.inference.tiling`."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import openvino
import openvino.opset15 as ops
from torch import nn

from nst.inference.activation import Edges, FromLevels
from nst.inference.openvino_graph import Graph
from nst.inference.openvino_operations import integers


class OpenVinoChain:
    """Layers in OpenVINO: an `nst.inference.activation.Chain`, for so many threads at a time."""

    def __init__(self, layers: Sequence[nn.Module], channels: int, threads: int) -> None:
        settings = {
            "NUM_STREAMS": threads,  # one thread for each
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": "f32",
        }
        model = _tile_model(layers, channels)
        self._compiled = openvino.Core().compile_model(model, "CPU", settings)
        self._of_thread = threading.local()

    def __call__(self, values: np.ndarray, edges: Edges) -> np.ndarray:
        if not hasattr(self._of_thread, "request"):
            self._of_thread.request = self._compiled.create_infer_request()
        inputs = {0: values[None], 1: np.int64(edges)}
        result = self._of_thread.request.infer(inputs, share_inputs=True, share_outputs=True)
        return result[0][0]


def _tile_model(layers: Sequence[nn.Module], channels: int) -> openvino.Model:
    """Layers of a part of a picture, (1, C, h, w), which is padded at some of its edges only."""
    side = openvino.Dimension(-1)
    kind = np.uint8 if layers and isinstance(layers[0], FromLevels) else np.float32
    tile = ops.parameter([1, channels, side, side], kind, name="tile")
    edges = ops.parameter([4], np.int64, name="edges")  # top, left, bottom, right: 0 or 1
    graph = Graph()
    x = [tile]
    for module in layers:
        if isinstance(module, nn.ReflectionPad2d):
            widths = ops.multiply(edges, integers(module.padding[0]))
            begin, end = (
                ops.gather(widths, integers(*sides), np.int64(0)) for sides in ((0, 1), (2, 3))
            )
            none = integers(0, 0)
            sides = ops.concat([none, begin], 0), ops.concat([none, end], 0)
            x = [ops.pad(part, *sides, "reflect") for part in x]
        else:
            x = graph.layer(module, x)
    (result,) = x
    return openvino.Model([result], [tile, edges], "Tile")
