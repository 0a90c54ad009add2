"""From the bytes of a `calls.ndjson` to a `CallLog`, or everything that is wrong with them.

One line a call. A log with a finding is not used at all: it only ever adds to what is known, so without it less is
said and nothing is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import jsonschema_rs

from reconcile.core.decoding import Obstacle, text_of, value_of
from reconcile.core.defects import MOST, Defect, shown
from reconcile.core.digests import byte_digests, digest_of
from reconcile.core.instants import end_seconds, spelled, start_seconds
from reconcile.core.model import MINUTE, CallLog, Finding, LoggedCalls, Usage, Window, instant
from reconcile.core.validation import blocked, findings_in
from reconcile.core.wire import plural

MAX_LOG_BYTES = 64_000_000
"""Size of the largest log that is read: some 300,000 calls."""

MAX_LINES = 1_000_000
MAX_LINE = 20_000
"""Characters of a line. A call takes 200 of them, and prompts do not belong here."""

SLACK = 2.0
"""Seconds by which the clocks of a run and of its provider may differ. Nor is it documented whether a provider books
the start of a call or its end."""

STATEMENT = "complete"

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


def held_to(path: str, log: CallLog, window: Window) -> tuple[CallLog, tuple[Finding, ...]]:
    """The log beside the window of its run, and a finding for calls that cannot have been made there."""
    outside = [calls for calls in log.calls if calls.last < window.start or calls.first >= window.end]
    strays = sum(calls.usage.api_calls for calls in outside)
    span = f"{spelled(instant(window.start))} to {spelled(instant(window.end))}"
    findings = (
        Finding(
            path,
            calls.line,
            1,
            "",
            f"call outside the run: {plural(calls.usage.api_calls, 'call')} of {spelled(instant(calls.first))} to "
            f"{spelled(instant(calls.last + MINUTE))}, the run is {span}; correct the log or the run",
        )
        for calls in outside
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
    complete = bool(rows[0].value.get(STATEMENT, False))
    calls = [row for row in rows if STATEMENT not in row.value]
    kept = list(_latest(calls))
    counted = [row for row in kept if not row.value.get("aborted", False)]
    added = _added(counted)
    return CallLog(
        calls=added,
        total=Usage(*(sum(each.usage.parts[kind] for each in added) for kind in range(4))),
        complete=complete,
        duplicates=len(calls) - len(kept),
        aborted=len(kept) - len(counted),
        api_key_ids=frozenset(row.value["api_key_id"] for row in counted if "api_key_id" in row.value),
        models=frozenset(row.value["model"] for row in counted),
        digest=digest_of(row.value for row in rows),
        former=former,
    )


def _latest(rows: list[_Row]) -> Iterable[_Row]:
    """Rows in their order, of those with the same response id the last."""
    last = {row.value["response_id"]: row.line for row in rows if "response_id" in row.value}
    return (row for row in rows if last.get(row.value.get("response_id"), row.line) == row.line)


def _added(rows: Iterable[_Row]) -> tuple[LoggedCalls, ...]:
    """The calls by the minutes in which they can have been reported."""
    found: dict[tuple[int, int], list[int]] = {}
    for row in rows:
        value = row.value
        first = _minute(start_seconds(value["started_at"]) - SLACK)
        last = _minute(end_seconds(value["ended_at"]) + SLACK)
        sums = found.setdefault((first, last), [0, 0, 0, 0, row.line])
        sums[0] += int(value["input_tokens"])
        sums[1] += int(value["output_tokens"])
        sums[2] += int(value["cached_tokens"])
        sums[3] += 1
    return tuple(LoggedCalls(*span, Usage(*sums[:4]), sums[4]) for span, sums in sorted(found.items()))


def _minute(seconds: float) -> int:
    return int(seconds // MINUTE) * MINUTE
