"""What a client asks the completions endpoint: parameters in, a question or a refusal out.

After the specification (github.com/openai/openai-openapi, 2026-08) and recorded errors of 2025 and 2026. Parameters
that are not known are ignored.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

WIDTHS = {"1m": (60, 60, 1440), "1h": (3600, 24, 168), "1d": (86400, 7, 31)}
"""Seconds, and how many buckets a page holds by default and at the most."""

DIMENSIONS = ("project_id", "user_id", "api_key_id", "model", "batch", "service_tier")
FILTERS = ("project_ids", "user_ids", "api_key_ids", "models", "batch")
"""In the order of DIMENSIONS."""

Params = Sequence[tuple[str, str]]


class Refused(Exception):  # noqa: N818 (what the API answers, not an error of this program)
    """A 400: its message, its code and the parameter it is about."""

    def __init__(self, message: str, *, code: str = "invalid_request_error", param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Usage in `[start, end)`, Unix seconds, in buckets of `width` seconds, at most `limit` of them."""

    start: int
    end: int
    width: int
    limit: int
    group_by: tuple[str, ...]
    admitted: tuple[frozenset[str | bool], ...]
    """For each of FILTERS the labels that pass; none given means all."""
    digest: str
    """Of all parameters but the page: what a cursor is bound to."""

    def cursor(self, start: int) -> str:
        """Names the page that starts there, for this question and with the end it had when it was first asked."""
        return "page_" + base64.urlsafe_b64encode(f"{self.digest}.{start}.{self.end}".encode()).decode()


def question(params: Params, now: float) -> Question:
    """Raises Refused. The end is now unless it is given; a cursor brings its own start and end."""
    width, default, most = _width(params)
    limit = _whole(params, "limit")
    if limit is not None and not 0 < limit <= most:
        raise Refused(f"Invalid limit provided: {limit}. Limit must be less than or equal to {most}.")
    start, end = _whole(params, "start_time"), _whole(params, "end_time")
    if start is None:
        raise Refused("Missing required parameter: 'start_time'.")
    if end is not None and end > now:
        raise Refused("Invalid end_time: it is in the future.", param="end_time")
    digest = hashlib.sha256(repr(sorted(pair for pair in params if pair[0] != "page")).encode()).hexdigest()[:16]
    if cursor := _one(params, "page"):
        start, end = _resumed(cursor, digest)
    if end is None:
        end = int(now)
    if start > end:
        raise Refused("Invalid date range: end_time is before start_time.", param="end_time")
    return Question(
        start=start,
        end=end,
        width=width,
        limit=limit or default,
        group_by=_group_by(params),
        admitted=_admitted(params),
        digest=digest,
    )


def _width(params: Params) -> tuple[int, int, int]:
    name = _one(params, "bucket_width") or "1d"
    if name not in WIDTHS:
        raise Refused(f"Invalid value: '{name}'. Supported values are: '1m', '1h', and '1d'.", param="bucket_width")
    return WIDTHS[name]


def _group_by(params: Params) -> tuple[str, ...]:
    names = _many(params, "group_by")
    for name in names:
        if name not in DIMENSIONS:
            raise Refused(f"Invalid value: '{name}'.", param="group_by")
    return names


def _admitted(params: Params) -> tuple[frozenset[str | bool], ...]:
    *texts, flags = (_many(params, name) for name in FILTERS)
    return (*map(frozenset, texts), frozenset(flag == "true" for flag in flags))


def _one(params: Params, name: str) -> str | None:
    return next((value for key, value in params if key == name), None)


def _whole(params: Params, name: str) -> int | None:
    text = _one(params, name)
    if text is not None and not re.fullmatch("-?[0-9]{1,18}", text):
        raise Refused(f"Invalid type for '{name}'.", param=name, code="invalid_type")
    return None if text is None else int(text)


def _many(params: Params, name: str) -> tuple[str, ...]:
    """A list in any of the spellings that clients use: name=a&name=b, name[]=a&name[]=b, name=a,b."""
    return tuple(part for key, value in params if key in (name, f"{name}[]") for part in value.split(",") if part)


def _resumed(cursor: str, digest: str) -> tuple[int, int]:
    try:
        bound, start, end = base64.urlsafe_b64decode(cursor.removeprefix("page_")).decode().split(".")
        if bound == digest:
            return int(start), int(end)
    except ValueError:
        pass
    raise Refused("Invalid page: it does not belong to this query.", param="page")
