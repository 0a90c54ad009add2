"""What goes wrong between a usage API and its client: each fault changes one reply, in the order of a script.

The first half fails openly, and a client may ask again. The second half looks like an answer, and a client that
believes it publishes a wrong figure.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, TypeAlias

from reconcile.simulator.question import Params
from reconcile.simulator.replies import Reply, error, reply


@dataclass(frozen=True, slots=True)
class Asking:
    """What a client asked for, and when by the simulator's clock, in Unix seconds."""

    path: str
    params: Params
    at: float


Fault: TypeAlias = Callable[[Asking, Reply], Reply]
"""Makes the reply that is sent from the right one."""


def instead(wrong: Reply) -> Fault:
    """Another reply in place of the right one."""
    return lambda _request, _right: wrong


def edited(edit: Callable[[dict[str, Any]], object]) -> Fault:
    """The right answer with its JSON changed in place by `edit`."""

    def fault(_: Asking, right: Reply) -> Reply:
        page = json.loads(right.body)
        edit(page)
        return replace(right, body=json.dumps(page).encode())

    return fault


# ------------------------------------------------------------------------------------------- open failures


def rate_limited(retry_after: str | None = None) -> Fault:
    """429; Retry-After is a number of seconds or an HTTP date, and may be absent."""
    headers = () if retry_after is None else (("Retry-After", retry_after),)
    return instead(replace(error(429, "Rate limit reached.", code="rate_limit_exceeded"), headers=headers))


def server_error(status: int = 503) -> Fault:
    return instead(error(status, "The server had an error while processing your request.", code=None))


def missing_scope(status: int = 403) -> Fault:
    """A valid key without api.usage.read: recorded as a bare string with 403 and as an object with 401."""
    said = "You have insufficient permissions for this operation. Missing scopes: api.usage.read."
    return instead(reply(status, {"error": said}) if status == HTTPStatus.FORBIDDEN else error(status, said, code=None))


def redirected(location: str) -> Fault:
    return instead(Reply(302, b"", headers=(("Location", location),)))


not_found = instead(Reply(404, b""))
"""As during an outage of a day."""

web_page = instead(Reply(200, b"<html><body>Please sign in to the network.</body></html>", "text/html"))
"""Somebody on the way answers in the API's place."""


def cut_short(_: Asking, right: Reply) -> Reply:
    """The connection is closed after half of the body."""
    return replace(right, sent=0.5)


def silent(_: Asking, right: Reply) -> Reply:
    """No answer, until the client gives up."""
    return replace(right, silent=True)


# ------------------------------------------------------------------------------------------ wrong answers


@edited
def lost_cursor(page: dict[str, Any]) -> None:
    """The last bucket follows, and not where."""
    page["data"].pop()
    page.update(has_more=True, next_page=None)


def looping_cursor(request: Asking, right: Reply) -> Reply:
    """The last bucket follows, on the page just asked for."""
    asked = dict(request.params).get("page")
    lost = edited(lambda page: page["data"].pop())(request, right)
    return edited(lambda page: page.update(has_more=True, next_page=asked))(request, lost)


def missing_minute(index: int = 0) -> Fault:
    return edited(lambda page: page["data"].pop(index))


def repeated_minute(index: int = 0) -> Fault:
    return edited(lambda page: page["data"].append(page["data"][index]))


@edited
def transient_zero(page: dict[str, Any]) -> None:
    """Every minute is answered, and none with usage: no client can tell this from no usage by one reading."""
    for bucket in page["data"]:
        bucket["results"] = []


@edited
def dip(page: dict[str, Any]) -> None:
    """Every other minute of those with usage is empty."""
    for bucket in [bucket for bucket in page["data"] if bucket["results"]][::2]:
        bucket["results"] = []


@edited
def split_rows(page: dict[str, Any]) -> None:
    """Right, but each row comes as two that agree in every dimension, and in every count that is even."""
    for bucket in page["data"]:
        bucket["results"] = [half for row in bucket["results"] for half in _halves(row)]


def _halves(row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    counts = {name: value for name, value in row.items() if type(value) is int}
    lower = {name: value // 2 for name, value in counts.items()}
    return row | lower, row | {name: value - lower[name] for name, value in counts.items()}
