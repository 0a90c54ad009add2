"""Requests to GitHub over HTTP: what may be in an address, one request and its whole answer, and all tries of one.

Parts of an address are the API's own, the repository's name, and names that anybody chose. A connection serves one
request: one that was kept open and dies under a POST would leave unknown what became of it. Tries are patient where
that is safe, and nothing is ever carried out twice. Lists are read to their end.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import NoReturn
from urllib.parse import parse_qsl, quote, urlsplit

import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError

from reconcile.errors import ConfigurationError, GitHubError
from reconcile.github.failures import RATE, UNAVAILABLE, meaning, pause_asked, retry_after, said_in
from reconcile.providers.base import LOOPBACK
from reconcile.providers.transport import CHUNK, EXCERPT, PASSING, Patience
from reconcile.runs.run import Json

API_URL = "https://api.github.com"


def checked_address(url: str) -> str:
    """An address that a token may be sent to: by TLS or on this machine, with nothing else hidden in it."""
    try:
        parts = urlsplit(url)
        secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        usable = secure and parts.hostname and parts.port != 0 and not (parts.query or parts.fragment)
    except ValueError:
        usable = False
    if usable and "@" not in url and url.isprintable():
        return url.rstrip("/")
    raise ConfigurationError(
        "the address of GitHub's API is not of the form https://host/path, so no token can be sent there",
        code="malformed_api_url",
        remedy="set `github-api-url`, or GITHUB_API_URL and GITHUB_GRAPHQL_URL, to https addresses",
    )


def graphql_address(api_url: str) -> str:
    """Where GraphQL is answered beside a REST address: at api.github.com, and on GitHub Enterprise Server."""
    return f"{api_url.removesuffix('/v3')}/graphql"


def checked_repository(name: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+", name) and not {".", ".."} & set(name.split("/")):
        return name
    raise ConfigurationError(
        f"{name!a:.100} is no repository",
        code="malformed_repository",
        remedy="give owner and name, such as octo/science",
    )


def segment(name: str) -> str:
    """The name of a branch or commit as one segment of a path, which it can neither leave nor lengthen.

    Dots alone cannot be escaped: HTTP clients take them for a way up even when they are.
    """
    if name not in ("", ".", "..") and name.isprintable():
        return quote(name, safe="")
    raise ConfigurationError(
        f"{name!a:.100} is no name of a branch or commit",
        code="bad_branch",
        remedy="name a branch of the repository, such as main: without refs/heads/, spaces or patterns",
    )


MAX_BYTES = 64 * 2**20
"""More than a hundred comments of the greatest length, every character escaped."""

HEADERS = {
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",  # GitHub Enterprise Server knows no newer one
    "User-Agent": "llm-usage-reconcile",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubRequest:
    """One call. `permission` is what a job has to grant for it, such as `pull-requests: write`."""

    method: str
    url: str
    permission: str
    params: Sequence[tuple[str, str]] = ()
    body: Json = None

    @property
    def named(self) -> str:
        return f"{self.method} {self.url}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubAnswer:
    """What came back, whole. The names of headers may be asked for in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    next: str | None
    """Where the link `next` leads."""


class PassingError(GitHubError):
    """A failure that another try may mend."""

    def __init__(self, message: str, *, code: str, remedy: str, undone: bool, wait: float = 0.0) -> None:
        super().__init__(message, code=code, remedy=remedy)
        self.undone = undone
        """Whether it is certain that GitHub did not do what was asked."""
        self.wait = wait
        """Seconds that GitHub asked to wait."""


class Token(AuthBase):
    """The token, as an auth object: with a plain header, an entry in .netrc would take its place.

    Raises ConfigurationError for what cannot be one. It is in no repr.
    """

    def __init__(self, token: str) -> None:
        if not re.fullmatch(r"[\x21-\x7e]+", token):
            raise ConfigurationError(
                "the GitHub token is empty, or holds a space, a line break or another character that no token has",
                code="malformed_token",
                remedy="leave the input `token` at its default, or pass a secret without quotes and line breaks",
            )
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def quoted(self, text: str) -> str:
        """Text from outside, fit for a message: on one line, shortened, without the token."""
        shown = text.replace(self._token, "[token]")
        if len(shown) > EXCERPT:
            shown = shown[:EXCERPT] + "..."
        return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown)


def exchange(request: GitHubRequest, token: Token, timeout: tuple[float, float]) -> GitHubAnswer:
    """What GitHub answers, refusals and redirects included. Raises GitHubError where no whole answer comes."""
    try:
        with requests.Session() as session:
            session.trust_env = urlsplit(request.url).hostname not in LOOPBACK
            with session.request(
                request.method,
                request.url,
                params=request.params,
                json=request.body,
                headers=HEADERS,
                auth=token,
                timeout=timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                following = response.links.get("next", {}).get("url")
                body = _whole(response)
                return GitHubAnswer(status=response.status_code, headers=response.headers, body=body, next=following)
    except (OSError, HTTPError, ValueError) as error:  # requests' base is an OSError; the others leak through it
        _fail(request, error, token)


def _whole(response: requests.Response) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(CHUNK):
        body += chunk
        if len(body) > MAX_BYTES:
            raise ValueError(f"more than {MAX_BYTES} bytes in one answer")
    return bytes(body)


def _fail(request: GitHubRequest, error: Exception, token: Token) -> NoReturn:
    """Translates everything that requests, and what it stands on, raise."""
    for kind, code, what, remedy in PASSING:
        if isinstance(error, kind):
            message = f"{request.named}: {what}: {token.quoted(str(error))}"
            raise PassingError(message, code=code, remedy=remedy, undone=_never_sent(error)) from error
    raise GitHubError(
        f"{request.named}: cannot be asked: {token.quoted(str(error))}",
        code="request_failed",
        remedy="check the API's address, the proxy settings and REQUESTS_CA_BUNDLE",
    ) from error


def _never_sent(error: Exception) -> bool:
    """Whether the connection failed before the request could leave."""
    cause = error.args[0] if error.args else None
    unconnected = isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)
    return isinstance(error, requests.ConnectTimeout) or unconnected


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
