"""What becomes of signals: they end a program in order, or are passed on to the command that is recorded."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from reconcile.errors import UsageError

PASSED_ON = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
"""Of POSIX."""

LOOK_AGAIN = 1.0
"""Seconds after which a command is looked at unasked: who started us may have left SIGCHLD blocked."""


def exit_on_sigterm() -> Callable[[], None]:
    """Let SIGTERM end the program as an exit does, so that the run is still recorded. Returns how to take that back.

    Only where the program itself does nothing about the signal.
    """
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        return lambda: None

    def leave(signum: int, _: FrameType | None) -> None:
        raise SystemExit(128 + signum)

    signal.signal(signal.SIGTERM, leave)

    def restore() -> None:
        if signal.getsignal(signal.SIGTERM) is leave and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    return restore


class Relay:
    """Passes signals on to the command, also those that came before it was there."""

    def __init__(self, woken: int | None = None) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []
        self._woken = woken
        """A pipe that any signal writes to: one that came just before the wait would not end it."""

    def start(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        try:
            child = subprocess.Popen(command, env=dict(environ))  # noqa: S603  what the user asked for
        except OSError as error:
            raise UsageError(
                f"{command[0]}: cannot be started ({error.strerror})",
                code="command_not_started",
                remedy="write the command after `--` as in a shell, its program by name or path",
            ) from error
        self._child = child
        for signum in self._early:
            child.send_signal(signum)

    def wait(self) -> int:
        """The command's status as Python has it: minus n where signal n killed it."""
        assert self._child is not None  # noqa: S101  it was started
        if self._woken is None:
            return self._child.wait()
        while (status := self._child.poll()) is None:
            if select.select([self._woken], [], [], LOOK_AGAIN)[0]:
                os.read(self._woken, 4096)
        return status

    def take(self, signum: int, _: FrameType | None) -> None:
        if signum in KEYS and _at_terminal():
            return  # the terminal has sent it to the command as well, and twice is not the same as once
        if self._child is None:
            self._early.append(signum)
        else:
            with suppress(OSError):
                self._child.send_signal(signum)


KEYS = {getattr(signal, name) for name in ("SIGINT", "SIGQUIT") if hasattr(signal, name)}
"""Signals that a terminal sends to all processes in its foreground when a key is pressed."""


def _at_terminal() -> bool:
    """Whether this process is in the foreground of a terminal. On Windows a key always reaches all of a console."""
    if not hasattr(os, "tcgetpgrp"):
        return True
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


@contextmanager
def passing_on() -> Iterator[Relay]:
    """While it lasts signals are the command's. Those that are ignored, as by nohup, stay so."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGCHLD"):
        yield Relay()  # nobody but the main thread gets signals; on Windows there are but keys
        return
    woken, wakes = os.pipe()
    os.set_blocking(wakes, False)
    relay = Relay(woken)
    before: dict[int, Any] = {signal.SIGCHLD: signal.signal(signal.SIGCHLD, lambda *_: None)}
    others_wakes = signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    for signum in (signal.Signals[name] for name in PASSED_ON):
        if signal.getsignal(signum) != signal.SIG_IGN:
            before[signum] = signal.signal(signum, relay.take)
    try:
        yield relay
    finally:
        for taken, handler in before.items():
            signal.signal(taken, handler)
        signal.set_wakeup_fd(others_wakes)
        os.close(woken)
        os.close(wakes)
