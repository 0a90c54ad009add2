"""The clock of this machine, and the signals that ask a program to stop: they end a wait, and nothing else.

What runs when one comes goes on. A second one does what it always does, for whoever will not wait for that.
"""

from __future__ import annotations

import select
import signal
import socket
import time
from types import FrameType, TracebackType
from typing import Any

SLICE = 60.0
"""Seconds waited at once: a machine that slept meanwhile has to look at its clock."""


class StopSignals:
    """While it lasts, SIGTERM and Ctrl-C only stop it. In the main thread, for no other gets signals."""

    def __init__(self) -> None:
        self.stopped = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopSignals:
        # Any signal writes here: one that came just before the wait would not end it otherwise.
        self._woken, self._wakes = socket.socketpair()
        self._woken.setblocking(False)
        self._wakes.setblocking(False)
        self._others = signal.set_wakeup_fd(self._wakes.fileno(), warn_on_full_buffer=False)
        for signum in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(signum) != signal.SIG_IGN:
                self._before[signum] = signal.signal(signum, self._stop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()
        signal.set_wakeup_fd(self._others)
        self._woken.close()
        self._wakes.close()

    def now(self) -> float:
        return time.time()

    def wait(self, seconds: float) -> None:
        """Return after so many seconds, after SLICE, or when a signal comes."""
        if not self.stopped and select.select([self._woken], [], [], min(seconds, SLICE))[0]:
            self._woken.recv(4096)

    def _stop(self, _: int, __: FrameType | None) -> None:
        self.stopped = True
        self._restore()

    def _restore(self) -> None:
        while self._before:
            signal.signal(*self._before.popitem())
