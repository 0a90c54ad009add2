"""A comparison as schemas/comparison.schema.json describes it: amounts of money are exact decimal strings."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from reconcile.ledger.comparison import Bill, Comparison, ComparisonLine
from reconcile.ledger.figures import Allowed, Amount, Figures, Metric, difference, percent
from reconcile.ledger.legs import LegMatch
from reconcile.ledger.log import UsageLog
from reconcile.ledger.reasons.codes import Break
from reconcile.ledger.table import TableRow
from reconcile.ledger.terms import Split
from reconcile.minutes import instant, spelled
from reconcile.money.entry import Cost, Measured
from reconcile.money.exact import added, spelled_out
from reconcile.passes.summary import SCHEMA_VERSION
from reconcile.runs.run import Json

NOTHING = Figures()


def comparison_json(comparison: Comparison) -> dict[str, Json]:
    """The document that `compare --json` prints, errors aside."""
    lines = comparison.lines
    return {
        "schema_version": SCHEMA_VERSION,
        "verdict": comparison.verdict.value,
        "period": {
            "start": comparison.period.first.isoformat(),
            "end": comparison.period.last.isoformat(),
            "compared_until": spelled(instant(comparison.cut.until)),
            "costs_until": spelled(instant(comparison.cut.costs_until)),
        },
        "by": comparison.by.value,
        "local": figures_json(comparison.local),
        "official": figures_json(comparison.official),
        "difference": {line.metric.value: amount_json(line.difference) for line in lines},
        "percent": {line.metric.value: amount_json(line.percent) for line in lines},
        "tolerance": {line.metric.value: _tolerance(line) for line in lines},
        "outside": [metric.value for metric in comparison.outside],
        "rows": [_row(row) for row in comparison.rows],
        "breaks": [_break(each) for each in comparison.breaks],
        "apart": {
            "local": figures_json(comparison.apart_local),
            "official": figures_json(comparison.apart_official),
        },
        "cost_difference": _gap(comparison.gap),
        "odd_counts": [_odd(match) for match in comparison.odd],
        "unpriced": [
            {"model": each.model, "requests": each.requests, "total_tokens": each.tokens.total}
            for each in comparison.unpriced
        ],
        "price_sources": list(comparison.price_sources),
        "bill": _bill(comparison.bill),
        "other_costs": _other_costs(comparison.other_costs),
        "other_usage": _other_usage(comparison.other_usage),
        "log": _log(comparison.log),
        "api": {"requests": comparison.asked, "cached": comparison.remembered},
    }


def amount_json(amount: Amount | None) -> Json:
    """Tokens and requests as whole numbers, money and percentages as decimal strings."""
    return spelled_out(amount) if isinstance(amount, Decimal) else amount


def figures_json(figures: Figures) -> dict[str, Json]:
    return {metric.value: amount_json(figures.of(metric)) for metric in Metric}


def _tolerance(line: ComparisonLine) -> Json:
    allowed: Allowed = line.allowed
    return {
        "percent": spelled_out(allowed.percent),
        "absolute": spelled_out(allowed.absolute),
        "within": line.within,
        "untested": line.untested,
    }


def _row(row: TableRow) -> Json:
    local, official = row.local, row.official
    pairs = [(metric, (local or NOTHING).of(metric), (official or NOTHING).of(metric)) for metric in Metric]
    both = local is not None and official is not None
    return {
        "name": row.name,
        "local": figures_json(local) if local else None,
        "official": figures_json(official) if official else None,
        "difference": {metric.value: amount_json(difference(*pair)) for metric, *pair in pairs} if both else None,
        "percent": {metric.value: amount_json(percent(*pair)) for metric, *pair in pairs} if both else None,
    }


def _break(each: Break) -> Json:
    return {
        "code": each.code.value,
        "metric": each.metric.value,
        "local": amount_json(each.local),
        "official": amount_json(each.official),
        "explains": amount_json(each.explains),
        "arithmetic": each.arithmetic,
        "remedy": each.remedy,
    }


def _gap(split: Split | None) -> Json:
    if split is None:
        return None
    terms = {term: spelled_out(getattr(split.gap, term)) for term in ("quantity", "price", "unpriced", "rounding")}
    return {**terms, "total": spelled_out(split.gap.total)}


def _odd(match: LegMatch) -> Json:
    return {
        "day": f"{instant(match.day):%Y-%m-%d}",
        "model": match.model,
        "part": match.part,
        "log": match.log,
        "usage": match.usage,
        "costs": spelled_out(match.costs),
        "odd": match.odd,
    }


def _bill(bill: Bill | None) -> Json:
    if bill is None:
        return None
    return {
        "calls_usd": spelled_out(bill.calls),
        "other_usd": spelled_out(bill.other),
        "total_usd": spelled_out(bill.total),
        "invoice_usd": amount_json(bill.invoice),
        "difference_usd": amount_json(bill.beyond),
    }


def other_costs(costs: Iterable[Cost]) -> list[tuple[str, str, Decimal]]:
    """By line item and currency, in order."""
    amounts: dict[tuple[str, str], list[Decimal]] = {}
    for cost in costs:
        amounts.setdefault((cost.line_item or "", cost.currency.lower()), []).append(cost.amount)
    return [(item, currency, added(of)) for (item, currency), of in sorted(amounts.items())]


def _other_costs(costs: Iterable[Cost]) -> Json:
    return [
        {"line_item": item or None, "currency": currency, "amount": spelled_out(amount)}
        for item, currency, amount in other_costs(costs)
    ]


def other_usage(measured: Iterable[Measured]) -> list[tuple[str, str, int, int | None]]:
    """By endpoint and unit, in order: the quantity, and the requests where they are counted."""
    groups: dict[tuple[str, str], list[Measured]] = {}
    for each in measured:
        groups.setdefault((each.endpoint, each.unit), []).append(each)
    return [
        (endpoint, unit, sum(each.quantity for each in of), _requests(of))
        for (endpoint, unit), of in sorted(groups.items())
    ]


def _requests(of: list[Measured]) -> int | None:
    counted = [each.requests for each in of if each.requests is not None]
    return sum(counted) if counted else None


def _other_usage(measured: Iterable[Measured]) -> Json:
    return [
        {"endpoint": endpoint, "unit": unit, "quantity": quantity, "requests": requests}
        for endpoint, unit, quantity, requests in other_usage(measured)
    ]


def _log(log: UsageLog) -> Json:
    return {
        "files": list(log.files),
        "of_runs": log.of_runs,
        "lines": log.lines,
        "bad_lines": log.bad_lines,
        "bad": [{"file": bad.file, "line": bad.line, "why": bad.why} for bad in log.bad],
        "repeated_requests": sum(entry.requests for entry in log.repeated),
        "unlogged_attempts": log.unlogged_attempts,
    }
