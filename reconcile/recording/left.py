"""From the journal and the call log of a run to the files that it leaves. Values in, values out.

What may be said of the calls is decided here. A number is left out where it might not be all: a run that was killed
may have made a call that nobody wrote down, and a count that lacks one would be held against it.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reconcile.recording.clocks import together
from reconcile.recording.endpoints import COUNTED
from reconcile.recording.journal import Journal, JournalStep
from reconcile.usage import WRITES

SOURCE = "reconcile record"
STATEMENT = "complete"
KINDS = ("input_tokens", "output_tokens", "cached_tokens")
WRITTEN = tuple(f"{name}_tokens" for name in WRITES)
COMPLETIONS = {*COUNTED.values(), "chat/completions"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnding:
    """When the run began and ended, in Unix seconds, how, and members that say so in the file."""

    started_at: float
    """As its recorder remembers it: a journal can be lost, and a window must not shrink."""
    at: float
    successful: bool
    told: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """What a call log holds, read as a pass reads it: of rows with one response id the last with usage counts."""

    rows: int
    counted: int
    """Requests that the rows with usage stand for."""
    aborted: int
    pending: int
    unknown: tuple[str, ...]
    """What was sent that nobody understands."""
    others: Mapping[str, int]
    """Calls of other endpoints."""
    providers: tuple[str, ...]
    """Whose APIs were called, as far as that is known."""
    sums: tuple[int, int, int]
    writes: tuple[int, ...]
    """Tokens that were written to a cache, as in WRITTEN."""
    readable: bool
    """Whether every line could be read, the last one whole."""
    stated: bool
    """Whether it says of itself that it is complete, which only its recorder can know."""
    lines: tuple[str, ...]
    """The lines that may stay: not a last one that was cut off, nor a statement."""


def read_calls(text: str) -> Calls:
    """The call log in these lines."""
    *lines, rest = text.split("\n")
    values = [(line, _object(line)) for line in lines if line.strip()]
    kept = [(line, value) for line, value in values if value is None or STATEMENT not in value]
    rows: dict[object, dict[str, Any]] = {}
    for number, (_, value) in enumerate(kept):
        if value is not None and _is_row(value):
            name = value.get("response_id", number)
            if name not in rows or _kind(value) in {"counted", "other"} or _kind(rows[name]) != "counted":
                rows[name] = value
    kinds: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows.values():
        kinds[_kind(row)].append(row)
    counted = kinds["counted"]
    return Calls(
        rows=len(kept),
        counted=sum(row.get("requests", 1) for row in counted),
        aborted=len(kinds["aborted"]),
        pending=len(kinds["pending"]),
        unknown=tuple(sorted(str(row.get("endpoint", "?")) for row in kinds["unknown"])),
        others=Counter(sorted(str(row["endpoint"]) for row in kinds["other"])),
        providers=tuple(sorted({str(row["provider"]) for row in counted if "provider" in row})),
        sums=(_sum(counted, KINDS[0]), _sum(counted, KINDS[1]), _sum(counted, KINDS[2])),
        writes=tuple(_sum(counted, kind) for kind in WRITTEN),
        readable=not rest and all(value is not None and _is_row(value) for _, value in kept),
        stated=len(kept) < len(values),
        lines=tuple(line for line, _ in kept),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What the run leaves: its `metrics.json`, and whether its log may say that no call is missing."""

    document: dict[str, Any]
    complete: bool
    """Of a log with pending rows it may be said, too: whoever reads it takes it for complete once they have ended."""
    every_attempt: bool
    problems: tuple[str, ...]


def left(run_id: str, journal: Journal, calls: Calls, ending: RunEnding) -> Left:
    """The run as it is told, all that is known of it put together."""
    start, end = ending.started_at, max(ending.started_at, ending.at)
    problems = tuple(_problems(journal, calls, ending))
    sure = not problems
    whole = (journal.complete or calls.stated) and sure
    complete = whole and not journal.uncounted and not calls.unknown
    every_attempt = whole and not journal.unwatched and calls.rows == journal.watched
    offset = together(journal.offsets.values())
    document: dict[str, Any] = {
        "run_id": run_id,
        **({"model": journal.model} if journal.model else {}),
        "start_timestamp": spelled(start),
        "end_timestamp": spelled(end),
        "steps": [_step(number, step, start, end) for number, step in enumerate(journal.steps, 1)],
        "aggregate_metrics": {"TOK_IN": 0, "TOK_OUT": 0, "API_CALLS": 0, "CACHED_TOKENS": 0},
    }
    if sure and (complete or calls.rows or journal.uncounted):
        document["recorded_usage"] = _recorded(calls, journal.uncounted, every_attempt=every_attempt)
    if offset is not None:
        document["clock"] = offset.clock
    notes = [*problems, *_notes(journal, calls)]
    document["recording"] = {
        "successful": ending.successful,
        **ending.told,
        **({"call_log": _standing(calls, complete=complete)} if calls.rows or complete else {}),
        **({"problems": notes} if notes else {}),
    }
    return Left(document=document, complete=complete, every_attempt=every_attempt, problems=tuple(notes))


def _standing(calls: Calls, *, complete: bool) -> str:
    if not complete:
        return "partial"
    return "pending" if calls.pending else "complete"


def _problems(journal: Journal, calls: Calls, ending: RunEnding) -> Iterable[str]:
    """Why calls may be missing in what was counted."""
    if journal.started_at is None:
        yield "the journal of the run was lost"
    if calls.rows < journal.watched:
        yield f"{_plural(journal.watched - calls.rows, 'line')} of the call log were lost"
    if journal.taking_part:
        yield f"{_plural(len(journal.taking_part), 'recorder')} did not end: killed, or still running"
    if journal.lost:
        yield f"{_plural(journal.lost, 'call')} could not be written down"
    if not calls.readable:
        yield "the call log has lines that cannot be read"
    if len(calls.providers) > 1:
        yield f"the calls are of several providers, {', '.join(calls.providers)}: record a run for each"
    if not ending.successful and calls.aborted:
        yield f"{_plural(calls.aborted, 'call')} had no answer when the run failed"
    if not ending.successful and calls.rows > journal.watched:
        yield "the run failed, and a call that was not watched may have gone unrecorded"


def _notes(journal: Journal, calls: Calls) -> Iterable[str]:
    if calls.unknown:
        yield f"{_plural(len(calls.unknown), 'request')} not understood: {_listed(calls.unknown)}"
    if calls.pending:
        yield f"{_plural(calls.pending, 'background response')} had not ended"
    if journal.uncounted:
        yield f"{_plural(journal.uncounted, 'response')} did not say what they used{_some(journal)}"
    if journal.unread:
        yield f"{_plural(journal.unread, 'line')} of the journal could not be read"
    unended = sum(step.ended_at is None for step in journal.steps)
    if unended:
        yield f"{_plural(unended, 'step')} did not end before the run"


def _recorded(calls: Calls, uncounted: int, *, every_attempt: bool) -> dict[str, object]:
    """Sums only where they are all: a request that nobody understands may be a call, and a pending one has tokens."""
    names = ("tokens_in", "tokens_out", "cached_tokens")
    tokens = dict(zip(names, calls.sums, strict=True)) | _nonzero(dict(zip(WRITTEN, calls.writes, strict=True)))
    api_calls = {"api_calls": calls.counted + uncounted + calls.pending}
    counts = {"aborted_calls": calls.aborted, "unknown_calls": len(calls.unknown)}
    return {
        **({} if uncounted or calls.pending or calls.unknown else tokens),
        **({} if calls.unknown else api_calls),
        **_nonzero(counts),
        **({"other_calls": dict(calls.others)} if calls.others else {}),
        **({"every_attempt": True} if every_attempt else {}),
        "source": SOURCE,
    }


def _nonzero(counts: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}


MOST_NAMED = 5


def _listed(names: tuple[str, ...]) -> str:
    """Each name once, and not too many of them."""
    apart = list(dict.fromkeys(names))
    return ", ".join(apart[:MOST_NAMED]) + (f" and {len(apart) - MOST_NAMED} more" if len(apart) > MOST_NAMED else "")


def _some(journal: Journal) -> str:
    """Some of the responses that told no usage, and how many more there are."""
    shown = journal.untold[:MOST_NAMED]
    more = journal.uncounted - len(shown)
    return f": {', '.join(shown)}{f' and {more} more' if more > 0 else ''}" if shown else ""


def _step(number: int, step: JournalStep, start: float, end: float) -> dict[str, object]:
    """A step as the file has it, within its run."""
    first = min(max(step.begun_at, start), end)
    last = min(max(step.ended_at if step.ended_at is not None else end, first), end)
    return {
        "step": number,
        "name": step.name,
        "start_timestamp": spelled(first),
        "end_timestamp": spelled(last),
        "duration_seconds": round(last - first, 3),
        "success": step.success is True,
    }


def _object(line: str) -> dict[str, Any] | None:
    with suppress(ValueError, RecursionError):
        value = json.loads(line)
        if isinstance(value, dict):
            return value
    return None


def _is_row(value: Mapping[str, Any]) -> bool:
    """Whether it can be added up; all else is for `reconcile validate` to say."""
    counts = [*(value.get(kind) for kind in KINDS), *(value.get(kind, 0) for kind in WRITTEN), value.get("requests", 1)]
    return all(type(each) is int for each in counts) and isinstance(value.get("response_id", ""), str)


def _kind(row: Mapping[str, Any]) -> str:
    """What a row counts as, as a pass takes it."""
    said = next((word for word in ("unknown", "pending", "aborted") if row.get(word)), "counted")
    return "other" if said != "unknown" and row.get("endpoint", "chat") not in COMPLETIONS else said


def _sum(rows: Iterable[Mapping[str, Any]], kind: str) -> int:
    return sum(row.get(kind, 0) for row in rows)


def spelled(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")
