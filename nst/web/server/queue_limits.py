"""Gradio's queue with places for each client, and without jobs that nobody listens to.

Gradio counts all jobs together, keeps every message until somebody reads it, and runs what was
asked for by somebody who has gone, if they never listened.
"""

from __future__ import annotations

import time
import uuid
from asyncio import Queue as AsyncQueue
from collections import Counter
from collections.abc import Mapping
from typing import Any

import gradio as gr
from fastapi import Request
from gradio import route_utils
from gradio.queueing import Event, Queue
from gradio.server_messages import EventMessage

from nst.web.server.clients import Places, client_of

MAX_UNREAD = 50  # messages of one visitor; the oldest go before there are more
READING = 30  # s, in which a listener comes back for the next message; Gradio's does in 10


class Messages(AsyncQueue[EventMessage]):
    """What one visitor has not read yet."""

    def __init__(self) -> None:
        super().__init__()
        self.expect_reader()

    def expect_reader(self) -> None:
        """Somebody listens now, or will in a moment."""
        self._until = time.monotonic() + READING

    @property
    def is_read(self) -> bool:
        return time.monotonic() < self._until

    async def get(self) -> EventMessage:
        self.expect_reader()
        try:
            return await super().get()
        finally:
            self.expect_reader()

    def put_nowait(self, item: EventMessage) -> None:
        if self.qsize() >= MAX_UNREAD:
            self.get_nowait()
        super().put_nowait(item)


class LimitedQueue(Queue):
    """Refuses jobs by their `concurrency_id`, and forgets those that nobody listens to."""

    def __init__(self, blocks: gr.Blocks, places: Mapping[str, Places]) -> None:
        super().__init__(
            live_updates=True,
            concurrency_count=blocks.max_threads,
            update_intervals=1,
            max_size=None,
            blocks=blocks,
        )
        self.places = places

    async def push(self, body: Any, request: Request, username: str | None) -> tuple:
        """Take a job, if there is a place for it."""
        self._forget_who_has_gone()
        if body.fn_index is not None and (full := self._is_full(body, request)):
            return False, f"Queue is full. {full}", "queue_full"
        session = body.session_hash = body.session_hash or uuid.uuid4().hex
        self.pending_messages_per_session.setdefault(session, Messages()).expect_reader()
        return await super().push(body, request, username)

    def get_events(self) -> tuple[list[Event], bool, str] | None:
        """The next job to run."""
        self._forget_who_has_gone()
        return super().get_events()

    def compute_analytics_summary(self, records: object) -> dict:
        """Nothing: Gradio would make a table of the last ten thousand jobs after each failure."""
        return {}

    def _is_full(self, body: Any, request: Request) -> str | None:
        """Why not, in a sentence."""
        name = route_utils.get_fn(self.blocks, None, body).concurrency_id
        if name not in self.places or name not in self.event_queue_per_concurrency_id:
            return None
        waiting = self.event_queue_per_concurrency_id[name].queue
        clients = Counter(client_of(event.request.scope) for event in waiting)
        return self.places[name].full(clients, client_of(request.scope))

    def _forget_who_has_gone(self) -> None:
        """Their jobs, and what they have not read; a job that runs ends after its next result."""
        sessions = self.pending_messages_per_session
        gone = {name for name, unread in sessions.items() if not unread.is_read}
        for waiting in self.event_queue_per_concurrency_id.values():
            for event in [event for event in waiting.queue if event.session_hash in gone]:
                waiting.queue.remove(event)
                self.event_ids_to_events.pop(event._id, None)
        for event in [event for job in self.active_jobs if job for event in job]:
            event.alive = event.alive and event.session_hash not in gone
        for name in gone:
            del sessions[name]
            self.pending_event_ids_session.pop(name, None)


def limit_queue(blocks: gr.Blocks, places: Mapping[str, Places]) -> None:
    """Have a page's events wait in a queue with so many places for each `concurrency_id`."""
    blocks.queue(api_open=False)
    blocks._queue = LimitedQueue(blocks, places)
