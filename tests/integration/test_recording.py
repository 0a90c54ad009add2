"""A run that records itself from Python: what it leaves, whatever becomes of it."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from support.recordings import NOON, FakeClock, Left

import reconcile
from reconcile.errors import StoreError, UsageError
from reconcile.recording.endpoints import Destination, DestinationKind
from reconcile.recording.folder import claim
from reconcile.recording.record import new_run_id
from reconcile.recording.responses import told_of

RESPONSE = {"id": "r-1", "model": "m", "usage": {"prompt_tokens": 100, "completion_tokens": 20}}


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def record(tmp_path, clock):
    def record(framework="chatdev", **options):
        return reconcile.record(
            framework, **{"runs": tmp_path, "environ": {}, "clock": clock, "run_id": "a", **options}
        )

    return record


def numbered(number, tokens=100):
    return {**RESPONSE, "id": f"r-{number}", "usage": {"prompt_tokens": tokens, "completion_tokens": 1}}


def test_a_run_leaves_its_window_and_zero_tokens(record, clock):
    with record(model="gpt-4o-mini") as run:
        clock.time += 90.5
    value = Left(run.folder).value
    assert (value["run_id"], value["model"], value["steps"]) == ("a", "gpt-4o-mini", [])
    assert value["start_timestamp"] == "2026-01-05T12:00:00.000000Z"
    assert value["end_timestamp"] == "2026-01-05T12:01:30.500000Z"
    assert set(value["aggregate_metrics"].values()) == {0}
    assert value["recording"] == {"successful": True}
    assert Left(run.folder).files == {"metrics.json"}


def test_steps_are_recorded_in_their_order(record, clock):
    with record() as run:
        with run.step("plan"):
            clock.time += 10
        with run.step("code"):
            clock.time += 20
    found = [(step["step"], step["name"], step["duration_seconds"]) for step in Left(run.folder).value["steps"]]
    assert found == [(1, "plan", 10), (2, "code", 20)]


def fail(record, error):
    run = record()
    with pytest.raises(type(error)), run, run.step("plan"):
        raise error
    return Left(run.folder)


def test_a_run_that_raises_is_recorded_as_unsuccessful_without_what_the_error_says(record):
    found = fail(record, ValueError("the prompt"))
    assert found.recording == {"successful": False, "error": "ValueError"}
    assert [step["success"] for step in found.value["steps"]] == [False]


@pytest.mark.parametrize(
    ("error", "successful"),
    [(SystemExit(0), True), (SystemExit(), True), (SystemExit(3), False), (KeyboardInterrupt(), False)],
)
def test_leaving_the_program_is_a_success_where_its_status_is(record, error, successful):
    assert fail(record, error).recording["successful"] is successful


@pytest.mark.parametrize(
    "response", [RESPONSE, SimpleNamespace(**{**RESPONSE, "usage": SimpleNamespace(**RESPONSE["usage"])})]
)
def test_a_response_that_is_added_is_a_line_of_the_log_and_part_of_the_sums(record, clock, response):
    with record(complete=True) as run:
        clock.time += 10
        run.add(response)
    found = Left(run.folder)
    assert (found.log.complete, found.log.total.tokens_in, found.log.total.tokens_out) == (True, 100, 20)
    assert found.recorded == {"tokens_in": 100, "tokens_out": 20, "cached_tokens": 0, "api_calls": 1}


@pytest.mark.parametrize(
    "stated", [NOON + 30, datetime(2026, 1, 5, 12, 0, 30, tzinfo=UTC)], ids=["seconds", "datetime"]
)
def test_a_call_may_have_begun_with_the_run_unless_it_is_said_when(record, clock, stated):
    with record() as run:
        clock.time += 40
        run.add(numbered(1))
        run.add(numbered(2), started_at=stated)
        lines = [json.loads(line) for line in (run.folder / "calls.ndjson").read_text().splitlines()]
    assert [line["started_at"][14:19] for line in lines] == ["00:00", "00:30"]
    assert {line["ended_at"][14:19] for line in lines} == {"00:40"}


def test_a_response_without_usage_is_a_call_of_unknown_tokens(record):
    with record(complete=True) as run:
        run.add(RESPONSE)
        run.add({"id": "r-2", "model": "m"})
    found = Left(run.folder)
    assert (found.recorded, found.log.complete) == ({"api_calls": 2}, False)


def test_the_log_says_that_it_is_complete_only_at_the_end(record):
    with record(complete=True) as run:
        run.add(RESPONSE)
        assert "complete" not in (run.folder / "calls.ndjson").read_text()
    assert (run.folder / "calls.ndjson").read_text().startswith('{"complete": true}\n')


def test_a_log_is_complete_only_where_that_is_stated(record):
    with record() as run:
        run.add(RESPONSE)
    assert not Left(run.folder).log.complete


@pytest.mark.parametrize("when", ["before", "after"])
def test_nothing_is_added_to_a_run_that_is_not_being_recorded(record, when):
    run = record()
    if when == "after":
        with run:
            pass
    with pytest.raises(UsageError, match="not being recorded"):
        run.add(RESPONSE)


# ------------------------------------------------------------------------------------------- many at a time


def test_threads_add_to_one_run(record):
    with record(complete=True) as run, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: run.add(numbered(number)), range(400)))
    assert Left(run.folder).log.total.api_calls == 400


def test_tasks_have_steps_at_the_same_time(record, clock):
    async def step(run, name, begun):
        with run.step(name):
            begun.append(name)
            while len(begun) < 3:
                await asyncio.sleep(0)
            clock.time += 1

    async def experiment():
        with record() as run:
            begun = []
            await asyncio.gather(*(step(run, name, begun) for name in "abc"))
        return Left(run.folder).value["steps"]

    steps = asyncio.run(experiment())
    assert [(step["name"], step["success"]) for step in steps] == [("a", True), ("b", True), ("c", True)]
    assert len({step["start_timestamp"] for step in steps}) == 1


PART = """
import reconcile, sys
with reconcile.record() as run:
    for number in range(100):
        run.add({"id": f"{sys.argv[1]}-{number}", "model": "m", "usage": {"prompt_tokens": 7, "completion_tokens": 1}})
"""


def test_processes_take_part_in_a_run_through_its_environment(record, tmp_path):
    with record(complete=True, clock=None) as run:
        parts = [
            subprocess.Popen([sys.executable, "-c", PART, str(number)], env={**os.environ, **run.environment})
            for number in range(4)
        ]
        assert [part.wait() for part in parts] == [0, 0, 0, 0]
    found = Left(run.folder)
    assert (found.log.complete, found.log.total.tokens_in, found.recorded["api_calls"]) == (True, 2800, 400)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_the_calls_of_a_forked_process_are_logged_and_the_log_is_a_part(record):
    with record(complete=True) as run:
        run.add(numbered(1))
        child = os.fork()
        if child == 0:
            run.add(numbered(2))
            os._exit(0)
        os.waitpid(child, 0)
    found = Left(run.folder)
    assert (found.log.total.api_calls, found.log.complete, found.recorded) == (2, False, {})


# ------------------------------------------------------------------------------------------ one run, one file


@pytest.mark.parametrize("name", ["metrics.json", "calls.ndjson", "usage_evidence.json", "recording.ndjson"])
def test_a_run_that_exists_is_never_touched(record, tmp_path, name):
    file = tmp_path / "chatdev" / "a" / name
    file.parent.mkdir(parents=True)
    file.write_text("theirs")
    with pytest.raises(UsageError, match=r"run chatdev/a .* exists"), record():
        pytest.fail("it began")
    assert {path.name: path.read_text() for path in file.parent.iterdir()} == {name: "theirs"}


def test_a_folder_with_other_files_can_become_a_run(record, tmp_path):
    folder = tmp_path / "chatdev" / "a"
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text("theirs")
    with record() as run:
        pass
    assert Left(run.folder).files == {"notes.txt", "metrics.json"}


def test_of_many_that_want_one_run_one_gets_it(tmp_path):
    start = threading.Barrier(8)

    def take(_):
        start.wait()
        try:
            return claim(tmp_path, "chatdev", "a")
        except UsageError:
            return None

    with ThreadPoolExecutor(8) as pool:
        assert len([folder for folder in pool.map(take, range(8)) if folder]) == 1


def test_a_file_that_somebody_else_wrote_meanwhile_stays(record):
    run = record()
    run.__enter__()
    run.add(RESPONSE)
    (run.folder / "metrics.json").write_text("theirs")
    with pytest.raises(StoreError, match="somebody else wrote it"):
        run.__exit__(None, None, None)
    assert (run.folder / "metrics.json").read_text() == "theirs"
    assert {path.name for path in run.folder.iterdir()} == {"metrics.json", "calls.ndjson", "recording.ndjson"}


def test_where_files_cannot_have_two_names_none_is_overwritten_either(record, monkeypatch):
    def refused(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("pathlib.Path.hardlink_to", refused)
    with record() as run:
        pass
    assert Left(run.folder).files == {"metrics.json"}
    late = record(run_id="b")
    with pytest.raises(StoreError, match="somebody else wrote it"), late:
        (late.folder / "metrics.json").write_text("theirs")
    assert (late.folder / "metrics.json").read_text() == "theirs"


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "-x", "a/b", "a\\b", "a b", "a\n", "\u00e9", "x" * 129])
@pytest.mark.parametrize("kind", ["framework", "run id"])
def test_a_name_that_is_no_folder_is_refused(tmp_path, kind, name):
    names = (name, "a") if kind == "framework" else ("chatdev", name)
    with pytest.raises(UsageError, match=kind):
        claim(tmp_path, *names)
    assert list(tmp_path.iterdir()) == []


def test_new_ids_are_names_and_differ(tmp_path):
    names = {new_run_id() for _ in range(50)}
    assert len(names) == 50
    assert all(claim(tmp_path, "chatdev", name) for name in names)


def test_a_folder_that_cannot_be_made_is_an_error_that_names_it(tmp_path):
    (tmp_path / "chatdev").write_text("a file")
    with pytest.raises(StoreError, match=r"chatdev/a/recording\.ndjson: cannot be written"):
        claim(tmp_path, "chatdev", "a")


# -------------------------------------------------------------------------------------------- inside of a run


def test_inside_a_run_no_other_begins(record):
    with record() as run:
        for framework, run_id in (("baes", None), ("chatdev", "b")):
            with pytest.raises(UsageError, match="inside chatdev/a"):
                reconcile.record(framework, run_id=run_id, environ=run.environment)


def test_a_run_that_is_over_cannot_be_joined(record):
    with record() as run:
        around = run.environment
    with pytest.raises(UsageError, match="where no run is being recorded"):
        reconcile.record("chatdev", environ=around)


def test_a_run_of_its_own_needs_a_framework():
    with pytest.raises(UsageError, match="without a framework"):
        reconcile.record(environ={})


def test_the_first_model_that_is_named_stands(record, clock):
    with record(model="m") as run, reconcile.record(model="n", environ=run.environment, clock=clock) as part:
        assert (part.framework, part.run_id, part.folder) == ("chatdev", "a", run.folder)
    assert Left(run.folder).value["model"] == "m"


# ----------------------------------------------------------------------------------------- when things go wrong


def test_a_call_that_cannot_be_written_breaks_nothing_and_no_sum_is_said(record):
    with record(complete=True) as run:
        (run.folder / "calls.ndjson").mkdir()
        run.add(RESPONSE)
        (run.folder / "calls.ndjson").rmdir()
        run.add(numbered(2))
    found = Left(run.folder)
    assert (found.recorded, found.log.complete) == ({}, False)
    assert run.problems == ("1 call could not be written down",)


@pytest.mark.parametrize("lost", ["the journal", "everything", "the log"])
def test_a_run_whose_files_were_deleted_keeps_its_window_and_says_no_sum(record, clock, lost):
    with record(complete=True) as run:
        run.add(RESPONSE)
        for file in list(run.folder.iterdir()) if lost != "the log" else ():
            if lost == "everything" or file.name == "recording.ndjson":
                file.unlink()
        if lost == "everything":
            run.folder.rmdir()
        if lost == "the log":
            (run.folder / "calls.ndjson").unlink()
            (run.folder / "calls.ndjson").mkdir()
        clock.time += 100
    (run.folder / "calls.ndjson").rmdir() if lost == "the log" else None
    found = Left(run.folder)
    assert (found.run.window.start, found.run.window.end) == (NOON, NOON + 120)
    assert (found.recorded, found.log is not None and found.log.complete) == ({}, False)


def test_an_error_of_the_experiment_is_not_hidden_by_one_of_the_recording(record):
    run = record()
    run.__enter__()
    (run.folder / "metrics.json").mkdir()
    error = ValueError("theirs")
    assert run.__exit__(ValueError, error, None) is None
    assert "was not recorded" in error.__notes__[0]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_that_leaves_the_block_does_not_end_the_run(record):
    with record() as run:
        child = os.fork()
        if child == 0:
            run.__exit__(None, None, None)
            os._exit(0)
        os.waitpid(child, 0)
        assert (run.folder / "recording.ndjson").exists()
    assert Left(run.folder).recording == {"successful": True}


def test_a_response_that_was_watched_and_is_added_keeps_its_times(record, clock):
    with record() as run:
        clock.time += 10
        call = run.call(Destination(DestinationKind.COUNTED, "chat"))
        clock.time += 5
        call.answered(told_of(RESPONSE))
        run.add(RESPONSE)
        (line,) = (run.folder / "calls.ndjson").read_text().splitlines()
    assert json.loads(line)["started_at"][14:19] == "00:10"


def polls(**last):
    return [{"id": "resp_1", "status": "queued"}, {"id": "resp_1", "status": "in_progress", "usage": None}, last]


ONE_CALL = {
    "polls of a background response": polls(
        id="resp_1", status="completed", usage={"input_tokens": 100, "output_tokens": 20}
    ),
    "chunks of a stream": [{"id": "r-1", "object": "chat.completion.chunk"}, {"id": "r-1", "usage": None}, RESPONSE],
    "the same response twice": [RESPONSE, RESPONSE],
    "usage that was corrected": [numbered(1, 7), RESPONSE],
    "usage, and a look at it later": [RESPONSE, {"id": "r-1", "usage": None}, {"id": "r-1", "status": "in_progress"}],
}


@pytest.mark.parametrize("parts", ONE_CALL.values(), ids=ONE_CALL)
def test_what_has_one_response_id_is_one_call_and_the_last_usage_counts(record, parts):
    with record(complete=True) as run:
        for part in parts:
            run.add(part)
    found = Left(run.folder)
    assert found.recorded == {"tokens_in": 100, "tokens_out": 20, "cached_tokens": 0, "api_calls": 1}
    assert (found.log.complete, found.log.pending) == (True, 0)


def test_a_response_that_never_tells_its_usage_is_one_call_of_unknown_tokens(record):
    with record(complete=True) as run:
        for _ in range(3):
            run.add({"id": "r-1", "usage": None})
        run.add({"usage": None})
    assert (Left(run.folder).recorded, Left(run.folder).log) == ({"api_calls": 2}, None)


def test_usage_of_several_requests_counts_as_many(record):
    with record(complete=True) as run:
        run.add(SimpleNamespace(requests=3, input_tokens=100, output_tokens=20))
    assert (Left(run.folder).recorded["api_calls"], Left(run.folder).log.total.api_calls) == (3, 3)


def test_what_a_cache_took_is_recorded_by_lifetime(record):
    written = {"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 2}
    usage = {"input_tokens": 1, "output_tokens": 1, "cache_creation_input_tokens": 7, "cache_creation": written}
    with record() as run:
        run.add({"id": "m-1", "usage": usage})
    assert Left(run.folder).beside == {"cache_write_5m_tokens": 5, "cache_write_1h_tokens": 2}


def chunk(name, tokens=None, **metadata):
    usage = tokens and {"input_tokens": tokens, "output_tokens": 1}
    return SimpleNamespace(type="AIMessageChunk", id=name, usage_metadata=usage, response_metadata=metadata)


def test_a_stream_of_langchain_that_changes_its_id_is_one_call(record):
    """Of the responses API only the first chunk has the provider's id. Streams go on at the same time."""
    with record(complete=True) as run:
        for name in ("resp_1", "resp_2"):
            run.add(chunk(name, id=name))
        for name, tokens in (("lc_run-b", None), ("lc_run-a", None), ("lc_run-a", 70), ("lc_run-b", 5)):
            run.add(chunk(name, tokens))
    found = Left(run.folder)
    assert (found.log.complete, found.recorded["api_calls"], found.recorded["tokens_in"]) == (True, 2, 75)


def test_a_stream_of_langchain_that_never_told_its_usage_is_one_call_of_unknown_tokens(record):
    with record(complete=True) as run:
        for name in ("resp_1", "resp_2"):
            run.add(chunk(name, id=name))
        for tokens in (None, 70):
            run.add(chunk("lc_run-a", tokens))
        run.add(chunk("lc_run-b"))
    assert Left(run.folder).recorded == {"api_calls": 2}
    assert len(run.problems) == 1


STREAMED = [
    {"type": "message_start", "message": {"id": "m-1", "usage": {"input_tokens": 100, "output_tokens": 1}}},
    {"type": "message_delta", "usage": {"output_tokens": 20}},
]


def test_events_of_messages_that_come_at_the_same_time_are_told_apart_by_their_tasks(record):
    async def read(run, number):
        for event in STREAMED:
            run.add({**event, **({"message": {**event["message"], "id": f"m-{number}"}} if "message" in event else {})})
            await asyncio.sleep(0)

    async def experiment(run):
        await asyncio.gather(*(read(run, number) for number in range(3)))

    with record() as run:
        asyncio.run(experiment(run))
    assert Left(run.folder).recorded == {"tokens_in": 300, "tokens_out": 60, "cached_tokens": 0, "api_calls": 3}


def test_a_message_with_an_id_of_its_library_is_the_watched_call_with_its_usage(record):
    usage = {"input_tokens": 100, "output_tokens": 20}
    with record() as run:
        for number in (1, 2):
            run.call(Destination(DestinationKind.COUNTED, "chat")).answered(told_of({**RESPONSE, "id": f"r-{number}"}))
        run.add({"id": "run-a", "usage_metadata": None})
        for name in ("run-a", "lc_run-b", "run-c"):
            run.add({"id": name, "usage_metadata": usage})
    assert Left(run.folder).log.total.api_calls == 3


def test_the_sum_of_watched_calls_is_those_calls(record):
    with record() as run:
        for number in range(4):
            run.call(Destination(DestinationKind.COUNTED, "chat")).answered(told_of(numbered(number, 100 + number)))
        run.add(SimpleNamespace(requests=2, input_tokens=102 + 103, output_tokens=2))
        run.add(SimpleNamespace(requests=2, input_tokens=999, output_tokens=2))
    assert (Left(run.folder).recorded["tokens_in"], Left(run.folder).recorded["api_calls"]) == (406 + 999, 6)


def test_a_call_of_another_endpoint_that_is_added_is_noted_once(record):
    embedded = {"object": "list", "model": "m", "data": [{"embedding": [0.5]}], "usage": {"prompt_tokens": 8}}
    with record(complete=True) as run:
        run.call(Destination(DestinationKind.OTHER, "embeddings")).answered(told_of({}))
        for _ in range(3):
            run.add(embedded)
    found = Left(run.folder)
    assert (found.log.complete, found.beside) == (True, {"other_calls": {"embeddings": 3}})


def test_a_stderr_that_is_closed_keeps_no_run_from_ending(record, monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    with record() as run:
        run.add({"id": "r-1", "object": "chat.completion.chunk"})
    assert Left(run.folder).recorded == {"api_calls": 1}


def test_a_line_that_was_cut_off_is_left_out_and_no_sum_is_said(record):
    with record(complete=True) as run:
        run.add(RESPONSE)
        with (run.folder / "calls.ndjson").open("a") as file:
            file.write('{"started_at": 17676')
    found = Left(run.folder)
    assert (found.log.total.api_calls, found.log.complete, found.recorded) == (1, False, {})


def test_an_interrupt_while_the_start_is_awaited_leaves_nothing(record, clock, tmp_path):
    def interrupted(_):
        raise KeyboardInterrupt

    clock.time, clock.wait = NOON + 30, interrupted
    with pytest.raises(KeyboardInterrupt), record(wait_minute=True):
        pytest.fail("it began")
    assert list((tmp_path / "chatdev").iterdir()) == []


# ------------------------------------------------------------------------------------------------- the minute


def test_runs_that_wait_for_the_minute_share_none_and_lose_none(record, clock):
    clock.time = NOON + 17
    windows = []
    for name in "abc":
        with record(run_id=name, wait_minute=True) as run:
            clock.time += 80
        windows.append(Left(run.folder).run.window)
    assert [(window.start - NOON, window.end - NOON) for window in windows] == [(60, 180), (180, 300), (300, 420)]


# ------------------------------------------------------------------------------------------------- the import

HEAVY = (
    "requests",
    "jsonschema",
    "jsonschema_rs",
    "yaml",
    "click",
    "rich",
    "openai",
    "httpx",
    "reconcile.runs",
)


def test_recording_imports_nothing_that_weighs():
    program = "import sys; from reconcile import record; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert [name for name in HEAVY if name in loaded] == []
