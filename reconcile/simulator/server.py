"""The simulated usage API over real HTTP, on loopback only.

GET  {base_url}/organization/usage/completions   as the provider answers it, and the other usage endpoints too
GET  {base_url}/organization/costs               what the ledger's records cost by the tariff
GET  {base_url}/organization/projects            and /organization/projects/{id}/api_keys: what there is besides
POST /simulator/now   {"now": "2026-01-05T15:00:00Z"}   moves the clock; null gives it back to real time

`move` does the last for a simulator that runs in another process.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit, urlunsplit
from urllib.request import ProxyHandler, Request, build_opener

from reconcile.errors import UsageError
from reconcile.minutes import instant
from reconcile.simulator.calls import Ledger, Tariff
from reconcile.simulator.faults import Asking, Fault, missing_scope
from reconcile.simulator.organization import Organization, listed
from reconcile.simulator.replies import Reply, answer, costs, error, reply
from reconcile.simulator.routes import USAGE, Route

ADMIN_KEY = "sk-admin-simulated"
LIST_PRICES = Tariff()
NOTHING = Reply(200, b"")


class Simulator:
    """Serves a ledger while its context lasts.

    `page_size` caps the buckets of a page, as `limit` does. `requests` are all, oldest first. `organization` may be
    changed while it serves; without one, the keys that have records are listed. `before` is called before each answer,
    to add to the ledger.
    """

    def __init__(  # noqa: PLR0913  settings, each given by its name
        self,
        ledger: Ledger,
        *,
        now: datetime | None = None,
        port: int = 0,
        admin_key: str = ADMIN_KEY,
        page_size: int | None = None,
        tariff: Tariff = LIST_PRICES,
        organization: Organization | None = None,
        before: Callable[[], None] | None = None,
    ) -> None:
        self.ledger = ledger
        self.tariff = tariff
        self.organization = organization
        self.admin_key = admin_key
        self.page_size = page_size
        self._before = before
        self._one_at_a_time = Lock()
        self.requests: list[Asking] = []
        self._now = now
        self._script: deque[Fault | None] = deque()
        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), partial(_Handler, self))
        except OSError as problem:
            remedy = "choose another port; 0 takes a free one"
            raise UsageError(f"port {port} cannot be served: {problem}", code="port_taken", remedy=remedy) from problem
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    @property
    def now(self) -> float:
        """The simulator's clock in Unix seconds."""
        return time.time() if self._now is None else self._now.timestamp()

    def set_now(self, now: datetime | None) -> None:
        """Moves the clock; None gives it back to real time."""
        self._now = now

    def script(self, *faults: Fault | None) -> None:
        """The next replies get these faults, one each; None is a right answer. After the script all are right."""
        self._script.extend(faults)

    def reply(self, request: Asking, authorization: str | None) -> Reply:
        """What is sent for a GET: the right reply, or what the script makes of it."""
        with self._one_at_a_time:
            if self._before:
                self._before()
        self.requests.append(request)
        fault = self._script.popleft() if self._script else None
        right = self._right(request, authorization)
        return fault(request, right) if fault else right

    def _right(self, request: Asking, authorization: str | None) -> Reply:
        path = request.path.removeprefix("/v1")
        endpoint = self._endpoint(path)
        if endpoint is None and not listed(path):
            return error(404, f"Invalid URL (GET {request.path})", code=None)
        if (authorization or "").startswith("Bearer sk-proj-"):
            return missing_scope()(request, NOTHING)
        if authorization != f"Bearer {self.admin_key}":
            return error(401, "Incorrect API key provided: sk-xxx.", code="invalid_api_key")
        if endpoint is None:
            return (self.organization or Organization.of(self.ledger)).answer(path, request.params)
        return answer(request.params, self.ledger, request.at, self.page_size, endpoint)

    def _endpoint(self, path: str) -> Route | None:
        billed = costs(self.tariff)
        return next((each for each in (*USAGE, billed) if each.form.path == path), None)


class _Handler(BaseHTTPRequestHandler):
    """One connection, one reply."""

    def __init__(self, simulator: Simulator, *connection: Any) -> None:  # noqa: ANN401 (the server's own arguments)
        self._simulator = simulator
        super().__init__(*connection)

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        params = parse_qsl(url.query, keep_blank_values=True)
        request = Asking(url.path, params, self._simulator.now)
        self._send(self._simulator.reply(request, self.headers["Authorization"]))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if self.path != "/simulator/now":
            return self._send(error(404, f"Invalid URL (POST {self.path})", code=None))
        try:
            self._simulator.set_now(_moment(json.loads(body)["now"]))
        except (ValueError, KeyError, TypeError) as problem:
            return self._send(error(400, f'Send {{"now": an RFC 3339 instant or null}}: {problem}', code=None))
        return self._send(reply(200, {"now": instant(self._simulator.now).isoformat()}))

    def _send(self, outcome: Reply) -> None:
        with suppress(ConnectionError):  # a client may go before it has read everything
            if outcome.silent:
                self.connection.recv(1)  # nothing more is due from the client: this returns when it hangs up
                return
            self.send_response(outcome.status)
            self.send_header("Content-Type", outcome.content_type)
            self.send_header("Content-Length", str(len(outcome.body)))
            for name, value in outcome.headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(outcome.body[: int(len(outcome.body) * outcome.sent)])

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The Date of a reply is the simulator's, as its other instants are."""
        return super().date_time_string(self._simulator.now if timestamp is None else timestamp)

    def log_message(self, *_: object) -> None:
        """Says nothing: `Simulator.requests` is the log."""


def _moment(value: str | None) -> datetime | None:
    moment = None if value is None else datetime.fromisoformat(value)
    if moment and moment.tzinfo is None:
        raise ValueError(f"{value} has no UTC offset")
    return moment


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
