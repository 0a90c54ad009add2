"""The body of a response that is still to come: looked at while somebody reads it, decoded or as it was sent.

However it is read, it passes through `iter_bytes` or `iter_raw` of the httpx response, or their asynchronous twins.
What was read to its end is a call that ended, and what was left before is one that was cut off.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, Protocol

from reconcile.recording.answers import AnswerBody
from reconcile.recording.decoding import Decoder
from reconcile.recording.responses import Telling, Told

Response = Any


class Sink(Protocol):
    """Wants to know what becomes of a request."""

    def answered(self, told: Told, *, streamed: bool = False) -> None: ...

    def refused(self) -> None: ...

    def cut(self, told: Told | None = None) -> None: ...


class careful:  # noqa: N801  reads as a statement, like those of contextlib
    """Whatever goes wrong while a request is looked at is a call that was not written down, and no more."""

    def __init__(self, count: Callable[[str], None]) -> None:
        self._count = count

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> bool:
        if not isinstance(error, Exception):
            return False
        self._count("lost")
        return True


def answer_to(response: Response) -> AnswerBody:
    return AnswerBody(events=response.headers.get("content-type", "").startswith("text/event-stream"))


class Watched:
    """Looks on while the body is read, and notices where it is left."""

    def __init__(self, sink: Sink, response: Response, count: Callable[[str], None]) -> None:
        self._sink, self._response, self._count, self._body = sink, response, count, answer_to(response)
        self._reading = False
        self._over = False
        self._decodes = False
        """Whether the response decodes its body, and so reads the raw one itself."""
        self._parts, self._raw, self._close = response.iter_bytes, response.iter_raw, response.close
        self._async_parts, self._async_raw = response.aiter_bytes, response.aiter_raw
        self._async_close = response.aclose
        response.iter_bytes, response.iter_raw, response.close = self._iter_bytes, self._iter_raw, self._closed
        response.aiter_bytes, response.aiter_raw = self._aiter_bytes, self._aiter_raw
        response.aclose = self._async_closed

    def _iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        self._decodes = True
        return self._passing(self._parts(chunk_size), Decoder(""))

    def _iter_raw(self, chunk_size: int | None = None) -> Iterator[bytes]:
        raw: Iterator[bytes] = self._raw(chunk_size)
        return raw if self._decodes else self._passing(raw, self._decoder())

    def _aiter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        self._decodes = True
        return self._async_passing(self._async_parts(chunk_size), Decoder(""))

    def _aiter_raw(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        raw: AsyncIterator[bytes] = self._async_raw(chunk_size)
        return raw if self._decodes else self._async_passing(raw, self._decoder())

    def _decoder(self) -> Decoder:
        return Decoder(str(self._response.headers.get("content-encoding", "")))

    def _passing(self, body: Iterable[bytes], decoder: Decoder) -> Iterator[bytes]:
        parts = iter(body)
        try:
            while True:
                self._reading = True
                part = next(parts, None)
                self._reading = False
                if part is None:
                    break
                self._take(part, decoder)
                yield part
        except BaseException:
            self._left()
            raise
        self._finished(decoder)

    async def _async_passing(self, body: AsyncIterable[bytes], decoder: Decoder) -> AsyncIterator[bytes]:
        parts = aiter(body)
        try:
            while True:
                self._reading = True
                part = await anext(parts, None)
                self._reading = False
                if part is None:
                    break
                self._take(part, decoder)
                yield part
        except BaseException:
            self._left()
            raise
        self._finished(decoder)

    def _closed(self) -> None:
        self._close()
        self._gone()

    async def _async_closed(self) -> None:
        await self._async_close()
        self._gone()

    def _gone(self) -> None:
        if not self._reading:  # httpx itself closes a body at its end, before the last part is handed on
            self._left()

    def _take(self, part: bytes, decoder: Decoder) -> None:
        with careful(self._count):
            if not self._over:
                for piece in decoder.read(part):
                    self._body.feed(piece)
                self._body.blind |= decoder.lost
                if self._body.ended:
                    self._tell(self._body.told)

    def _finished(self, decoder: Decoder) -> None:
        with careful(self._count):
            if not self._over:
                self._body.feed(decoder.rest())
                self._body.finish()
                self._tell(self._body.told)

    def _left(self) -> None:
        self._reading = False
        with careful(self._count):
            if not self._over:
                whole = self._whole()
                if whole:
                    self._body.finish()
                self._tell(self._body.told if whole else self._body.left)

    def _whole(self) -> bool:
        """Whether all that was announced has come, though nobody asked whether there is more."""
        with suppress(Exception):  # most streams announce no length
            return int(self._response.headers["content-length"]) == int(self._response.num_bytes_downloaded)
        return False

    def _tell(self, told: Told) -> None:
        self._over = True
        if told.state is Telling.CUT:
            self._sink.cut(told)
        else:
            self._sink.answered(told, streamed=self._body.events and not self._body.blind)
