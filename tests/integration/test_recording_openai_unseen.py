"""The official client, watched: whatever it sends is counted, noted or takes away that the log is complete."""

import asyncio
import threading
import time

import pytest
from support.models import SECRET, SNAPSHOT, Models
from support.recordings import Left, rows, usage_of

import reconcile
from reconcile.errors import StoreError, UsageError
from reconcile.recording.known import pending_since
from reconcile.recording.record import record
from reconcile.runs.run import known

ASKED = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": SECRET}]}
ASKED_RESPONSES = {"model": "gpt-4o-mini", "input": SECRET}


def use(client):
    return client.chat.completions.create(**ASKED)


# ------------------------------------------------------------------------------- counted, whichever way it is sent


def inside(client):
    """The HTTP client of a client."""
    return client._client  # noqa: SLF001  there is no other way to it


def read_as_it_comes(client):
    with client.chat.completions.with_streaming_response.create(**ASKED) as response:
        return response.read()


def streamed_message(client):
    with inside(client).stream("POST", "/messages", json={**ASKED, "stream": True}) as response:
        for _ in response.iter_lines():
            pass


def left_after_usage(client):
    stream = client.chat.completions.create(**ASKED, stream=True, stream_options={"include_usage": True})
    next(chunk for chunk in stream if chunk.usage)
    stream.close()


COUNTED = {
    "compacted": lambda client: client.responses.compact(**ASKED_RESPONSES),
    "sent raw": lambda client: client.post("/chat/completions", cast_to=object, body=ASKED),
    "sent by the client inside": lambda client: inside(client).post("/chat/completions", json=ASKED),
    "read raw": lambda client: client.chat.completions.with_raw_response.create(**ASKED).parse(),
    "read as it comes": read_as_it_comes,
    "by a copy": lambda client: use(client.copy(timeout=7)),
    "with other options": lambda client: use(client.with_options(max_retries=1).with_options(timeout=7)),
    "a message": lambda client: client.post("/messages", cast_to=object, body={**ASKED, "max_tokens": 7}),
    "a message, streamed": streamed_message,
    "left after its usage": left_after_usage,
}


@pytest.mark.parametrize("way", COUNTED)
def test_a_call_is_counted_whichever_way_it_is_sent(client, models, run, way, left):
    COUNTED[way](client)
    found = left()
    assert (found.log.complete, found.log.every_attempt, found.log.total) == (True, True, models.truth)
    assert (found.recorded, found.beside) == (usage_of(models.truth), {"every_attempt": True})
    assert models.truth.api_calls == 1


def test_a_copy_with_a_client_of_its_own_inside_is_watched_too(client, models, run, left, openai):
    with openai.DefaultHttpxClient() as http:
        use(client.copy(http_client=http))
        use(client.with_options(timeout=9).copy(http_client=http))
    assert (left().log.total, models.truth.api_calls) == (models.truth, 2)


def test_a_client_for_azure_is_watched(models, run, left, openai):
    with openai.AzureOpenAI(api_key="made-up", api_version="2026-01-01", base_url=models.base_url) as azure:
        run.watch(azure).responses.create(**ASKED_RESPONSES)
    assert left().log.total == models.truth


# ------------------------------------------------------------------------------------------------------ what is free

FREE = {
    "models": lambda client: client.models.list(),
    "files": lambda client: client.files.create(file=b"x", purpose="batch"),
    "threads": lambda client: client.post("/threads", cast_to=object, body={}),
    "tokens that are counted in advance": lambda client: client.responses.input_tokens.count(**ASKED_RESPONSES),
    "a response that is deleted": lambda client: client.responses.delete("resp_7"),
    "a run of an assistant that is looked at": lambda client: client.get("/threads/t/runs/r", cast_to=object),
}


@pytest.mark.parametrize("way", FREE)
def test_what_uses_no_tokens_leaves_the_log_complete(client, run, way, left):
    FREE[way](client)
    use(client)
    found = left()
    assert (found.log.complete, found.log.total.api_calls, found.beside) == (True, 1, {"every_attempt": True})


# ------------------------------------------------------------------------------------------ what is in other figures

OTHERS = {
    "embeddings": lambda client: client.embeddings.create(model="m", input="a", encoding_format="float"),
    "images": lambda client: client.images.generate(model="gpt-image-1", prompt="a"),
    "audio": lambda client: client.audio.speech.create(model="tts-1", voice="alloy", input="a"),
    "moderations": lambda client: client.moderations.create(input="a"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_call_that_is_not_in_the_figure_is_noted_by_name(client, run, name, left):
    OTHERS[name](client)
    use(client)
    found = left()
    assert (found.log.complete, found.log.total.api_calls, found.log.others) == (True, 1, ((name, 1),))
    assert found.beside == {"other_calls": {name: 1}, "every_attempt": True}
    assert found.run.recorded.others == ((name, 1),)


# ------------------------------------------------------------------------------------------------ what nobody knows

UNKNOWN = {
    "POST /v1/threads/runs": lambda client: client.post("/threads/runs", cast_to=object, body={}),
    "POST /v1/batches": lambda client: client.post("/batches", cast_to=object, body={}),
    "POST /v1/evals/eval_1/runs": lambda client: client.post("/evals/eval_1/runs", cast_to=object, body={}),
    "POST /v1/tomorrow": lambda client: inside(client).post("/tomorrow", json={}),
    "GET /v1/mystery": lambda client: client.get("/mystery", cast_to=object),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_nobody_knows_is_named_and_the_log_is_not_complete(client, models, run, name, left):
    use(client)
    UNKNOWN[name](client)
    found = left()
    assert (found.log.complete, found.log.unknown, found.log.total.api_calls) == (False, 1, 1)
    assert (found.recorded, found.run.recorded.unknown, models.unseen) == ({}, 1, 1)
    assert found.recording["problems"] == [f"1 request not understood: {name}"]
    assert [row["endpoint"] for row in rows(run) if row.get("unknown")] == [name]


def test_a_call_at_another_host_is_anothers(client, run, left):
    with Models() as others:
        use(client)
        use(client.copy(base_url=others.base_url))
    found = left()
    assert (found.log.complete, found.log.unknown, found.log.total.api_calls) == (False, 1, 1)
    assert found.recording["problems"] == [f"1 request not understood: POST {others.base_url}/chat/completions"]


def test_a_client_that_shares_what_is_inside_may_have_another_host(client, run, left, openai):
    with Models() as others:
        use(run.watch(openai.OpenAI(api_key="sk-x", base_url=others.base_url, http_client=inside(client))))
        use(client)
    assert (left().log.complete, left().log.total.api_calls) == (True, 2)


def test_a_httpx_client_without_an_address_may_call_any(models, run, left, openai):
    with openai.DefaultHttpxClient() as http:
        run.watch(http).post(f"{models.base_url}/chat/completions", json=ASKED)
    assert (left().log.complete, left().log.total) == (True, models.truth)


def test_what_was_refused_is_no_call_whatever_it_was(client, models, run, left, openai):
    models.script = ["403"]
    with pytest.raises(openai.PermissionDeniedError):
        UNKNOWN["POST /v1/batches"](client)
    with pytest.raises(openai.NotFoundError):
        client.post("/nowhere", cast_to=object, body={})
    found = left()
    assert (found.log.complete, found.log.unknown, found.beside) == (True, 0, {"every_attempt": True})


def test_what_nobody_knows_and_failed_may_have_been_billed(client, models, run, left, openai):
    models.script = ["500"]
    with pytest.raises(openai.InternalServerError):
        UNKNOWN["POST /v1/batches"](client)
    assert (left().log.complete, left().log.unknown) == (False, 1)


# -------------------------------------------------------------------------------------------------------- WebSockets


@pytest.fixture
def socket_address():
    """A server of WebSockets that takes what comes."""
    from websockets.sync.server import serve  # noqa: PLC0415  slow, and only these tests need it

    with serve(lambda socket: [None for _ in socket], "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/v1"
        server.shutdown()
        thread.join()


SOCKETS = {
    "WebSocket /v1/responses": lambda client: client.responses.connect(),
    "WebSocket /v1/realtime": lambda client: client.realtime.connect(model="gpt-realtime"),
}


@pytest.mark.parametrize("name", SOCKETS)
def test_a_websocket_of_a_client_is_named_and_the_log_is_not_complete(models, run, left, openai, socket_address, name):
    with openai.OpenAI(api_key="sk-x", base_url=models.base_url, websocket_base_url=socket_address) as client:
        run.watch(client)
        use(client)
        with SOCKETS[name](client.with_options(timeout=8)):
            pass
    found = left()
    assert (found.log.complete, found.log.unknown, found.log.total) == (False, 1, models.truth)
    assert found.recording["problems"] == [f"1 request not understood: {name}"]


def test_a_websocket_of_the_asynchronous_client(models, run, left, openai, socket_address):
    async def experiment():
        async with openai.AsyncOpenAI(
            api_key="sk-x", base_url=models.base_url, websocket_base_url=socket_address
        ) as client:
            run.watch(client)
            async with client.realtime.connect(model="gpt-realtime"):
                pass

    asyncio.run(experiment())
    assert (left().log.complete, left().log.unknown) == (False, 1)


def test_a_websocket_that_goes_elsewhere_or_comes_after_the_run_is_not_the_runs(
    client, models, run, left, openai, socket_address
):
    with openai.OpenAI(api_key="sk-x", base_url=models.base_url, websocket_base_url=socket_address) as other:
        with other.responses.connect():
            pass
        use(client)
        assert left().log.complete
        with record("chatdev", run_id="b", runs=run.folder.parents[1]) as later:
            later.watch(other)
        with other.responses.connect():
            pass
        assert "calls.ndjson" not in Left(later.folder).files


# ---------------------------------------------------------------------------------------------------------- attempts


@pytest.mark.parametrize(
    ("script", "attempts"),
    [
        pytest.param(["429", "429"], [(3, None)], id="refused twice"),
        pytest.param(["500", "billed 504"], [(1, True), (2, True), (3, None)], id="two faults"),
        pytest.param(["silent", "429"], [(1, True), (3, None)], id="a time-out, then refused"),
    ],
)
def test_every_attempt_of_the_client_itself_is_seen(client, models, run, left, script, attempts):
    models.script = list(script)
    use(client.with_options(max_retries=3, timeout=1.0))
    assert [(row["attempt"], row.get("aborted")) for row in rows(run)] == attempts
    found = left()
    aborted = sum(bool(cut) for _, cut in attempts)
    assert (found.log.every_attempt, found.log.aborted, found.run.recorded.aborted) == (True, aborted, aborted)
    assert found.recorded["api_calls"] == 1


def test_a_call_that_only_timed_out_is_not_no_call(client, models, run, left, openai):
    models.script = ["silent"]
    with pytest.raises(openai.APITimeoutError):
        use(client.with_options(timeout=0.3))
    found = left()
    assert (found.log.total.api_calls, found.run.recorded.aborted) == (0, 1)
    assert found.recorded["api_calls"] == 0


def test_a_stream_that_ends_with_an_error_is_aborted(client, models, run, openai):
    models.script = ["error"]
    with pytest.raises(openai.APIError):
        list(client.chat.completions.create(**ASKED, stream=True))
    assert [row.get("aborted") for row in rows(run)] == [True]


def test_a_task_that_is_cancelled_left_its_call(models, run, openai):
    async def experiment():
        async with openai.AsyncOpenAI(api_key="sk-x", base_url=models.base_url, max_retries=0) as client:
            run.watch(client)
            models.script = ["silent"]
            task = asyncio.create_task(client.chat.completions.create(**ASKED))
            await asyncio.to_thread(models.silent.wait)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(experiment())
    assert [row.get("aborted") for row in rows(run)] == [True]


def test_calls_that_are_added_by_hand_may_hide_attempts(client, run, left):
    run.add({"id": "r-1", "model": "m", "usage": {"input_tokens": 7, "output_tokens": 1}})
    use(client)
    found = left()
    assert (found.log.complete, found.log.every_attempt, found.beside) == (True, False, {})


def test_a_run_that_fails_in_the_middle_of_a_call_keeps_its_lines_and_says_no_sum(tmp_path, client, models):
    """The sum of the calls that ended would lack one that may be billed, and could verify a figure that does."""
    models.script = ["ok", "stalled"]

    def experiment():
        with record("chatdev", run_id="b", runs=tmp_path, complete=True) as run:
            run.watch(client)
            use(client)
            streams.append(client.responses.create(**ASKED_RESPONSES, stream=True))
            next(iter(streams[0]))
            raise ZeroDivisionError

    streams = []
    with pytest.raises(ZeroDivisionError):
        experiment()
    streams[0].close()
    found = Left(tmp_path / "chatdev" / "b")
    assert ("recorded_usage" in found.value, found.log.complete) == (False, False)
    assert (found.log.total.api_calls, found.log.aborted, len(rows(found))) == (1, 1, 2)
    assert found.recording["problems"] == ["1 call had no answer when the run failed"]
    told = known(found.run.recorded, found.log, doubted=False)
    assert (told.parts, told.aborted) == ((None, None, None, None), 1)


# ------------------------------------------------------------------------------------------------------ one identity


def test_a_response_that_is_watched_and_added_is_one_call(client, models, run, left):
    run.add(use(client))
    run.add(client.responses.create(**ASKED_RESPONSES))
    found = left()
    assert (found.log.total, found.log.duplicates, found.log.every_attempt) == (models.truth, 0, True)


def test_chunks_that_are_added_are_the_call_that_was_watched(client, models, run, left):
    for chunk in client.chat.completions.create(**ASKED, stream=True, stream_options={"include_usage": True}):
        run.add(chunk)
    found = left()
    assert (found.log.every_attempt, found.log.total, models.truth.api_calls) == (True, models.truth, 1)
    assert [row["attempt"] for row in rows(run)] == [1]


def test_calls_that_a_server_gives_one_id_are_as_many_as_were_made(client, models, run, left):
    models.number = 7
    for _ in range(3):
        run.add(use(client))
    run.add(client.chat.completions.create(**{**ASKED, "messages": [{"role": "user", "content": "x" * 999}]}))
    assert (left().log.complete, left().log.total, models.truth.api_calls) == (True, models.truth, 4)


CHAT_WRITES = {"cached_tokens": 0, "cache_write_tokens": 90}
RESPONSE_WRITES = {
    "cached_tokens": 0, "cache_write_tokens": 9,
    "cache_write_tokens_details": {"ttl_30m_tokens": 4, "ttl_12h_tokens": 3},
}  # fmt: skip


def test_what_the_clients_own_objects_say_was_written_to_a_cache_is_recorded(run, left, openai):
    """The usage of a chat tells no lifetime, that of a response may."""
    types = openai.types
    chat = types.CompletionUsage.model_validate(
        {"prompt_tokens": 100, "completion_tokens": 1, "total_tokens": 101, "prompt_tokens_details": CHAT_WRITES}
    )
    response = types.responses.ResponseUsage.model_validate({
        "input_tokens": 100, "output_tokens": 1, "total_tokens": 101, "input_tokens_details": RESPONSE_WRITES,
        "output_tokens_details": {"reasoning_tokens": 0},
    })  # fmt: skip
    run.add({"id": "chatcmpl-1", "model": "m", "usage": chat})
    run.add({"id": "resp_1", "model": "m", "usage": response})
    assert left().beside == {
        "cache_write_30m_tokens": 4, "cache_write_12h_tokens": 3, "cache_write_tokens": 92,
    }  # fmt: skip
    assert [row.get("cache_write_tokens") for row in rows(run)] == [90, 2]


def test_a_stream_without_usage_says_once_what_to_set(client, run, left, capsys):
    for _ in range(2):
        for chunk in client.chat.completions.create(**ASKED, stream=True):
            run.add(chunk)
    assert left().recorded == {"api_calls": 2}
    assert capsys.readouterr().err.count("stream_options") == 1


def test_a_background_response_is_followed_to_its_end(client, models, run, left):
    response = client.responses.create(**ASKED_RESPONSES, background=True)
    while response.status != "completed":
        response = client.responses.retrieve(response.id)
        run.add(response)
    found = left()
    assert (found.log.complete, found.log.pending, found.log.total) == (True, 0, models.truth)
    assert found.recorded == usage_of(models.truth)
    first, last = rows(run)
    assert (first["pending"], first["started_at"]) == (True, last["started_at"])


def test_a_background_response_that_has_not_ended_is_kept_by_its_id(client, models, run, left):
    client.responses.create(**ASKED_RESPONSES, background=True)
    found = left()
    assert (found.log.complete, found.log.pending, found.log.total.api_calls) == (False, 1, 0)
    assert (found.recorded, found.recording["call_log"]) == ({"api_calls": 1}, "pending")
    assert found.recording["problems"] == ["1 background response had not ended"]


def test_another_part_of_the_run_follows_a_background_response(client, models, run, left):
    response = client.responses.create(**ASKED_RESPONSES, background=True)
    with record(environ=run.environment) as part:
        for _ in range(2):
            part.follows("resp_of_somebody_else")
            client.responses.retrieve(response.id)
    assert (left().log.complete, left().log.total) == (True, models.truth)


def test_a_later_process_finishes_what_a_run_left_going_on(client, models, run, left):
    names = [client.responses.create(**ASKED_RESPONSES, background=True).id for _ in range(2)]
    client.responses.cancel(names[1])
    begun = left()
    assert (begun.log.pending, reconcile.finish(run.folder, client)) == (1, 1)
    assert (reconcile.finish(run.folder, client), reconcile.finish(run.folder, client)) == (0, 0)
    found = Left(run.folder)
    assert (found.log.complete, found.log.pending, found.log.aborted, found.log.total.api_calls) == (True, 0, 1, 1)


def test_a_log_that_cannot_be_read_is_not_finished(tmp_path, client):
    (tmp_path / "calls.ndjson").mkdir()
    with pytest.raises(StoreError, match="cannot be read"):
        reconcile.finish(tmp_path, client)


def test_what_is_being_recorded_is_not_finished(client, run):
    with pytest.raises(UsageError, match="chatdev/a is being recorded"):
        reconcile.finish(run.folder, client)


def test_the_start_of_a_response_that_goes_on_is_found_in_the_log(client, run):
    response = client.responses.create(**ASKED_RESPONSES, background=True)
    text = (run.folder / "calls.ndjson").read_text()
    assert run.started_at <= pending_since(text, response.id) <= time.time()
    assert pending_since(text, "resp_0") is None
    assert pending_since(f'{response.id}\n["{response.id}"]', response.id) is None


def test_a_background_response_that_was_cancelled_may_be_billed(client, run, left):
    response = client.responses.create(**ASKED_RESPONSES, background=True)
    client.responses.cancel(response.id)
    found = left()
    assert (found.log.complete, found.log.pending, found.log.aborted) == (True, 0, 1)


def test_a_response_of_another_run_is_not_counted_when_it_is_looked_at(tmp_path, client, models, openai):
    response = client.responses.create(**ASKED_RESPONSES, background=True)
    with record("chatdev", run_id="b", runs=tmp_path, complete=True) as run:
        run.watch(client)
        client.responses.retrieve(response.id)
        client.responses.retrieve(response.id)
    assert (Left(run.folder).log.total.api_calls, Left(run.folder).log.complete) == (0, True)


def test_a_background_response_may_be_followed_as_a_stream(client, models, run, left):
    response = client.responses.create(**ASKED_RESPONSES, background=True)
    client.responses.retrieve(response.id)
    list(client.responses.retrieve(response.id, stream=True))
    assert (left().log.complete, left().log.total) == (True, models.truth)


# ---------------------------------------------------------------------------------------------------- the clock


@pytest.mark.parametrize("ahead", [0, -7200, 40])
def test_the_clock_of_a_provider_is_measured(client, models, run, left, monkeypatch, ahead):
    monkeypatch.setenv("RECONCILE_OPENAI_URL", models.base_url)
    models.ahead = ahead
    for _ in range(3):
        use(client)
    clock = left().run.clock
    assert abs(clock.offset - ahead) <= clock.uncertainty <= 2
    assert clock.source == "Date of 3 responses of 127.0.0.1"


def test_a_host_of_this_machine_is_no_providers_where_nobody_says_so(client, run, left):
    use(client)
    assert left().run.clock is None


def test_clocks_of_all_parts_of_a_run_are_put_together(client, models, run, left, monkeypatch, openai):
    monkeypatch.setenv("RECONCILE_OPENAI_URL", models.base_url)
    use(client)
    with (
        record(environ=run.environment) as part,
        openai.OpenAI(api_key="sk-x", base_url=models.base_url) as another,
    ):
        use(part.watch(another))
    assert left().run.clock.source == "Date of 2 responses of 127.0.0.1"


# ---------------------------------------------------------------------------------------------------- nothing breaks


def test_what_goes_wrong_in_the_watcher_is_not_the_experiments(client, models, run, left, monkeypatch):
    monkeypatch.setattr("reconcile.recording.bodies.AnswerBody", lambda **_: 1 / 0)
    assert use(client).model == SNAPSHOT
    assert list(client.responses.create(**ASKED_RESPONSES, stream=True))
    found = left()
    assert (found.log.complete, found.recorded) == (False, {})
    assert found.recording["problems"][0] == "2 calls could not be written down"
