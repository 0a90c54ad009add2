"""What the completions endpoint answers: parameters in, status and body out. No sockets, no clock.

After the specification (github.com/openai/openai-openapi, 2026-08) and recorded answers of 2025 and 2026. Usage is
stored by the UTC minute, and minute t counts if `start_time <= t < end_time`.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from reconcile.core.model import MINUTE, Bucket, Json, Usage, instant, total
from reconcile.simulator.ledger import Ledger
from reconcile.simulator.question import DIMENSIONS, Params, Question, Refused, question

OTHER_MEDIA = (
    "input_audio_tokens",
    "input_cached_audio_tokens",
    "output_audio_tokens",
    "input_image_tokens",
    "input_cached_image_tokens",
    "output_image_tokens",
)

Labels = tuple[str | bool | None, ...]


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


def answer(params: Params, ledger: Ledger, now: float, page_size: int | None = None) -> Reply:
    """The page that is asked for, of at most `page_size` buckets, or the 400 that says why there is none."""
    try:
        asked = question(params, now)
    except Refused as refused:
        return error(400, str(refused), code=refused.code, param=refused.param)
    size = min(asked.limit, page_size or asked.limit)
    edges = list(islice(_edges(asked), size + 1))
    shown, following = edges[:size], edges[size:]
    rows = _rows(asked, shown, ledger.reported(asked.start, following[0][0] if following else asked.end, now))
    page: Json = {
        "object": "page",
        "data": [_bucket(low, high, rows[low]) for low, high in shown],
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
    asked: Question, edges: list[tuple[int, int]], reported: list[Bucket]
) -> dict[int, dict[Labels, list[Usage]]]:
    """Usage by the start of its bucket and by its labels; those that are not grouped by are null."""
    lows = [low for low, _ in edges]
    rows: dict[int, dict[Labels, list[Usage]]] = {low: defaultdict(list) for low in lows}
    grouped = [name in asked.group_by for name in DIMENSIONS]
    for bucket in reported:
        labels = _labels(bucket)
        if all(label in wanted for label, wanted in zip(labels, asked.admitted, strict=False) if wanted):
            low = lows[bisect_right(lows, bucket.minute) - 1]
            group = tuple(label if shown else None for label, shown in zip(labels, grouped, strict=True))
            rows[low][group].append(bucket.usage)
    return rows


def _labels(bucket: Bucket) -> Labels:
    """A bucket's DIMENSIONS; nobody here is a user."""
    return (bucket.project_id, None, bucket.api_key_id, bucket.model, bucket.batch, bucket.service_tier)


def _bucket(low: int, high: int, rows: dict[Labels, list[Usage]]) -> Json:
    """A bucket without usage has no results. The two texts are in answers of 2026 and not in the specification."""
    return {
        "object": "bucket",
        "start_time": low,
        "end_time": high,
        "results": [_result(labels, total(usages)) for labels, usages in rows.items()],
        "start_time_iso": f"{instant(low):%Y-%m-%dT%H:%M:%S}",
        "end_time_iso": f"{instant(high):%Y-%m-%dT%H:%M:%S}",
    }


def _result(labels: Labels, usage: Usage) -> Json:
    """A row with every field the service is known to send, and one that it is not."""
    uncached = usage.tokens_in - usage.cached_tokens
    return {
        "object": "organization.usage.completions.result",
        "input_tokens": usage.tokens_in,
        "input_cached_tokens": usage.cached_tokens,
        "input_cache_write_tokens": 0,
        "input_uncached_tokens": uncached,
        "output_tokens": usage.tokens_out,
        "input_text_tokens": uncached,
        "output_text_tokens": usage.tokens_out,
        "input_cached_text_tokens": usage.cached_tokens,
        **dict.fromkeys(OTHER_MEDIA, 0),
        "num_model_requests": usage.api_calls,
        **dict(zip(DIMENSIONS, labels, strict=True)),
        "api_source": None,
        "not_in_the_specification": {"simulated": True},
    }
