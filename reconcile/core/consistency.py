"""What a schema cannot say of a metrics.json: that its parts agree with each other, the calendar and their folder.

Takes any JSON value. What has the wrong type is passed over; that is for the schema to say.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from reconcile.core.defects import Defect, shown
from reconcile.core.instants import start_seconds
from reconcile.core.model import Pointer, one_spelling

START, END = ENDS = ("start_timestamp", "end_timestamp")

BLOCK = "usage_api_reconciliation"
READ_AT = ("reconciled_at", "verified_at")

SLACK = 1.0
"""Seconds by which a step may stick out of its run: one of the two is often cut to whole seconds."""

LONGEST = 31 * 86400.0
"""Seconds that a run may last. Each day of it is a request of every pass, so a slip of the calendar must not pass."""

CACHES = (("aggregate_metrics", "CACHED_TOKENS", "TOK_IN"), ("recorded_usage", "cached_tokens", "tokens_in"))
"""Where cached input is counted, and the input that includes it."""

EARLIEST, LATEST = 946_684_800, 4_102_444_799
"""Unix seconds of the years 2000 to 2099: what lies beyond is for the schemas to refuse, infinities too."""

NUMBER = (int, float)

Object = dict[str, Any]


class Span(NamedTuple):
    """A run or a step, and its ends in Unix seconds; None where one is not given or not readable."""

    at: Pointer
    value: Object
    start: float | None
    end: float | None


def contradictions(value: object, folder: str) -> Iterator[Defect]:
    """Everything that cannot be true about a metrics.json in the run folder of this name."""
    if not isinstance(value, dict):
        return
    document: Object = value
    steps = _list(document.get("steps"))
    run = _span((), document)
    spans = [_span(("steps", index), _object(step)) for index, step in enumerate(steps)]
    yield from _misnamed(document, folder)
    yield from _windowless(document, spans)
    for span in (run, *spans):
        if span.start is None or span.end is None:
            yield from _timeless(span)
        elif span.end < span.start:
            yield from _backwards(span, span.start, span.end)
    yield from _outside(run, spans)
    yield from _endless([run] if None not in (run.start, run.end) else [run, *spans])
    yield from _timeless_reads(document)
    yield from _overcached(document)


def _misnamed(document: Object, folder: str) -> Iterator[Defect]:
    name = document.get("run_id")
    if isinstance(name, str) and one_spelling(name) != one_spelling(folder):
        yield ("run_id",), f"run_id is {shown(name)}, but the folder is {shown(folder)}; give both the run's own name"


def _timeless(span: Span) -> Iterator[Defect]:
    for name, moment in ((START, span.start), (END, span.end)):
        if moment is None and isinstance(span.value.get(name), str):
            yield _no_instant((*span.at, name), span.value[name])


def _timeless_reads(document: Object) -> Iterator[Defect]:
    block = _object(document.get(BLOCK))
    attempts = enumerate(_list(block.get("attempts")))
    places: list[tuple[Pointer, object]] = [((BLOCK, name), block.get(name)) for name in READ_AT]
    places += [((BLOCK, "attempts", index, "timestamp"), _object(each).get("timestamp")) for index, each in attempts]
    for at, stamp in places:
        if isinstance(stamp, str) and _seconds(stamp) is None:
            yield _no_instant(at, stamp)


def _no_instant(at: Pointer, stamp: str) -> Defect:
    """For text in the form of a timestamp that is none, such as 30 February."""
    return at, f"{at[-1]} is {shown(stamp)}, which no clock or calendar shows; write the true instant"


def _windowless(document: Object, steps: Sequence[Span]) -> Iterator[Defect]:
    for end in ENDS:
        if document.get(end) is None and all(step.value.get(end) is None for step in steps):
            yield (end,), f"neither the run nor a step has {end}, so no usage can be found; add it to the run"


def _backwards(span: Span, start: float, end: float) -> Iterator[Defect]:
    cut_to_seconds = end.is_integer()
    if not cut_to_seconds or end < math.floor(start):
        given = f"{END} is {shown(span.value[END])}, before {START}, which is {shown(span.value[START])}"
        yield (*span.at, END), f"{given}; write both as they were"


def _outside(run: Span, steps: Sequence[Span]) -> Iterator[Defect]:
    first = -math.inf if run.start is None else run.start - SLACK
    last = math.inf if run.end is None else run.end + SLACK
    for step in steps:
        for name, moment in ((START, step.start), (END, step.end)):
            if moment is not None and not first <= moment <= last:
                span = f"{shown(run.value.get(START))} to {shown(run.value.get(END))}"
                given = f"{name} is {shown(step.value[name])}, outside the run's own time, {span}"
                yield (*step.at, name), f"{given}; correct the step or the run"


def _endless(spans: Sequence[Span]) -> Iterator[Defect]:
    starts = [span.start for span in spans if span.start is not None]
    ends = [(span.end, span.at) for span in spans if span.end is not None]
    if starts and ends and max(ends)[0] - min(starts) > LONGEST:
        days = (max(ends)[0] - min(starts)) / 86400
        yield (*max(ends)[1], END), f"{END} is {days:,.0f} days after the start, more than 31; write both as they were"


def _overcached(document: Object) -> Iterator[Defect]:
    for holder, cached, whole in CACHES:
        figures = _object(document.get(holder))
        part, total = figures.get(cached), figures.get(whole)
        if isinstance(part, NUMBER) and isinstance(total, NUMBER) and 0 <= total < part:
            given = f"{cached} is {shown(part)}, more than {whole}, which is {shown(total)}"
            yield (holder, cached), f"{given} and includes cached tokens; correct the wrong one"


def _span(at: Pointer, value: Object) -> Span:
    return Span(at, value, _seconds(value.get(START)), _seconds(value.get(END)))


def _seconds(stamp: object) -> float | None:
    """Unix seconds, and an end without its rounding up: ends are compared as they are written."""
    if isinstance(stamp, str):
        with suppress(ValueError, OverflowError):
            return start_seconds(stamp)
    elif isinstance(stamp, NUMBER) and EARLIEST <= stamp <= LATEST:
        return float(stamp)
    return None


def _object(value: object) -> Object:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
