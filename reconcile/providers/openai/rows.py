"""Rows of the usage and costs endpoints as values of a comparison: token parts that share nothing, quantities, amounts.

A table says what each endpoint counts, in which unit, and by what it can be told apart; the result objects of
`file_searches` and `web_searches` are not named like their paths. An amount is kept to the last digit. The
specification says number; the service sends text with forty decimals, and zeros like `0E-6176`: it is the same
whichever way it is spelled, so it is kept without its trailing zeros.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

from reconcile.money.entry import Cost, Dimensions, Entry, Measured
from reconcile.providers.openai.asking import FLAG, TEXT, Untrusted, spelled
from reconcile.usage import Tokens

RESULT = "organization.costs.result"
PATH = "/organization/costs"

GROUP_BY = ("line_item", "project_id")
GROUP_BY_KEY = (*GROUP_BY, "api_key_id")

NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,6})?")
LONGEST = 10_000
"""Characters of a number: more than any of those recorded has."""
MOST_WHOLE, MOST_DECIMALS = 15, 100
"""Digits before and after the point. Sums of such amounts are exact in a context that is made for it."""


def number(text: str) -> Decimal:
    """For json: a number to its last digit. Raises ValueError where no decimal can hold it."""
    if len(text) > LONGEST or not NUMBER.fullmatch(text):
        raise ValueError("a number with more digits or a larger exponent than is read")
    return Decimal(text)


def cost(day: int, row: Any) -> Cost:  # noqa: ANN401 (anything that JSON can be)
    """One line item of a day. Raises Untrusted."""
    if type(row) is not dict or row.get("object") != RESULT:
        raise Untrusted("unexpected_shape", f"a result at {spelled(day)} is not one of costs")
    amount = row.get("amount")
    if type(amount) is not dict:
        raise Untrusted("invalid_amount", f"{spelled(day)} has a line without an amount: {row.get('line_item')!r:.80}")
    texts = {name: row.get(name) for name in (*GROUP_BY_KEY, "quantity_unit")}
    if any(type(text) not in TEXT for text in texts.values()):
        shown = ", ".join(f"{name} {text!r:.40}" for name, text in texts.items())
        raise Untrusted("unexpected_shape", f"{spelled(day)} has a dimension of another type: {shown}")
    quantity = row.get("quantity")
    return Cost(
        day=day,
        amount=_exact(amount.get("value"), "an amount", day),
        currency=_currency(amount.get("currency"), day),
        quantity=None if quantity is None else _exact(quantity, "a quantity", day),
        **texts,
    )


def _exact(value: Any, what: str, day: int) -> Decimal:  # noqa: ANN401 (anything that JSON can be)
    """The value without trailing zeros: none of its digits is lost."""
    try:
        found = number(value) if type(value) is str else Decimal(value) if type(value) in (int, Decimal) else None
    except ValueError:
        found = None
    if found is None:
        raise Untrusted("invalid_amount", f"{spelled(day)} has {what} that is no decimal number: {value!r:.60}")
    short = found.normalize(Context(prec=LONGEST)) if found else Decimal(0)
    decimals = -int(short.as_tuple().exponent)
    if short.adjusted() >= MOST_WHOLE or decimals > MOST_DECIMALS:
        raise Untrusted("invalid_amount", f"{spelled(day)} has {what} that cannot be: {str(value)!r:.60}")
    return short if decimals >= 0 else short.quantize(Decimal(1))


def _currency(value: Any, day: int) -> str:  # noqa: ANN401 (anything that JSON can be)
    if type(value) is not str or not re.fullmatch("[A-Za-z]{3}", value):
        raise Untrusted("invalid_amount", f"{spelled(day)} has an amount of no currency: {value!r:.40}")
    return value.lower()


CALLER = ("project_id", "user_id", "api_key_id")
CALLER_FILTERS = ("project_ids", "user_ids", "api_key_ids")
MODEL_CALLER = (*CALLER, "model")
MODEL_FILTERS = (*CALLER_FILTERS, "models")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One path below /organization/usage/."""

    name: str
    """Last part of the path."""
    result: str
    """Between `organization.usage.` and `.result` in the object of its rows."""
    unit: str
    """Of `counted`, in the words of a report."""
    counted: str
    """The field that holds the quantity."""
    requests: str | None
    """The field that holds the requests to a model; None where the endpoint tells of none."""
    group_by: tuple[str, ...]
    filters: tuple[str, ...]

    @property
    def path(self) -> str:
        return f"/organization/usage/{self.name}"

    @property
    def object(self) -> str:
        return f"organization.usage.{self.result}.result"


COMPLETIONS = Endpoint(
    name="completions",
    result="completions",
    unit="input_tokens",
    counted="input_tokens",
    requests="num_model_requests",
    group_by=(*MODEL_CALLER, "batch", "service_tier"),
    filters=(*MODEL_FILTERS, "batch"),
)
EMBEDDINGS = Endpoint(
    name="embeddings",
    result="embeddings",
    unit="input_tokens",
    counted="input_tokens",
    requests="num_model_requests",
    group_by=MODEL_CALLER,
    filters=MODEL_FILTERS,
)
OTHERS = (
    Endpoint(
        name="moderations",
        result="moderations",
        unit="input_tokens",
        counted="input_tokens",
        requests="num_model_requests",
        group_by=MODEL_CALLER,
        filters=MODEL_FILTERS,
    ),
    Endpoint(
        name="images",
        result="images",
        unit="images",
        counted="images",
        requests="num_model_requests",
        group_by=(*MODEL_CALLER, "size", "source"),
        filters=(*MODEL_FILTERS, "sizes", "sources"),
    ),
    Endpoint(
        name="audio_speeches",
        result="audio_speeches",
        unit="characters",
        counted="characters",
        requests="num_model_requests",
        group_by=MODEL_CALLER,
        filters=MODEL_FILTERS,
    ),
    Endpoint(
        name="audio_transcriptions",
        result="audio_transcriptions",
        unit="seconds",
        counted="seconds",
        requests="num_model_requests",
        group_by=MODEL_CALLER,
        filters=MODEL_FILTERS,
    ),
    Endpoint(
        name="vector_stores",
        result="vector_stores",
        unit="usage_bytes",
        counted="usage_bytes",
        requests=None,
        group_by=("project_id",),
        filters=("project_ids",),
    ),
    Endpoint(
        name="code_interpreter_sessions",
        result="code_interpreter_sessions",
        unit="sessions",
        counted="num_sessions",
        requests=None,
        group_by=("project_id",),
        filters=("project_ids",),
    ),
    Endpoint(
        name="file_search_calls",
        result="file_searches",
        unit="requests",
        counted="num_requests",
        requests=None,
        group_by=(*CALLER, "vector_store_id"),
        filters=(*CALLER_FILTERS, "vector_store_ids"),
    ),
    Endpoint(
        name="web_search_calls",
        result="web_searches",
        unit="requests",
        counted="num_requests",
        requests="num_model_requests",
        group_by=(*MODEL_CALLER, "context_level"),
        filters=(*MODEL_FILTERS, "context_levels"),
    ),
)
ENDPOINTS = (COMPLETIONS, EMBEDDINGS, *OTHERS)


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
