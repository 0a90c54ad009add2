"""What an endpoint answers: parameters in, status and body out. No sockets, no clock.

After the specification (github.com/openai/openai-openapi, 2026-08) and recorded answers of 2025 and 2026. Usage is
stored by the UTC minute, and minute t counts if `start_time <= t < end_time`. Costs are what the ledger's records cost
by a tariff, a row a line item and UTC day: amounts are text with some forty decimals, zeros are spelled `0E-6176`, a
limit above 31 is taken and not kept, and keys are told apart only since 2025-12-06.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import islice
from operator import add

from reconcile.minutes import MINUTE, instant
from reconcile.runs.run import Json
from reconcile.simulator.calls import EXACT, Credit, Ledger, Record, Tariff
from reconcile.simulator.question import BadRequest, Params, Question, QuestionForm, many, question
from reconcile.simulator.routes import COMPLETIONS, Amounts, Labels, Route


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes over the wire: `sent` is the share of the body that leaves before the connection is cut."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    sent: float = 1.0
    silent: bool = False
    """Nothing leaves at all, until the client gives up."""


def reply(status: int, body: Json) -> Reply:
    return Reply(status, json.dumps(body).encode())


def error(status: int, message: str, *, code: str | None, param: str | None = None) -> Reply:
    """An error in the API's usual shape."""
    fields: Json = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return reply(status, {"error": fields})


def answer(
    params: Params, ledger: Ledger, now: float, page_size: int | None = None, endpoint: Route = COMPLETIONS
) -> Reply:
    """The page that is asked for, of at most `page_size` buckets, or the 400 that says why there is none."""
    try:
        asked = question(params, now, endpoint.form)
    except BadRequest as refused:
        return error(400, str(refused), code=refused.code, param=refused.param)
    size = min(asked.limit, page_size or asked.limit, endpoint.clamp or asked.limit)
    edges = list(islice(_edges(asked), size + 1))
    shown, following = edges[:size], edges[size:]
    records = ledger.shown(asked.start, following[0][0] if following else asked.end, now)
    rows = _rows(asked, endpoint, shown, records)
    page: Json = {
        "object": "page",
        "data": [_bucket(low, high, [endpoint.result(*row) for row in rows[low].items()]) for low, high in shown],
        "has_more": bool(following),
        "next_page": asked.cursor(following[0][0]) if following else None,
    }
    return reply(200, page)


def _edges(asked: Question) -> Iterator[tuple[int, int]]:
    """Contiguous buckets aligned to UTC, the first clipped to the start's minute and the last to the end."""
    low = asked.start // MINUTE * MINUTE
    while low < asked.end:
        high = min((low // asked.width + 1) * asked.width, asked.end)
        yield low, high
        low = high


def _rows(
    asked: Question, endpoint: Route, edges: list[tuple[int, int]], records: Iterable[Record]
) -> dict[int, dict[Labels, Amounts]]:
    """Sums by the start of a bucket and by labels; those that are not grouped by are null."""
    lows = [low for low, _ in edges]
    rows: dict[int, dict[Labels, Amounts]] = {low: {} for low in lows}
    dimensions = endpoint.form.dimensions
    grouped = [name in asked.group_by for name in dimensions]
    admitted = [(dimensions.index(name), labels) for name, labels in asked.admitted.items()]
    for record in records:
        for labels, amounts in endpoint.lines(record):
            if all(labels[place] in wanted for place, wanted in admitted):
                bucket = rows[lows[bisect_right(lows, record.minute) - 1]]
                group = tuple(label if shown else None for label, shown in zip(labels, grouped, strict=True))
                known = bucket.get(group)
                bucket[group] = tuple(map(add, known, amounts)) if known else amounts
    return rows


def _bucket(low: int, high: int, results: list[Json]) -> Json:
    """A bucket without usage has no results. The two texts are in answers of 2026 and not in the specification."""
    return {
        "object": "bucket",
        "start_time": low,
        "end_time": high,
        "results": results,
        "start_time_iso": f"{instant(low):%Y-%m-%dT%H:%M:%S}",
        "end_time_iso": f"{instant(high):%Y-%m-%dT%H:%M:%S}",
    }


KEYS_SINCE = 1_764_979_200
DIMENSIONS = ("project_id", "line_item", "api_key_id", "user_id", "api_source")
FILTERS = {"project_ids": "project_id", "line_items": "line_item", "api_key_ids": "api_key_id"}
UNITS = {
    **dict.fromkeys(("input", "cached input", "output"), "tokens"),
    "images": "images",
    "audio speeches": "characters",
    "audio transcriptions": "duration_seconds",
}
"""By the last part of a line item."""

DECIMALS = 39
"""Amounts are summed as whole numbers of so small a part of a dollar: exactly."""


def costs(tariff: Tariff) -> Route:
    return Route(form=FORM, lines=partial(_lines, tariff), result=_result, clamp=31)


def _check(params: Params, start: int) -> None:
    names = many(params, "group_by")
    if "api_key_id" in names and start < KEYS_SINCE:
        said = f"group_by=api_key_id is not available for this time range. Try a start_time on or after {KEYS_SINCE}."
        raise BadRequest(said, param="start_time")
    if "user_id" in names and ("project_id" in names or many(params, "project_ids")):
        raise BadRequest("group_by=user_id is not available together with projects.", param="group_by")


FORM = QuestionForm(
    path="/organization/costs", dimensions=DIMENSIONS, filters=FILTERS, widths={"1d": (86400, 7, 180)}, check=_check
)


def _lines(tariff: Tariff, record: Record) -> Iterator[tuple[Labels, Amounts]]:
    if isinstance(record, Credit):
        yield _labels(record, record.line_item), (_fine(-record.amount), 0)
        return
    for charge in tariff.charges(record):
        yield _labels(record, charge.line_item), (_fine(charge.amount), charge.quantity)


def _labels(record: Record, line_item: str) -> Labels:
    return (record.project_id, line_item, record.api_key_id, None, None)


def _fine(amount: Decimal) -> int:
    return int(EXACT.scaleb(amount, DECIMALS))


def _result(labels: Labels, amounts: Amounts) -> Json:
    """A row, with fields that answers of 2026 have and the specification has not."""
    amount, quantity = amounts
    row = dict(zip(DIMENSIONS, labels, strict=True))
    itemised = isinstance(row["line_item"], str) and quantity
    return {
        "object": "organization.costs.result",
        "amount": {"value": _text(amount), "currency": "usd"},
        "quantity": float(quantity) if itemised else None,
        "quantity_unit": UNITS.get(str(row["line_item"]).rsplit(", ", 1)[-1]) if itemised else None,
        **row,
        "organization_id": "org-simulated",
        "organization_name": "Simulated",
        "project_name": row["project_id"] and "A simulated project",
        "user_email": None,
    }


def _text(amount: int) -> str:
    return f"{EXACT.scaleb(Decimal(amount), -DECIMALS):f}" if amount else "0E-6176"
