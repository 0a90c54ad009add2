"""GETs over HTTP, patient with a busy server and suspicious of what comes back.

Responsible for time-outs, bounded retries, the size of an answer and the key, which leaves in one header to one host
and appears nowhere else. What a refusal or an answer means is for the adapter of the provider.

The retry loop is spelled out instead of taken from urllib3's Retry, which sleeps and rolls its dice by itself, trusts
any Retry-After, and is over before the body is read, where a cut connection shows.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from queue import Empty, SimpleQueue
from threading import Thread
from types import MappingProxyType
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

from reconcile.errors import ConfigurationError, ProviderError
from reconcile.providers.base import LOOPBACK

MAX_BYTES = 256 * 2**20
"""More than a day of one-minute buckets with a hundred rows each; a larger body is a fault or an attack."""

TOO_LARGE = "answer_too_large"
"""The code of that: whoever asked may ask for less."""

LONGEST_BACKOFF = 30.0
CHUNK = 2**16
EXCERPT = 200

T = TypeVar("T")

Params = Sequence[tuple[str, str]]

CUT_OFF = (
    requests.ConnectionError,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
PASSING = (
    (requests.exceptions.SSLError, "tls_failed", "no trusted connection", "check the clock and REQUESTS_CA_BUNDLE"),
    (requests.Timeout, "timed_out", "no answer in time", "run again later; check the proxy and the firewall"),
    (CUT_OFF, "unreachable", "no whole answer", "check the network, the proxy and the base URL, then run again"),
)
"""Failures that may pass, the first that fits: exceptions, code, what happened, remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to wait for a server, in seconds, and how often to ask it."""

    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    """For the next byte."""
    whole_timeout: float = 300.0
    """For the whole answer: a server that sends a byte now and then is never silent for long."""
    tries: int = 5
    longest_wait: float = 60.0
    """A server that asks for a longer pause is not waited for: the next pass comes soon enough."""
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random

    def backoff(self, retries: int) -> float:
        """1, 2, 4 ... seconds, less up to half at random so that jobs which failed together do not return together."""
        return min(LONGEST_BACKOFF, 2.0**retries) * (1 - self.random() / 2)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A status that another try would not change, its whole body, and how many tries failed before it."""

    status: int
    body: bytes
    retries: int
    served_at: datetime | None = field(default=None, compare=False)
    """The server's own clock, where it tells."""


class TransientError(ProviderError):
    """A failure that another try may mend; `wait` is the pause the server asked for, in seconds."""

    def __init__(self, message: str, *, code: str, remedy: str, wait: float = 0.0) -> None:
        super().__init__(message, code=code, remedy=remedy)
        self.wait = wait


class _Bearer(AuthBase):
    """The key as an auth object: requests lets an entry in .netrc replace a plain Authorization header."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


class Http:
    """One address and the key for it, whose name is `whose`, and headers that go there beside it.

    Raises ConfigurationError where the key cannot be sent there safely.
    """

    def __init__(
        self,
        url: str,
        key: str,
        patience: Patience,
        *,
        whose: str = "the admin key",
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        if not re.fullmatch(r"[\x21-\x7e]+", key):
            raise ConfigurationError(
                f"{whose} is empty or holds a space, a line break or another character that no key has",
                code="malformed_key",
                remedy="copy the key again, without quotes, spaces or line breaks around it",
            )
        self.local = _safe_host(url, whose) in LOOPBACK
        self._headers = headers
        self._url = url
        self._key = key
        self._patience = patience

    def get(self, params: Params) -> HttpAnswer:
        """The first answer that is neither a redirect nor worth another try. Raises ProviderError if none comes."""
        retries = 0
        while True:
            try:
                return self._once(params, retries)
            except TransientError as failure:
                pause = max(failure.wait, self._patience.backoff(retries))
                retries += 1
                if retries >= self._patience.tries:
                    message = f"{failure.message} ({retries} tries)"
                    raise ProviderError(message, code=failure.code, remedy=failure.remedy) from failure
            self._patience.sleep(pause)

    def quoted(self, text: str) -> str:
        """Text from outside, fit for a message: on one line, shortened, without the key."""
        shown = text.replace(self._key, "[key]")
        cut = shown[:EXCERPT] + ("..." if len(shown) > EXCERPT else "")
        return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)

    def json_object(self, body: bytes, parse_float: Callable[[str], Any] | None = None) -> dict[str, Any]:
        """The JSON object that the body is. Raises ProviderError for anything else, NaN and infinities included.

        `parse_float` makes a number of one with a point or an exponent, or raises ValueError; money is no float.
        """
        try:
            value = json.loads(body, parse_constant=_refuse_constant, parse_float=parse_float)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            return value
        raise ProviderError(
            f"{self._url}: no JSON object but {len(body)} bytes: {self.quoted(body.decode(errors='replace'))}",
            code="not_json",
            remedy="something on the way answers for the provider or cuts answers: check the proxy and the base URL",
        )

    def _once(self, params: Params, retries: int) -> HttpAnswer:
        try:
            found = _within(self._patience.whole_timeout, lambda: self._asked(params))
        except (OSError, HTTPError, ValueError) as error:  # requests' base is an OSError; the others leak through it
            self._fail(error)
        if found is None:
            raise ProviderError(
                f"{self._url}: no whole answer in {self._patience.whole_timeout:g} s, though something still comes",
                code="timed_out",
                remedy="run again later; check what stands between this machine and the provider",
            )
        response, body = found
        self._check_status(response, body)
        return HttpAnswer(response.status_code, body, retries, _date(response.headers.get("Date", "")))

    def _asked(self, params: Params) -> tuple[requests.Response, bytes]:
        with requests.Session() as session:
            session.trust_env = not self.local  # a proxy would look for the port on its own machine
            with session.get(
                self._url,
                params=params,
                headers=self._headers,
                auth=_Bearer(self._key),
                timeout=(self._patience.connect_timeout, self._patience.read_timeout),
                allow_redirects=False,
                stream=True,
            ) as response:
                return response, self._body(response)

    def _body(self, response: requests.Response) -> bytes:
        body = bytearray()
        for chunk in response.iter_content(CHUNK):
            body += chunk
            if len(body) > MAX_BYTES:
                raise ProviderError(
                    f"{self._url}: more than {MAX_BYTES} bytes in one answer",
                    code=TOO_LARGE,
                    remedy="check that the base URL is the provider's",
                )
        return bytes(body)

    def _check_status(self, response: requests.Response, body: bytes) -> None:
        """Raises for a redirect, and for what a later try may mend."""
        status = response.status_code
        if response.is_redirect:
            raise ProviderError(
                f"{self._url}: redirected ({status}) to {self.quoted(response.headers['Location'])}",
                code="redirected",
                remedy="the key is not sent on; if the new address is the provider's, set the base URL to it",
            )
        if status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT) or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            code, remedy = "provider_unavailable", "run again later; the provider's status page tells of outages"
        elif status == HTTPStatus.TOO_MANY_REQUESTS:
            code, remedy = "rate_limited", "run again later, and look for what else polls this API so often"
        else:
            return
        message = f"{self._url}: answered {status}: {self.quoted(body.decode(errors='replace')) or 'an empty body'}"
        wait, longest = _retry_after(response), self._patience.longest_wait
        if wait > longest:
            message += f"; it asks to wait {wait:.0f} s, and at most {longest:.0f} s are waited"
            raise ProviderError(message, code=code, remedy=f"run again in {wait:.0f} s or later")
        raise TransientError(message, code=code, remedy=remedy, wait=wait)

    def _fail(self, error: Exception) -> NoReturn:
        """Translates everything that requests, and what it stands on, raise."""
        for kind, code, what, remedy in PASSING:
            if isinstance(error, kind):
                message = f"{self._url}: {what}: {self.quoted(str(error))}"
                raise TransientError(message, code=code, remedy=remedy) from error
        raise ProviderError(
            f"{self._url}: cannot be asked: {self.quoted(str(error))}",
            code="request_failed",
            remedy="check the base URL, the proxy settings and REQUESTS_CA_BUNDLE",
        ) from error


def _within(seconds: float, ask: Callable[[], T]) -> T | None:
    """What `ask` returns or raises; None where it takes longer.

    A thread, because no time-out of the libraries spans headers and body. One that is given up holds up nothing, not
    even the end of the program.
    """
    ended: SimpleQueue[tuple[T | None, Exception | None]] = SimpleQueue()

    def work() -> None:
        try:
            ended.put((ask(), None))
        except Exception as error:  # noqa: BLE001  it is raised again where it is waited for
            ended.put((None, error))

    Thread(target=work, daemon=True).start()
    try:
        answer, error = ended.get(timeout=seconds)
    except Empty:
        return None
    if error:
        raise error
    return answer


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _safe_host(url: str, whose: str) -> str:
    """The host of an address that a key may be sent to: by TLS or on this machine, with nothing secret in the URL."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and not (parts.query or parts.fragment or "@" in parts.netloc)
        host = parts.hostname if usable and parts.port != 0 else None  # .port raises ValueError where it is none
    except ValueError:
        host = None
    if not host:
        problem, code = "the base URL is not an address of the form https://host/path", "malformed_base_url"
    elif parts.scheme == "http" and host not in LOOPBACK:
        problem, code = f"the base URL would send {whose} to {host!r} in clear text", "insecure_base_url"
    else:
        return host
    raise ConfigurationError(problem, code=code, remedy="set the base URL to an https address, or unset it")


def _date(value: str) -> datetime | None:
    """The instant of an HTTP date; None for anything else."""
    try:
        moment = parsedate_to_datetime(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def _retry_after(response: requests.Response) -> float:
    """Seconds the server asks to wait: a number, or a date that is read against the server's own clock; else 0."""
    value = response.headers.get("Retry-After", "").strip()
    if re.fullmatch("[0-9]+", value):
        return float(value)
    until, now = _date(value), _date(response.headers.get("Date", ""))
    return max(0.0, (until - now).total_seconds()) if until and now else 0.0
