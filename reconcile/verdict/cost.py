"""What a run's figure comes to at list prices: COST_USD and its parts. An estimate, with all that it was computed from.

Only of a figure that is exact, and of which it is known what each model has of it. Anything else has no cost here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, TypeAlias

from reconcile.attribution.attribute import Attribution
from reconcile.attribution.evidence import Evidence
from reconcile.minutes import instant
from reconcile.money.charges import entries_of_run
from reconcile.money.entry import Entry, PriceOf, Prices
from reconcile.money.exact import added, less, spelled_out, times
from reconcile.money.prices import named
from reconcile.runs.edits import Change, Put, Remove
from reconcile.runs.metrics import BLOCK
from reconcile.runs.run import Json, Run
from reconcile.usage import Bucket, Usage, cache_writes, total

PRICING = "pricing"
"""The member of the block that says what COST_USD was computed from."""
COST: tuple[str, str] = ("aggregate_metrics", "COST_USD")
BREAKDOWN = "cost_breakdown"
AMOUNTS = ("uncached_input_cost", "cached_input_cost", "output_cost", "cache_savings")
NO_MODELS = "the run shares minutes, and which model has what of its figure is not known"
CACHE_WRITES = "what is written to the cache has its own price, and reported minutes do not tell it apart"
WRITTEN, WRITING = "cache_write_tokens", "cache_write"
"""Of a part and of its prices: only where writing to a cache has a price of its own."""

Object = Mapping[str, Any]

Cell: TypeAlias = tuple[str | None, str, bool | None, str | None]
"""Model, UTC day, batch, tier: what a price hangs on, but for the size of a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedPart:
    """Usage of a run at one price."""

    model: str | None
    day: str
    """UTC, as 2026-01-05."""
    batch: bool | None
    service_tier: str | None
    usage: Usage
    prices: Prices
    written: int = 0
    """Of its input, what was written to a cache; 0 where that costs what other input does."""

    @property
    def cell(self) -> Cell:
        return self.model, self.day, self.batch, self.service_tier

    @property
    def amounts(self) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """Of `AMOUNTS`. What was written to a cache is input that was not cached, as on a bill."""
        uncached = self.usage.tokens_in - self.usage.cached_tokens - self.written
        return (
            added([times(self.prices.uncached, uncached), times(self.prices.cache_write, self.written)]),
            times(self.prices.cache_read, self.usage.cached_tokens),
            times(self.prices.output, self.usage.tokens_out),
            times(less(self.prices.uncached, self.prices.cache_read), self.usage.cached_tokens),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCost:
    """The parts, or what has no price. With one of these the run has no cost: a part of a cost is none."""

    parts: tuple[PricedPart, ...] = ()
    unpriced: tuple[str, ...] = ()

    @property
    def amounts(self) -> tuple[Decimal, ...]:
        """Of `AMOUNTS`."""
        return tuple(added(column) for column in zip(*(part.amounts for part in self.parts), strict=True))

    @property
    def usd(self) -> Decimal:
        return added(self.amounts[:3])


def run_cost(attribution: Attribution, figure: Usage, price_of: PriceOf) -> RunCost | None:
    """What the figure that is written costs; None where it is not exact, or nothing."""
    if not attribution.exact or figure.is_zero or figure != attribution.figure:
        return None
    rows = rows_of(figure, attribution.rows)
    if rows is None:
        return RunCost(unpriced=(NO_MODELS,))
    priced: dict[tuple[Cell, Prices], list[Bucket]] = defaultdict(list)
    unpriced: dict[str, None] = {}
    for row, entry in zip(rows, entries_of_run(attribution.claim.run.framework, rows), strict=True):
        prices = price_of(entry)
        if prices is None:
            unpriced[f"{named(entry.who)}: no list price on {_cell(row)[1]}"] = None
        elif prices.charges_for_writes and not entry.writes_told:
            unpriced[f"{named(entry.who)}: {CACHE_WRITES}"] = None
        else:
            priced[_cell(row), prices].append(row)
    if unpriced:
        return RunCost(unpriced=tuple(unpriced))
    return RunCost(parts=tuple(_part(cell, prices, each) for (cell, prices), each in priced.items()))


def _part(cell: Cell, prices: Prices, rows: Iterable[Bucket]) -> PricedPart:
    rows = tuple(rows)
    model, day, batch, tier = cell
    return PricedPart(
        model=model,
        day=day,
        batch=batch,
        service_tier=tier,
        usage=total(row.usage for row in rows),
        prices=prices,
        written=sum(row.cache_write or 0 for row in rows) if prices.charges_for_writes else 0,
    )


def _cell(row: Bucket) -> Cell:
    return row.model, instant(row.minute).date().isoformat(), row.batch, row.service_tier


def rows_of(figure: Usage, rows: Iterable[Bucket]) -> tuple[Bucket, ...] | None:
    """An exact figure by model, day, batch flag and tier; None where shared minutes keep that from being known.

    `rows`: all usage of the run's scope in its window.
    """
    used = tuple(row for row in rows if not row.usage.is_zero)
    if figure == total(row.usage for row in used):
        return used
    if len({_cell(row) for row in used}) == 1:
        none_written = cache_writes(used) == 0  # of all of them, and so of what is the run's
        return (replace(used[0], usage=figure, cache_write=0 if none_written else None),)
    return None


def entries_of_settled(run: Run, evidence: Evidence | None) -> tuple[Entry, ...] | None:
    """The exact figure of a settled run as usage, for a comparison or a charge-back; None of any other run.

    `evidence`: that of the figure. Without it nobody knows the models.
    """
    state = run.state
    if state is None or evidence is None or not (run.settled and state.ours and state.exact):
        return None
    rows = rows_of(state.figure, evidence.rows)
    return None if rows is None else entries_of_run(run.key.framework, rows)


def cost_changes(value: Object, cost: RunCost | None) -> list[Change]:
    """COST_USD and its parts as they follow from the cost. Where there is none, what an earlier one left goes."""
    if cost and cost.parts:
        models = dict.fromkeys(part.model for part in cost.parts if part.model)
        return [
            Put(COST, cost.usd),
            *([] if BREAKDOWN in value else [Put((BREAKDOWN,), {})]),
            *(Put((BREAKDOWN, name), amount) for name, amount in zip(AMOUNTS, cost.amounts, strict=True)),
            Put((BREAKDOWN, "model"), ", ".join(models)),
        ]
    if not stored_parts(value):
        return []
    ours = {*AMOUNTS, "model"}
    others = set(value.get(BREAKDOWN, {})) - ours
    gone = [Remove((BREAKDOWN, name)) for name in sorted(ours)] if others else [Remove((BREAKDOWN,))]
    return [Remove(COST), *gone]


def pricing_json(cost: RunCost | None) -> Json:
    """What is written beside the figure; None where there is nothing to say."""
    if cost is None:
        return None
    if cost.unpriced:
        return {"unpriced": list(cost.unpriced)}
    sources = dict.fromkeys(part.prices.source for part in cost.parts)
    return {"source": ", ".join(sources), "parts": [_part_json(part) for part in cost.parts]}


def unpriced_note(value: Object) -> str | None:
    """Why a run that was to be priced has no cost."""
    unpriced: list[str] = stored_pricing(value).get("unpriced", [])
    return f"no COST_USD of it: {'; '.join(unpriced)}" if unpriced else None


def _part_json(part: PricedPart) -> Json:
    charged = part.prices.charges_for_writes
    return {
        "model": part.model,
        "date": part.day,
        "batch": part.batch,
        "service_tier": part.service_tier,
        "tokens_in": part.usage.tokens_in,
        "cached_tokens": part.usage.cached_tokens,
        **({WRITTEN: part.written} if charged else {}),
        "tokens_out": part.usage.tokens_out,
        "usd_per_token": {
            "input": spelled_out(part.prices.uncached),
            "cached_input": spelled_out(part.prices.cache_read),
            **({WRITING: spelled_out(part.prices.cache_write)} if charged else {}),
            "output": spelled_out(part.prices.output),
        },
    }


def stored_parts(value: Object) -> list[Object]:
    """What a file says that its COST_USD was computed from; nothing where that is not our amount."""
    return list(stored_pricing(value).get("parts", ()))


def stored_pricing(value: Object) -> Object:
    """What we wrote beside an earlier figure; nothing where that is another tool's, or nobody's."""
    block: Object = value.get(BLOCK, {})
    pricing = block.get(PRICING) if "policy" in block else None
    return pricing if isinstance(pricing, Mapping) and pricing.keys() & {"parts", "unpriced"} else {}


def stored_cost(value: Object) -> RunCost:
    """The parts that a file holds, as a cost."""
    return RunCost(parts=tuple(map(_read_part, stored_parts(value))))


def _read_part(part: Object) -> PricedPart:
    rates = part["usd_per_token"]
    uncached = Decimal(rates["input"])
    return PricedPart(
        model=part["model"],
        day=part["date"],
        batch=part["batch"],
        service_tier=part["service_tier"],
        usage=Usage(part["tokens_in"], part["tokens_out"], part["cached_tokens"]),
        written=part.get(WRITTEN, 0),
        prices=Prices(
            uncached=uncached,
            cache_read=Decimal(rates["cached_input"]),
            cache_write=Decimal(rates.get(WRITING, uncached)),
            output=Decimal(rates["output"]),
            source="",
        ),
    )


def _tokens_by_cell(used: Iterable[tuple[Cell, Usage, int]]) -> dict[Cell, tuple[int, ...]]:
    """What the parts of a cost and the rows of its evidence must have in common, what was written to a cache last."""
    sums: dict[Cell, tuple[Usage, int]] = defaultdict(lambda: (Usage(), 0))
    for cell, usage, written in used:
        usage_so_far, written_so_far = sums[cell]
        sums[cell] = usage_so_far + usage, written_so_far + written
    return {cell: (*usage.parts[:3], written) for cell, (usage, written) in sums.items()}


def differs(cost: RunCost, attribution: Attribution) -> bool:
    """Whether the cost is of other tokens than the figure has, or priced them as another model's or day's."""
    rows = rows_of(attribution.figure, attribution.rows) or ()
    charged = {part.cell for part in cost.parts if part.prices.charges_for_writes}
    parts = ((part.cell, part.usage, part.written) for part in cost.parts)
    told = ((_cell(row), row.usage, (row.cache_write or 0) if _cell(row) in charged else 0) for row in rows)
    return _tokens_by_cell(parts) != _tokens_by_cell(told)
