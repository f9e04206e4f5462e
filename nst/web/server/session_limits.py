"""Whose sessions Gradio keeps: nobody's many push out those of others.

A page makes the name of its session up, and so can anybody, as often as they like.
"""

from __future__ import annotations

from collections import OrderedDict

import gradio as gr
from starlette.types import Scope

from nst.web.server.clients import client_of

MAX_SESSIONS = 256  # their pictures are files
MAX_OF_A_CLIENT = 32


class SessionLimits:
    """Forgets a client's oldest session when they begin one too many."""

    def __init__(self, blocks: gr.Blocks) -> None:
        self._blocks = blocks
        self._clients: OrderedDict[str, str | None] = OrderedDict()  # by session, by last use
        blocks.state_session_capacity = MAX_SESSIONS

    def note(self, session: object, scope: Scope) -> None:
        """Somebody uses a session, which need not be one."""
        if not isinstance(session, str):
            return
        client = client_of(scope)
        self._clients[session] = client
        self._clients.move_to_end(session)
        theirs = [name for name, other in self._clients.items() if other == client]
        if client and len(theirs) > MAX_OF_A_CLIENT:
            del self._clients[theirs[0]]
            self._blocks.state_holder.session_data.pop(theirs[0], None)
        if len(self._clients) > MAX_SESSIONS:
            self._clients.popitem(last=False)
