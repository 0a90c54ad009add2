"""The API over HTTP on loopback: pages, permissions, errors and whatever goes wrong on the way.

GET, POST, PATCH  {url}/repos/...   and below {url}/api/v3, as on GitHub Enterprise Server
POST              {url}/graphql     and {url}/api/graphql
"""

import json
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from urllib.parse import unquote, urlencode

from support.github import graphql
from support.github.description import VERSION, Call, ViolationError
from support.github.endpoints import ENDPOINTS
from support.github.state import ALL, BOT, PERSON, Head, RefusedError, State

from reconcile.simulator.replies import Reply

TOKEN = "ghs_doubleNeverShown0123456789"
CALLS = [(Call(operation), *rest) for operation, rest in ENDPOINTS.items()]
WANTED_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": VERSION}
LARGEST_PAGE, USUAL_PAGE = 100, 30


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: str
    body: bytes


class GitHubDouble:
    """Serves one repository while its context lasts; `bare` is the bare git repository that holds its branches.

    `violations` is what was not as GitHub describes it, and must stay empty. `requests` are all, oldest first.
    """

    def __init__(self, name="octo/science", *, bare=None):
        self.state = State(name, bare)
        self.tokens = {TOKEN}
        self.permissions = ALL
        self.former_name = None
        self.requests = []
        self.violations = []
        self.author = BOT
        self._script = deque()
        self._lock = Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"double": self}))
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def pages(self):
        """Where people see the repository."""
        return f"https://github.com/{self.state.name}"

    @property
    def writes(self):
        """What was asked to be written, as method and path."""
        return [(request.method, request.path) for request in self.requests if request.method != "GET"]

    def script(self, *steps):
        """For the next requests, one each: None answers right; a Reply is sent instead, and nothing is done; a function
        makes another reply of the request and the right one, after all was done.
        """
        self._script.extend(steps)

    def add_pull_request(self, ref, *, repository=None, sha="", base="main", title="A run", body="", draft=False):
        """A person's; from a fork where a repository is named, and from one that is gone where it is ''. Its number."""
        repository = self.state.name if repository is None else repository or None
        sha = sha or self.state.tip(ref) or f"{len(self.state.threads):040x}"
        return self.state.add(title, body, PERSON, Head(ref, repository, sha, base, draft)).number

    def reply(self, request, headers):
        """What is sent."""
        with self._lock:
            self.requests.append(request)
            step = self._script.popleft() if self._script else None
            if isinstance(step, Reply):
                return step
            try:
                right = self._right(request, headers)
            except RefusedError as refused:
                right = _error(refused)
            except Exception as error:  # noqa: BLE001 (a defect of the double must fail the test, too)
                self.violations.append(f"{request.method} {request.path}?{request.query}: {error!r}")
                return _error(RefusedError(500, str(error)))
            return step(request, right) if step else right

    def _right(self, request, headers):
        self._authenticate(headers)
        if request.path in ("/graphql", "/api/graphql"):
            return self._graphql(request)
        request = replace(request, path=request.path.removeprefix("/api/v3"))
        for call, permissions, answer in CALLS:
            found = call.path.fullmatch(request.path)
            if found and call.http_method == request.method:
                return self._rest(request, call, permissions, answer, found.groupdict())
        raise ViolationError("no such operation is served")

    def _authenticate(self, headers):
        wrong = {name: headers[name] for name, value in WANTED_HEADERS.items() if headers[name] != value}
        if wrong or not headers["User-Agent"]:
            raise ViolationError(f"headers {wrong or 'without User-Agent'}")
        token = (headers["Authorization"] or "").removeprefix("Bearer ")
        if token not in self.tokens:
            raise RefusedError(401, "Bad credentials")
        self.author = BOT if token.startswith("ghs_") else PERSON

    def _permits(self, permissions):
        held = self.permissions | {each.replace("write", "read") for each in self.permissions}
        return not permissions or bool(held & set(permissions))

    def _rest(self, request, call, permissions, answer, values):
        name = f"{values['owner']}/{values['repo']}" if "owner" in values else self.state.name
        query, body = call.read(request.query, request.body)
        if name == self.former_name:
            return self._moved(request)
        try:
            if name != self.state.name:
                raise RefusedError(404, "Not Found")
            if not self._permits(permissions):
                raise RefusedError(403, "Resource not accessible by integration")
            decoded = {key: unquote(value) for key, value in values.items()}
            result = answer(self, decoded, query, body)
            reply = self._page(request, result, query) if isinstance(result, list) else _reply(*result)
        except RefusedError as refused:
            reply = _error(refused)
        call.check(request, values, reply.status, json.loads(reply.body))
        return reply

    def _page(self, request, entries, query):
        """A page and its links, which name the repository by its number as GitHub does."""
        size = min(query.get("per_page", USUAL_PAGE), LARGEST_PAGE)
        page = query.get("page", 1)
        last = max(1, -(-len(entries) // size))
        rest = request.path.removeprefix(f"/repos/{self.state.name}")
        wanted = [("next", page + 1), ("last", last)] if page < last else []
        links = [
            f'<{self.url}/repositories/1{rest}?{urlencode({**query, "per_page": size, "page": number})}>; rel="{rel}"'
            for rel, number in wanted
        ]
        return _reply(200, entries[size * (page - 1) : size * page], Link=", ".join(links))

    def _moved(self, request):
        rest = request.path.removeprefix(f"/repos/{self.former_name}")
        location = f"{self.url}/repositories/1{rest}"
        body = {"message": "Moved Permanently", "url": location, "documentation_url": "https://docs.github.com/rest"}
        return _reply(301, body, Location=location)

    def _graphql(self, request):
        content, wrong = graphql.answer(
            json.loads(request.body), self.state, self._permits(("contents: write",)), self.author[0]
        )
        if wrong:
            raise ViolationError(f"GraphQL: {wrong}")
        return _reply(200, content)


class _Handler(BaseHTTPRequestHandler):
    """One connection, one reply."""

    double = None

    def do_GET(self):
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        path, _, query = self.path.partition("?")
        self._send(self.double.reply(Request(self.command, path, query, body), self.headers))

    do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815 (the names the server calls)

    def _send(self, reply):
        with suppress(ConnectionError):  # a client may go before it has read everything
            if reply.silent:
                self.connection.recv(1)  # nothing more is due from the client: this returns when it hangs up
                return
            self.send_response_only(reply.status)
            usual = {"Content-Type": reply.content_type, "Date": self.date_time_string()}
            for name, value in {**usual, **dict(reply.headers), "Content-Length": len(reply.body)}.items():
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(reply.body[: int(len(reply.body) * reply.sent)])

    def log_message(self, *_):
        pass


def _reply(status, content, **headers):
    named = tuple((name, value) for name, value in headers.items() if value)
    return Reply(status, json.dumps(content).encode(), headers=named)


def _error(refused):
    body = {
        "message": refused.message,
        "documentation_url": "https://docs.github.com/rest",
        "status": str(refused.status),
    }
    return _reply(refused.status, body | ({"errors": list(refused.errors)} if refused.errors else {}))
