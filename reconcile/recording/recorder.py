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
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from reconcile.errors import ReconcileError, UsageError
from reconcile.recording.clock import Clock, await_end, await_start
from reconcile.recording.folder import CALLS, JOURNAL, VARIABLE, RunFolder
from reconcile.recording.journal import read, seconds
from reconcile.recording.metrics import Ending, spelled
from reconcile.recording.signals import exit_on_sigterm
from reconcile.recording.usage import Counted, counted
from reconcile.recording.watching import watch
from reconcile.recording.whole import begin, end

Client = TypeVar("Client")
UNKNOWN_MODEL = "unknown"


class Recording:
    """A run while it is recorded. `folder`, `framework` and `run_id` are known once it was entered."""

    def __init__(
        self,
        folder: Callable[[], RunFolder],
        clock: Clock,
        *,
        owner: bool,
        model: str | None,
        complete: bool,
        wait_minute: bool,
    ) -> None:
        self._make, self.clock, self._owner = folder, clock, owner
        self._model, self._complete, self._wait_minute = model, complete, wait_minute
        self._lock = threading.RLock()  # a stream that is collected as garbage ends its call at any moment
        self._counts = {"watched": 0, "uncounted": 0, "lost": 0}
        self._began_in = self._process = os.getpid()
        self._open: set[Call] = set()
        self._seen: set[str] = set()
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
        ending = Ending(started_at=self.started_at, at=ended_at, successful=successful, told=told)
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
        self._say(recorder=self._id, closed=True, **self._counts)

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
        """Record the call that this response, an object or a dictionary, answers.

        Give `started_at` where it is known: without it the call may have been made at any time since the run began,
        which tells it apart from other runs less sharply. A response without usage is counted as a call of unknown
        tokens.
        """
        if not self._running:
            raise UsageError(
                "a response was added to a run that is not being recorded",
                code="no_recording",
                remedy="add responses inside the `with` block of the run",
            )
        found = counted(response)
        if found is None:
            self.count("uncounted")
            return
        if found.response_id in self._seen:
            return  # as a watched client wrote it down, with its times
        start = self.started_at if started_at is None else max(seconds(started_at), self.started_at)
        finish = self.clock.now() if ended_at is None else seconds(ended_at)
        self.write(found, start, max(finish, start))

    def watch(self, client: Client) -> Client:
        """Record every call that this client makes from now on, each try of its own; returns the client.

        A client of the `openai` package, sync or async, or the httpx client inside one. Raises TypeError for others.
        """
        self._endings.append(watch(client, self))
        return client

    # ---------------------------------------------------------------------------------- what watching needs

    def call(self, model: str | None, attempt: int) -> Call | None:
        """A call that is being made; None where the run is over."""
        self._join_after_fork()
        call = Call(self, model, attempt)
        with self._lock:
            if not self._running:
                return None
            self._open.add(call)
        return call

    def done(self, call: Call, counts: str | None = None) -> bool:
        """Whether the call was still open; it is not any more, and counted in one: the run may end at any moment."""
        with self._lock:
            was_open = call in self._open
            self._open.discard(call)
            if was_open and counts:
                self._counts[counts] += 1
        return was_open

    def count(self, name: str) -> None:
        self._join_after_fork()
        with self._lock:
            self._counts[name] += 1

    def write(self, found: Counted, start: float, finish: float, **more: Any) -> None:  # noqa: ANN401  JSON
        """A row of the call log."""
        self._join_after_fork()
        if found.response_id:
            self._seen.add(found.response_id)
        row: dict[str, object] = {
            "started_at": spelled(start),
            "ended_at": spelled(finish),
            "model": found.model or self._model or UNKNOWN_MODEL,
            "input_tokens": found.tokens_in,
            "output_tokens": found.tokens_out,
            "cached_tokens": found.cached_tokens,
            **({"response_id": found.response_id} if found.response_id else {}),
            **more,
        }
        try:
            self._folder.append(CALLS, row)
        except OSError:
            self.count("lost")

    def _join_after_fork(self) -> None:
        """A forked process cannot tell that it ended, so the log of its run cannot be known to be complete."""
        if os.getpid() != self._process:
            self._process, self._lock, self._id = os.getpid(), threading.RLock(), secrets.token_hex(4)
            self._say(recorder=self._id)

    def _say(self, **line: object) -> None:
        """A line of the journal. One that is lost shows as a step or a recorder that did not end."""
        with suppress(OSError):
            self._folder.append(JOURNAL, line)


class Call:
    """One try of a watched client, from the moment its request is sent."""

    def __init__(self, run: Recording, model: str | None, attempt: int) -> None:
        self._run, self._model, self._attempt = run, model, attempt
        self._started_at = run.clock.now()

    def answered(self, found: Counted | None) -> None:
        """The whole answer is here; None where it does not say what it used."""
        if self._run.done(self, "uncounted" if found is None else "watched") and found is not None:
            self._write(found)

    def refused(self) -> None:
        """The provider did nothing, or was never reached: that is no call."""
        self._run.done(self)

    def cut(self) -> None:
        """It was sent, and its answer did not come whole: it may be billed or not."""
        if self._run.done(self, "watched"):
            nothing = Counted(tokens_in=0, tokens_out=0, cached_tokens=0, model=self._model, response_id=None)
            self._write(nothing, aborted=True)

    def _write(self, found: Counted, **more: object) -> None:
        found = replace(found, model=found.model or self._model)
        finish = max(self._run.clock.now(), self._started_at)
        self._run.write(found, self._started_at, finish, attempt=self._attempt, **more)
