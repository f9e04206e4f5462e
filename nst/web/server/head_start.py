"""Networks are prepared while Gradio is still being imported, on the processor's other core.

Of a start's ten seconds half go into imports, which Python does one after the other; compiling for
OpenVINO and a first run of each network take two more, and no Python.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from nst.inference.engines import Engine, EngineName
    from nst.models import TransformerNet

_started: Future[Prepared] | None = None


class Prepared(NamedTuple):
    networks: Mapping[str, TransformerNet]  # by name, in the order of the page
    engines: Mapping[EngineName, Mapping[str, Engine]]  # the first one has run once


def start() -> None:
    """Import PyTorch and OpenVINO here, and let another thread do the rest.

    Two threads at one import may see half of a module, so nothing is left to import for that one.
    """
    global _started
    from nst import checkpoint  # noqa: F401
    from nst.inference import picture  # noqa: F401

    with contextlib.suppress(Exception):  # `prepare_engines` says what is wrong with it
        from nst.inference import openvino_graph  # noqa: F401
    _started = ThreadPoolExecutor(1).submit(_prepare)


def get_prepared() -> Prepared:
    """What `start` began, once it is done; without that, from the beginning.

    Raises:
        CheckpointError: a network cannot be loaded.
    """
    return _started.result() if _started else _prepare()


def _prepare() -> Prepared:
    from nst.checkpoint import load_networks
    from nst.inference.engines import prepare_engines
    from nst.inference.picture import stylize
    from nst.pictures.examples import FIRST_SIDE, LAMPS
    from nst.pictures.reading import limit_side, read_picture

    networks = load_networks()
    engines = prepare_engines(networks)
    photo = limit_side(read_picture(LAMPS), FIRST_SIDE)
    for engine in next(iter(engines.values())).values():
        stylize(engine, photo)  # so that the first times shown are like all others
    return Prepared(networks, engines)
