"""Whatever a library hands out for a call, as what it tells of that call: which one, how far it is, what it used.

- responses of the OpenAI and Anthropic clients and of LiteLLM, as objects or dictionaries, chunks and events too
- LangChain: messages, and results whose `generations` have them
- the Agents SDK: `ModelResponse`, a result with `raw_responses`, and the `Usage` of several requests
- lines of the output of a batch, of OpenAI and of Anthropic
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto

from reconcile.recording.shapes import Counted, member, name_of, usage_of

DEEPEST = 8
"""Objects inside of each other that are looked into."""


class Telling(Enum):
    ENDED = auto()
    """It told its usage."""
    PART = auto()
    """It tells no usage. A chunk of a stream, which a later one may follow, or a response that never tells."""
    PENDING = auto()
    """It goes on in the background."""
    CUT = auto()
    """It ended without usage: failed, or cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What an object tells of a call."""

    state: Telling
    response_id: str | None = None
    model: str | None = None
    counted: Counted | None = None
    chunk: bool = False
    """Whether it is a part of a stream of chat completions."""
    opens: bool = False
    """Whether it is the first part of a message of LangChain, which alone has the id that the provider gave."""
    endpoint: str | None = None
    """Of a call that is not in the figure of completions."""

    @property
    def unnamed(self) -> Told:
        """The same of a call whose id says nothing."""
        return replace(self, response_id=None)


CHUNK, MESSAGE_CHUNK = "chat.completion.chunk", "AIMessageChunk"

GOING_ON, GIVEN_UP = ("queued", "in_progress"), ("failed", "cancelled", "expired")


def told(value: object, depth: int = DEEPEST) -> Iterator[Told]:
    """What an object tells of each call that it is about; nothing where it is about none, as an event of a tool."""
    if depth:
        yield from _told(value, depth - 1)


def told_of(response: object, *, streamed: bool = False) -> Told:
    """What one response tells."""
    other = other_of(response)
    if other is not None:
        return Told(state=Telling.ENDED, model=name_of(member(response, "model")), counted=Counted(), endpoint=other)
    metadata = member(response, "response_metadata")
    usage = member(response, "usage") or member(response, "usage_metadata")
    model = name_of(member(response, "model")) or name_of(member(metadata, "model_name"))
    ids = (member(metadata, "id"), member(response, "id"), member(response, "response_id"))
    found = next((name for name in map(name_of, ids) if name), None)
    counted = usage_of(usage, model, found)
    status = member(response, "status")
    if counted is not None and status not in GOING_ON:
        return Told(state=Telling.ENDED, response_id=found, model=model, counted=counted)
    state = Telling.PART
    if status in GOING_ON and (not streamed or member(response, "background") is True):
        state = Telling.PENDING if found else Telling.PART
    elif status in GIVEN_UP:
        state = Telling.CUT
    return Told(
        state=state,
        response_id=found,
        model=model,
        chunk=member(response, "object") == CHUNK,
        opens=member(response, "type") == MESSAGE_CHUNK and name_of(member(metadata, "id")) is not None,
    )


def other_of(response: object) -> str | None:
    """The endpoint of a response that is not one of completions, told by what only its responses have."""
    if any(member(response, name) is not None for name in ("choices", "output", "content")):
        return None
    data, usage = member(response, "data"), member(response, "usage")
    if isinstance(data, list):
        embedded = any(member(each, "embedding") is not None for each in data)
        return "embeddings" if embedded else "images" if member(response, "created") is not None else None
    if isinstance(member(response, "text"), str) and member(usage, "type") in {"tokens", "duration"}:
        return "audio"
    return "moderations" if isinstance(member(response, "results"), list) else None


MESSAGE_EVENTS = frozenset({
    "message_start", "message_delta", "message_stop", "content_block_start", "content_block_delta",
    "content_block_stop", "ping",
})  # fmt: skip
"""Of a stream of Anthropic's messages. Only the first tells which message it is."""

HELPERS = frozenset({
    "text", "thinking", "signature", "citation", "input_json", "compaction", "run_item_stream_event",
    "agent_updated_stream_event",
})  # fmt: skip
"""Events that Anthropic's client makes up beside those, and the Agents SDK. Those of OpenAI's helpers have dots."""

MESSAGE_USAGE = (
    "input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation",
    "iterations",
)  # fmt: skip


class Message:
    """A message whose events come one by one: input is told at the start, output at the end."""

    def __init__(self) -> None:
        self._known: dict[str, object] = {}
        self._usage: dict[str, object] = {}

    def take(self, event: object) -> Iterator[Told]:
        """What is told with this event. Usage that is not the last is none."""
        kind = member(event, "type")
        if kind == "message_start":
            message = member(event, "message")
            self._known = {name: member(message, name) for name in ("id", "model")}
            self._usage = _members(member(message, "usage"))
            yield told_of(self._known)
        elif kind == "message_delta":
            self._usage |= _members(member(event, "usage"))
            yield told_of({**self._known, "usage": self._usage})


def _members(usage: object) -> dict[str, object]:
    found = {name: member(usage, name) for name in MESSAGE_USAGE}
    return {name: value for name, value in found.items() if value is not None}


def _told(value: object, depth: int) -> Iterator[Told]:
    for name in ("raw_responses", "generations"):
        inner = member(value, name)
        if isinstance(inner, list | tuple):
            for each in _flat(inner):
                yield from told(each, depth)
            return
    kind = member(value, "type")
    wrapped = _wrapped(value, kind)
    if wrapped is not None:
        yield from told(wrapped, depth)
    elif _is_aside(value, kind):
        return
    elif isinstance(kind, str) and kind.startswith("response."):
        response = member(value, "response")
        if response is not None:
            yield told_of(response, streamed=True)
    elif member(value, "usage") is None and member(value, "requests") is not None:
        yield told_of({"usage": value})
    else:
        yield told_of(value)


def _is_aside(value: object, kind: object) -> bool:
    """Whether a line of a batch was refused or not made, or an event only tells a part of an answer."""
    if isinstance(member(value, "event"), str) or (
        member(value, "custom_id") is not None and not member(value, "usage")
    ):
        return True
    return isinstance(kind, str) and (kind in HELPERS or ("." in kind and not kind.startswith("response.")))


def _flat(values: list[object] | tuple[object, ...]) -> Iterator[object]:
    for value in values:
        if isinstance(value, list | tuple):
            yield from _flat(value)
        else:
            yield value


def _wrapped(value: object, kind: object) -> object:
    """The response inside of a line of a batch, of a LangChain generation, or of an event that has one."""
    if member(value, "custom_id") is not None:
        response, result = member(value, "response"), member(value, "result")
        if member(response, "status_code") == OK:
            return member(response, "body")
        return member(result, "message") if member(result, "type") == "succeeded" else None
    if isinstance(kind, str) and kind.startswith("ChatGeneration"):
        return member(value, "message")
    event, data = member(value, "event"), member(value, "data")
    if event == "on_chat_model_end":
        return member(data, "output")
    if isinstance(event, str) and RUN_EVENT.fullmatch(event):
        return data
    return {"chunk": member(value, "chunk"), "raw_response_event": data}.get(kind) if isinstance(kind, str) else None


RUN_EVENT = re.compile(r"thread\.run\.(completed|incomplete|failed|expired|cancelled)")
"""Of an assistant's run: those that tell its usage."""

OK = 200
