"""What a response counts, whatever shape it has."""

from types import SimpleNamespace

import pytest

from reconcile.recording.shapes import Counted, counted
from reconcile.usage import Tokens


def as_object(value):
    return (
        SimpleNamespace(**{name: as_object(each) for name, each in value.items()}) if isinstance(value, dict) else value
    )


CHAT = {"prompt_tokens": 100, "completion_tokens": 20}
RESPONSES = {"input_tokens": 100, "output_tokens": 20}

WRITTEN = {"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 2}
BOTH = {"cache_write_5m": 5, "cache_write_1h": 2}
KEPT = {"ttl_30m_tokens": 4, "ttl_12h_tokens": 3}
MESSAGES = {**RESPONSES, "cache_read_input_tokens": 30, "cache_creation_input_tokens": 7}

SHAPES = {
    "chat completions of an old kind, without details": (CHAT, (100, 20, 0, {})),
    "chat completions with details of None": ({**CHAT, "prompt_tokens_details": None}, (100, 20, 0, {})),
    "chat completions": ({**CHAT, "prompt_tokens_details": {"cached_tokens": 64}}, (100, 20, 64, {})),
    "responses": ({**RESPONSES, "input_tokens_details": {"cached_tokens": 64}}, (100, 20, 64, {})),
    "messages without a cache": (RESPONSES, (100, 20, 0, {})),
    "messages, whose input leaves out what the cache held and took": (MESSAGES, (137, 20, 30, {"cache_write": 7})),
    "messages that fill a cache": ({**RESPONSES, "cache_creation_input_tokens": 7}, (107, 20, 0, {"cache_write": 7})),
    "messages that fill caches of both lifetimes": ({**MESSAGES, "cache_creation": WRITTEN}, (137, 20, 30, BOTH)),
    "messages that were compacted, which comes on top": (
        {**MESSAGES, "iterations": [{"type": "message", **MESSAGES}, {"type": "compaction", **MESSAGES}]},
        (274, 40, 60, {"cache_write": 14}),
    ),
    "messages of which nothing was compacted": (
        {**RESPONSES, "iterations": [{"type": "message", **RESPONSES}]},
        (100, 20, 0, {}),
    ),
    "LiteLLM, whose input has what a cache took": (
        {**CHAT, "cache_creation_input_tokens": 7, "prompt_tokens_details": {"cached_tokens": 30}},
        (100, 20, 30, {"cache_write": 7}),
    ),
    "chat completions that fill a cache for an untold time": (
        {**CHAT, "prompt_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 90}},
        (100, 20, 64, {"cache_write": 90}),
    ),
    "responses that fill a cache for an untold time": (
        {**RESPONSES, "input_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 7}},
        (100, 20, 64, {"cache_write": 7}),
    ),
    "responses that fill caches of both lifetimes": (
        {**RESPONSES, "input_tokens_details": {"cache_write_tokens": 7, "cache_write_tokens_details": KEPT}},
        (100, 20, 0, {"cache_write_30m": 4, "cache_write_12h": 3}),
    ),
    "responses whose lifetimes do not tell of all that was written": (
        {**RESPONSES, "input_tokens_details": {"cache_write_tokens": 9, "cache_write_tokens_details": KEPT}},
        (100, 20, 0, {"cache_write_30m": 4, "cache_write_12h": 3, "cache_write": 2}),
    ),
    "messages of which one lifetime is told": (
        {**RESPONSES, "cache_creation_input_tokens": 7, "cache_creation": {"ephemeral_1h_input_tokens": 2}},
        (107, 20, 0, {"cache_write_1h": 2, "cache_write": 5}),
    ),
    "LiteLLM with lifetimes": (
        {
            **CHAT,
            "prompt_tokens_details": {"cache_creation_tokens": 7, "cache_creation_token_details": WRITTEN},
        },
        (100, 20, 0, BOTH),
    ),
    "LangChain": (
        {**RESPONSES, "input_token_details": {"cache_read": 30, "cache_creation": 7}},
        (100, 20, 30, {"cache_write": 7}),
    ),
    "LangChain with lifetimes": ({**RESPONSES, "input_token_details": WRITTEN}, (100, 20, 0, BOTH)),
}


@pytest.mark.parametrize(("usage", "tokens"), SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("form", [dict, as_object], ids=["dictionary", "object"])
def test_tokens_are_read_of_every_shape(usage, tokens, form):
    response = form({"id": "r-1", "model": "m", "usage": usage, "choices": "a text"})
    whole, out, read, written = tokens
    uncached = whole - read - sum(written.values())
    tokens = Tokens(uncached=uncached, cache_read=read, output=out, **written)
    assert counted(response) == Counted(tokens=tokens, model="m", response_id="r-1")


def test_a_cache_cannot_take_more_than_there_is():
    found = counted({"usage": {**CHAT, "cache_creation_input_tokens": 101}})
    assert (found.tokens.input, found.tokens.cache_write) == (100, 0)


@pytest.mark.parametrize(("requests", "found"), [(None, 1), (1, 1), (3, 3)])
def test_a_usage_may_stand_for_several_requests(requests, found):
    assert counted({"usage": {**RESPONSES, "requests": requests}}).requests == found


def test_a_usage_of_no_request_is_none():
    assert counted({"usage": {"requests": 0, "input_tokens": 0, "output_tokens": 0}}) is None


def test_a_property_that_fails_is_none():
    class Broken:
        @property
        def usage(self):
            raise RuntimeError

    assert counted(Broken()) is None


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        {"prompt_tokens": 8, "total_tokens": 8},
        {"input_tokens": 8},
        {"prompt_tokens": "8", "completion_tokens": 2},
        {"prompt_tokens": True, "completion_tokens": 2},
        {"prompt_tokens": -8, "completion_tokens": 2},
        {"prompt_tokens": 8.0, "completion_tokens": 2},
        {"prompt_tokens": 10**13, "completion_tokens": 2},
        {"prompt_tokens": 8, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 9}},
    ],
    ids=str,
)
def test_what_is_no_usage_of_a_call_is_never_a_number(usage):
    assert counted({"id": "r-1", "model": "m", "usage": usage}) is None


@pytest.mark.parametrize("name", [None, "", 7, "x" * 201])
def test_what_is_no_name_is_left_out(name):
    found = counted({"id": name, "model": name, "usage": CHAT})
    assert (found.model, found.response_id) == (None, None)
