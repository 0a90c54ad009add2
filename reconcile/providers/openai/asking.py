"""Asking for one page within a budget of requests: what every answer is held to, and what a refusal means.

The clock has to agree and the end to be past. An answer that breaks a rule of its shape is `Untrusted`: who asked makes
an error of it that says what was asked. A budget that will not do is told before the first request.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from reconcile.errors import ConfigurationError, ProviderError
from reconcile.minutes import instant
from reconcile.providers.openai import URL
from reconcile.providers.transport import TOO_LARGE, Http, HttpAnswer, Params, Patience

MOST_SKEW = timedelta(minutes=5)
"""How far the two clocks may be apart. What a proxy keeps for a while is no answer either."""

TEXT = (str, type(None))
FLAG = (bool, type(None))


class Untrusted(Exception):  # noqa: N818 (what an answer is; whoever asked raises the error)
    """An answer that may lack usage or mean two things: a code, and the problem in words."""

    def __init__(self, code: str, problem: str) -> None:
        super().__init__(problem)
        self.code = code
        self.problem = problem

    def error(self, whose: str, remedy: str) -> ProviderError:
        return ProviderError(f"{whose} cannot be trusted: {self.problem}", code=self.code, remedy=remedy)


def check_clock(served_at: datetime | None, now: datetime, *, local: bool) -> None:
    """Ages, and the time between two reads, are taken from this machine's clock: where that is wrong, so are they.

    `local`: whether what answers is on this machine, as a simulator is, which may have been moved.
    """
    if served_at and abs(served_at - now) > MOST_SKEW:
        raise ProviderError(
            f"this machine's clock says {now:%Y-%m-%dT%H:%M:%SZ}, the provider's {served_at:%Y-%m-%dT%H:%M:%SZ}",
            code="clock_wrong",
            remedy="the simulator is where --now left it: give it --now again, or start it anew"
            if local
            else "set the clock and the time zone of this machine, then run again",
        )


def check_past(end: int, now: datetime | None, about: str) -> None:
    """The service refuses a future end, and one cut to now would leave a part of the query unanswered.

    `now`: the clock's where it is None. `about`: what else the end of the query came from.
    """
    now = now or datetime.now(UTC)
    if end > now.timestamp():
        raise ProviderError(
            f"the query ends at {spelled(end)}, and now is {spelled(now.timestamp())}",
            code="query_in_future",
            remedy=f"check the clock of this machine and {about}",
        )


def spelled(seconds: float) -> str:
    return f"{instant(seconds):%Y-%m-%dT%H:%M:%SZ}"


BASE_URL = URL
USAGE, MANAGEMENT = "api.usage.read", "api.management.read"
"""What an admin key has to be allowed: to read usage and costs; to list projects and their keys."""

ADMIN_KEYS = "platform.openai.com/settings/organization/admin-keys"


def curl(url: str, params: Params) -> str:
    """A request for a shell that has the key in OPENAI_ADMIN_KEY."""
    asked = shlex.quote(f"{url}?{urlencode(params)}")
    return f'curl --silent --show-error --header "Authorization: Bearer $OPENAI_ADMIN_KEY" {asked}'


@dataclass(frozen=True, slots=True)
class Page:
    """An answer that is what was asked for."""

    value: dict[str, Any]
    retries: int
    """The tries that failed before it."""
    served_at: datetime | None
    """By the service's own clock, where it tells."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks one endpoint. `now` is given in tests and replays, where the service's clock is no measure.

    None holds the service's clock to this machine's.
    """

    http: Http
    now: datetime | None
    whose: str = "the usage API"
    parse_float: Callable[[str], Any] | None = None
    scope: str = USAGE
    """What the key needs."""

    def page(self, params: Params) -> Page:
        """The page that is asked for, or ProviderError."""
        answer = self.http.get(params)
        if self.now is None:
            check_clock(answer.served_at, datetime.now(UTC), local=self.http.local)
        if answer.status != HTTPStatus.OK:
            raise refusal(self.http, answer, self.whose, self.scope)
        return Page(self.http.json_object(answer.body, self.parse_float), answer.retries, answer.served_at)


def refusal(http: Http, answer: HttpAnswer, whose: str, scope: str) -> ProviderError:
    """The error that an answer without what was asked for is."""
    said, error_code = _said(answer.body)
    code, remedy = _meaning(answer.status, said, error_code, scope)
    message = f"{whose} answered {answer.status}: {http.quoted(said) or 'an empty body'}"
    return ProviderError(message, code=code, remedy=remedy)


def _meaning(status: int, said: str, error_code: str | None, scope: str) -> tuple[str, str]:
    """Code and remedy of a refusal. A missing scope is known by its text, because it comes as 401 and as 403."""
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        if "Missing scopes" in said:
            return "missing_scope", f"use an admin key with the scope {scope}, not a project key: {ADMIN_KEYS}"
        if error_code == "invalid_api_key":
            return "invalid_api_key", f"copy the admin key (sk-admin-...) again or create one: {ADMIN_KEYS}"
        if "organization" in said.lower():
            return "wrong_organization", f"create the admin key in the organization whose usage is read: {ADMIN_KEYS}"
        return "access_denied", f"check that the key is an admin key of the right organization: {ADMIN_KEYS}"
    if status == HTTPStatus.NOT_FOUND:
        return "not_found", f"check the base URL (usually {BASE_URL}); else it is an outage: run again later"
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return TOO_LARGE, "look at what stands between this machine and the provider, and refuses large answers"
    if status == HTTPStatus.BAD_REQUEST:
        return "request_refused", "this is a defect of the tool or a change of the API: report it with the message"
    return "unexpected_status", "check the base URL, and what stands between this machine and the provider"


def _said(body: bytes) -> tuple[str, str | None]:
    """The text and the code of an error, which comes as an object or as a bare string; else the body as it is."""
    text = body.decode(errors="replace")
    try:
        error = json.loads(text)["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return text, None
    if isinstance(error, dict):
        param = f"{error['param']}: " if error.get("param") else ""
        return f"{param}{error.get('message')}", error.get("code")
    return str(error), None


class Budget:
    """`most` requests, tries that fail among them; None is no limit. Counts every one that is made."""

    def __init__(self, most: int | None) -> None:
        self._most = most
        self.made = 0

    def check(self, needed: int) -> None:
        """Raises ConfigurationError where so many more are too many."""
        if self._most is not None and self.made + needed > self._most:
            done = f"; {self.made} were made" if self.made else ""
            raise ConfigurationError(
                f"it takes {self.made + needed} or more requests to the provider, and {self._most} are allowed{done}",
                code="request_budget",
                remedy=f"allow {self.made + needed} or more with --max-requests, or compare fewer days",
            )

    def spend(self, patience: Patience) -> Patience:
        """Before a request: the patience to make it with, which stops where another try is one too many."""

        def sleep(seconds: float) -> None:
            self._spend()
            patience.sleep(seconds)

        self._spend()
        return replace(patience, sleep=sleep)

    def _spend(self) -> None:
        self.check(1)
        self.made += 1
