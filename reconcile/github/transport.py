"""Requests to GitHub, patient where that is safe and never carried out twice, and lists read to their end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from typing import NoReturn
from urllib.parse import parse_qsl, urlsplit

from reconcile.errors import GitHubError
from reconcile.github.failures import RATE, UNAVAILABLE, meaning, pause_asked, retry_after, said_in
from reconcile.github.wire import GitHubAnswer, GitHubRequest, PassingError, Token, exchange
from reconcile.providers.transport import Patience
from reconcile.runs.run import Json

LARGEST_PAGE = ("per_page", "100")


class Transport:
    """Sends requests with one token. Every method raises GitHubError."""

    def __init__(self, token: Token, patience: Patience) -> None:
        self._token = token
        self._patience = patience

    def ask(self, request: GitHubRequest) -> Json:
        """The JSON that answers it."""
        return self._json(request, self._answer(request))

    def pages(self, request: GitHubRequest) -> Iterator[Json]:
        """The entries of every page of a list.

        Of the link to the next page only the query is used, at the address that was asked: GitHub's links name the
        repository by a number, and a token must not follow a link.
        """
        asked = [(LARGEST_PAGE, *request.params)]
        more = True
        while more:
            page = replace(request, params=asked[-1])
            answer = self._answer(page)
            entries = self._json(page, answer)
            if not isinstance(entries, list):
                _refuse(page, "unexpected_shape", f"{type(entries).__name__}, not a list")
            yield from entries
            more = answer.next is not None
            if answer.next is not None:
                asked.append(self._query(page, answer.next))
            if asked[-1] in asked[:-1]:
                _refuse(page, "page_repeated", f"page {len(asked) - 1} leads back to an earlier one")

    def quoted(self, text: str) -> str:
        """Text from outside, fit for a message."""
        return self._token.quoted(text)

    def _answer(self, request: GitHubRequest) -> GitHubAnswer:
        """The first answer that is no refusal.

        What may have been done in spite of a failure is asked for again only where doing it twice changes nothing.
        """
        tries = 0
        while True:
            tries += 1
            try:
                return self._accepted(request)
            except PassingError as failure:
                if request.method == "POST" and not failure.undone:
                    raise GitHubError(
                        f"{failure.message}; whether it was done is not known",
                        code="outcome_unknown",
                        remedy="run again: what is there by then is found, and not made twice",
                    ) from failure
                if tries == self._patience.tries:
                    message = f"{failure.message} ({tries} tries)"
                    raise GitHubError(message, code=failure.code, remedy=failure.remedy) from failure
                pause = max(failure.wait, self._patience.backoff(tries - 1))
            self._patience.sleep(pause)

    def _accepted(self, request: GitHubRequest) -> GitHubAnswer:
        """The answer to one try. Raises PassingError where another may end better."""
        answer = exchange(request, self._token, (self._patience.connect_timeout, self._patience.read_timeout))
        status = answer.status
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return answer
        said = said_in(answer.body)
        message = f"{request.named}: answered {status}: {self.quoted(said) or 'an empty body'}"
        pause = pause_asked(status, said, answer.headers)
        if pause is not None:
            self._pass(message, RATE, undone=True, wait=pause)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
            self._pass(message, UNAVAILABLE, undone=False, wait=retry_after(answer.headers) or 0.0)
        code, remedy = meaning(status, said, request.permission)
        raise GitHubError(message, code=code, remedy=remedy)

    def _pass(self, message: str, meant: tuple[str, str], *, undone: bool, wait: float) -> NoReturn:
        """Raises what may pass, unless GitHub asks for a longer wait than the job should be kept for."""
        code, remedy = meant
        if wait > self._patience.longest_wait:
            raise GitHubError(message, code=code, remedy=f"run again in {wait:.0f} s or later")
        raise PassingError(message, code=code, remedy=remedy, undone=undone, wait=wait)

    def _json(self, request: GitHubRequest, answer: GitHubAnswer) -> Json:
        try:
            value: Json = json.loads(answer.body)
        except (ValueError, RecursionError):
            shown = self.quoted(answer.body.decode(errors="replace"))
            _refuse(request, "not_json", f"no JSON but {len(answer.body)} bytes: {shown}")
        return value

    def _query(self, request: GitHubRequest, link: str) -> tuple[tuple[str, str], ...]:
        """The query of a link, if that leads to the server that was asked."""
        try:
            asked, led = urlsplit(request.url), urlsplit(link)
            same = (asked.scheme, asked.hostname, asked.port) == (led.scheme, led.hostname, led.port)
        except ValueError:
            same = False
        if not same:
            _refuse(request, "foreign_link", f"the next page is said to be at {self.quoted(link)}")
        return tuple(parse_qsl(led.query, keep_blank_values=True))


def _refuse(request: GitHubRequest, code: str, problem: str) -> NoReturn:
    raise GitHubError(
        f"{request.named}: the answer cannot be trusted: {problem}",
        code=code,
        remedy="check the API's address, and what stands between this machine and GitHub",
    )
