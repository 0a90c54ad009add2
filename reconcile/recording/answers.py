"""The body of a response as it comes in, whole or as server-sent events, down to what it counts.

Every event is looked at and let go: only ids, the model and the usage are kept. Later usage replaces earlier, member by
member, for Anthropic's stream tells input at the start and output at the end.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from reconcile.recording.usage import Counted, counted

LAST_EVENTS = {"response.completed", "response.incomplete", "response.failed", "message_stop"}
HOLDERS = ("response", "message")
"""Where an event of the responses and of the messages API has the response itself."""


class Answer:
    """Feed it the body, decoded, part by part."""

    def __init__(self, *, events: bool) -> None:
        self.ended = False
        """Whether the stream said that it is at its end."""
        self._events = events
        self._rest = b""
        self._response: dict[str, Any] = {}

    def feed(self, part: bytes) -> None:
        self._rest += part
        if self._events:
            *lines, self._rest = self._rest.split(b"\n")
            for line in lines:
                self._take(line)

    def finish(self) -> None:
        """There is no more to come."""
        rest, self._rest = self._rest, b""
        if self._events:
            self._take(rest)
            return
        with suppress(ValueError, RecursionError):
            self._merge(json.loads(rest))

    @property
    def counted(self) -> Counted | None:
        return counted(self._response)

    def _take(self, line: bytes) -> None:
        field, _, data = line.strip().partition(b":")
        if field != b"data":
            return
        if data.strip() == b"[DONE]":
            self.ended = True
            return
        with suppress(ValueError, RecursionError):
            event = json.loads(data)
            self._merge(event)
            self.ended |= isinstance(event, dict) and event.get("type") in LAST_EVENTS

    def _merge(self, event: object) -> None:
        if not isinstance(event, dict):
            return
        holders = [event[name] for name in HOLDERS if isinstance(event.get(name), dict)]
        for holder in holders or [event]:
            for name in ("id", "model"):
                self._response[name] = holder.get(name) or self._response.get(name)
            if isinstance(holder.get("usage"), dict):
                told = {name: value for name, value in holder["usage"].items() if value is not None}
                self._response["usage"] = {**self._response.get("usage", {}), **told}
