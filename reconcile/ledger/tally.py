"""The sums of a log: one for each quarter of an hour and whose usage it is, whatever number of lines it has."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Context, Decimal, Inexact
from typing import NamedTuple

from reconcile.errors import ConfigurationError
from reconcile.ledger.lines import Record
from reconcile.ledger.log import BadLine, UsageLog
from reconcile.money.entry import MARGIN, Dimensions, Entry
from reconcile.usage import PARTS, Parts, Tokens

SHOWN = 20
"""Bad lines that are shown; all are counted."""

MOST_SUMS = 1_000_000
"""Some 600 MB. A year has 35,000 quarters; more sums than this come from a name that is new in every line."""

EXACT = Context(prec=160, traps=[Inexact])
"""Adds the amounts that a line may hold, of up to 114 digits before the point and 129 after it, without rounding."""


class TallyKey(NamedTuple):
    """What is added up apart."""

    quarter: int
    model: str | None
    api_key_id: str | None
    project_id: str | None
    batch: bool | None
    service_tier: str | None
    framework: str | None
    priced: bool
    """Whether the lines tell a cost: what the others cost is unknown, and not zero."""


class Sums(NamedTuple):
    """Of lines with one key."""

    parts: Parts
    requests: int
    reasoning: int
    lines: int
    cost: Decimal


class Tally:
    """Adds up what is in the period from `start` to `end`, in Unix seconds, and `MARGIN` around it."""

    def __init__(self, start: int, end: int) -> None:
        self._from, self._to = start - MARGIN, end + MARGIN
        self._all, self._repeated = Book(), Book()
        self._bad: list[BadLine] = []
        self._bad_lines = 0

    def count(self, record: Record, framework: str | None, *, repeated: bool = False, sign: int = 1) -> None:
        """Add what a line tells, or with -1 as `sign` take it out again."""
        if self._from <= record.quarter < self._to:
            self.add(key_of(record, framework), sums_of(record), repeated=repeated, sign=sign)

    def add(self, key: TallyKey, sums: Sums, *, repeated: bool, sign: int = 1) -> None:
        """Add sums that were made elsewhere. Raises ConfigurationError where there are too many keys."""
        if self._from <= key.quarter < self._to:
            self._all.add(key, sums, sign)
            if repeated:
                self._repeated.add(key, sums, sign)

    def reject(self, file: str, line: int, why: str) -> None:
        """Note a line that does not count."""
        self._bad_lines += 1
        if len(self._bad) < SHOWN:
            self._bad.append(BadLine(file=file, line=line, why=why))

    def result(self, *, lines: int, files: tuple[str, ...], unlogged_attempts: int) -> UsageLog:
        """All of it, by time and by whose usage it is."""
        return UsageLog(
            entries=tuple(self._all.entries()),
            repeated=tuple(self._repeated.entries()),
            unlogged_attempts=unlogged_attempts,
            lines=lines,
            bad=tuple(self._bad),
            bad_lines=self._bad_lines,
            files=files,
        )


class Book:
    """Sums by key."""

    def __init__(self) -> None:
        self._counts: dict[TallyKey, list[int]] = {}
        self._costs: dict[TallyKey, Decimal] = {}

    def add(self, key: TallyKey, sums: Sums, sign: int = 1) -> None:
        counts = self._counts.get(key)
        if counts is None:
            if len(self._counts) >= MOST_SUMS:
                raise _too_many()
            counts = self._counts[key] = [0] * (len(PARTS) + 3)
        (uncached, read, written, output), requests, reasoning, lines, cost = sums
        counts[0] += sign * uncached
        counts[1] += sign * read
        counts[2] += sign * written
        counts[3] += sign * output
        counts[4] += sign * requests
        counts[5] += sign * reasoning
        counts[6] += sign * lines
        if key.priced:
            self._costs[key] = EXACT.add(self._costs.get(key, Decimal(0)), sign * cost)

    def entries(self) -> Iterator[Entry]:
        """Those of which a line is left."""
        for key in sorted(self._counts, key=_order):
            *tokens, requests, reasoning, lines = self._counts[key]
            if lines:
                yield Entry(
                    start=key.quarter,
                    who=who_of(key),
                    tokens=Tokens(*tokens),
                    requests=requests,
                    reasoning=reasoning,
                    cost=_plain(self._costs[key]) if key.priced else None,
                )


def who_of(key: TallyKey) -> Dimensions:
    return Dimensions(
        model=key.model,
        api_key_id=key.api_key_id,
        project_id=key.project_id,
        framework=key.framework,
        batch=key.batch,
        service_tier=key.service_tier,
    )


def key_of(record: Record, framework: str | None) -> TallyKey:
    return TallyKey(*record[:6], framework, record.cost is not None)


def sums_of(record: Record) -> Sums:
    return Sums(record.parts, record.requests, record.reasoning, 1, record.cost or Decimal(0))


def _plain(amount: Decimal) -> Decimal:
    """Without zeros at its end, which come from how it was added up."""
    bare = amount.normalize(EXACT)
    return bare if int(bare.as_tuple().exponent) <= 0 else bare.quantize(Decimal(1), context=EXACT)


def _order(key: TallyKey) -> tuple[tuple[bool, int | str | bool], ...]:
    """Nothing before something."""
    return tuple((part is not None, part if part is not None else "") for part in key)


def _too_many() -> ConfigurationError:
    return ConfigurationError(
        f"the log has more than {MOST_SUMS:,} sums of a quarter of an hour, model, key, project and tier",
        code="too_many_groups",
        remedy="one of these is new in nearly every line: map it to another field under `logs:` in reconcile.yml, "
        "or leave it out",
    )
