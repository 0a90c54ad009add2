"""A run while a Python program records it, by itself or as a part of one that a command around it records.

    with reconcile.record("chatdev") as run:
        with run.step("plan"):
            response = client.chat.completions.create(...)
            run.add(response)

Nothing here may break the experiment: what cannot be written is counted as lost, and the log is then not complete.
Threads and tasks may share a `Recording`; a process takes part by `record()` of its own.
"""

from __future__ import annotations

import os
import secrets
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from reconcile.errors import ReconcileError, UsageError
from reconcile.recording.clocks import Offset, WallClock, await_end, await_start, together
from reconcile.recording.endpoints import Destination, DestinationKind
from reconcile.recording.folder import CALLS, JOURNAL, VARIABLE, RunFolder, begin, end
from reconcile.recording.journal import read, row_of, seconds
from reconcile.recording.known import Known, has_provider_id, label, opened_by, pending_since, same_call, untold
from reconcile.recording.left import MOST_NAMED, RunEnding, spelled
from reconcile.recording.responses import MESSAGE_EVENTS, Message, Telling, Told, told
from reconcile.recording.shapes import LONGEST_NAME, Counted, member
from reconcile.recording.signals import exit_on_sigterm
from reconcile.recording.watching import watch

Client = TypeVar("Client")

STREAMS = {"chat", "completions"}
"""Endpoints whose streams tell their usage only where they are asked to."""

HINT = (
    'reconcile: a stream told no usage, so its tokens are unknown; set stream_options={"include_usage": True}, '
    "or stream_usage=True in LangChain"
)

_message: ContextVar[tuple[Recording, Message] | None] = ContextVar("message", default=None)
"""The message whose events are being added, for these do not tell which it is."""


class Recording:
    """A run while it is recorded. `folder`, `framework` and `run_id` are known once it was entered."""

    def __init__(
        self,
        folder: Callable[[], RunFolder],
        clock: WallClock,
        *,
        owner: bool,
        model: str | None,
        complete: bool,
        wait_minute: bool,
    ) -> None:
        self._make, self.clock, self._owner = folder, clock, owner
        self._model, self._complete, self._wait_minute = model, complete, wait_minute
        self._lock = threading.RLock()  # a stream that is collected as garbage ends its call at any moment
        self._counts = {"watched": 0, "unwatched": 0, "lost": 0}
        self._untold: list[str] = []
        """Calls without an id that told no usage."""
        self._began_in = self._process = os.getpid()
        self._open: set[Attempt] = set()
        self._calls: dict[str, Known] = {}
        """By the ids of their responses."""
        self._foreign: set[str] = set()
        self._shared: set[str] = set()
        """Ids that several responses had."""
        self._others: Counter[str] = Counter()
        """Calls of other endpoints that a watched client made, and that were not added yet."""
        self._offset: Offset | None = None
        self._hinted = False
        self._endings: list[Callable[[], None]] = []
        self._id = secrets.token_hex(4)
        self._running = False
        self.started_at = 0.0
        self.problems: tuple[str, ...] = ()
        """After the end: why the calls may not all have been counted, and what else went wrong."""

    @property
    def folder(self) -> Path:
        return self._folder.path

    @property
    def framework(self) -> str:
        return self._folder.framework

    @property
    def run_id(self) -> str:
        return self._folder.run_id

    @property
    def environment(self) -> Mapping[str, str]:
        """What to add to the environment of a process that is to take part."""
        return {VARIABLE: str(self._folder.path)}

    @property
    def running(self) -> bool:
        return self._running

    # ------------------------------------------------------------------------------------- begin and end

    def __enter__(self) -> Self:
        self._folder = self._make()
        try:
            self._begin()
        except BaseException:
            if self._owner:
                self._folder.release()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if os.getpid() != self._began_in:
            return  # a forked process leaves the block as well, and the run goes on
        self._leave()
        ended_at = self.clock.now()
        if not self._owner:
            return
        successful = error is None or (isinstance(error, SystemExit) and error.code in {None, 0})
        told = {} if successful or kind is None else {"error": kind.__name__}
        ending = RunEnding(started_at=self.started_at, at=ended_at, successful=successful, told=told)
        try:
            self.problems = end(self._folder, ending)
        except ReconcileError as failure:
            if error is None:
                raise
            error.add_note(f"the run was not recorded: {failure.message}")
        if self._wait_minute and not isinstance(error, KeyboardInterrupt):
            await_end(self.clock, ended_at)

    def _begin(self) -> None:
        if self._owner:
            if self._wait_minute:
                await_start(self.clock)
            begin(self._folder, self.clock)
        self._began_in = os.getpid()
        self.started_at = read(self._folder.text(JOURNAL) or "").started_at or self.clock.now()
        self._say(recorder=self._id)
        if self._model:
            self._say(model=self._model)
        if self._complete:
            self._say(complete=True)
        self._running = True
        self._endings.append(exit_on_sigterm())

    def _leave(self) -> None:
        with self._lock:
            self._running, still_open = False, list(self._open)
        for call in still_open:
            call.cut()
        for ending in reversed(self._endings):
            ending()
        with self._lock:
            calls = list({id(each): each for each in self._calls.values()}.values())
            if any(each.streamed for each in calls if each.untold):
                self.hint()
            counts = dict(self._counts)
            untold_of = [*self._untold, *untold(self._calls)]
            counts["unwatched"] += sum(not each.watched for each in calls)
        if self._offset is not None:
            self._say(clock=self._offset.line, of=self._id)
        named = {"untold": untold_of[:MOST_NAMED]} if untold_of else {}
        self._say(recorder=self._id, closed=True, **counts, uncounted=len(untold_of), **named)

    # -------------------------------------------------------------------------------------- steps and calls

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """A step of the run; one that ends with an exception did not succeed. Steps may overlap."""
        key = secrets.token_hex(4)
        self._say(begin=name, at=self.clock.now(), id=key)
        success = False
        try:
            yield
            success = True
        finally:
            self._say(end=name, at=self.clock.now(), id=key, success=success)

    def add(
        self,
        response: object,
        *,
        started_at: datetime | float | None = None,
        ended_at: datetime | float | None = None,
    ) -> None:
        """Record the calls that this object or dictionary tells of: a response of whatever library, or a part of one.

        Objects with one response id are one call, and the last usage counts: so every chunk of a stream may be added,
        and every poll of a background response. Give `started_at` where it is known: without it the call may have
        been made at any time since the run began, which tells it apart from other runs less sharply. A response
        without usage is counted as a call of unknown tokens.
        """
        if not self._running:
            raise UsageError(
                "a response was added to a run that is not being recorded",
                code="no_recording",
                remedy="add responses inside the `with` block of the run",
            )
        start = self.started_at if started_at is None else max(seconds(started_at), self.started_at)
        finish = self.clock.now() if ended_at is None else seconds(ended_at)
        self._join_after_fork()
        for each in self._told(response):
            self.take(each, start, max(finish, start), watched=False)

    def watch(self, client: Client) -> Client:
        """Record every call that this client makes from now on, each try of its own; returns the client.

        A client of the `openai` or `anthropic` package, sync or async, one of another library with such a client
        inside, or the httpx client inside of those. Its copies are watched as well. Raises TypeError for others.
        """
        self._endings.append(watch(client, self))
        return client

    # ---------------------------------------------------------------------------------- what watching needs

    def call(
        self, endpoint: Destination, model: str | None = None, attempt: int = 1, provider: str | None = None
    ) -> Attempt | None:
        """A call that is being made; None where the run is over."""
        self._join_after_fork()
        call = Attempt(self, endpoint, model, attempt, provider)
        with self._lock:
            if not self._running:
                return None
            self._open.add(call)
        return call

    def done(self, call: Attempt) -> bool:
        """Whether the call was still open; it is not any more."""
        with self._lock:
            was_open = call in self._open
            self._open.discard(call)
        return was_open

    def end(self, call: Attempt, told: Told | None, **more: object) -> None:
        """The call is over, in one with its row: the run may end at any moment."""
        with self._lock:
            if self.done(call) and told is not None:
                finish = max(self.clock.now(), call.started_at)
                if told.response_id in self._calls and self._calls[told.response_id].made:
                    self._shared.add(told.response_id or "")
                    told = told.unnamed  # not every server keeps the ids of its responses apart
                if call.other:
                    self._others[call.other] += 1
                known = self._calls.get(told.response_id or "")
                if known is None:
                    known = Known(start=call.started_at, finish=finish, watched=True, made=True)
                known.make(call.started_at, finish, more)
                known.name = call.name
                self._take(told, known, finish, more)

    def take(self, told: Told, start: float, finish: float, *, watched: bool) -> None:
        """What was told of a call, once more or for the first time. Without an id nothing else can be told of it."""
        with self._lock:
            if not watched and self._written(told):
                return
            known = self._calls.get(told.response_id or "")
            if known is None and not (watched or self._open or self._counts["watched"]):
                known = opened_by(self._calls.values(), told)
            nameless = (known is None or not known.watched) and not has_provider_id(told)
            if not watched and nameless and self._counts["watched"]:
                known = same_call(self._calls.values(), told) or known
            known = known or Known(start=start, finish=finish, watched=watched)
            known.added |= not watched and told.counted is not None
            if not told.response_id and not known.watched:
                self._counts["unwatched"] += 1
            self._take(told, known, finish, {"endpoint": told.endpoint} if told.endpoint else {})

    def _written(self, told: Told) -> bool:
        """Whether a watched client wrote down what is added here, and an id cannot tell."""
        if told.endpoint and self._others[told.endpoint] > 0:
            self._others[told.endpoint] -= 1
            return True
        return told.response_id in self._shared

    def _take(self, told: Told, known: Known, finish: float, more: Mapping[str, object]) -> None:
        if told.response_id:
            self._calls[told.response_id] = known
        members = known.next(told, finish, more, named=bool(told.response_id))
        if members is not None:
            self._write(told, known, members)
        elif told.state is Telling.PART and not told.response_id:
            self._untold.append(label(known, None))

    def follows(self, response_id: str) -> bool:
        """Whether a response is one of this run's, so that it matters what becomes of it."""
        self._join_after_fork()
        with self._lock:
            if response_id in self._calls or response_id in self._foreign:
                return response_id in self._calls
            start = pending_since(self._folder.text(CALLS) or "", response_id)
            if start is None:
                self._foreign.add(response_id)
                return False
            self._calls[response_id] = Known(start=start, finish=start, watched=True, made=True, state=Telling.PENDING)
            return True

    def measured(self, offset: Offset) -> None:
        """A response of a provider came with its date."""
        with self._lock:
            first = self._offset is None
            self._offset = together(filter(None, (self._offset, offset)))
        if first:
            self._say(clock=offset.line, of=self._id)  # the process may be killed before it can say more

    def count(self, name: str) -> None:
        self._join_after_fork()
        with self._lock:
            self._counts[name] += 1

    def hint(self) -> None:
        """Say once what to set so that streams tell their usage."""
        with self._lock:
            told, self._hinted = self._hinted, True
        if not told:
            with suppress(OSError, ValueError, AttributeError):  # a stderr that is closed, or None
                sys.stderr.write(HINT + "\n")

    def _told(self, response: object) -> Iterable[Told]:
        if member(response, "type") not in MESSAGE_EVENTS:
            return told(response)
        run, message = _message.get() or (None, Message())
        if run is not self or member(response, "type") == "message_start":
            message = Message()
            _message.set((self, message))
        return message.take(response)

    def _write(self, told: Told, known: Known, members: Mapping[str, object]) -> None:
        """A row of the call log."""
        model = told.model or known.model or self._model
        row = row_of(known.counted, spelled(known.start), spelled(known.finish), model, told.response_id, members)
        if known.watched:
            self._counts["watched"] += 1
        try:
            self._folder.append(CALLS, row)
        except OSError:
            self._counts["lost"] += 1

    def _join_after_fork(self) -> None:
        """A forked process cannot tell that it ended, so the log of its run cannot be known to be complete."""
        if os.getpid() != self._process:
            self._process, self._lock, self._id = os.getpid(), threading.RLock(), secrets.token_hex(4)
            self._say(recorder=self._id)

    def _say(self, **line: object) -> None:
        """A line of the journal. One that is lost shows as a step or a recorder that did not end."""
        with suppress(OSError):
            self._folder.append(JOURNAL, line)


class Attempt:
    """One try of a watched client, from the moment its request is sent."""

    def __init__(
        self, run: Recording, endpoint: Destination, model: str | None, attempt: int, provider: str | None
    ) -> None:
        self._run, self._endpoint, self._model, self._attempt = run, endpoint, model, attempt
        self._provider = provider
        self.started_at = run.clock.now()

    @property
    def name(self) -> str:
        return self._endpoint.name

    @property
    def other(self) -> str | None:
        """The endpoint of a call that is not in the figure of completions."""
        return self._endpoint.name if self._endpoint.kind is DestinationKind.OTHER else None

    def answered(self, told: Told, *, streamed: bool = False) -> None:
        """The answer is here, as far as it will come."""
        if self._endpoint.kind is not DestinationKind.COUNTED:
            told = Told(state=Telling.ENDED, model=told.model, counted=Counted())
        elif streamed and told.state is Telling.PART and self._endpoint.name in STREAMS:
            self._run.hint()
        self._end(told)

    def refused(self) -> None:
        """The provider did nothing, or was never reached: that is no call."""
        self._run.end(self, None)

    def cut(self, told: Told | None = None) -> None:
        """It was sent, and its answer did not come whole: it may be billed or not."""
        counts = self._endpoint.kind is DestinationKind.COUNTED
        self._end(told if told and counts else Told(state=Telling.CUT))

    def _end(self, told: Told) -> None:
        more: dict[str, object] = {"attempt": self._attempt}
        if self._provider:
            more["provider"] = self._provider
        if self._endpoint.kind is not DestinationKind.COUNTED:
            more["endpoint"] = self._endpoint.name[:LONGEST_NAME]
        if self._endpoint.kind is DestinationKind.UNKNOWN:
            more["unknown"] = True
        self._run.end(self, replace(told, model=told.model or self._model), **more)
