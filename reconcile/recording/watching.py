"""Watches a client of the `openai` or `anthropic` package, or of another with httpx inside: a row for every try.

The client's requests, its retries among them, all go through `send` of the httpx client inside it, so that is what is
watched: a try that timed out and was repeated may be billed as well, and a row for each `create` would not show it.
What passes is returned as it came, and what goes wrong here is not the experiment's. Neither the packages nor httpx
are imported.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from functools import wraps
from typing import TYPE_CHECKING, Any

from reconcile.errors import UsageError
from reconcile.recording.bodies import Sink, Watched, answer_to, careful
from reconcile.recording.clocks import Offset
from reconcile.recording.endpoints import Destination, DestinationKind, endpoint_of, host_of, is_provider, provider_of
from reconcile.recording.responses import Telling, Told
from reconcile.recording.shapes import name_of
from reconcile.recording.sockets import Listener, listen

if TYPE_CHECKING:
    from reconcile.recording.recorder import Recording

UNSENT = {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol", "InvalidURL"}
"""httpx's words for a request that never reached anybody. `LocalProtocolError` may come of an HTTP/2 answer."""

TIMED_OUT, FAULTS = 408, 500
"""Statuses after which the provider may have done the work."""

RETRY_COUNT = "x-stainless-retry-count"
"""In which try the SDK says that a request is, from 0 up."""

MARK = "reconcile.seen"
"""In the extensions of a request that is being watched: one method that is watched calls the other."""

INSIDE = ("_client", "_async_client", "root_client", "root_async_client", "client", "async_client")
"""Where libraries keep the client that they use."""

DEEPEST = 3

Homes = set[str]
"""Name and port of hosts; none where a client has no address of its own, and may call any."""

Http = Any
Response = Any
Request = Any


def watch(client: object, run: Recording) -> Callable[[], None]:
    """Watch the client for the run; returns how to end it. Raises TypeError where it has nothing to watch.

    Raises UsageError where another run watches it, for that would log its calls in both.
    """
    endings = _taken(client, run)
    if not endings:
        raise TypeError(
            f"a {type(client).__name__} cannot be watched; give an OpenAI or Anthropic client, or its httpx client"
        )

    def restore() -> None:
        for ending in reversed(endings):
            ending()

    return restore


def _taken(client: object, run: Recording, homes: Homes | None = None) -> list[Callable[[], None]]:
    """Watch what is inside of the client. Returns how to end that; nothing where there is nothing.

    A client may send anywhere; what it sends elsewhere than to its `homes`, its own addresses, is another provider's.
    """
    found = list({id(each): each for each in _within(client, DEEPEST)}.values())
    https = [each for each in found if _sends(each)]
    for http in https:
        _check_free(http, run)
    homes = {host for each in found for host in _hosts(each)} if homes is None else homes
    endings = [_replace(http, "send", run, homes) for http in https]
    for each in found if https else ():
        if not _sends(each):
            endings += [_replace(each, "_send_request", run, homes), *_copies(each, run, homes)]
        with suppress(Exception):
            endings += _listening(each, run)
    return endings


def _within(client: object, depth: int) -> Iterator[object]:
    """The client, and the clients inside of it, down to those of httpx."""
    if _sends(client):
        yield client
        return
    if getattr(client, "base_url", None) is not None and callable(getattr(client, "with_options", None)):
        yield client
    for name in INSIDE if depth else ():
        inner = None
        with suppress(Exception):
            inner = getattr(client, name, None)
        if inner is not None:
            yield from _within(inner, depth - 1)


def _sends(client: object) -> bool:
    return callable(getattr(client, "send", None)) and callable(getattr(client, "build_request", None))


def _check_free(http: Http, run: Recording) -> None:
    other: Recording | None = getattr(http.send, "run", None)
    if other is not None and other.running and other.folder != run.folder:
        raise UsageError(
            f"the client is watched for {other.framework}/{other.run_id} already",
            code="client_watched",
            remedy="give every run that goes on at the same time a client of its own: its calls would be in both logs",
        )


def _replace(client: Any, name: str, run: Recording, homes: Homes) -> Callable[[], None]:  # noqa: ANN401  any library
    """Put a watching method in the place of this one, where there is one that this run does not watch yet."""
    send: Any = getattr(client, name, None)
    other = getattr(send, "run", None)
    if not callable(send) or (other is not None and other.running):
        if other is run:
            send.homes |= homes
        return lambda: None
    waits = inspect.iscoroutinefunction(send) or (_sends(client) and hasattr(client, "aclose"))  # it may be wrapped
    homes = set(homes)
    watched: Any = _async_send(send, run, homes) if waits else _sync_send(send, run, homes)
    watched.run, watched.homes = run, homes
    return _put(client, name, watched)


def _put(client: Any, name: str, new: object) -> Callable[[], None]:  # noqa: ANN401  of whatever library
    old, inherited = getattr(client, name), name not in vars(client)
    setattr(client, name, new)

    def restore() -> None:
        if getattr(client, name, None) is new:  # or else something else was put on top of it, and passes through here
            setattr(client, name, old)
            if inherited:
                delattr(client, name)

    return restore


def _copies(client: Any, run: Recording, homes: Homes) -> Iterator[Callable[[], None]]:  # noqa: ANN401  of whatever library
    """Watch the copies that are made of a client: one may have another httpx client inside."""
    for name in ("copy", "with_options"):
        make = getattr(client, name, None)
        if callable(make) and getattr(make, "run", None) is not run:
            copied: Any = _copying(make, run, homes)
            copied.run = run
            yield _put(client, name, copied)


def _copying(make: Callable[..., object], run: Recording, homes: Homes) -> Callable[..., object]:
    @wraps(make)
    def copied(*arguments: Any, **options: Any) -> object:  # noqa: ANN401  the client's own
        made = make(*arguments, **options)
        if run.running:
            with suppress(Exception):  # what takes it back is not kept: copies may be many, and are left alone then
                _taken(made, run, homes)
        return made

    return copied


def _listening(client: Any, run: Recording) -> Iterator[Callable[[], None]]:  # noqa: ANN401  of whatever library
    """Note the WebSockets that go where the client goes: what is called through one is not seen."""

    def opened(path: str) -> None:
        _unknown(run, f"WebSocket {path}")

    for host in _hosts(client):
        yield listen(Listener(run, host, opened))


def _hosts(client: Any) -> set[str]:  # noqa: ANN401  of whatever library
    """Where the client sends to, usually."""
    addresses = (getattr(client, "base_url", None), getattr(client, "websocket_base_url", None))
    return {host_of(str(each)) for each in addresses if each} - {""}


def _unknown(run: Recording, name: str) -> None:
    call = run.call(Destination(DestinationKind.UNKNOWN, name)) if run.running else None
    if call is not None:
        call.answered(Told(state=Telling.PART))


def _sync_send(send: Callable[..., Response], run: Recording, homes: Homes) -> Callable[..., Response]:
    def watched(request: Request, **options: Any) -> Response:  # noqa: ANN401  httpx's own
        attempt = _begun(request, run, homes)
        if attempt is None:
            return send(request, **options)
        try:
            response = send(request, **options)
        except BaseException as error:
            attempt.failed(error)
            raise
        finally:
            _unmark(request)
        attempt.sent(response, streamed=options.get("stream", False))
        return response

    return watched


def _async_send(
    send: Callable[..., Awaitable[Response]], run: Recording, homes: Homes
) -> Callable[..., Awaitable[Response]]:
    async def watched(request: Request, **options: Any) -> Response:  # noqa: ANN401  httpx's own
        attempt = _begun(request, run, homes)
        if attempt is None:
            return await send(request, **options)
        try:
            response = await send(request, **options)
        except BaseException as error:
            attempt.failed(error)
            raise
        finally:
            _unmark(request)
        attempt.sent(response, streamed=options.get("stream", False))
        return response

    return watched


def _begun(request: Request, run: Recording, homes: Homes) -> _Attempt | None:
    """The request as it is about to be sent; None where the run is over, or the request is being watched."""
    if not run.running:
        return None
    with careful(run.count):
        extensions = getattr(request, "extensions", None)
        if isinstance(extensions, dict):
            if extensions.get(MARK):
                return None
            extensions[MARK] = True
        return _Attempt(request, run, homes)
    return None


def _unmark(request: Request) -> None:
    extensions = getattr(request, "extensions", None)
    if isinstance(extensions, dict):
        extensions.pop(MARK, None)


class _Attempt:
    """A request that is being sent."""

    def __init__(self, request: Request, run: Recording, homes: Homes) -> None:
        self._run = run
        self._endpoint = _endpoint(request, homes)
        self._sent_at = run.clock.now()
        self._sink: Sink | None = None
        if self._endpoint.kind in {DestinationKind.COUNTED, DestinationKind.OTHER, DestinationKind.UNKNOWN}:
            self._sink = run.call(self._endpoint, *_headed(request), provider_of(str(request.url.host)))

    def failed(self, error: BaseException) -> None:
        with careful(self._run.count):
            if self._sink is not None and type(error).__name__ in UNSENT:
                self._sink.refused()
            elif self._sink is not None:
                self._sink.cut()

    def sent(self, response: Response, *, streamed: bool) -> None:
        """The head of the answer is here, and where it is not streamed the rest as well."""
        with suppress(Exception):  # no clock is no call that is missing
            self._measure(response)
        with careful(self._run.count):
            status = response.status_code
            sink = self._sink or self._looking(response)
            if sink is None:
                return
            if status == TIMED_OUT or status >= FAULTS:
                sink.cut()
            elif not response.is_success:
                sink.refused()
            elif self._endpoint.kind in {DestinationKind.OTHER, DestinationKind.UNKNOWN}:
                sink.answered(Told(state=Telling.PART))
            elif streamed and not _is_read(response):
                Watched(sink, response, self._run.count)
            else:
                body = answer_to(response)
                body.feed(response.content)
                body.finish()
                sink.answered(body.told)

    def _looking(self, response: Response) -> Sink | None:
        """Who wants the answer of a request that is no call."""
        about, kind = self._endpoint.about, self._endpoint.kind
        if not response.is_success:
            return None
        if kind is DestinationKind.FOLLOWED and about is not None and self._run.follows(about):
            return _Follower(self._run, about)
        return _Reader(self._run, self._endpoint.name) if kind is DestinationKind.READ else None

    def _measure(self, response: Response) -> None:
        date, host = response.headers.get("date"), str(response.url.host)
        if date and is_provider(host):
            offset = Offset.of(date, self._sent_at, self._run.clock.now(), host)
            if offset is not None:
                self._run.measured(offset)


def _endpoint(request: Request, homes: Homes) -> Destination:
    """What the request is. A call at another provider's is no call of this one, whatever its path."""
    method, address = str(request.method), str(request.url)
    found, host = endpoint_of(method, str(request.url.path)), host_of(address)
    provider = provider_of(host)
    if not homes or host in homes or found.kind in {DestinationKind.FREE, DestinationKind.READ}:
        return found
    if provider is not None and any(provider == provider_of(home) for home in homes):
        return found
    return Destination(DestinationKind.UNKNOWN, f"{method} {address.partition('?')[0]}")


def _headed(request: Request) -> tuple[str | None, int]:
    """The model that is asked for, and in which try."""
    model, attempt = None, 1
    with suppress(Exception):  # a body that is no JSON, or comes in parts: its model is told by the answer
        model = name_of(json.loads(request.content).get("model"))
    with suppress(ValueError):
        attempt = 1 + max(int(request.headers.get(RETRY_COUNT, 0)), 0)
    return model, attempt


def _is_read(response: Response) -> bool:
    """Whether the body is here already: a hook of the client may have read it."""
    with suppress(Exception):  # httpx's word for a body that is still to come
        return response.content is not None
    return False


class _Follower:
    """Takes what is told of a response that an earlier call began; that call knows when."""

    def __init__(self, run: Recording, about: str) -> None:
        self._run, self._about = run, about

    def answered(self, told: Told, *, streamed: bool = False) -> None:
        if told.response_id == self._about and (told.state in {Telling.ENDED, Telling.PENDING} or not streamed):
            now = self._run.clock.now()
            self._run.take(told, now, now, watched=True)

    def refused(self) -> None:
        pass

    def cut(self, told: Told | None = None) -> None:
        pass


class _Reader:
    """Looks whether a GET that nobody knows used anything."""

    def __init__(self, run: Recording, name: str) -> None:
        self._run, self._name = run, name

    def answered(self, told: Told, *, streamed: bool = False) -> None:  # noqa: ARG002  all the same how it came
        if told.counted is not None:
            _unknown(self._run, self._name)

    def refused(self) -> None:
        pass

    def cut(self, told: Told | None = None) -> None:
        pass
