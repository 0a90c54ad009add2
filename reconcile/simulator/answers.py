"""What an endpoint answers: parameters in, status and body out. No sockets, no clock.

After the specification (github.com/openai/openai-openapi, 2026-08) and recorded answers of 2025 and 2026. Usage is
stored by the UTC minute, and minute t counts if `start_time <= t < end_time`.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from operator import add

from reconcile.core.model import MINUTE, Json, instant
from reconcile.simulator.endpoints import COMPLETIONS, Amounts, Endpoint, Labels
from reconcile.simulator.ledger import Ledger, Record
from reconcile.simulator.question import Params, Question, Refused, question


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
    params: Params, ledger: Ledger, now: float, page_size: int | None = None, endpoint: Endpoint = COMPLETIONS
) -> Reply:
    """The page that is asked for, of at most `page_size` buckets, or the 400 that says why there is none."""
    try:
        asked = question(params, now, endpoint.form)
    except Refused as refused:
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
    asked: Question, endpoint: Endpoint, edges: list[tuple[int, int]], records: Iterable[Record]
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
