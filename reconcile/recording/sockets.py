"""Notices WebSockets that are opened to the hosts of watched clients.

The clients open them by `websockets`, past their HTTP client, and what passes through one is not read: that it was
opened is all that is known. Every handshake of the package goes through one method, which is looked at while a client
is watched; what belongs to no watched client passes.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Listener:
    """Wants to know of WebSockets to a host, `name:port` without the port that is usual."""

    owner: object
    host: str
    opened: Callable[[str], None] = field(compare=False)
    """Called with the path."""


_listeners: list[Listener] = []
_lock = threading.Lock()


def listen(listener: Listener) -> Callable[[], None]:
    """Tell the listener of handshakes from now on; returns how to end it. An owner listens to a host once."""
    with suppress(Exception):
        _hook()
    with _lock:
        if listener in _listeners:
            return lambda: None
        _listeners.append(listener)

    def end() -> None:
        with _lock, suppress(ValueError):
            _listeners.remove(listener)

    return end


def _hook() -> None:
    """Without the package there is nothing to notice."""
    if importlib.util.find_spec("websockets") is None:
        return
    protocol: Any = importlib.import_module("websockets.client").ClientProtocol
    with _lock:
        send = protocol.send_request
        if getattr(send, "noticed", False):
            return

        def send_request(self: object, request: Any) -> Any:  # noqa: ANN401  the package's own
            with suppress(Exception):
                _opened(request)
            return send(self, request)

        noticing: Any = send_request
        noticing.noticed = True
        protocol.send_request = noticing


def _opened(request: Any) -> None:  # noqa: ANN401  a handshake of whatever version
    host, path = request.headers.get("Host"), str(request.path).partition("?")[0]
    with _lock:
        listeners = [each for each in _listeners if each.host == host]
    for listener in listeners:
        listener.opened(path)
