"""Moves the clock of a simulator that runs in another process."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime
from http.client import HTTPException
from urllib.parse import urlsplit, urlunsplit
from urllib.request import ProxyHandler, Request, build_opener

PATIENCE = 2.0
"""Seconds."""


def move(base_url: str, now: datetime) -> None:
    """Let the simulator at this address say that it is `now`. Whatever else answers there stays as it is."""
    parts = urlsplit(base_url)
    address = urlunsplit((parts.scheme, parts.netloc, "/simulator/now", "", ""))
    body = json.dumps({"now": now.isoformat()}).encode()
    request = Request(address, data=body, headers={"Content-Type": "application/json"}, method="POST")  # noqa: S310
    with suppress(OSError, ValueError, HTTPException):  # what answers may speak no HTTP
        build_opener(ProxyHandler({})).open(request, timeout=PATIENCE).close()
