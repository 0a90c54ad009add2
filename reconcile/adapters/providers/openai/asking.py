"""Asking for one page, and what the service answers instead: refusals in words that say what to do."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from reconcile.adapters.http import TOO_LARGE, Answer, Http, Params
from reconcile.adapters.providers.openai.trust import check_clock
from reconcile.errors import ProviderError

BASE_URL = "https://api.openai.com/v1"
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


def refusal(http: Http, answer: Answer, whose: str, scope: str) -> ProviderError:
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
