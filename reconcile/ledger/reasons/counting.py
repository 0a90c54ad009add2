"""A log that counts differently: cached or reasoning tokens twice, another unit, lines more than once.

Lines that say themselves that they may be no calls are tried one kind after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from reconcile.ledger.figures import Metric
from reconcile.ledger.log import Suspicion
from reconcile.ledger.reasons.codes import BreakCode, Hypotheses, Hypothesis, totals_by_hour
from reconcile.ledger.reasons.view import (
    COMPARED,
    OUTPUT,
    READ,
    REASONING,
    REQUESTS,
    TOKENS,
    UNCACHED,
    WRITE,
    Cells,
    View,
    ViewRow,
)
from reconcile.money.entry import HOUR, Dimensions
from reconcile.words import plural

TIMES = (2, 3)
"""How often a line may stand in a log whose every line does."""

FACTORS = (1000, 1_000_000)

FITTING = 2
"""How many times more or less than the provider a log may have in a request once its unit is right."""

EVERY = (*COMPARED, REASONING)


def twice_within(view: View) -> Hypotheses:
    """Cached tokens that the log's input holds already, and reasoning that its output holds already."""
    for parts, name in (((READ,), "cached"), ((WRITE,), "cache write"), ((READ, WRITE), "cached and cache write")):
        counted = _total(view, *parts)
        if counted:
            said = f"the log seems to count {counted:,} {name} tokens beside an input that holds them already"
            yield Hypothesis(
                code=BreakCode.CACHED_COUNTED_TWICE,
                metric=Metric.INPUT,
                after=view.mapped(_taken(UNCACHED, parts)),
                said=said,
                remedy="say of the log that its input includes cached tokens, or log only the uncached ones",
                speaks_of=(UNCACHED,),
            )
    reasoning = _total(view, REASONING)
    if reasoning:
        yield Hypothesis(
            code=BreakCode.REASONING_COUNTED_TWICE,
            metric=Metric.OUTPUT,
            after=view.mapped(_taken(OUTPUT, (REASONING,))),
            said=f"the log seems to add {reasoning:,} reasoning tokens to an output that holds them already",
            remedy="do not add reasoning tokens to the output: the provider's output includes them",
            speaks_of=(OUTPUT,),
        )


def left_out(view: View) -> Hypotheses:
    """Cached tokens, cache writes and reasoning that the log tells beside an input or output without them; and kinds
    of input that it does not hold at all."""
    beside = (
        (BreakCode.CACHED_LEFT_OUT, Metric.INPUT, UNCACHED, READ, "cached", CACHED_REMEDY),
        (BreakCode.CACHE_WRITES_LEFT_OUT, Metric.INPUT, UNCACHED, WRITE, "cache write", WRITES_REMEDY),
        (BreakCode.REASONING_LEFT_OUT, Metric.OUTPUT, OUTPUT, REASONING, "reasoning", REASONING_REMEDY),
    )
    for code, metric, whole, part, name, remedy in beside:
        counted = _total(view, part)
        if counted:
            yield Hypothesis(
                code=code,
                metric=metric,
                after=view.mapped(_put(whole, part)),
                said=f"the log tells {counted:,} {name} tokens that its {metric.value} seems not to include",
                remedy=remedy,
                speaks_of=(whole,),
                strict=True,
            )
    for code, _, _, part, name, remedy in beside[:2]:
        yield from _untold(view, code, part, name, remedy)


CACHED_REMEDY = "say `input_includes: []` of the log, or log the whole input"
WRITES_REMEDY = "say `input_includes: [cached]` of the log, or log the whole input"
REASONING_REMEDY = "say `output_includes_reasoning: false` of the log, or log the whole output"


def _untold(view: View, code: BreakCode, part: int, name: str, remedy: str) -> Hypotheses:
    """The provider's usage without a kind of input that no line tells of."""
    reported = sum(row.counts[part] for row in view.whole)
    if not reported or _total(view, part):
        return
    left = {(row.start, row.who): row.counts[part] for row in view.whole}
    official = tuple(
        _with(row, {UNCACHED: max(0, row.counts[UNCACHED] - left.get((row.start, row.who), 0))})
        for row in view.official
    )
    yield Hypothesis(
        code=code,
        metric=Metric.INPUT,
        after=replace(view.with_official(official), whole=()),
        said=f"the provider reports {reported:,} {name} tokens, and the log's input seems to leave them out",
        remedy=f"{remedy}, and log {name} tokens too",
        speaks_of=(UNCACHED,),
        strict=True,
    )


def _put(of: int, part: int) -> Callable[[ViewRow], ViewRow]:
    return lambda row: _with(row, {of: row.counts[of] + row.counts[part]})


def units(view: View) -> Hypotheses:
    """Tokens in thousands or millions, on either side of what they are taken for."""
    remedy = "state the unit of the log's token fields"
    for factor in FACTORS:
        for times, per, said in (
            (factor, 1, f"the log's tokens seem {factor:,} times too low"),
            (1, factor, f"the log's tokens seem {factor:,} times too high"),
        ):
            if not _fits(view, times, per):
                continue
            after = view.mapped(_each(TOKENS, times, per))
            yield Hypothesis(
                code=BreakCode.UNITS, metric=Metric.TOTAL, after=after, said=said, remedy=remedy, speaks_of=TOKENS
            )


def _fits(view: View, times: int, per: int) -> bool:
    """Whether tokens for each request are about as many as the provider's, once they are in this unit."""
    ours, theirs = (_per_request(cells) for cells in (view.local_cells, view.official_cells))
    return bool(ours and theirs) and 1 / FITTING < ours * times / per / theirs < FITTING


def _per_request(cells: Cells) -> float:
    requests = sum(counts[REQUESTS] for counts in cells.values())
    tokens = sum(counts[part] for counts in cells.values() for part in TOKENS)
    return tokens / requests if requests else 0.0


def duplicates(view: View) -> Hypotheses:
    """Lines that were seen before; and lines that stand in the log several times unseen."""
    remedy = "write each call once; read no file twice (a rotated copy, two globs that overlap)"
    inside = [row for row in view.repeated if view.start <= row.start < view.until]
    if inside:
        lines = plural(sum(row.counts[0] for row in inside), "request")
        tokens = sum(row.counts[part] for row in inside for part in TOKENS)
        yield Hypothesis(
            code=BreakCode.DUPLICATE_LINES,
            metric=Metric.TOTAL,
            after=replace(view.with_local(without(view.local, view.repeated)), repeated=()),
            said=f"lines that equal an earlier one hold {lines} and {tokens:,} tokens",
            remedy=remedy,
            shown=True,
        )
    for times in (each for each in TIMES if _is_about(view, each)):
        yield Hypothesis(
            code=BreakCode.DUPLICATE_LINES,
            metric=Metric.TOTAL,
            after=view.mapped(_each(EVERY, 1, times)),
            said=f"the log seems to have every request and every token {times} times",
            remedy=remedy,
        )
    yield from _doubled_hours(view, remedy)


def _is_about(view: View, times: int) -> bool:
    """Whether the log may have every request so many times: it has more than half as many as that comes to."""
    ours, theirs = (sum(of[REQUESTS] for of in cells.values()) for cells in (view.local_cells, view.official_cells))
    return 2 * ours > times * theirs


def _doubled_hours(view: View, remedy: str) -> Hypotheses:
    """Hours in which all that is logged is exactly twice what is reported: a file of these hours was read twice."""
    local, official = totals_by_hour(view.local_cells), totals_by_hour(view.official_cells)
    hours = {hour for hour, counts in local.items() if any(counts) and counts == _double(official.get(hour))}
    if hours:
        halve = _each(EVERY, 1, 2)
        yield Hypothesis(
            code=BreakCode.DUPLICATE_LINES,
            metric=Metric.TOTAL,
            after=view.mapped(lambda row: halve(row) if row.start // HOUR in hours else row),
            said=f"in {plural(len(hours), 'hour')} the log has exactly twice the requests and tokens",
            remedy=remedy,
        )


def _double(counts: list[int] | None) -> list[int] | None:
    return counts and [2 * count for count in counts]


def _total(view: View, *parts: int) -> int:
    return sum(row.counts[part] for row in view.local if view.start <= row.start < view.until for part in parts)


def _taken(of: int, parts: tuple[int, ...]) -> Callable[[ViewRow], ViewRow]:
    """Takes parts out of a count that is never below zero."""
    return lambda row: _with(row, {of: max(0, row.counts[of] - sum(row.counts[part] for part in parts))})


def _each(parts: tuple[int, ...], times: int, per: int) -> Callable[[ViewRow], ViewRow]:
    return lambda row: _with(row, {part: row.counts[part] * times // per for part in parts})


def _with(row: ViewRow, counts: dict[int, int]) -> ViewRow:
    return row._replace(counts=tuple(counts.get(part, old) for part, old in enumerate(row.counts)))


def without(rows: Iterable[ViewRow], repeated: Iterable[ViewRow]) -> tuple[ViewRow, ...]:
    """The rows less what is repeated in them."""
    left: dict[tuple[int, Dimensions], list[int]] = {}
    for row in repeated:
        counts = left.setdefault((row.start, row.who), [0] * len(row.counts))
        for part, count in enumerate(row.counts):
            counts[part] += count
    kept = []
    for row in rows:
        counts = left.get((row.start, row.who), [0] * len(row.counts))
        taken = [min(count, of) for count, of in zip(counts, row.counts, strict=True)]
        for part, count in enumerate(taken):
            counts[part] -= count
        kept.append(_with(row, {part: row.counts[part] - count for part, count in enumerate(taken)}))
    return tuple(kept)


REMEDIES = {
    Suspicion.CACHE_HITS: "leave out answers that a cache gave: say `where:` of the log which lines are calls",
    Suspicion.FAILED_CALLS: "leave out calls that failed: say `where:` of the log which lines are calls",
    Suspicion.STREAMED_CHUNKS: "count the last part of each answer: say `once: <where the id stands>` of the log",
    Suspicion.REPEATED_IDS: "count each call once: say `once: <where the id stands>` of the log",
    Suspicion.RUNNING_TOTALS: "count what each line adds: say `counters: running` of the log, or log each call's own",
    Suspicion.NESTED_SPANS: "leave out spans around other spans: say `where:` of the log which lines are calls",
    Suspicion.DUPLICATE_LINES: "write each call once; an event that is written again is no call",
}


def doubted(view: View) -> Hypotheses:
    """The log without what each doubt is about."""
    for place, doubt in enumerate(view.doubts):
        inside = [row for row in doubt.surplus if view.start <= row.start < view.until]
        requests = plural(sum(row.counts[REQUESTS] for row in inside), "request")
        tokens = sum(row.counts[part] for row in inside for part in TOKENS)
        rest = view.doubts[:place] + view.doubts[place + 1 :]
        if inside:
            yield Hypothesis(
                code=BreakCode(doubt.suspicion.value),
                metric=Metric.TOTAL,
                after=replace(view.with_local(without(view.local, doubt.surplus)), doubts=rest),
                said=f"{doubt.said} hold {requests} and {tokens:,} tokens that are not the provider's",
                remedy=REMEDIES[doubt.suspicion],
                shown=doubt.suspicion is not Suspicion.RUNNING_TOTALS,
            )
