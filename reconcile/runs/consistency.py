"""What a schema cannot say of a metrics.json: that its parts agree with each other, the calendar and their folder.

Takes any JSON value. What has the wrong type is passed over; that is for the schema to say.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from reconcile.minutes import LONGEST, LONGEST_REACH, start_seconds
from reconcile.runs.metrics import BLOCK
from reconcile.runs.run import one_spelling
from reconcile.words import Defect, Pointer, named, shown

START, END = ENDS = ("start_timestamp", "end_timestamp")

READ_AT = ("reconciled_at", "verified_at", "seen_in_future")

SLACK = 1.0
"""Seconds by which a step may stick out of its run: one of the two is often cut to whole seconds."""

CACHES = (("aggregate_metrics", "CACHED_TOKENS", "TOK_IN"), ("recorded_usage", "cached_tokens", "tokens_in"))
"""Where cached input is counted, and the input that includes it."""

EARLIEST, LATEST = 946_684_800, 4_102_444_799
"""Unix seconds of the years 2000 to 2099: what lies beyond is for the schemas to refuse, infinities too."""

RESTORE = "restore what reconciliation wrote"

NUMBER = (int, float)

Object = dict[str, Any]


class StatedSpan(NamedTuple):
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
    yield from _interrupted(document)
    yield from _timeless_reads(document)
    yield from _odd_windows(_object(document.get(BLOCK)))
    yield from _overcached(document)


def _misnamed(document: Object, folder: str) -> Iterator[Defect]:
    name = document.get("run_id")
    if isinstance(name, str) and one_spelling(name) != one_spelling(folder):
        yield ("run_id",), f"run_id is {shown(name)}, but the folder is {shown(folder)}; give both the run's own name"


def _timeless(span: StatedSpan) -> Iterator[Defect]:
    for name, moment in ((START, span.start), (END, span.end)):
        if moment is None and isinstance(span.value.get(name), str):
            yield _no_instant((*span.at, name), span.value[name])


def _interrupted(document: Object) -> Iterator[Defect]:
    """Sessions that never were, or that lie too far apart."""
    pairs = [pair if isinstance(pair, list) else [] for pair in _list(document.get("sessions"))]
    for index, pair in enumerate(pairs):
        for place, stamp in enumerate(pair):
            if isinstance(stamp, str) and _seconds(stamp) is None:
                yield _no_instant(("sessions", index, place), stamp)
    spans = [_session(index, pair) for index, pair in enumerate(pairs)]
    for span in spans:
        if span.start is not None and span.end is not None and span.end < span.start:
            yield from _backwards(span, span.start, span.end)
    yield from _endless(spans)


def _session(index: int, pair: Sequence[Any]) -> StatedSpan:
    start, end = pair if len(pair) == len(ENDS) else (None, None)
    return StatedSpan(("sessions", index), {START: start, END: end}, _seconds(start), _seconds(end))


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
    return at, f"{named(at)} is {shown(stamp)}, which no clock or calendar shows; write the true instant"


def _windowless(document: Object, steps: Sequence[StatedSpan]) -> Iterator[Defect]:
    for end in ENDS:
        if document.get(end) is None and all(step.value.get(end) is None for step in steps):
            yield (end,), f"neither the run nor a step has {end}, so no usage can be found; add it to the run"


def _backwards(span: StatedSpan, start: float, end: float) -> Iterator[Defect]:
    cut_to_seconds = end.is_integer()
    if not cut_to_seconds or end < math.floor(start):
        given = f"{END} is {shown(span.value[END])}, before {START}, which is {shown(span.value[START])}"
        yield (*span.at, END), f"{given}; write both as they were"


def _outside(run: StatedSpan, steps: Sequence[StatedSpan]) -> Iterator[Defect]:
    first = -math.inf if run.start is None else run.start - SLACK
    last = math.inf if run.end is None else run.end + SLACK
    for step in steps:
        for name, moment in ((START, step.start), (END, step.end)):
            if moment is not None and not first <= moment <= last:
                span = f"{shown(run.value.get(START))} to {shown(run.value.get(END))}"
                given = f"{name} is {shown(step.value[name])}, outside the run's own time, {span}"
                yield (*step.at, name), f"{given}; correct the step or the run"


def _endless(spans: Sequence[StatedSpan]) -> Iterator[Defect]:
    starts = [span.start for span in spans if span.start is not None]
    ends = [(span.end, span.at) for span in spans if span.end is not None]
    if starts and ends and max(ends)[0] - min(starts) > LONGEST:
        days = (max(ends)[0] - min(starts)) / 86400
        yield (*max(ends)[1], END), f"{END} is {days:,.0f} days after the start, more than 31; write both as they were"


def _odd_windows(block: Object) -> Iterator[Defect]:
    """Windows and bounds whose end lies before their start, and windows that no run can have."""
    attribution = _object(block.get("attribution"))
    yield from _odd_window((BLOCK, "query_window"), block.get("query_window"))
    yield from _odd_pairs((BLOCK, "sessions"), block.get("sessions"))
    yield from _odd_bounds((BLOCK, "attribution", "bounds"), attribution.get("bounds"))
    for index, neighbour in enumerate(_list(attribution.get("neighbours"))):
        at: Pointer = (BLOCK, "attribution", "neighbours", index)
        yield from _odd_window(at, neighbour, least=1)
        yield from _odd_pairs((*at, "reach"), _object(neighbour).get("reach"))
    for index, attempt in enumerate(_list(block.get("attempts"))):
        yield from _odd_bounds((BLOCK, "attempts", index, "bounds"), _object(attempt).get("bounds"))


def _odd_window(at: Pointer, window: object, least: int = 0) -> Iterator[Defect]:
    start, end = _object(window).get("start"), _object(window).get("end")
    yield from _odd_span((*at, "end"), start, end, LONGEST_REACH, least)


def _odd_pairs(at: Pointer, pairs: object) -> Iterator[Defect]:
    """Pairs one by one, and from the first start to the last end."""
    whole = [pair for pair in _list(pairs) if isinstance(pair, list) and len(pair) == len(ENDS)]
    for index, (start, end) in enumerate(whole):
        yield from _odd_span((*at, index), start, end, LONGEST_REACH, 1)
    known = [pair for pair in whole if all(isinstance(part, NUMBER) for part in pair)]
    if known:
        yield from _odd_span(at, min(pair[0] for pair in known), max(pair[1] for pair in known), LONGEST_REACH)


def _odd_bounds(at: Pointer, bounds: object) -> Iterator[Defect]:
    for kind, pair in _object(bounds).items():
        if isinstance(pair, list) and len(pair) == len(ENDS):
            yield from _odd_span((*at, kind), pair[0], pair[1], math.inf)


def _odd_span(at: Pointer, low: object, high: object, widest: float, least: int = 0) -> Iterator[Defect]:
    if not (isinstance(low, NUMBER) and isinstance(high, NUMBER)):
        return
    if high - low < least:
        yield at, f"{named(at)} ends at {shown(high)}, not after its start at {shown(low)}; {RESTORE}"
    elif high - low > widest:
        yield at, f"{named(at)} spans {(high - low) / 86400:,.0f} days, more than {widest / 86400:,.0f}; {RESTORE}"


def _overcached(document: Object) -> Iterator[Defect]:
    for holder, cached, whole in CACHES:
        figures = _object(document.get(holder))
        part, total = figures.get(cached), figures.get(whole)
        if isinstance(part, NUMBER) and isinstance(total, NUMBER) and 0 <= total < part:
            given = f"{cached} is {shown(part)}, more than {whole}, which is {shown(total)}"
            yield (holder, cached), f"{given} and includes cached tokens; correct the wrong one"


def _span(at: Pointer, value: Object) -> StatedSpan:
    return StatedSpan(at, value, _seconds(value.get(START)), _seconds(value.get(END)))


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
