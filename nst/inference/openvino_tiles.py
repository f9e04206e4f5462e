"""Layers of a part of a picture in OpenVINO, for `nst.inference.tiling`.

A model for each form of a part, compiled in 20 ms: only where OpenVINO knows the height and the
width does it see that a part, which has its channels last, is in its convolutions' own layout.  For
sizes that it does not know it would put every part in order twice, and take 1.4 times the time.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import openvino
import openvino.opset15 as ops
from openvino import Node
from torch import nn

from nst.inference.activation import Edges, FromLevels, FrozenNorm
from nst.inference.openvino_graph import Graph
from nst.inference.openvino_operations import integers, pad, to_array

PartForm = tuple[tuple[int, ...], Edges]  # of a part: its shape, (h, w, C), and where it is padded
NO_EDGES: Edges = (False, False, False, False)


class OpenVinoChain:
    """Layers in OpenVINO: an `nst.inference.activation.Chain`, for so many threads at a time."""

    def __init__(self, layers: Sequence[nn.Module], threads: int) -> None:
        self._layers = layers
        self._pads = any(isinstance(layer, nn.ReflectionPad2d) for layer in layers)
        self._settings = {
            "NUM_STREAMS": threads,  # one thread for each
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": "f32",
        }
        self._core = openvino.Core()
        self._compiled: dict[PartForm, openvino.CompiledModel] = {}
        self._compiling = threading.Lock()  # each form once, whoever asks for it
        self._of_thread = threading.local()

    def __call__(self, values: np.ndarray, edges: Edges) -> np.ndarray:
        request = self._request((values.shape, edges if self._pads else NO_EDGES))
        result = request.infer({0: values[None]}, share_inputs=True, share_outputs=True)
        return result[0][0]

    def _request(self, form: PartForm) -> openvino.InferRequest:
        """This thread's own."""
        requests = vars(self._of_thread).setdefault("requests", {})
        if form not in requests:
            with self._compiling:
                if form not in self._compiled:
                    model = _tile_model(self._layers, form)
                    self._compiled[form] = self._core.compile_model(model, "CPU", self._settings)
            requests[form] = self._compiled[form].create_infer_request()
        return requests[form]


def _tile_model(layers: Sequence[nn.Module], form: PartForm) -> openvino.Model:
    """Layers of a part of a picture, (1, h, w, C), which is padded at some of its edges only."""
    shape, (top, left, bottom, right) = form
    kind = np.uint8 if layers and isinstance(layers[0], FromLevels) else np.float32
    tile = ops.parameter([1, *shape], kind, name="tile")
    graph, x, channels_last = Graph(), tile, True
    for layer in layers:
        if channels_last and isinstance(layer, FrozenNorm | nn.ReLU):
            x = _of_channels_last(layer, x)
            continue
        if channels_last:
            x, channels_last = ops.transpose(x, integers(0, 3, 1, 2)), False
        if isinstance(layer, nn.ReflectionPad2d):
            padding = layer.padding[0]
            x = pad(x, (padding * top, padding * left), (padding * bottom, padding * right))
        else:
            (x,) = graph.layer(layer, [x])
        if isinstance(layer, nn.ConvTranspose2d) and layer.groups > 1:
            # Together with the norm behind it, it would take five times as long.
            x, channels_last = ops.transpose(x, integers(0, 2, 3, 1)), True
    if not channels_last:
        x = ops.transpose(x, integers(0, 2, 3, 1))
    return openvino.Model([x], [tile], "Tile")


def _of_channels_last(layer: FrozenNorm | nn.ReLU, x: Node) -> Node:
    """(1, h, w, C) -> the same."""
    if isinstance(layer, nn.ReLU):
        return ops.relu(x)
    scale, shift = (to_array(values).ravel() for values in (layer.scale, layer.shift))
    return ops.add(ops.multiply(x, scale), shift)
