"""What a recorder knows by now of one call, and what the next thing that it is told of it adds to that."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from reconcile.recording.journal import seconds
from reconcile.recording.responses import Telling, Told
from reconcile.recording.shapes import Counted, total


@dataclass(slots=True, kw_only=True)
class Known:
    """A call; instants are Unix seconds."""

    start: float
    finish: float
    watched: bool
    """Whether a watched client made it, which knows when."""
    made: bool = False
    """Whether the call itself is over, as the client saw it."""
    state: Telling | None = None
    counted: Counted | None = None
    model: str | None = None
    streamed: bool = False
    added: bool = False
    """Whether it was told of by hand, watched or not."""
    members: Mapping[str, object] | None = None
    """What else its row says."""
    opened: bool = False
    """Whether the first part of a message of LangChain began it, and the others are to come under another id."""
    name: str = ""
    """Of the endpoint that a watched client called."""

    @property
    def untold(self) -> bool:
        """Whether it was answered, and nothing told what it used."""
        return self.state is Telling.PART

    def make(self, start: float, finish: float, members: Mapping[str, object]) -> None:
        """The watched call is over. What was added of it before did not know its times, and has a row anew."""
        if not self.made:
            self.start, self.finish, self.members = start, finish, members
            self.watched = self.made = True
            self.counted = self.state = None

    def next(
        self, told: Told, finish: float, members: Mapping[str, object], *, named: bool
    ) -> Mapping[str, object] | None:
        """Take up what was told. Returns what a row is to say beside it, or None where it needs no row.

        Usage stays until other usage comes; and a response that was cut off, or goes on, has a row only once.
        """
        before = self.state
        self.model = told.model or self.model
        self.streamed |= told.chunk
        self.opened |= before is None and told.opens
        self.members = self.members or members
        if told.state is Telling.ENDED and told.counted is not None:
            counted = told.counted.bare
            if self.counted == counted or (self.made and counted.requests > 1):
                return None
            if before is None or before is Telling.PENDING or before is Telling.CUT or not self.watched:
                self.finish = max(finish, self.start)
            self.counted, self.state = counted, Telling.ENDED
            return self.members
        if before is Telling.ENDED or before is told.state:
            return None
        if told.state is Telling.PART:
            self.state = before or (Telling.PART if named else None)
            return None
        self.state = told.state
        self.finish = max(finish, self.start)
        return {**self.members, ("pending" if told.state is Telling.PENDING else "aborted"): True}


OWN_ID = re.compile(r"(lc_)?run-")
"""How ids begin that LangChain makes up for the messages of a stream, which does not tell it the provider's."""


def has_provider_id(told: Told) -> bool:
    return told.response_id is not None and not OWN_ID.match(told.response_id)


def opened_by(calls: Iterable[Known], told: Told) -> Known | None:
    """The call whose stream goes on with this, under the id that LangChain made up for all parts but the first.

    Of streams at the same time it may be another's, which changes no count: each begins with one such part.
    """
    if told.response_id is None or not OWN_ID.match(told.response_id):
        return None
    known = next((each for each in calls if each.opened), None)
    if known is not None:
        known.opened = False
    return known


def same_call(calls: Iterable[Known], told: Told) -> Known | None:
    """The watched call that this is, which does not say so: one with the very same usage that was not added yet.

    Of a usage that is the sum of several, the last of them, if they are the last that were watched.
    """
    if told.counted is None:
        return None
    usage = told.counted.bare
    unadded = [each for each in calls if each.watched and not each.added and each.counted is not None]
    if usage.requests == 1:
        return next((each for each in unadded if each.counted and each.counted.bare == usage), None)
    last = unadded[-usage.requests :]
    if total([each.counted for each in last if each.counted]) != usage:
        return None
    for each in last:
        each.added = True
    return last[-1]


def untold(calls: Mapping[str, Known]) -> list[str]:
    """The calls that told no usage. One that is watched may be here by an id that a library made up, too."""
    first = {id(each): name for name, each in reversed(tuple(calls.items()))}
    found = [(name, each) for name, each in calls.items() if each.untold and first[id(each)] == name]
    watched = [label(each, name) for name, each in found if each.watched]
    own = [label(each, name) for name, each in found if not each.watched and OWN_ID.match(name)]
    others = [label(each, name) for name, each in found if not each.watched and not OWN_ID.match(name)]
    return [*max(watched, own, key=len), *others]


def label(known: Known, response_id: str | None) -> str:
    """Endpoint and response, or else the model, by which people can tell which call it was."""
    return f"{known.name} {response_id or known.model or ''}".strip() or "a response without an id"


def pending_since(text: str, response_id: str) -> float | None:
    """When the call began that a log has as going on, or as cut off, under this id; None where it has none such."""
    row = _last(text).get(response_id)
    with suppress(ValueError, TypeError, KeyError):
        return seconds(row["started_at"]) if row and _open(row) else None
    return None


def going_on(text: str) -> dict[str, dict[str, Any]]:
    """The rows of a log that say that a response had not ended, by its id, in their order."""
    return {name: row for name, row in _last(text).items() if row.get("pending") and "started_at" in row}


def _last(text: str) -> dict[str, dict[str, Any]]:
    """Of the rows with one response id the last that has usage, or else the last."""
    found: dict[str, dict[str, Any]] = {}
    for line in text.splitlines():
        with suppress(ValueError, TypeError, AttributeError, RecursionError):
            row = json.loads(line)
            name, before = row.get("response_id"), found.get(row.get("response_id"), {"aborted": True})
            if isinstance(name, str) and (_open(before) or not _open(row)):
                found[name] = row
    return found


def _open(row: Mapping[str, Any]) -> bool:
    return bool(row.get("pending") or row.get("aborted"))
