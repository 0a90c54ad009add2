"""Rows of the usage endpoints as values of a comparison: token parts that share nothing, or a quantity of a unit."""

from __future__ import annotations

from typing import Any

from reconcile.adapters.providers.openai.endpoints import Endpoint
from reconcile.adapters.providers.openai.trust import FLAG, TEXT, Untrusted, spelled
from reconcile.core.comparing.sides import Dimensions, Entry, Measured, Tokens

MOST_COUNT = 10**15
"""More than anybody uses in a day, and what every reader of JSON holds exactly."""

SHOWN = ("project_id", "api_key_id", "model", "batch", "service_tier")
"""The dimensions that a comparison knows; an endpoint is grouped by those of them that it has."""

INPUT = ("input_uncached_tokens", "input_cached_tokens", "input_cache_write_tokens")
"""Parts of `input_tokens` that share no token, in the order of `Tokens`."""


def grouped_by(endpoint: Endpoint) -> tuple[str, ...]:
    return tuple(name for name in SHOWN if name in endpoint.group_by)


def entry(endpoint: Endpoint, start: int, row: Any) -> Entry:  # noqa: ANN401 (anything that JSON can be)
    """Model calls of an hour. Embeddings put out nothing and cache nothing. Raises Untrusted."""
    fields = _row(endpoint, start, row)
    whole = _count(fields, "input_tokens", start)
    return Entry(
        start=start,
        who=_who(endpoint, fields, start),
        tokens=Tokens(*_parts(fields, whole, start), _output(endpoint, fields, start)),
        requests=_count(fields, "num_model_requests", start),
    )


def measured(endpoint: Endpoint, day: int, row: Any) -> Measured:  # noqa: ANN401 (anything that JSON can be)
    """What is counted in other units than a model's tokens, of one day. Raises Untrusted."""
    fields = _row(endpoint, day, row)
    return Measured(
        day=day,
        endpoint=endpoint.name,
        unit=endpoint.unit,
        quantity=_count(fields, endpoint.counted, day),
        requests=None if endpoint.requests is None else _count(fields, endpoint.requests, day),
        who=_who(endpoint, fields, day),
    )


def _row(endpoint: Endpoint, start: int, row: Any) -> dict[str, Any]:  # noqa: ANN401 (anything that JSON can be)
    if type(row) is not dict or row.get("object") != endpoint.object:
        raise Untrusted("unexpected_shape", f"a result at {spelled(start)} is not one of {endpoint.name}")
    return row


def _count(fields: dict[str, Any], name: str, start: int) -> int:
    count = fields.get(name)
    if type(count) is not int or not 0 <= count <= MOST_COUNT:  # true and 1.0 are no counts
        raise Untrusted("invalid_count", f"{spelled(start)} has a count that cannot be: {name} {count!r:.40}")
    return count


def _output(endpoint: Endpoint, fields: dict[str, Any], start: int) -> int:
    return 0 if endpoint.name == "embeddings" else _count(fields, "output_tokens", start)


def _parts(fields: dict[str, Any], whole: int, start: int) -> tuple[int, int, int]:
    """Uncached input, read from the cache, written to it. They sum to the input, which is the total of them.

    The specification lets any of them be left out. What is not told is the rest of the input where it is the uncached
    part, or the cached one beside an uncached one, and else nothing.
    """
    told = [None if fields.get(name) is None else _count(fields, name, start) for name in INPUT]
    uncached, read, written = told
    written = written or 0
    if uncached is None:
        uncached = whole - (read or 0) - written
    if read is None:
        read = whole - uncached - written
    if min(uncached, read) < 0 or uncached + read + written != whole:
        shown = ", ".join(f"{name} {fields.get(name)}" for name in INPUT)
        problem = f"{spelled(start)} has input_tokens {whole}, which is not the sum of its parts: {shown}"
        raise Untrusted("parts_differ", problem)
    return uncached, read, written


def _who(endpoint: Endpoint, fields: dict[str, Any], start: int) -> Dimensions:
    names = grouped_by(endpoint)
    known = {name: fields.get(name) for name in names}
    if any(type(value) not in (FLAG if name == "batch" else TEXT) for name, value in known.items()):
        shown = ", ".join(f"{name} {value!r:.40}" for name, value in known.items())
        raise Untrusted("unexpected_shape", f"{spelled(start)} has a dimension of another type: {shown}")
    return Dimensions(**known)
