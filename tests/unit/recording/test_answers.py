"""A body that comes in parts, down to what it counts."""

import json

import pytest

from reconcile.recording.answers import AnswerBody
from reconcile.recording.responses import Telling

USAGE = {"prompt_tokens": 100, "completion_tokens": 20}
CHAT = [{"id": "c-1", "model": "m", "usage": None}, {"id": "c-1", "model": "m", "usage": USAGE}, "[DONE]"]
RESPONSES = [
    {"type": "response.created", "response": {"id": "r-1", "model": "m", "usage": None}},
    {"type": "response.output_text.delta", "delta": "a text"},
    {
        "type": "response.completed",
        "response": {"id": "r-1", "model": "m", "usage": {"input_tokens": 100, "output_tokens": 20}},
    },
]
MESSAGES = [
    {
        "type": "message_start",
        "message": {
            "id": "m-1",
            "model": "m",
            "usage": {"input_tokens": 60, "cache_read_input_tokens": 40, "output_tokens": 1},
        },
    },
    {"type": "message_delta", "usage": {"output_tokens": 20}},
    {"type": "message_stop"},
]


def stream(events):
    return "".join(
        f"data: {event if isinstance(event, str) else json.dumps(event)}\r\n\r\n" for event in events
    ).encode()


def fed(data, size, *, events=True):
    answer = AnswerBody(events=events)
    for start in range(0, len(data), size):
        answer.feed(data[start : start + size])
    return answer


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize("events", [CHAT, RESPONSES, MESSAGES], ids=["chat", "responses", "messages"])
def test_a_stream_counts_as_its_last_usage_says(events, size):
    answer = fed(stream(events), size)
    assert (answer.ended, answer.told.counted.tokens.input, answer.told.counted.tokens.output) == (True, 100, 20)
    assert answer.told.counted.model == "m"


@pytest.mark.parametrize("events", [CHAT, RESPONSES, MESSAGES], ids=["chat", "responses", "messages"])
def test_a_stream_without_its_last_event_has_not_ended(events):
    answer = fed(stream(events[:-1]), 7)
    answer.finish()
    assert not answer.ended


@pytest.mark.parametrize(
    "line", ["data: {", "data: 7", 'data: {"usage": 7}', ": a comment", "event: x", "data:", "data: " + "[" * 100_000]
)
def test_events_that_say_nothing_are_passed_over(line):
    answer = fed(line.encode() + b"\n\n" + stream(CHAT), 64)
    assert answer.told.counted.tokens.input == 100


def test_a_whole_body_is_read_at_its_end():
    body = json.dumps({"id": "c-1", "model": "m", "usage": USAGE}).encode()
    answer = fed(body, 3, events=False)
    answer.finish()
    assert answer.told.counted.tokens.output == 20


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"7", b"\xff"])
def test_a_body_that_is_no_response_counts_nothing(body):
    answer = fed(body, 3, events=False)
    answer.finish()
    assert answer.told.counted is None


def test_what_is_too_long_to_be_kept_is_not_known_and_what_follows_is_read(monkeypatch):
    monkeypatch.setattr("reconcile.recording.answers.LONGEST", 300)
    long = {"type": "response.completed", "response": {"id": "r-1", "output": "a" * 400}}
    answer = fed(stream([RESPONSES[0], long]), 7)
    answer.finish()
    assert (answer.blind, answer.told.state, answer.told.response_id) == (True, Telling.PART, "r-1")
    assert fed(stream([long, *CHAT]), 64).told.counted.tokens.input == 100


def test_a_body_that_is_too_long_to_be_kept_counts_nothing(monkeypatch):
    monkeypatch.setattr("reconcile.recording.answers.LONGEST", 300)
    answer = fed(json.dumps({"id": "c-1", "usage": USAGE, "text": "a" * 400}).encode(), 7, events=False)
    answer.finish()
    assert (answer.blind, answer.told.state, answer.told.counted) == (True, Telling.PART, None)
