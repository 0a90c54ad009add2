"""The official client, watched: a row for every try, and nothing said that is not known."""

import asyncio
import threading

import pytest
from support.models import SECRET, SNAPSHOT
from support.recordings import Left, rows, usage_of

from reconcile.errors import UsageError
from reconcile.recording.record import record

ASKED = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": SECRET}]}
ASKED_RESPONSES = {"model": "gpt-4o-mini", "input": SECRET}


def consume_chat(client):
    options = {"include_usage": True}
    return "".join(
        chunk.choices[0].delta.content or ""
        for chunk in client.chat.completions.create(**ASKED, stream=True, stream_options=options)
        if chunk.choices
    )


WAYS = {
    "chat": lambda client: client.chat.completions.create(**ASKED).choices[0].message.content,
    "responses": lambda client: client.responses.create(**ASKED_RESPONSES).output_text,
    "chat, streamed": consume_chat,
    "responses, streamed": lambda client: (
        list(client.responses.create(**ASKED_RESPONSES, stream=True))[-1].response.output_text
    ),
    "raw response": lambda client: (
        client.chat.completions.with_raw_response.create(**ASKED).parse().choices[0].message.content
    ),
    "helper of streams": lambda client: "".join(streamed(client)),
}


def streamed(client):
    with client.responses.stream(**ASKED_RESPONSES) as stream:
        yield stream.get_final_response().output_text


@pytest.mark.parametrize("way", WAYS)
def test_a_call_is_logged_with_what_the_provider_counts_and_answered_as_without(client, models, run, way, left):
    answer = WAYS[way](client)
    assert answer.replace(" ", "") == SECRET.replace(" ", "")
    found = left()
    assert (found.log.complete, found.log.total, found.recorded) == (True, models.truth, usage_of(models.truth))
    assert models.truth.api_calls == 1


async def read_all(client):
    stream = await client.responses.create(**ASKED_RESPONSES, stream=True)
    return [event async for event in stream]


ASYNC_WAYS = {
    "chat": lambda client: client.chat.completions.create(**ASKED),
    "responses": lambda client: client.responses.create(**ASKED_RESPONSES),
    "streamed": read_all,
}


@pytest.mark.parametrize("way", ASYNC_WAYS)
def test_calls_of_the_asynchronous_client_at_the_same_time(tmp_path, models, way, openai):
    async def experiment():
        async with openai.AsyncOpenAI(api_key="sk-made-up", base_url=models.base_url) as client:
            with record("chatdev", run_id="a", runs=tmp_path, complete=True) as run:
                run.watch(client)
                await asyncio.gather(*(ASYNC_WAYS[way](client) for _ in range(8)))
            return Left(run.folder)

    found = asyncio.run(experiment())
    assert (found.log.complete, found.log.total) == (True, models.truth)
    assert models.truth.api_calls == 8


def test_what_the_asynchronous_client_gives_up_on_is_aborted(tmp_path, models, openai):
    async def experiment():
        async with openai.AsyncOpenAI(api_key="sk-made-up", base_url=models.base_url, max_retries=0) as client:
            with record("chatdev", run_id="a", runs=tmp_path) as run:
                run.watch(client)
                models.script = ["silent", "stalled", "404"]
                with pytest.raises(openai.APITimeoutError):
                    await ASYNC_WAYS["chat"](client.with_options(timeout=0.2))
                async with await client.responses.create(**ASKED_RESPONSES, stream=True) as stream:
                    await anext(stream)
                with pytest.raises(openai.NotFoundError):
                    await client.embeddings.create(model="text-embedding-3-small", input="a")
            return Left(run.folder)

    found = asyncio.run(experiment())
    assert (found.log.aborted, found.log.total.api_calls) == (2, 0)


def test_calls_of_many_threads(client, models, run, left):
    threads = [threading.Thread(target=WAYS["chat"], args=(client,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (left().log.total, models.truth.api_calls) == (models.truth, 8)


def test_a_client_with_other_options_is_watched_too(client, models, run, left):
    WAYS["chat"](client.with_options(max_retries=1))
    assert left().log.total == models.truth


def test_a_client_of_another_run_is_refused(tmp_path, client, run):
    with record("chatdev", run_id="b", runs=tmp_path) as other, pytest.raises(UsageError, match="chatdev/a already"):
        other.watch(client)


def test_a_client_serves_one_run_after_another(tmp_path, client, models):
    for name in "bc":
        with record("chatdev", run_id=name, runs=tmp_path, complete=True) as run:
            run.watch(client)
            WAYS["chat"](client)
        assert Left(run.folder).log.total.api_calls == 1


def test_a_client_that_is_watched_twice_logs_once(client, run, left):
    run.watch(client)
    with record(environ=run.environment) as part:
        part.watch(client)
        WAYS["chat"](client)
    WAYS["chat"](client)
    assert left().log.total.api_calls == 2


def test_a_httpx_client_can_be_watched_itself(models, run, left, openai):
    http = run.watch(openai.DefaultHttpxClient())
    with openai.OpenAI(api_key="sk-made-up", base_url=models.base_url, http_client=http) as client:
        WAYS["chat"](client)
    assert left().log.total == models.truth


def test_what_is_no_client_is_refused(run):
    with pytest.raises(TypeError, match="a dict cannot be watched"):
        run.watch({})


def test_a_refused_try_is_no_call_and_the_one_after_it_says_which_it_was(client, models, run, left):
    models.script = ["429"]
    WAYS["chat"](client.with_options(max_retries=2))
    assert [(row["attempt"], row.get("aborted")) for row in rows(run)] == [(2, None)]
    found = left()
    assert (found.log.complete, found.log.total) == (True, models.truth)


def test_a_try_that_timed_out_is_a_row_of_its_own(client, models, run, left):
    models.script = ["silent"]
    WAYS["chat"](client.with_options(max_retries=1, timeout=1.5))
    assert [(row["attempt"], row.get("aborted")) for row in rows(run)] == [(1, True), (2, None)]
    assert (models.truth.api_calls, left().log.aborted) == (2, 1)


def test_a_fault_of_the_provider_may_have_been_billed(client, models, run):
    models.script = ["billed 504"]
    WAYS["chat"](client.with_options(max_retries=1))
    assert [row.get("aborted") for row in rows(run)] == [True, None]


def test_a_server_that_cannot_be_reached_was_never_called(tmp_path, models, run, left, openai):
    with (
        openai.OpenAI(api_key="sk-made-up", base_url="http://127.0.0.1:1/v1", max_retries=0) as nowhere,
        pytest.raises(openai.APIConnectionError),
    ):
        WAYS["chat"](run.watch(nowhere))
    assert left().files == {"metrics.json", "calls.ndjson"}
    assert left().log.total.api_calls == 0


def test_a_stream_without_usage_is_counted_and_ends_the_claim_to_be_complete(client, run, left):
    WAYS["chat"](client)
    for _ in client.chat.completions.create(**ASKED, stream=True):
        pass
    found = left()
    assert (found.log.complete, found.log.total.api_calls, found.recorded) == (False, 1, {"api_calls": 2})
    assert found.recording["problems"] == ["1 response did not say what they used: chat chatcmpl-2"]


def test_a_stream_that_is_left_is_aborted(client, models, run):
    models.script = ["stalled"]
    with client.responses.create(**ASKED_RESPONSES, stream=True) as stream:
        next(stream)
    assert [row.get("aborted") for row in rows(run)] == [True]


def test_a_stream_that_is_never_read_is_aborted_when_the_run_ends(client, run, left):
    stream = client.responses.create(**ASKED_RESPONSES, stream=True)
    found = left()
    stream.close()
    assert (found.log.aborted, found.log.total.api_calls) == (1, 0)


def test_a_stream_that_breaks_is_aborted(client, models, run):
    models.script = ["cut"]
    with pytest.raises(Exception, match="Connection error"):
        list(client.responses.create(**ASKED_RESPONSES, stream=True))
    assert [row.get("aborted") for row in rows(run)] == [True]


def test_other_endpoints_pass_unseen(client, models, run, openai):
    models.script = ["404"]
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="text-embedding-3-small", input="a")
    assert not (run.folder / "calls.ndjson").exists()


def test_after_the_run_the_client_goes_on_unwatched(client, run, left):
    left()
    assert WAYS["chat"](client) == SECRET
    assert Left(run.folder).files == {"metrics.json", "calls.ndjson"}


def test_no_prompt_and_no_answer_is_written(client, models, run, left, openai):
    for way in WAYS.values():
        way(client)
    models.script = ["billed 504"]
    with pytest.raises(openai.InternalServerError):
        WAYS["chat"](client)
    text = left().text
    assert SNAPSHOT in text
    assert [word for word in SECRET.split() if len(word) > 4 and word in text] == []
