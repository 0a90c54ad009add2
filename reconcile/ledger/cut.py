"""What of both sides can be compared: settled whole hours, and of costs whole closed days. The rest is set apart.

Both call a thing differently: a model's undated name stands for its dated snapshots, and a name with the provider's
before it for the bare one. So one name is found for both. Below the total are models and keys that both sides name, one
by one: what one lacks and another has twice cancels in the total, and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from reconcile.ledger.figures import Tolerance
from reconcile.ledger.log import UsageLog
from reconcile.money.entry import DAY, REPORTED_GRAIN, Cost, Dimensions, Entry, Official, Period
from reconcile.usage import family

DOLLAR = "usd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Both sides, their models under common names, cut where the provider's figures end to be final."""

    start: int
    until: int
    """Excluded; usage from here to the end of the period is set apart."""
    end: int
    costs_until: int
    """Excluded; the end of the last closed day that costs are there for."""
    costs_due: int
    """Excluded; the end of the last closed day."""
    models: Aligned
    log: tuple[Entry, ...]
    """All that was read, the margin too."""
    local: tuple[Entry, ...]
    official: tuple[Entry, ...]
    apart_local: tuple[Entry, ...]
    apart_official: tuple[Entry, ...]
    costs: tuple[Cost, ...] | None
    """In USD, of models that were called, of closed days; None where there are none."""
    other_costs: tuple[Cost, ...]
    """Of closed days, for what no log of model calls holds, or in another currency."""


def cut(log: UsageLog, official: Official, period: Period, settled_until: int) -> Cut:
    """Both sides of the period up to `settled_until`, which is rounded down to the provider's grain."""
    models = aligned((*log.entries, *log.repeated), official.usage)
    read, reported = models.entries(log.entries), models.entries(official.usage)
    start, end = period.start, period.end
    until = max(start, min(end, settled_until // REPORTED_GRAIN * REPORTED_GRAIN))
    due = until // DAY * DAY
    closed = [cost for cost in official.costs or () if start <= cost.day < due]
    costs_until = _costs_until(closed, reported, start, due)
    of_calls = tuple(cost for cost in closed if cost.day < costs_until and _of_calls(cost, models))
    return Cut(
        start=start,
        until=until,
        end=end,
        costs_until=costs_until,
        costs_due=due if closed else start,
        models=models,
        log=read,
        local=within(read, start, until),
        official=within(reported, start, until),
        apart_local=within(read, until, end),
        apart_official=within(reported, until, end),
        costs=of_calls or None,
        other_costs=tuple(cost for cost in closed if cost.day < costs_until and not _of_calls(cost, models)),
    )


def within(entries: Iterable[Entry], start: int, until: int) -> tuple[Entry, ...]:
    """The entries of `[start, until)`."""
    return tuple(entry for entry in entries if start <= entry.start < until)


def _costs_until(closed: list[Cost], reported: Iterable[Entry], start: int, due: int) -> int:
    """Costs come later than usage: last days with usage and without a line of the bill are not billed yet."""
    billed = max((cost.day + DAY for cost in closed), default=start)
    return billed if any(billed <= entry.start < due for entry in reported) else due


def _of_calls(cost: Cost, models: Aligned) -> bool:
    named = cost.line_item is None or models.billed(cost) is not None
    return named and cost.currency.lower() == DOLLAR


WHOLE = {"tokens_in", "tokens_out"}
"""The kinds that make up all tokens."""

Of = Callable[[Dimensions], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedPart:
    """A model or key, and its tokens on both sides."""

    what: str
    name: str
    local: int
    official: int


def parts_outside(cut: Cut, tolerance: Tolerance) -> tuple[ComparedPart, ...]:
    """Those out of tolerance, the furthest apart first. A name that a side does not tell of all its usage tells
    nothing, and keys that the log calls otherwise throughout are names of its own."""
    found = [
        *_outside(cut, "model", lambda who: who.model, tolerance, own_names=False),
        *_outside(cut, "key", lambda who: who.api_key_id, tolerance, own_names=True),
    ]
    return tuple(sorted(found, key=lambda part: (-abs(part.local - part.official), part.what, part.name)))


def _outside(cut: Cut, what: str, of: Of, tolerance: Tolerance, *, own_names: bool) -> Iterable[ComparedPart]:
    if any(entry.untold & WHOLE for entry in cut.local):
        return
    local, official = _sums(cut.local, of), _sums(cut.official, of)
    if None in local or None in official or (own_names and not local.keys() & official.keys()):
        return
    for name in local.keys() | official.keys():
        ours, theirs = local.get(name, 0), official.get(name, 0)
        if name is not None and not tolerance.tokens.admits(ours, theirs):
            yield ComparedPart(what=what, name=name, local=ours, official=theirs)


def _sums(entries: Iterable[Entry], of: Of) -> dict[str | None, int]:
    sums: dict[str | None, int] = {}
    for entry in entries:
        sums[of(entry.who)] = sums.get(of(entry.who), 0) + entry.tokens.total
    return sums


PREFIX = re.compile("[/:]")


@dataclass(frozen=True, slots=True)
class Aligned:
    """Every model name that occurs, and the one it is compared under."""

    names: Mapping[str, str]

    def entries(self, entries: Iterable[Entry]) -> tuple[Entry, ...]:
        """The same usage under the common names."""
        return tuple(
            entry
            if entry.who.model is None or self.names[entry.who.model] == entry.who.model
            else replace(entry, who=replace(entry.who, model=self.names[entry.who.model]))
            for entry in entries
        )

    def billed(self, cost: Cost) -> str | None:
        """The model of a line item (`<model>, input`); None where it is of no model that was called."""
        head = (cost.line_item or "").rsplit(", ", 1)[0]
        return self.names.get(head) or self.names.get(head.split(" ", 1)[0])


def aligned(local: Sequence[Entry], official: Sequence[Entry]) -> Aligned:
    """A dated name that either side also has undated is compared under one name: its own where it is the only one."""
    reported = {entry.who.model for entry in official if entry.who.model is not None}
    every = reported | {entry.who.model for entry in local if entry.who.model is not None}
    spelled = {name: _spelled(name, reported) for name in every}
    every |= set(spelled.values())
    roots = {name: _root(spelled[name], every) for name in spelled}
    dated: dict[str, list[str]] = {}
    for name in reported:
        dated.setdefault(roots[name], []).append(name)
    return Aligned({name: dated[root][0] if len(dated.get(root, ())) == 1 else root for name, root in roots.items()})


def _spelled(name: str, reported: Set[str]) -> str:
    """The name without what stands before it in a log (`openai/`, `openrouter/openai/`, `openai:`) and in small
    letters, where only that is what the provider reports, dated or not."""
    if name in reported:
        return name
    known = reported | set(map(family, reported))
    tails = [name, *(name[match.end() :] for match in PREFIX.finditer(name))]
    return next((tail.lower() for tail in tails if tail.lower() in known), name)


def _root(name: str, every: set[str]) -> str:
    root = family(name)
    return _root(root, every) if root != name and root in every else name
