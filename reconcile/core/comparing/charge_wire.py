"""A charge-back as schemas/costs.schema.json describes it: amounts of money are exact decimal strings."""

from __future__ import annotations

from decimal import Decimal

from reconcile.core.comparing.chargeback import ChargeBack, Source
from reconcile.core.comparing.charges import Charge
from reconcile.core.comparing.exact import spelled_out
from reconcile.core.instants import spelled
from reconcile.core.model import Json, instant

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


def _charge(row: Charge, source: Source) -> dict[str, Json]:
    """A bill tells no tokens and no requests."""
    amount = amount_of(row)
    told = source is Source.RUNS
    return {
        "amount": None if amount is None else spelled_out(amount),
        "requests": row.requests if told else None,
        "input_tokens": row.tokens.input if told else None,
        "cached_tokens": row.tokens.cache_read if told else None,
        "output_tokens": row.tokens.output if told else None,
        "unpriced_tokens": row.unpriced.total if told else None,
    }
