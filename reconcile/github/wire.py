"""What may become part of an address: the API's own, the repository's name, and names that anybody chose.

One request to GitHub over HTTP and its whole answer; nothing is decided here but what a failure means.

A connection serves one request: one that was kept open and dies under a POST would leave unknown what became of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import quote, urlsplit

import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError

from reconcile.errors import ConfigurationError, GitHubError
from reconcile.providers.base import LOOPBACK
from reconcile.providers.transport import CHUNK, EXCERPT, PASSING
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
