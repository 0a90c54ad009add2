"""Bodies that somebody reads as they were sent: what was read to its end is a call that ended."""

import asyncio

import pytest
from support.models import SECRET
from support.recordings import Left, rows, usage_of

from reconcile.recording.record import record

ASKED = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": SECRET}]}
USAGE = {"include_usage": True}
BODIES = {
    "chat": ("/chat/completions", ASKED),
    "chat, streamed": ("/chat/completions", {**ASKED, "stream": True, "stream_options": USAGE}),
    "responses": ("/responses", {"model": "gpt-4o-mini", "input": SECRET}),
    "responses, streamed": ("/responses", {"model": "gpt-4o-mini", "input": SECRET, "stream": True}),
    "messages, streamed": ("/messages", {**ASKED, "stream": True}),
}
READS = {
    "raw": lambda response: list(response.iter_raw()),
    "raw, in small parts": lambda response: list(response.iter_raw(5)),
    "decoded": lambda response: list(response.iter_bytes()),
    "decoded, in small parts": lambda response: list(response.iter_bytes(5)),
    "lines": lambda response: list(response.iter_lines()),
    "raw, then closed": lambda response: (list(response.iter_raw()), response.close()),
}


def inside(client):
    return client._client  # noqa: SLF001  there is no other way to it


def counted(found, models):
    assert (found.log.complete, found.log.aborted, found.log.total) == (True, 0, models.truth)
    assert (found.recorded, models.truth.api_calls) == (usage_of(models.truth), 1)


@pytest.mark.parametrize("encoding", [None, "gzip"])
@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("body", BODIES)
def test_a_body_is_counted_however_it_is_read(client, models, left, body, read, encoding):
    models.encoding = encoding
    path, asked = BODIES[body]
    with inside(client).stream("POST", path, json=asked) as response:
        READS[read](response)
    counted(left(), models)


SDK = {
    "bytes": lambda response: list(response.iter_bytes()),
    "lines": lambda response: list(response.iter_lines()),
    "raw": lambda response: list(response.http_response.iter_raw()),
}


@pytest.mark.parametrize("read", SDK)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_the_raw_interfaces_of_the_client(client, models, run, left, read, stream):
    options = {"stream": True, "stream_options": USAGE} if stream else {}
    with client.chat.completions.with_streaming_response.create(**ASKED, **options) as response:
        SDK[read](response)
    counted(left(), models)


def test_a_stream_of_the_raw_response_is_read_by_hand(client, models, run, left):
    raw = client.chat.completions.with_raw_response.create(**ASKED, stream=True, stream_options=USAGE)
    assert b"".join(raw.http_response.iter_raw()).endswith(b"data: [DONE]\n\n")
    counted(left(), models)


@pytest.mark.parametrize("read", ["aiter_raw", "aiter_bytes", "aiter_lines"])
def test_the_asynchronous_client(tmp_path, models, openai, read):
    models.encoding = "gzip"

    async def experiment():
        async with openai.AsyncOpenAI(api_key="sk-x", base_url=models.base_url) as client:
            with record("chatdev", run_id="a", runs=tmp_path, complete=True) as run:
                run.watch(client)
                create = client.responses.with_streaming_response.create
                async with create(model="gpt-4o-mini", input=SECRET, stream=True) as response:
                    assert [part async for part in getattr(response.http_response, read)()]
            return Left(run.folder)

    counted(asyncio.run(experiment()), models)


def test_what_was_read_and_cannot_be_understood_ended_and_is_named(client, models, run, left, capsys):
    models.encoding = "br"
    path, asked = BODIES["chat, streamed"]
    with inside(client).stream("POST", path, json=asked) as response:
        list(response.iter_raw())
    found = left()
    assert (found.log.complete, found.log.aborted, found.recorded) == (False, 0, {"api_calls": 1})
    assert found.recording["problems"] == ["1 response did not say what they used: chat gpt-4o-mini"]
    assert "stream_options" not in capsys.readouterr().err


def test_all_that_was_announced_has_come_though_nobody_asked_for_more(client, models, run, left):
    path, asked = BODIES["chat"]
    with inside(client).stream("POST", path, json=asked) as response:
        next(response.iter_raw())
    counted(left(), models)


def test_a_body_that_is_left_in_the_middle_is_aborted(client, models, run):
    models.script = ["stalled", "stalled"]
    path, asked = BODIES["responses, streamed"]
    for read in ("iter_raw", "iter_bytes"):
        with inside(client).stream("POST", path, json=asked) as response:
            next(getattr(response, read)())
    assert [row.get("aborted") for row in rows(run)] == [True, True]


def test_a_body_that_breaks_off_is_aborted(client, models, run):
    models.script = ["cut"]
    path, asked = BODIES["responses, streamed"]
    with (
        inside(client).stream("POST", path, json=asked) as response,
        pytest.raises(Exception, match="without sending complete"),
    ):
        list(response.iter_raw())
    assert [row.get("aborted") for row in rows(run)] == [True]


def test_a_body_that_a_hook_of_the_client_read_is_counted(models, run, left, openai):
    with openai.DefaultHttpxClient(event_hooks={"response": [lambda response: response.read()]}) as http:
        run.watch(http)
        path, asked = BODIES["responses"]
        with http.stream("POST", models.base_url + path, json=asked) as response:
            assert response.json()["usage"]
    counted(left(), models)
