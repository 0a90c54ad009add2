"""The body of a response as it comes in, whole or as server-sent events, down to what it tells of its call.

Every event is looked at and let go: only ids, the model, the state and the usage are kept. Later usage replaces
earlier, member by member, for Anthropic's stream tells input at the start and output at the end.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

from reconcile.recording.responses import Telling, Told, told_of

LAST_EVENTS = {"response.completed", "response.incomplete", "response.failed", "message_stop"}
HOLDERS = ("response", "message")
"""Where an event of the responses and of the messages API has the response itself."""

KEPT = ("id", "model", "status", "background")

LONGEST = 64 * 2**20
"""Bytes of a body that is no stream, or of an event of one, that are kept. What is longer is not looked into."""


class AnswerBody:
    """Feed it the body, decoded, part by part."""

    def __init__(self, *, events: bool) -> None:
        self.ended = False
        """Whether nothing that matters can follow: the stream said so, or told its last usage."""
        self.events = events
        self.blind = False
        """Whether something of it could not be looked into: what that told is not known."""
        self._rest = bytearray()
        self._skipping = False
        self._response: dict[str, Any] = {}
        self._partial = False
        """Whether the usage so far is that of the start of a message."""
        self._broken = False

    def feed(self, part: bytes) -> None:
        *lines, rest = part.split(b"\n") if self.events else [part]
        for line in lines:
            self._keep(line)
            self._end_line()
        self._keep(rest)

    def finish(self) -> None:
        """There is no more to come."""
        if self.events:
            self._end_line()
            return
        with suppress(ValueError, RecursionError):
            self._merge(json.loads(bytes(self._rest)))
        self._rest.clear()

    def _keep(self, part: bytes) -> None:
        if len(self._rest) + len(part) > LONGEST:
            self._skipping = self.blind = True
            self._rest.clear()
        if not self._skipping:
            self._rest += part

    def _end_line(self) -> None:
        line, skipped = bytes(self._rest), self._skipping
        self._rest.clear()
        self._skipping = False
        if not skipped:
            self._take(line)

    @property
    def told(self) -> Told:
        """What is known by now, as of a body that is whole."""
        found = told_of(self._response, streamed=self.events)
        if found.state is Telling.ENDED and self._partial:
            return replace(found, state=Telling.CUT, counted=None)
        if found.state is Telling.PART and self.events and (self._broken or not (self.ended or self.blind)):
            return replace(found, state=Telling.CUT)
        return found

    @property
    def left(self) -> Told:
        """What is known by now, where nobody reads the rest."""
        found = self.told
        if found.state is Telling.PENDING or self.ended:
            return found
        return replace(found, state=Telling.CUT, counted=None)

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
            if isinstance(event, dict):
                self._note(event)

    def _note(self, event: dict[str, Any]) -> None:
        kind = event.get("type")
        self.ended |= kind in LAST_EVENTS
        self._broken |= kind == "error" or bool(event.get("error"))
        if kind == "message_start":
            self._partial = True
        elif kind == "message_delta" and isinstance(event.get("delta"), dict) and event["delta"].get("stop_reason"):
            self._partial, self.ended = False, True
        elif kind == "message_stop":
            self._partial = False
        elif event.get("choices") == [] and isinstance(event.get("usage"), dict):
            self.ended = True

    def _merge(self, event: object) -> None:
        if not isinstance(event, dict):
            return
        holders = [event[name] for name in HOLDERS if isinstance(event.get(name), dict)]
        for holder in holders or [event]:
            for name in KEPT:
                kept = holder.get(name)
                self._response[name] = self._response.get(name) if kept is None or kept == "" else kept
            if isinstance(holder.get("usage"), dict):
                told = {name: value for name, value in holder["usage"].items() if value is not None}
                self._response["usage"] = {**self._response.get("usage", {}), **told}
