"""What libraries hand out, as calls."""

from types import SimpleNamespace as Object

import pytest

from reconcile.recording.responses import Message, Telling, told

USAGE = {"input_tokens": 100, "output_tokens": 20}
CHAT = {"id": "c-1", "model": "m", "usage": {"prompt_tokens": 100, "completion_tokens": 20}}
LANGCHAIN = Object(
    type="ai", id="run-1", content="x", usage_metadata=USAGE, response_metadata={"id": "c-1", "model_name": "m"}
)
AGENT = Object(output=[], usage=Object(requests=1, **USAGE), response_id="c-1", model="m")

ONE = {
    "a response": CHAT,
    "a message of LangChain": LANGCHAIN,
    "a generation of LangChain": Object(type="ChatGeneration", message=LANGCHAIN),
    "a result of LangChain": Object(generations=[[Object(type="ChatGenerationChunk", message=LANGCHAIN)]]),
    "a response of the Agents SDK": AGENT,
    "a result of the Agents SDK": Object(raw_responses=[AGENT]),
    "a line of a batch": {"id": "b", "custom_id": "1", "response": {"status_code": 200, "body": CHAT}, "error": None},
    "a line of a batch of messages": {"custom_id": "1", "result": {"type": "succeeded", "message": CHAT}},
    "the last event of responses": {"type": "response.completed", "response": {**CHAT, "status": "completed"}},
    "an event of LangChain": {"event": "on_chat_model_end", "data": {"output": LANGCHAIN}},
    "an event of the Agents SDK": Object(
        type="raw_response_event", data={"type": "response.completed", "response": {**CHAT, "status": "completed"}}
    ),
    "an event of a helper": Object(type="chunk", chunk=CHAT, snapshot=None),
    "an event of an assistant's run": Object(event="thread.run.completed", data={**CHAT, "status": "completed"}),
    "a response that is incomplete, and was billed": {**CHAT, "status": "incomplete"},
}


@pytest.mark.parametrize("value", ONE.values(), ids=ONE)
def test_a_response_of_every_library_is_one_call(value):
    (found,) = told(value)
    assert (found.state, found.response_id, found.model) == (Telling.ENDED, "c-1", "m")
    assert (found.counted.tokens.input, found.counted.tokens.output, found.counted.requests) == (100, 20, 1)


def test_the_usage_of_several_requests_is_as_many():
    (found,) = told(Object(requests=3, **USAGE))
    assert (found.response_id, found.counted.tokens.input, found.counted.requests) == (None, 100, 3)


def test_every_response_of_a_result_is_a_call():
    results = Object(raw_responses=[AGENT, Object(usage=Object(requests=1, **USAGE), response_id="c-2")])
    assert [each.response_id for each in told(results)] == ["c-1", "c-2"]


@pytest.mark.parametrize(
    "value",
    [
        {"custom_id": "1", "response": None, "error": {"code": "batch_expired"}},
        {"custom_id": "1", "response": {"status_code": 400, "body": {"error": {}}}},
        {"custom_id": "1", "result": {"type": "errored", "error": {}}},
        {"type": "response.output_text.delta", "delta": "x"},
        Object(raw_responses=[]),
        {"type": "text", "text": "x", "snapshot": "x"},
        {"type": "content.delta", "delta": "x"},
        {"type": "run_item_stream_event", "item": {}},
        {"event": "on_chat_model_stream", "data": {"chunk": {}}},
        {"event": "thread.run.created", "data": {"id": "run_1", "status": "queued"}},
    ],
    ids=str,
)
def test_what_tells_of_no_call_is_none(value):
    assert list(told(value)) == []


@pytest.mark.parametrize(
    ("value", "state"),
    [
        ({"id": "r", "status": "queued"}, Telling.PENDING),
        ({"id": "r", "status": "in_progress", "usage": None}, Telling.PENDING),
        ({"id": None, "status": "queued"}, Telling.PART),
        ({"id": "r", "status": "failed"}, Telling.CUT),
        ({"id": "r", "status": "cancelled", "usage": None}, Telling.CUT),
        ({"id": "r", "status": "completed"}, Telling.PART),
        ({"id": "r", "object": "chat.completion.chunk"}, Telling.PART),
        ({"type": "response.created", "response": {"id": "r", "status": "in_progress"}}, Telling.PART),
        (
            {"type": "response.created", "response": {"id": "r", "status": "in_progress", "background": True}},
            Telling.PENDING,
        ),
        (None, Telling.PART),
        ("text", Telling.PART),
    ],
    ids=str,
)
def test_how_far_a_call_without_usage_is(value, state):
    assert [(each.state, each.counted) for each in told(value)] == [(state, None)]


OTHERS = {
    "embeddings": {"object": "list", "model": "m", "data": [{"embedding": [0.5]}], "usage": {"prompt_tokens": 8}},
    "images": {"created": 1, "data": [{"b64_json": "x"}], "usage": USAGE},
    "audio": {"text": "x", "usage": {"type": "tokens", **USAGE}},
    "moderations": {"id": "modr-1", "results": []},
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_response_of_another_endpoint_is_no_call_of_completions(name):
    (found,) = told(OTHERS[name])
    assert (found.endpoint, found.counted.tokens.input) == (name, 0)


def test_a_list_of_anything_is_no_response_of_another_endpoint():
    (found,) = told({"object": "list", "data": []})
    assert (found.state, found.endpoint) == (Telling.PART, None)


def test_what_holds_itself_ends():
    endless = Object()
    endless.raw_responses = [endless]
    assert list(told(endless)) == []


def test_the_events_of_a_message_are_one_call_whose_output_is_told_last():
    message = Message()
    start = {"type": "message_start", "message": {"id": "m-1", "model": "m", "usage": {**USAGE, "output_tokens": 1}}}
    events = [
        start, {"type": "ping"}, Object(type="message_delta", usage=Object(output_tokens=20)), {"type": "message_stop"},
    ]  # fmt: skip
    found = [each for event in events for each in message.take(event)]
    assert [(each.state, each.response_id) for each in found] == [(Telling.PART, "m-1"), (Telling.ENDED, "m-1")]
    assert (found[-1].counted.tokens.input, found[-1].counted.tokens.output) == (100, 20)
