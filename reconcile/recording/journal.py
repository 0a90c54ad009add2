"""The journal of a run that is being recorded, a line an event: what recorders and commands say until the run ends.

    {"run": "chatdev/9f3c1e07", "at": 1767621761.3}              the run began; written by the recorder that took it
    {"begin": "plan", "at": 1767621762}                          a step began
    {"end": "plan", "at": 1767621790, "success": true}           and ended
    {"model": "gpt-4o-mini"}                                     the model of the run
    {"complete": true}                                           every call of the run is in its call log
    {"recorder": "1f0c"}                                         a program took part in the recording
    {"recorder": "1f0c", "closed": true, "watched": 12, ...}     and left it as it should
    {"clock": {"now": [-0.2, 0.7], ...}, "of": "1f0c"}           what it measured of the provider's clock

Lines that say something else are counted and otherwise passed over: a command may write what it likes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reconcile.recording.clocks import Offset, offset_in
from reconcile.recording.shapes import Counted
from reconcile.usage import WRITES

LONGEST_NAME = 200
"""Characters of the name of a step or a model."""


@dataclass(slots=True, kw_only=True)
class JournalStep:
    """A step as far as the journal tells; instants are Unix seconds."""

    name: str
    begun_at: float
    ended_at: float | None = None
    success: bool | None = None
    key: str | None = None


@dataclass(slots=True, kw_only=True)
class Journal:
    """What all lines together say."""

    started_at: float | None = None
    model: str | None = None
    complete: bool = False
    steps: list[JournalStep] = field(default_factory=list)
    taking_part: set[str] = field(default_factory=set)
    """Programs that have not left: they were killed, or still run."""
    watched: int = 0
    """Rows that watched clients wrote."""
    unwatched: int = 0
    """Calls that were told of by hand: a retry of theirs may have gone unseen."""
    uncounted: int = 0
    """Calls whose responses did not say what they used."""
    untold: list[str] = field(default_factory=list)
    """Some of these by name."""
    lost: int = 0
    """Calls that could not be written down."""
    unread: int = 0
    offsets: dict[str, Offset] = field(default_factory=dict)
    """What each recorder measured of the provider's clock."""


def read(text: str) -> Journal:
    """The journal in these lines."""
    journal = Journal()
    for line in text.splitlines():
        if line.strip() and not _take(journal, line):
            journal.unread += 1
    return journal


def _take(journal: Journal, line: str) -> bool:
    """Whether the line was understood."""
    with suppress(ValueError, LookupError, RecursionError, TypeError, OverflowError):
        value = json.loads(line)
        for name, take in READERS.items():
            if name in value:
                take(journal, value)
                return True
    return False


def _run(journal: Journal, line: dict[str, Any]) -> None:
    if journal.started_at is not None:
        raise ValueError("it began before")
    journal.started_at = seconds(line["at"])


def _begin(journal: Journal, line: dict[str, Any]) -> None:
    journal.steps.append(JournalStep(name=_name(line["begin"]), begun_at=seconds(line.get("at")), key=line.get("id")))


def _end(journal: Journal, line: dict[str, Any]) -> None:
    """The step that began last of those with the name and the id."""
    ended_at = seconds(line.get("at"))
    for step in reversed(journal.steps):
        if (step.name, step.key) == (_name(line["end"]), line.get("id")) and step.ended_at is None:
            step.ended_at, step.success = ended_at, line.get("success", True) is True
            return
    raise ValueError("no such step")


def _recorder(journal: Journal, line: dict[str, Any]) -> None:
    if not line.get("closed"):
        journal.taking_part.add(line["recorder"])
        return
    watched, uncounted, lost = (int(line[name]) for name in ("watched", "uncounted", "lost"))
    journal.unwatched += int(line.get("unwatched", 0))
    journal.watched += watched
    journal.uncounted += uncounted
    journal.untold += map(_name, line.get("untold", ()))
    journal.lost += lost
    journal.taking_part.remove(line["recorder"])  # raises where its begin was lost; what it counts holds all the same


def _model(journal: Journal, line: dict[str, Any]) -> None:
    journal.model = journal.model or _name(line["model"])


def _complete(journal: Journal, line: dict[str, Any]) -> None:
    journal.complete = journal.complete or line["complete"] is True


def _clock(journal: Journal, line: dict[str, Any]) -> None:
    journal.offsets[str(line["of"])] = offset_in(line["clock"])


READERS = {
    "clock": _clock,
    "run": _run,
    "begin": _begin,
    "end": _end,
    "recorder": _recorder,
    "model": _model,
    "complete": _complete,
}


def _name(value: object) -> str:
    """Text that every file can hold, and not much of it."""
    return str(value).encode("utf-8", "replace").decode()[:LONGEST_NAME]


def seconds(moment: object) -> float:
    """Unix seconds of a timestamp as metrics.json may have them. Raises ValueError for anything else."""
    if isinstance(moment, bool):
        raise ValueError(f"{moment!r} is no instant: give Unix seconds, or a time with its UTC offset")
    if isinstance(moment, int | float) and 0 < moment < 4_102_444_800:  # noqa: PLR2004  the year 2100
        return float(moment)
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if isinstance(moment, datetime) and moment.tzinfo is not None:
        return moment.timestamp()
    raise ValueError(f"{moment!r} is no instant: give Unix seconds, or a time with its UTC offset")


UNKNOWN_MODEL = "unknown"


def row_of(
    counted: Counted | None,
    started_at: str,
    ended_at: str,
    model: str | None,
    response_id: str | None,
    members: Mapping[str, object],
) -> dict[str, object]:
    """The row of a call, with `members` that only some have. Without usage it has zeros, and says why."""
    found = counted or Counted()
    writes = {f"{name}_tokens": getattr(found.tokens, name) for name in WRITES}
    return {
        "started_at": started_at,
        "ended_at": ended_at,
        "model": model or UNKNOWN_MODEL,
        "input_tokens": found.tokens.input,
        "output_tokens": found.tokens.output,
        "cached_tokens": found.tokens.cache_read,
        **{name: count for name, count in writes.items() if count},
        **({"requests": found.requests} if found.requests > 1 else {}),
        **({"response_id": response_id} if response_id else {}),
        **members,
    }
