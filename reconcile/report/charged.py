"""`costs` as text and CSV: a row for everybody who pays, one for what nobody is named for, and the total."""

from __future__ import annotations

from collections.abc import Iterable

from reconcile.ledger.charge_back import ChargeBack, ChargeSource, amount_of
from reconcile.money.charges import Charge
from reconcile.money.exact import spelled_out
from reconcile.report.compared import number, table
from reconcile.report.compared_as import csv_text
from reconcile.report.phrases import Paint, printable, wrapped
from reconcile.words import plural

UNLABELLED, TOTAL, UNPRICED = "(unlabelled)", "TOTAL", "UNPRICED"
FROM = {ChargeSource.COSTS: "the provider's costs", ChargeSource.RUNS: "committed runs at list prices, an estimate"}
COLUMNS = ("requests", "input_tokens", "cached_tokens", "output_tokens", "unpriced_tokens")
SHOWN_RUNS = 10
"""Runs that are left out and named; the count has all."""
ROUNDED = "Amounts are rounded here; --json and --csv have every digit."
NOT_VISIBLE = "Tax and credits are on the invoice and in no API."


def charged_text(found: ChargeBack, paint: Paint, width: int) -> str:
    """The charge-back, from its title down."""
    period = found.period
    title = f"COSTS  {period.first} to {period.last} (UTC), by {printable(found.by)}, of {FROM[found.source]}"
    return "\n\n".join([paint(title, "bold"), _rows(found), *filter(None, [_notes(found, width)])])


def charged_csv(found: ChargeBack) -> str:
    """RFC 4180, with a head and a total. A figure that is not told is empty, which is not zero."""
    head = (found.by, "amount", "currency", *COLUMNS)
    rows = [*((_name(row), row) for row in found.rows), (TOTAL, found.total)]
    lines = [[csv_text(name), _exact(row), found.currency, *_counts(found, row)] for name, row in rows]
    return "".join(f"{','.join(cells)}\r\n" for cells in (head, *lines))


def _rows(found: ChargeBack) -> str:
    told = found.source is ChargeSource.RUNS
    head = ("", f"{found.currency.upper()}", *(("requests", "tokens", "unpriced") if told else ()))
    rows = [*((printable(_name(row)), row) for row in found.rows), (TOTAL, found.total)]
    return table([head, *((name, amount_text(row), *(_tokens(row) if told else ())) for name, row in rows)])


def amount_text(row: Charge) -> str:
    """`1.2345`, `1.2345 + UNPRICED` or `UNPRICED`: what has no price is not 0."""
    amount = amount_of(row)
    if amount is None:
        return UNPRICED
    return f"{number(amount)} + {UNPRICED}" if row.unpriced.total else number(amount)


def _tokens(row: Charge) -> tuple[str, ...]:
    return (number(row.requests), number(row.tokens.total), number(row.unpriced.total))


def _name(row: Charge) -> str:
    return UNLABELLED if row.name is None else row.name


def _exact(row: Charge) -> str:
    amount = amount_of(row)
    return "" if amount is None else spelled_out(amount)


def _counts(found: ChargeBack, row: Charge) -> Iterable[str]:
    if found.source is ChargeSource.COSTS:
        return [""] * len(COLUMNS)
    counts = (row.requests, row.tokens.input, row.tokens.cache_read, row.tokens.output, row.unpriced.total)
    return map(str, counts)


def _notes(found: ChargeBack, width: int) -> str:
    said = [*(note.said for note in found.notes), *_left_out(found)]
    said += [f"Prices: {source}" for source in found.price_sources]
    if found.source is ChargeSource.COSTS:
        asked = f"{plural(found.requests, 'request')} to the provider"
        said.append(f"{asked}, {plural(found.remembered, 'answer')} from the cache. {NOT_VISIBLE}")
    return "\n".join(_line(text, width) for text in [*said, ROUNDED])


def _left_out(found: ChargeBack) -> Iterable[str]:
    yield from (f"  {run}: {why}" for run, why in found.left_out[:SHOWN_RUNS])
    if len(found.left_out) > SHOWN_RUNS:
        yield f"  and {len(found.left_out) - SHOWN_RUNS:,} more, which --json names"


def _line(text: str, width: int) -> str:
    indent = text[: len(text) - len(text.lstrip())] + "  "
    return wrapped(f"{printable(text.strip()).rstrip('.')}.", width, indent)
