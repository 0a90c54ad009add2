"""From the bytes of a `calls.ndjson` to a `CallLog`, or everything that is wrong with them.

One line a call. A log with a finding is not used at all: it only ever adds to what is known, so without it less is
said and nothing is wrong.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import jsonschema_rs

from reconcile.minutes import Window, end_seconds, instant, minute_of, spelled, start_seconds
from reconcile.runs.run import BOOKING_SLACK, CallLog, Finding, LoggedCall
from reconcile.runs.seal import byte_digests, digest_of
from reconcile.runs.text import Obstacle, text_of, value_of
from reconcile.runs.validation import blocked, findings_in
from reconcile.usage import Usage, total
from reconcile.words import MOST, Defect, shown

MAX_LOG_BYTES = 64_000_000
"""Size of the largest log that is read: some 300,000 calls."""

MAX_LINES = 1_000_000
MAX_LINE = 20_000
"""Characters of a line. A call takes 200 of them, and prompts do not belong here."""

STATEMENT = "complete"

COMPLETIONS = frozenset({"chat", "chat/completions", "completions", "responses", "messages"})
"""Endpoints whose calls the figure is about."""

UNCOUNTED = ("unknown", "pending", "aborted")
"""Members of a call that add nothing to the sums, the first that is true before the others."""

COUNTED, OTHER = "counted", "other"

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    value: Object


def log_too_large(path: str, size: int) -> Finding:
    """The finding for a log that is not read because of its size in bytes."""
    most = f"more than the {MAX_LOG_BYTES} that are read"
    message = f"the file has {size} bytes, {most}; leave it out or log less of a call"
    return Finding(path, 1, 1, "", message)


class LogChecker:
    """Reads any number of logs against the schema of a line."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema
        self._compiled = jsonschema_rs.Draft202012Validator(schema)

    def check(self, path: str, data: bytes) -> CallLog | tuple[Finding, ...]:
        """The log, or what is wrong with it in the order of the text. Never raises, whatever the bytes are."""
        text = text_of(data)
        if isinstance(text, Obstacle):
            return (blocked(path, text),)
        lines = text.split("\n")
        if len(lines) > MAX_LINES + 1:
            return (Finding(path, MAX_LINES + 1, 1, "", f"more than {MAX_LINES} lines; log one line a call"),)
        rows: list[_Row] = []
        findings: list[Finding] = []
        for number, line in enumerate(lines, 1):
            if line and not line.isspace():
                self._take(path, number, line, rows, findings)
        if not rows and not findings:
            findings.append(Finding(path, 1, 1, "", "the file is empty; let the run log its calls, or take it out"))
        return tuple(findings[:MOST]) if findings else _log(rows, byte_digests(data))

    def _take(self, path: str, number: int, line: str, rows: list[_Row], findings: list[Finding]) -> None:
        if len(line) > MAX_LINE:
            message = f"the line has {len(line)} characters, more than the {MAX_LINE} that are read; log no prompts"
            findings.append(Finding(path, number, 1, "", message))
            return
        first = not rows and not findings
        with suppress(ValueError, RecursionError):
            value = value_of(line)
            if isinstance(value, dict) and self._compiled.is_valid(value) and not any(_contradictions(value, first)):
                rows.append(_Row(number, value))
                return
        if len(findings) < MOST:
            found = findings_in(
                path,
                line,
                schema_of=lambda _: self._schema,
                contradictions_of=lambda value: _contradictions(value, first),
            )
            findings += [replace(each, line=number) for each in found]


def held_to(path: str, log: CallLog, window: Window, offset: float = 0.0) -> tuple[CallLog, tuple[Finding, ...]]:
    """The log beside the minutes of its run, and a finding for calls that were not made there. The minutes are of a
    clock that shows `offset` more than that of the log."""
    outside = [
        call
        for call in log.calls
        if minute_of(call.end + offset + BOOKING_SLACK) < window.start
        or minute_of(call.start + offset - BOOKING_SLACK) >= window.end
    ]
    strays = sum(call.usage.api_calls for call in outside)
    span = f"{spelled(instant(window.start))} to {spelled(instant(window.end))}"
    findings = (
        Finding(
            path,
            call.line,
            1,
            "",
            f"call outside the run: it was made {spelled(instant(call.start))} to {spelled(instant(call.end))}, the "
            f"run is {span}; correct the log or the run",
        )
        for call in outside
    )
    return (replace(log, strays=strays) if strays else log), tuple(islice(findings, MOST))


def _contradictions(value: object, first: bool) -> Iterator[Defect]:
    """What a schema cannot say of a line."""
    if not isinstance(value, dict):
        return
    if STATEMENT in value:
        if not first:
            yield (STATEMENT,), f"{STATEMENT} does not belong here; only the first line may say it"
        elif "started_at" in value or "input_tokens" in value:
            yield (STATEMENT,), f"{STATEMENT} stands in a call; give it a line of its own, the first"
        return
    start, end = _seconds(value.get("started_at"), end=False), _seconds(value.get("ended_at"), end=True)
    for name, moment in (("started_at", start), ("ended_at", end)):
        if moment is None and isinstance(value.get(name), str):
            given = f"{name} is {shown(value[name])}, which no clock or calendar shows"
            yield (name,), f"{given}; write the true instant"
    if start is not None and end is not None and end < start:
        given = f"ended_at is {shown(value['ended_at'])}, before started_at, which is {shown(value['started_at'])}"
        yield ("ended_at",), f"{given}; write both as they were"
    if value.get("pending") is True and "response_id" not in value:
        yield ("pending",), "pending stands in a call without response_id; write the id by which its end can be told"
    cached, whole = value.get("cached_tokens"), value.get("input_tokens")
    if isinstance(cached, int | float) and isinstance(whole, int | float) and 0 <= whole < cached:
        given = f"cached_tokens is {shown(cached)}, more than input_tokens, which is {shown(whole)}"
        yield ("cached_tokens",), f"{given} and includes cached tokens; correct the wrong one"


def _seconds(stamp: object, *, end: bool) -> float | None:
    if isinstance(stamp, str | int | float):
        with suppress(ValueError, OverflowError, OSError):
            return end_seconds(stamp) if end else start_seconds(stamp)
    return None


def _log(rows: list[_Row], former: tuple[str, ...]) -> CallLog:
    said = rows[0].value if STATEMENT in rows[0].value else {}
    calls = [row for row in rows if STATEMENT not in row.value]
    kept = list(_latest(calls))
    kinds: dict[str, list[_Row]] = defaultdict(list)
    for row in kept:
        kinds[_kind(row)].append(row)
    counted = kinds[COUNTED]
    timed = tuple(map(_timed, counted))
    return CallLog(
        calls=timed,
        total=total(call.usage for call in timed),
        complete=bool(said.get(STATEMENT, False)) and not (kinds["unknown"] or kinds["pending"]),
        duplicates=len(calls) - len(kept),
        aborted=len(kinds["aborted"]),
        unknown=len(kinds["unknown"]),
        pending=len(kinds["pending"]),
        others=tuple(sorted(Counter(row.value["endpoint"] for row in kinds[OTHER]).items())),
        every_attempt=said.get("every_attempt", False),
        api_key_ids=frozenset(row.value["api_key_id"] for row in counted if "api_key_id" in row.value),
        models=frozenset(row.value["model"] for row in counted),
        digest=digest_of(row.value for row in rows),
        former=former,
    )


def _kind(row: _Row) -> str:
    """What a row is: counted in the figure of completions, of another endpoint, or a word that says why neither."""
    said = next((word for word in UNCOUNTED if row.value.get(word, False)), COUNTED)
    other = said != "unknown" and row.value.get("endpoint", "chat") not in COMPLETIONS
    return OTHER if other else said


def _latest(rows: list[_Row]) -> Iterable[_Row]:
    """Rows in their order, of those with the same response id the last, or the last that has usage."""
    named = [row for row in rows if "response_id" in row.value]
    last = {row.value["response_id"]: row.line for row in named}
    last |= {row.value["response_id"]: row.line for row in named if _kind(row) in {COUNTED, OTHER}}
    return (row for row in rows if last.get(row.value.get("response_id"), row.line) == row.line)


def _timed(row: _Row) -> LoggedCall:
    value = row.value
    tokens_in, tokens_out, cached = (int(value[name]) for name in ("input_tokens", "output_tokens", "cached_tokens"))
    usage = Usage(tokens_in, tokens_out, cached, int(value.get("requests", 1)))
    return LoggedCall(start_seconds(value["started_at"]), end_seconds(value["ended_at"]), usage, row.line)
