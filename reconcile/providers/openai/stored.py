"""Responses by their ids, as a client of the experiment would ask for them: with its own key, where it sends calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Self
from urllib.parse import quote

from reconcile.errors import ProviderError
from reconcile.providers.transport import Http, Patience

PATIENCE = Patience(tries=3)

KEPT = "the provider keeps a response for 30 days, for the project that made it: ask with the key of the run"
REMEDIES: dict[int, tuple[str, str]] = {
    HTTPStatus.UNAUTHORIZED: ("access_denied", "set OPENAI_API_KEY to the key with which the run made its calls"),
    HTTPStatus.FORBIDDEN: ("access_denied", "set OPENAI_API_KEY to the key with which the run made its calls"),
    HTTPStatus.NOT_FOUND: ("not_found", KEPT),
}
UNEXPECTED = ("unexpected_status", "check OPENAI_BASE_URL, and what stands between this machine and the provider")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAIResponses:
    """Has `responses.retrieve(id)`, as the official client has."""

    api_key: str = field(repr=False)
    base_url: str
    headers: Mapping[str, str]
    patience: Patience = PATIENCE

    @property
    def responses(self) -> Self:
        return self

    def retrieve(self, response_id: str) -> dict[str, Any]:
        """The response. Raises ProviderError, and ConfigurationError where the key cannot be sent there safely."""
        url = f"{self.base_url}/responses/{quote(response_id, safe='')}"
        http = Http(url, self.api_key, self.patience, whose="OPENAI_API_KEY", headers=self.headers)
        answer = http.get(())
        if answer.status != HTTPStatus.OK:
            said = http.quoted(answer.body.decode(errors="replace")) or "an empty body"
            code, remedy = REMEDIES.get(answer.status, UNEXPECTED)
            raise ProviderError(f"{url}: answered {answer.status}: {said}", code=code, remedy=remedy)
        return http.json_object(answer.body)
