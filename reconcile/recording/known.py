"""What a recorder knows by now of one call, and what the next thing that it is told of it adds to that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from reconcile.recording.journal import seconds
from reconcile.recording.responses import State, Told
from reconcile.recording.usage import Counted


@dataclass(slots=True, kw_only=True)
class Known:
    """A call; instants are Unix seconds."""

    start: float
    finish: float
    watched: bool
    """Whether a watched client made it, which knows when."""
    state: State | None = None
    counted: Counted | None = None
    model: str | None = None
    streamed: bool = False
    members: Mapping[str, object] | None = None
    """What else its row says."""

    @property
    def untold(self) -> bool:
        """Whether it was answered, and nothing told what it used."""
        return self.state is State.PART

    def next(
        self, told: Told, finish: float, members: Mapping[str, object], *, named: bool
    ) -> Mapping[str, object] | None:
        """Take up what was told. Returns what a row is to say beside it, or None where it needs no row.

        Usage stays until other usage comes; and a response that was cut off, or goes on, has a row only once.
        """
        before = self.state
        self.model = told.model or self.model
        self.streamed |= told.chunk
        self.members = self.members or members
        if told.state is State.ENDED and told.counted is not None:
            counted = replace(told.counted, model=None)
            if self.counted == counted:
                return None
            if before is None or before is State.PENDING or before is State.CUT or not self.watched:
                self.finish = max(finish, self.start)
            self.counted, self.state = counted, State.ENDED
            return self.members
        if before is State.ENDED or before is told.state:
            return None
        if told.state is State.PART:
            self.state = before or (State.PART if named else None)
            return None
        self.state = told.state
        self.finish = max(finish, self.start)
        return {**self.members, ("pending" if told.state is State.PENDING else "aborted"): True}


def pending_since(text: str, response_id: str) -> float | None:
    """When the call began that a log has as going on, or as cut off, under this id; None where it has none such."""
    since = None
    for line in text.splitlines():
        if response_id in line:
            with suppress(ValueError, TypeError, AttributeError, RecursionError):
                row = json.loads(line)
                if row.get("response_id") == response_id:
                    open_still = row.get("pending") or row.get("aborted")
                    since = seconds(row["started_at"]) if open_still else None
    return since
