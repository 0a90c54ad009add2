"""What a line of the provider's bill is for, as far as its name says it."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from decimal import Decimal

from reconcile.core.comparing.exact import times
from reconcile.core.comparing.money import family
from reconcile.core.comparing.sides import Cost, Tokens

INPUT, CACHED_INPUT, OUTPUT = "input", "cached input", "output"
BILLED = (INPUT, CACHED_INPUT, OUTPUT)
"""Parts of a model's tokens that have a line each. Recorded amounts are the prices of just these: `input` is without
what was cached."""

PER_UNIT = {None: 1, "tokens": 1, "1000_tokens": 1000}
"""Tokens of a unit. Answers from before 2026-08 name none and count single tokens."""


@dataclass(frozen=True, slots=True)
class LineItem:
    """The model, and the part of its tokens where the line is of tokens."""

    model: str
    part: str | None = None


def line_item(cost: Cost, families: Container[str] = ()) -> LineItem | None:
    """What the line is for; None where that is no model: `<model snapshot>, input|cached input|output` is.

    `families`: of models that there is usage of. A line about one of them is the model's whatever it is for.
    """
    head, _, part = (cost.line_item or "").rpartition(", ")
    whole = head or part
    known = next((name for name in (whole, whole.split(" ", 1)[0]) if family(name) in families), None)
    if head and part in BILLED:
        return LineItem(known or head, part)
    return LineItem(known) if known else None


def billed_tokens(cost: Cost) -> Decimal | None:
    """How many tokens the line says it bills; None where it does not say so."""
    if cost.quantity is None or cost.quantity_unit not in PER_UNIT:
        return None
    return times(cost.quantity, PER_UNIT[cost.quantity_unit])


def as_billed(tokens: Tokens) -> dict[str, int]:
    """Tokens by the parts that a bill has lines for; what is written to the cache is input that was not cached."""
    return {INPUT: tokens.uncached + tokens.cache_write, CACHED_INPUT: tokens.cache_read, OUTPUT: tokens.output}
