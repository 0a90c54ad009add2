"""Three counts of the same tokens: the log's, the provider's usage and the provider's bill. Which one is odd."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from reconcile.money.entry import DAY, Cost, Entry
from reconcile.money.exact import added
from reconcile.money.prices import as_billed, billed_tokens, line_item
from reconcile.usage import Tokens, family


class Leg(StrEnum):
    """The count that differs from two that agree; or all of them, where no two do."""

    LOG = "log"
    USAGE = "usage"
    COSTS = "costs"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegMatch:
    """A day of one part of a model's tokens, counted three times."""

    day: int
    model: str
    """Without the date of its snapshot."""
    part: str
    """As a bill has it: `input` is without what was cached."""
    log: int
    usage: int
    costs: Decimal
    odd: Leg | None
    """None where all agree."""


def three_way(logged: Iterable[Entry], reported: Iterable[Entry], costs: Iterable[Cost]) -> tuple[LegMatch, ...]:
    """Every day, model and part that the bill states a number of tokens for; where it states none there is no third."""
    log, usage = _counted(logged), _counted(reported)
    billed = _billed(costs, {model for _, model in (*log, *usage)})
    return tuple(
        LegMatch(
            day=day,
            model=model,
            part=part,
            log=log[day, model][part],
            usage=usage[day, model][part],
            costs=count,
            odd=odd(log[day, model][part], usage[day, model][part], count),
        )
        for (day, model, part), count in sorted(billed.items())
        if count is not None
    )


def odd(log: int, usage: int, costs: Decimal) -> Leg | None:
    """Which of the three stands apart."""
    if log == usage:
        return None if usage == costs else Leg.COSTS
    if usage == costs:
        return Leg.LOG
    return Leg.USAGE if log == costs else Leg.ALL


def _billed(costs: Iterable[Cost], families: Container[str]) -> dict[tuple[int, str, str], Decimal | None]:
    """Tokens that the bill states; None where one line of several states none. A part without a line is not billed."""
    lines: dict[tuple[int, str, str], list[Decimal | None]] = defaultdict(list)
    for cost in costs:
        item = line_item(cost, families)
        if item and item.part:
            lines[cost.day, family(item.model), item.part].append(billed_tokens(cost))
    stated = {key: [count for count in counts if count is not None] for key, counts in lines.items()}
    return {key: added(stated[key]) if len(stated[key]) == len(counts) else None for key, counts in lines.items()}


def _counted(entries: Iterable[Entry]) -> defaultdict[tuple[int, str], dict[str, int]]:
    counts: defaultdict[tuple[int, str], dict[str, int]] = defaultdict(lambda: as_billed(Tokens()))
    for entry in entries:
        if entry.who.model:
            parts = counts[entry.start - entry.start % DAY, family(entry.who.model)]
            for part, count in as_billed(entry.tokens).items():
                parts[part] += count
    return counts
