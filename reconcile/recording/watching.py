"""Watches a client of the `openai` package, or of another with httpx inside, one row for every try.

The client's calls, its retries among them, all go through `send` of the httpx client inside it, so that is what is
watched: a try that timed out and was repeated may be billed as well, and a row for each `create` would not show it.
What passes is returned as it came. Neither the package nor httpx is imported.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from reconcile.errors import UsageError
from reconcile.recording.answers import Answer
from reconcile.recording.usage import name_of

if TYPE_CHECKING:
    from reconcile.recording.recorder import Call, Recording

ENDPOINTS = ("/chat/completions", "/completions", "/responses", "/messages")
"""Ends of paths whose usage is reported as completions; all else passes unseen."""

UNSENT = {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol"}
"""httpx's words for a request that never reached anybody. `LocalProtocolError` may come of an HTTP/2 answer."""

TIMED_OUT, FAULTS = 408, 500
"""Statuses after which the provider may have done the work."""

RETRY_COUNT = "x-stainless-retry-count"
"""In which try the SDK says that a request is, from 0 up."""

Http = Any
Response = Any
Request = Any


def watch(client: object, run: Recording) -> Callable[[], None]:
    """Watch the client for the run; returns how to end it. Raises TypeError where it has nothing to watch.

    Raises UsageError where another run watches it, for that would log its calls in both.
    """
    http: Http = next((each for each in (getattr(client, "_client", None), client) if _sends(each)), None)
    if http is None:
        raise TypeError(f"a {type(client).__name__} cannot be watched; give an OpenAI client or its httpx client")
    other: Recording | None = getattr(http.send, "run", None)
    if other is not None and other.running:
        if other.folder == run.folder:
            return lambda: None
        raise UsageError(
            f"the client is watched for {other.framework}/{other.run_id} already",
            code="client_watched",
            remedy="give every run that goes on at the same time a client of its own: its calls would be in both logs",
        )
    send, inherited = http.send, "send" not in vars(http)
    watched: Any = _async_send(send, run) if inspect.iscoroutinefunction(send) else _sync_send(send, run)
    watched.run = run
    http.send = watched

    def restore() -> None:
        if http.send is watched:  # or else something else was put on top of it, and passes through here
            http.send = send
            if inherited:
                del http.send

    return restore


def _sends(client: object) -> bool:
    return callable(getattr(client, "send", None))


def _sync_send(send: Callable[..., Response], run: Recording) -> Callable[..., Response]:
    def watched(request: Request, **options: Any) -> Response:  # noqa: ANN401  httpx's own
        call = _call(request, run)
        if call is None:
            return send(request, **options)
        try:
            response = send(request, **options)
        except BaseException as error:
            _failed(call, error)
            raise
        _sent(call, response, streamed=options.get("stream", False))
        return response

    return watched


def _async_send(send: Callable[..., Awaitable[Response]], run: Recording) -> Callable[..., Awaitable[Response]]:
    async def watched(request: Request, **options: Any) -> Response:  # noqa: ANN401  httpx's own
        call = _call(request, run)
        if call is None:
            return await send(request, **options)
        try:
            response = await send(request, **options)
        except BaseException as error:
            _failed(call, error)
            raise
        _sent(call, response, streamed=options.get("stream", False))
        return response

    return watched


def _call(request: Request, run: Recording) -> Call | None:
    if not run.running or request.method != "POST" or not request.url.path.rstrip("/").endswith(ENDPOINTS):
        return None
    model, attempt = None, 1
    with suppress(Exception):  # a body that is no JSON, or comes in parts: its model is told by the answer
        model = name_of(json.loads(request.content).get("model"))
    with suppress(ValueError):
        attempt = 1 + int(request.headers.get(RETRY_COUNT, 0))
    return run.call(model, attempt)


def _failed(call: Call, error: BaseException) -> None:
    if type(error).__name__ in UNSENT:
        call.refused()
    else:
        call.cut()


def _sent(call: Call, response: Response, *, streamed: bool) -> None:
    status = response.status_code
    if status == TIMED_OUT or status >= FAULTS:
        call.cut()
    elif not response.is_success:
        call.refused()
    elif streamed:
        _Watched(call, response)
    else:
        body = _answer(response)
        body.feed(response.content)
        body.finish()
        call.answered(body.counted)


def _answer(response: Response) -> Answer:
    return Answer(events=response.headers.get("content-type", "").startswith("text/event-stream"))


class _Watched:
    """A response whose body is still to come: looks on while it is read, and notices where it is left."""

    def __init__(self, call: Call, response: Response) -> None:
        self._call, self._response, self._body = call, response, _answer(response)
        self._reading = False
        self._parts, self._close = response.iter_bytes, response.close
        self._async_parts, self._async_close = response.aiter_bytes, response.aclose
        response.iter_bytes, response.close = self._iter_bytes, self._closed
        response.aiter_bytes, response.aclose = self._aiter_bytes, self._async_closed

    def _iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        parts = iter(self._parts(chunk_size))
        try:
            while True:
                self._reading = True
                part = next(parts, None)
                self._reading = False
                if part is None:
                    break
                self._take(part)
                yield part
        except BaseException:
            self._left()
            raise
        self._finished()

    async def _aiter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        parts = aiter(self._async_parts(chunk_size))
        try:
            while True:
                self._reading = True
                part = await anext(parts, None)
                self._reading = False
                if part is None:
                    break
                self._take(part)
                yield part
        except BaseException:
            self._left()
            raise
        self._finished()

    def _closed(self) -> None:
        self._close()
        self._gone()

    async def _async_closed(self) -> None:
        await self._async_close()
        self._gone()

    def _gone(self) -> None:
        if not self._reading:  # httpx itself closes a body at its end, before the last part is handed on
            self._left()

    def _take(self, part: bytes) -> None:
        self._body.feed(part)
        if self._body.ended:
            self._call.answered(self._body.counted)

    def _finished(self) -> None:
        self._body.finish()
        self._call.answered(self._body.counted)

    def _left(self) -> None:
        self._reading = False
        self._call.cut()
