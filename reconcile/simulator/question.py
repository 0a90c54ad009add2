"""What a client asks an endpoint: parameters in, a question or a refusal out.

After the specification (github.com/openai/openai-openapi, 2026-08) and recorded errors of 2025 and 2026. Parameters
that are not known are ignored.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

WIDTHS = {"1m": (60, 60, 1440), "1h": (3600, 24, 168), "1d": (86400, 7, 31)}
"""Seconds, and how many buckets a page holds by default and at the most."""

Params = Sequence[tuple[str, str]]


class BadRequest(Exception):  # noqa: N818 (what the API answers, not an error of this program)
    """A 400: its message, its code and the parameter it is about."""

    def __init__(self, message: str, *, code: str = "invalid_request_error", param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


Widths = Mapping[str, tuple[int, int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionForm:
    """What may be asked of an endpoint."""

    path: str
    """Below the base URL."""
    dimensions: tuple[str, ...]
    """What its rows can be told apart by: the values of `group_by`."""
    filters: Mapping[str, str]
    """Parameters that select, and the dimension of each."""
    widths: Widths = field(default_factory=lambda: WIDTHS)
    check: Callable[[Params, int], None] | None = None
    """Raises Refused for what only this endpoint refuses, from the parameters and the start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Usage in `[start, end)`, Unix seconds, in buckets of `width` seconds, at most `limit` of them."""

    start: int
    end: int
    width: int
    limit: int
    group_by: tuple[str, ...]
    admitted: Mapping[str, frozenset[str | bool]]
    """By dimension the labels that pass, where a filter is given."""
    digest: str
    """Of all parameters but the page: what a cursor is bound to."""

    def cursor(self, start: int) -> str:
        """Names the page that starts there, for this question and with the end it had when it was first asked."""
        return "page_" + base64.urlsafe_b64encode(f"{self.digest}.{start}.{self.end}".encode()).decode()


def question(params: Params, now: float, form: QuestionForm) -> Question:
    """Raises Refused. The end is now unless it is given; a cursor brings its own start and end."""
    width, default, most = _width(params, form.widths)
    limit = _whole(params, "limit")
    if limit is not None and not 0 < limit <= most:
        raise BadRequest(f"Invalid limit provided: {limit}. Limit must be less than or equal to {most}.")
    start, end = _whole(params, "start_time"), _whole(params, "end_time")
    if start is None:
        raise BadRequest("Missing required parameter: 'start_time'.")
    if end is not None and end > now:
        raise BadRequest("Invalid end_time: it is in the future.", param="end_time")
    if form.check:
        form.check(params, start)
    bound = repr([form.path, *sorted(pair for pair in params if pair[0] != "page")])
    digest = hashlib.sha256(bound.encode()).hexdigest()[:16]
    if cursor := one(params, "page"):
        start, end = _resumed(cursor, digest)
    if end is None:
        end = int(now)
    if start > end:
        raise BadRequest("Invalid date range: end_time is before start_time.", param="end_time")
    return Question(
        start=start,
        end=end,
        width=width,
        limit=limit or default,
        group_by=_group_by(params, form.dimensions),
        admitted=_admitted(params, form.filters),
        digest=digest,
    )


def _width(params: Params, widths: Widths) -> tuple[int, int, int]:
    name = one(params, "bucket_width") or "1d"
    if name not in widths:
        known = " and ".join(f"'{width}'" for width in widths)
        few = f"Currently only {known} is supported." if len(widths) == 1 else f"Supported values are: {known}."
        raise BadRequest(f"Invalid value: '{name}'. {few}", param="bucket_width")
    return widths[name]


def _group_by(params: Params, dimensions: tuple[str, ...]) -> tuple[str, ...]:
    names = many(params, "group_by")
    for name in names:
        if name not in dimensions:
            raise BadRequest(f"Invalid value: '{name}'.", param="group_by")
    return names


def _admitted(params: Params, filters: Mapping[str, str]) -> Mapping[str, frozenset[str | bool]]:
    given = {dimension: many(params, name) for name, dimension in filters.items()}
    return {
        dimension: frozenset(value == "true" if dimension == "batch" else value for value in values)
        for dimension, values in given.items()
        if values
    }


def one(params: Params, name: str) -> str | None:
    """The first value of a parameter."""
    return next((value for key, value in params if key == name), None)


def _whole(params: Params, name: str) -> int | None:
    text = one(params, name)
    if text is not None and not re.fullmatch("-?[0-9]{1,18}", text):
        raise BadRequest(f"Invalid type for '{name}'.", param=name, code="invalid_type")
    return None if text is None else int(text)


def many(params: Params, name: str) -> tuple[str, ...]:
    """A list in any of the spellings that clients use: name=a&name=b, name[]=a&name[]=b, name=a,b."""
    return tuple(part for key, value in params if key in (name, f"{name}[]") for part in value.split(",") if part)


def _resumed(cursor: str, digest: str) -> tuple[int, int]:
    try:
        bound, start, end = base64.urlsafe_b64decode(cursor.removeprefix("page_")).decode().split(".")
        if bound == digest:
            return int(start), int(end)
    except ValueError:
        pass
    raise BadRequest("Invalid page: it does not belong to this query.", param="page")
