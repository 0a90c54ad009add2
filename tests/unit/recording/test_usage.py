"""What a response counts, whatever shape it has."""

from types import SimpleNamespace

import pytest

from reconcile.recording.usage import Counted, counted


def as_object(value):
    return (
        SimpleNamespace(**{name: as_object(each) for name, each in value.items()}) if isinstance(value, dict) else value
    )


CHAT = {"prompt_tokens": 100, "completion_tokens": 20}
RESPONSES = {"input_tokens": 100, "output_tokens": 20}

SHAPES = [
    pytest.param(CHAT, (100, 20, 0), id="chat completions of an old kind, without details"),
    pytest.param({**CHAT, "prompt_tokens_details": None}, (100, 20, 0), id="chat completions with details of None"),
    pytest.param({**CHAT, "prompt_tokens_details": {"cached_tokens": 64}}, (100, 20, 64), id="chat completions"),
    pytest.param({**RESPONSES, "input_tokens_details": {"cached_tokens": 64}}, (100, 20, 64), id="responses"),
    pytest.param(RESPONSES, (100, 20, 0), id="messages without a cache"),
    pytest.param(
        {**RESPONSES, "cache_read_input_tokens": 30, "cache_creation_input_tokens": 7},
        (137, 20, 30),
        id="messages, whose input leaves out what the cache held and took",
    ),
    pytest.param({**RESPONSES, "cache_creation_input_tokens": 7}, (107, 20, 0), id="messages that fill a cache"),
]


@pytest.mark.parametrize(("usage", "tokens"), SHAPES)
@pytest.mark.parametrize("form", [dict, as_object], ids=["dictionary", "object"])
def test_tokens_are_read_of_every_shape(usage, tokens, form):
    response = form({"id": "r-1", "model": "m", "usage": usage, "choices": "a text"})
    tokens_in, tokens_out, cached = tokens
    assert counted(response) == Counted(
        tokens_in=tokens_in, tokens_out=tokens_out, cached_tokens=cached, model="m", response_id="r-1"
    )


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
