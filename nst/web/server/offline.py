"""Gradio fetches addresses on a visitor's behalf; this page never does.

Any input of any of its endpoints may hold `{"path": "http://…"}` in place of a file, and then
Gradio downloads that, of any size, into memory, before our code sees it; and `/file=http://…`
passes on whatever lies at a public address.  Gradio refuses private addresses, but has no setting
against the rest.
"""

from __future__ import annotations

from typing import Any

import gradio as gr
from fastapi import HTTPException
from gradio import processing_utils, routes


async def _refuse_download(*_: Any, **__: Any) -> str:
    raise gr.Error("Send the picture itself, not its address.", print_exception=False)


async def _refuse_to_pass_on(*_: Any, **__: Any) -> None:
    raise HTTPException(403, "This page fetches nothing from other places.")


def stay_offline() -> None:
    """Have this process refuse to fetch anything; `tests/web/test_hostile_clients.py` checks it."""
    for module, name in (
        (processing_utils, "async_ssrf_protected_download"),
        (routes, "secure_url_stream_response"),
    ):
        if not hasattr(module, name):  # a renamed function would be replaced in vain
            raise RuntimeError(f"this version of Gradio has no {name}: see {__name__}")
    processing_utils.async_ssrf_protected_download = _refuse_download
    routes.secure_url_stream_response = _refuse_to_pass_on
