"""A provider of models on loopback whose every call is entered in a ledger, as the usage API will report it.

What a call uses follows from its prompt, so nothing here depends on what a client makes of the answer.
"""

import gzip
import json
import threading
import time
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from reconcile.simulator.calls import BilledCall, Ledger

KEY_ID = "key_models"
SNAPSHOT = "gpt-4o-mini-2024-07-18"
SECRET = "the prompt that nobody may write down"


class Models:
    """Serves while its context lasts. `script` has what becomes of the next requests, `ok` after it:

    `429`, `503`: refused, not billed. `billed 504`: billed, and the answer lost. `silent`: billed, and never answered.
    `cut`, `stalled`: billed, and a stream that breaks off in the middle, or never goes on. `error`: billed, and a
    stream that ends with an error.

    A response with `background` is queued, goes on at the first look, and has ended at the second. What is no call of
    completions is not in the ledger, but `unseen` counts what uses tokens all the same.
    """

    def __init__(self, ledger=None):
        self.ledger = ledger or Ledger()
        self.script = []
        self.ahead = 0.0
        """Seconds by which its clock is ahead of the machine's."""
        self.unseen = 0
        self.encoding = None
        """Of bodies: `gzip`, or another, of which nobody makes sense."""
        self.number = None
        """Of every response, where it is no server that keeps them apart."""
        self.background = {}
        self.keys = []
        """What came as `Authorization` with each GET, and the headers beside it that name an account."""
        self.silent = threading.Event()
        self.gone = threading.Event()
        self._lock = threading.Lock()
        self._served = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.gone.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def origin(self):
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def base_url(self):
        return f"{self.origin}/v1"

    @property
    def environment(self):
        """What a program with the official client needs."""
        return {"OPENAI_BASE_URL": self.base_url, "OPENAI_API_KEY": "sk-made-up"}

    @property
    def now(self):
        """By its own clock, in which it books calls."""
        return time.time() + self.ahead

    @property
    def truth(self):
        return self.ledger.truth(KEY_ID, 0, self.now + 1)

    def look(self, name, *, cancel=False):
        """What becomes of a background response by the next time that somebody asks."""
        with self._lock:
            number, used, status = self.background[name]
            status = "cancelled" if cancel else {"queued": "in_progress"}.get(status, "completed")
            self.background[name] = (number, used, status)
        return response(number, used, status=status)

    def begin(self, number, used):
        with self._lock:
            self.background[f"resp_{number}"] = (number, used, "queued")
        return response(number, used, status="queued")

    def next(self, asked):
        """The number of the call, what becomes of it, and what it used; entered unless it is refused."""
        prompt = json.dumps(asked.get("messages") or asked.get("input"))
        used = (len(prompt) + 1_000, len(prompt) % 97 + 10, len(prompt) // 128 * 128)
        with self._lock:
            self._served += 1
            outcome = self.script.pop(0) if self.script else "ok"
            if not outcome.isdecimal():
                self.ledger.add([
                    BilledCall(
                        at=self.now, tokens_in=used[0], tokens_out=used[1], cached_tokens=used[2],
                        api_key_id=KEY_ID, model=SNAPSHOT,
                    )
                ])  # fmt: skip
            return self.number or self._served, outcome, used


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, models, *connection):
        self._models = models
        super().__init__(*connection)

    def date_time_string(self, timestamp=None):
        return super().date_time_string(int((time.time() if timestamp is None else timestamp) + self._models.ahead))

    def do_GET(self):
        account = [self.headers.get(f"OpenAI-{name}") for name in ("Organization", "Project")]
        self._models.keys.append((self.headers.get("Authorization"), *account))
        path, _, query = self.path.partition("?")
        name = path.removeprefix("/v1/responses/")
        if name in self._models.background:
            found = self._models.look(name)
            if "stream=true" in query:
                self._stream([{"type": f"response.{found['status']}", "response": found}], whole=True)
            else:
                self._send(200, found)
        elif path == "/v1/models":
            self._send(200, {"object": "list", "data": []})
        elif path == "/v1/mystery":
            self._models.unseen += 1
            self._send(200, {"id": "m", "usage": {"input_tokens": 5_000, "output_tokens": 1}})
        elif path.startswith("/v1/threads/"):
            self._send(200, {"id": "run_1", "object": "thread.run", "usage": chat_usage((5_000, 1, 0))})
        else:
            self._send(404, {"error": {"message": "no such path", "type": "made_up"}})

    def do_DELETE(self):
        self._send(200, {"id": "x", "deleted": True})

    def do_POST(self):
        data = self.rfile.read(int(self.headers["Content-Length"] or 0))
        path = self.path.partition("?")[0]
        if path in WHOLE:
            self._call(path, json.loads(data))
        elif path.endswith("/cancel") and path.split("/")[-2] in self._models.background:
            self._send(200, self._models.look(path.split("/")[-2], cancel=True))
        elif path not in BESIDE:
            self._send(404, {"error": {"message": "no such path", "type": "made_up"}})
        elif self._models.script:
            self._send(int(self._models.script.pop(0)), {"error": {"message": "no", "type": "made_up"}})
        else:
            self._models.unseen += path in USING
            self._send(200, {"id": "x", "object": "x", "data": [], "status": "queued", **BESIDE[path]})

    def _call(self, path, asked):
        number, outcome, used = self._models.next(asked)
        if outcome == "silent":
            self._models.silent.set()
            self._models.gone.wait()
        elif outcome.split()[-1].isdecimal():
            self._send(int(outcome.split()[-1]), {"error": {"message": "no", "type": "made_up"}})
        elif asked.get("background"):
            self._send(200, self._models.begin(number, used))
        elif asked.get("stream"):
            events = EVENTS[path](number, used, asked)
            half = events[: len(events) // 2]
            if outcome == "error":
                self._stream([*half, {"type": "error", "error": {"message": "no", "type": "made_up"}}], whole=True)
                return
            self._stream(events if outcome == "ok" else half, whole=outcome == "ok")
            if outcome == "stalled":
                self._models.gone.wait()
        else:
            self._send(200, WHOLE[path](number, used, compacts="context_management" in asked))

    def _send(self, status, body):
        data = self._encoded(json.dumps(body).encode())
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Retry-After", "0")
        self._say_encoding()
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, events, *, whole):
        data = self._encoded("".join(map(self._event, events)).encode())
        self.send_response(200)
        self._say_encoding()
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Content-Length", str(len(data) if whole else len(data) + 100))
        self.end_headers()
        for start in range(0, len(data), 7):  # no event in one piece
            self.wfile.write(data[start : start + 7])

    def _encoded(self, data):
        return gzip.compress(data) if self._models.encoding else data

    def _say_encoding(self):
        if self._models.encoding:
            self.send_header("Content-Encoding", self._models.encoding)

    def _event(self, event):
        named = f"event: {event['type']}\n" if self.path.startswith("/v1/messages") else ""
        return f"{named}data: {event if isinstance(event, str) else json.dumps(event)}\n\n"

    def log_message(self, *_):
        pass


def chat_usage(used):
    return {
        "prompt_tokens": used[0], "completion_tokens": used[1], "total_tokens": used[0] + used[1],
        "prompt_tokens_details": {"cached_tokens": used[2], "audio_tokens": 0},
    }  # fmt: skip


def responses_usage(used):
    return {
        "input_tokens": used[0], "output_tokens": used[1], "total_tokens": used[0] + used[1],
        "input_tokens_details": {"cached_tokens": used[2]}, "output_tokens_details": {"reasoning_tokens": 3},
    }  # fmt: skip


def chat(number, used, **_):
    return {
        "id": f"chatcmpl-{number}", "object": "chat.completion", "created": int(time.time()), "model": SNAPSHOT,
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": SECRET}}],
        "usage": chat_usage(used),
    }  # fmt: skip


def response(number, used, *, status="completed", **_):
    content = [{"type": "output_text", "text": SECRET, "annotations": []}]
    output = [{"type": "message", "id": "msg_1", "status": status, "role": "assistant", "content": content}]
    return {
        "id": f"resp_{number}", "object": "response", "created_at": int(time.time()), "model": SNAPSHOT,
        "status": status, "output": output, "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
        "usage": responses_usage(used) if status == "completed" else None,
    }  # fmt: skip


def compacted(number, used, **_):
    usage = responses_usage(used)
    return {"id": f"cmp_{number}", "object": "response.compaction", "created_at": 1, "output": [], "usage": usage}


ON_TOP = (100, 5, 0)
"""What compaction uses of what a message uses: its own figures leave it out."""


def message_usage(used, *, compacts=False):
    if compacts:
        own = message_usage(tuple(all_ - part for all_, part in zip(used, ON_TOP, strict=True)))
        parts = [{"type": "compaction", **message_usage(ON_TOP)}, {"type": "message", **own}]
        return {**own, "iterations": parts}
    return {"input_tokens": used[0] - used[2], "cache_read_input_tokens": used[2], "output_tokens": used[1]}


def message(number, used, *, compacts=False, **members):
    return {
        "id": f"msg_{number}", "type": "message", "role": "assistant", "model": SNAPSHOT, "stop_reason": "end_turn",
        "content": [{"type": "text", "text": SECRET}],
        "usage": message_usage(used, compacts=compacts), **members,
    }  # fmt: skip


def message_events(number, used, asked):
    ended = message_usage(used, compacts="context_management" in asked)
    begun = message(number, used, content=[], stop_reason=None, usage=message_usage((used[0], 1, used[2])))
    part = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": SECRET}}
    return [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        part,
        part,
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": ended},
        {"type": "message_stop"},
    ]


def chat_events(number, used, asked):
    shared = {"id": f"chatcmpl-{number}", "object": "chat.completion.chunk", "created": 1, "model": SNAPSHOT}
    parts = [{**shared, "choices": [{"index": 0, "delta": {"content": word}}]} for word in SECRET.split()]
    stop = {**shared, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    last = {**shared, "choices": [], "usage": chat_usage(used)}
    return [*parts, stop, *([last] if asked.get("stream_options", {}).get("include_usage") else []), "[DONE]"]


def response_events(number, used, _):
    begun = {"type": "response.created", "response": response(number, used, status="in_progress"), "sequence_number": 0}
    part = {
        "type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "content_index": 0,
        "delta": SECRET, "sequence_number": 1, "logprobs": [],
    }  # fmt: skip
    return [begun, part, part, {"type": "response.completed", "response": response(number, used), "sequence_number": 2}]


WHOLE = {
    "/v1/chat/completions": chat,
    "/v1/responses": response,
    "/v1/responses/compact": compacted,
    "/v1/messages": message,
}
EVENTS = {"/v1/chat/completions": chat_events, "/v1/responses": response_events, "/v1/messages": message_events}

USING = {
    "/v1/threads/runs": {},
    "/v1/batches": {},
    "/v1/messages/batches": {},
    "/v1/evals/eval_1/runs": {},
    "/v1/tomorrow": {"usage": {"input_tokens": 50_000, "output_tokens": 1}},
}
"""What uses tokens that the ledger does not have."""

BESIDE = {
    **USING,
    "/v1/embeddings": {"usage": {"prompt_tokens": 8, "total_tokens": 8}},
    "/v1/images/generations": {"created": 1},
    "/v1/audio/speech": {},
    "/v1/moderations": {"results": []},
    "/v1/files": {},
    "/v1/threads": {},
    "/v1/responses/input_tokens": {"input_tokens": 8},
    "/v1/messages/count_tokens": {"input_tokens": 8},
}
