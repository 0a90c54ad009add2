"""A charge-back of a period: who pays what of the provider's bill, or of committed runs at list prices.

Its rows sum to its total to the last digit. What nobody is named for is a row, and what has no price is never 0. The
figures of committed runs are entries as those of a log are, by the minute where evidence has them.

As a document it is what schemas/costs.schema.json describes: amounts of money are exact decimal strings.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from reconcile.attribution.evidence import Evidence
from reconcile.errors import UsageError
from reconcile.ledger.cut import DOLLAR
from reconcile.minutes import instant, spelled
from reconcile.money.charges import (
    BY,
    Charge,
    Item,
    Labels,
    charge_back,
    charged,
    items_of_costs,
    items_of_usage,
    sources,
)
from reconcile.money.entry import DAY, KEYS_SINCE, LOGGED_GRAIN, Cost, Dimensions, Entry, Official, Period, PriceOf
from reconcile.money.exact import spelled_out
from reconcile.money.prices import prices_of_minutes
from reconcile.providers.base import Scope
from reconcile.runs.run import Json, Run
from reconcile.usage import Tokens, family, names
from reconcile.verdict.cost import entries_of_settled


class ChargeSource(StrEnum):
    """Where the amounts come from."""

    COSTS = "costs"
    RUNS = "runs"


class NoteCode(StrEnum):
    """What a reader has to know of the amounts: a closed list."""

    COSTS_OPEN = "costs_open"
    COSTS_LATE = "costs_late"
    KEYS_UNKNOWN = "keys_unknown"
    NO_FRAMEWORKS = "no_frameworks"
    RUNS_LEFT_OUT = "runs_left_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    code: NoteCode
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeBack:
    """Who pays what of a period."""

    source: ChargeSource
    period: Period
    until: int
    """Unix seconds, excluded: where the days end that are in the amounts."""
    by: str
    currency: str
    rows: tuple[Charge, ...]
    total: Charge
    notes: tuple[Note, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    """Runs that are in no amount, and why."""
    price_sources: tuple[str, ...] = ()
    requests: int = 0
    """Made to the provider."""
    remembered: int = 0
    """Answers from the cache of closed periods."""


def dimension(by: str | None, labels: Labels, source: ChargeSource) -> str:
    """What a row is: one of `BY` or a label that something has. Raises UsageError."""
    if by is None:
        return "framework" if source is ChargeSource.RUNS else "project"
    if by not in (*BY, *labels.names):
        raise UsageError(
            f"--by: nothing has a label {by!r}",
            code="unknown_label",
            remedy=f"one of {', '.join((*BY, *labels.names))}; labels: in reconcile.yml gives others",
        )
    return by


def bill_charged(
    official: Official, period: Period, until: int, by: str, labels: Labels, scopes: Mapping[str, Scope]
) -> ChargeBack:
    """The provider's costs of whole days before `until` (Unix seconds). A line is a framework's where no other one of
    `scopes` has its key, project and model.
    """
    end = max(period.start, min(period.end, until // DAY * DAY))
    costs = [cost for cost in official.costs or () if period.start <= cost.day < end]
    families = {family(entry.who.model) for entry in official.usage if entry.who.model}
    items = [_with_framework(item, scopes) for item in items_of_costs(costs, families)]
    return ChargeBack(
        source=ChargeSource.COSTS,
        period=period,
        until=end,
        by=by,
        currency=costs[0].currency.lower() if costs else DOLLAR,
        rows=charge_back(items, labels, by),
        total=charged(items),
        notes=tuple(_notes(official, costs, period, end, by, scopes)),
        requests=official.requests,
        remembered=official.cached,
    )


def runs_charged(
    found: Iterable[tuple[str, tuple[Entry, ...] | str]], period: Period, by: str, labels: Labels, price_of: PriceOf
) -> ChargeBack:
    """The exact figures of runs at list prices. `found`: of each run its usage, or why it has no exact figure."""
    usage: list[Entry] = []
    left_out: list[tuple[str, str]] = []
    for run, entries in found:
        if isinstance(entries, str):
            left_out.append((run, entries))
        else:
            usage += [entry for entry in entries if period.start <= entry.start < period.end]
    prices = prices_of_minutes(price_of)
    items = items_of_usage(usage, prices)
    said = f"{len(left_out):,} without an exact figure, which no amount holds"
    return ChargeBack(
        source=ChargeSource.RUNS,
        period=period,
        until=period.end,
        by=by,
        currency=DOLLAR,
        rows=charge_back(items, labels, by),
        total=charged(items),
        notes=(Note(code=NoteCode.RUNS_LEFT_OUT, said=f"Runs left out: {said}"),) if left_out else (),
        left_out=tuple(left_out),
        price_sources=sources(usage, prices),
    )


def framework_of(who: Dimensions, scopes: Mapping[str, Scope]) -> str | None:
    """The only framework that has this traffic; None where none or several have."""
    having = [framework for framework, scope in scopes.items() if _has(scope, who)]
    return having[0] if len(having) == 1 else None


def _has(scope: Scope, who: Dimensions) -> bool:
    return (
        _in(who.api_key_id, scope.api_key_ids)
        and _in(who.project_id, scope.project_ids)
        and (not scope.models or any(names(alias, who.model) for alias in scope.models))
    )


def _in(name: str | None, admitted: Collection[str]) -> bool:
    return not admitted or name in admitted


def _with_framework(item: Item, scopes: Mapping[str, Scope]) -> Item:
    return replace(item, who=replace(item.who, framework=framework_of(item.who, scopes)))


def _notes(
    official: Official, costs: list[Cost], period: Period, end: int, by: str, scopes: Mapping[str, Scope]
) -> Iterable[Note]:
    if end < period.end:
        yield Note(code=NoteCode.COSTS_OPEN, said=f"Days from {_day(end)} on are not closed: no amount holds them")
    billed = max((cost.day + DAY for cost in costs), default=period.start)
    if any(billed <= entry.start < end for entry in official.usage):
        said = f"No costs are reported from {_day(billed)} on, although there is usage: costs come later than usage"
        yield Note(code=NoteCode.COSTS_LATE, said=said)
    if period.start < KEYS_SINCE and by not in {"model", "project"}:
        said = f"The provider tells costs apart by key only from {_day(KEYS_SINCE)} on: earlier ones have no key"
        yield Note(code=NoteCode.KEYS_UNKNOWN, said=said)
    if by == "framework" and not scopes:
        said = "Costs know no framework, and reconcile.yml names no keys or projects of one; or charge runs (--runs)"
        yield Note(code=NoteCode.NO_FRAMEWORKS, said=said)


def _day(seconds: int) -> str:
    return f"{instant(seconds):%Y-%m-%d}"


def figures_of_run(run: Run, scope: Scope, evidence: Evidence | None) -> tuple[Entry, ...]:
    """What a run's file says that it used; nothing where it says nothing yet.

    Without rows that are all its own, the figure stands as a whole in the quarter of an hour in which the run began.
    """
    by_the_minute = entries_of_settled(run, evidence)
    if by_the_minute is not None:
        return by_the_minute
    figure = run.state.figure if run.state else None
    if figure is None or figure.is_zero:
        return ()
    start = run.window.start - run.window.start % LOGGED_GRAIN
    who = Dimensions(
        framework=run.key.framework,
        model=_only(scope.models),
        api_key_id=_only(scope.api_key_ids),
        project_id=_only(scope.project_ids),
    )
    tokens = Tokens(
        uncached=figure.tokens_in - figure.cached_tokens, cache_read=figure.cached_tokens, output=figure.tokens_out
    )
    unknown = run.state.unknown if run.state else frozenset()
    return (Entry(start=start, who=who, tokens=tokens, requests=figure.api_calls, untold=unknown, writes_told=False),)


def _only(names: tuple[str, ...]) -> str | None:
    return names[0] if len(names) == 1 else None


SCHEMA_VERSION = 1


def charge_back_json(found: ChargeBack) -> dict[str, Json]:
    """The document that `costs --json` prints, errors aside."""
    unnamed = next((row for row in found.rows if row.name is None), None)
    return {
        "schema_version": SCHEMA_VERSION,
        "source": found.source.value,
        "period": {
            "start": found.period.first.isoformat(),
            "end": found.period.last.isoformat(),
            "until": spelled(instant(found.until)),
        },
        "by": found.by,
        "currency": found.currency,
        "total": _charge(found.total, found.source),
        "rows": [{"name": row.name, **_charge(row, found.source)} for row in found.rows],
        "unlabelled": _charge(unnamed, found.source) if unnamed else None,
        "notes": [{"code": note.code.value, "message": note.said} for note in found.notes],
        "left_out": [{"run": run, "why": why} for run, why in found.left_out],
        "price_sources": list(found.price_sources),
        "api": {"requests": found.requests, "cached": found.remembered},
    }


def amount_of(row: Charge) -> Decimal | None:
    """What is known of the amount; None where all of it is unpriced, which is not 0."""
    return None if row.unpriced.total and row.unpriced == row.tokens else row.usd


def _charge(row: Charge, source: ChargeSource) -> dict[str, Json]:
    """A bill tells no tokens and no requests."""
    amount = amount_of(row)
    told = source is ChargeSource.RUNS
    return {
        "amount": None if amount is None else spelled_out(amount),
        "requests": row.requests if told else None,
        "input_tokens": row.tokens.input if told else None,
        "cached_tokens": row.tokens.cache_read if told else None,
        "output_tokens": row.tokens.output if told else None,
        "unpriced_tokens": row.unpriced.total if told else None,
    }
