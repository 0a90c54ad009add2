"""What a run leaves, from what is known of it: no number is said that might not be all."""

import json

import pytest
from support.recordings import NOON

from reconcile.recording.clocks import Offset
from reconcile.recording.journal import Journal, JournalStep
from reconcile.recording.left import RunEnding, left, read_calls


def row(tokens=100, **members):
    times = {"started_at": NOON, "ended_at": NOON + 1, "model": "m"}
    return {**times, "input_tokens": tokens, "output_tokens": tokens // 10, "cached_tokens": 0, **members}


def log(*rows):
    return "".join(json.dumps(each) + "\n" for each in rows)


def journal(**members):
    return Journal(started_at=NOON, complete=True, **members)


def ended(text="", *, successful=True, at=NOON + 60, of=None):
    return left(
        "a",
        of or journal(watched=2),
        read_calls(text),
        RunEnding(started_at=NOON, at=at, successful=successful, told={}),
    )


TWO = log(row(100), row(200, response_id="r"))


def test_recorded_usage_is_the_sum_of_the_log():
    found = ended(TWO)
    assert found.complete
    assert found.document["recorded_usage"] == {
        "tokens_in": 300, "tokens_out": 30, "cached_tokens": 0, "api_calls": 2, "every_attempt": True,
        "source": "reconcile record",
    }  # fmt: skip


def test_of_rows_with_one_response_id_the_last_counts():
    found = ended(log(row(100, response_id="r"), row(250, response_id="r")))
    assert (found.document["recorded_usage"]["tokens_in"], found.document["recorded_usage"]["api_calls"]) == (250, 1)


def test_calls_without_an_answer_are_in_no_sum():
    found = ended(log(row(100), row(0, aborted=True)))
    assert (found.complete, found.document["recorded_usage"]["api_calls"]) == (True, 1)


def test_calls_of_unknown_tokens_leave_the_calls_counted():
    found = ended(TWO, of=journal(uncounted=1, watched=2))
    assert not found.complete
    assert found.document["recorded_usage"] == {"api_calls": 3, "every_attempt": True, "source": "reconcile record"}


def test_what_is_no_sum_is_said_beside_it():
    found = ended(
        log(
            row(100, cache_write_5m_tokens=7, cache_write_1h_tokens=2, requests=3),
            row(0, cache_write_30m_tokens=1, cache_write_12h_tokens=4, cache_write_tokens=8),
            row(0, aborted=True),
            row(0, endpoint="embeddings"),
            row(0, endpoint="embeddings", aborted=True),
            row(0, endpoint="images"),
        ),
        of=journal(watched=5, unwatched=1),
    )
    assert found.document["recorded_usage"] == {
        "tokens_in": 100, "tokens_out": 10, "cached_tokens": 0, "cache_write_5m_tokens": 7, "cache_write_30m_tokens": 1,
        "cache_write_1h_tokens": 2, "cache_write_12h_tokens": 4, "cache_write_tokens": 8,
        "api_calls": 4, "aborted_calls": 1, "other_calls": {"embeddings": 2, "images": 1}, "source": "reconcile record",
    }  # fmt: skip
    assert (found.complete, found.every_attempt) == (True, False)


def test_where_a_request_was_not_understood_no_sum_is_said():
    found = ended(log(row(), row(0, unknown=True, endpoint="POST /a"), row(0, unknown=True, endpoint="POST /a")))
    assert found.document["recorded_usage"] == {"unknown_calls": 2, "source": "reconcile record"}
    assert (found.complete, found.problems) == (False, ("2 requests not understood: POST /a",))


def test_not_too_many_requests_are_named():
    found = ended(log(*(row(0, unknown=True, endpoint=f"POST /{number}") for number in range(7))))
    named = ", ".join(f"POST /{number}" for number in range(5))
    assert found.problems == (f"7 requests not understood: {named} and 2 more",)


def test_a_log_that_is_complete_but_for_what_goes_on_says_so():
    found = ended(log(row(), row(0, pending=True, response_id="r")))
    assert (found.complete, found.document["recording"]["call_log"]) == (True, "pending")
    assert found.document["recorded_usage"]["api_calls"] == 2
    assert "tokens_in" not in found.document["recorded_usage"]


def test_usage_that_was_told_stays_where_its_response_is_cut_off_later():
    calls = read_calls(
        log(row(0, response_id="r", pending=True), row(9, response_id="r"), row(0, response_id="r", aborted=True))
    )
    assert (calls.counted, calls.sums[0], calls.pending, calls.aborted) == (1, 9, 0, 0)


def test_clocks_that_were_measured_are_put_together():
    offsets = {str(low): Offset(now=(low, 1), hosts=("a",)) for low in (0, 0.5)}
    found = ended(TWO, of=journal(watched=2, offsets=offsets)).document["clock"]
    assert found == {"offset_seconds": 0.75, "uncertainty_seconds": 0.25, "source": "Date of 2 responses of a"}


MISSING = [
    pytest.param(TWO, True, Journal(complete=True), "journal of the run was lost", id="the journal was deleted"),
    pytest.param(
        log(row(provider="openai"), row(provider="anthropic")),
        True,
        journal(watched=2),
        "several providers, anthropic, openai",
        id="the calls are not all of one provider",
    ),
    pytest.param(TWO, True, journal(watched=3), "1 line of the call log", id="the log was deleted"),
    pytest.param(TWO, True, journal(taking_part={"x"}), "1 recorder did not end", id="a recorder was killed"),
    pytest.param(TWO, True, journal(lost=2), "2 calls could not be written down", id="calls were lost"),
    pytest.param(TWO + '{"started', True, journal(), "lines that cannot be read", id="the last line is torn"),
    pytest.param(TWO + "{}\n", True, journal(), "lines that cannot be read", id="a line is no call"),
    pytest.param(TWO + "x\n", True, journal(), "lines that cannot be read", id="a line is no JSON"),
    pytest.param(TWO, False, journal(watched=1), "may have gone unrecorded", id="failed, with calls added by hand"),
    pytest.param(
        log(row(), row(0, aborted=True)),
        False,
        journal(watched=2),
        "had no answer",
        id="failed in the middle of a call",
    ),
]


@pytest.mark.parametrize(("text", "successful", "of", "why"), MISSING)
def test_where_a_call_may_be_missing_no_sum_is_said_and_no_log_is_complete(text, successful, of, why):
    found = ended(text, successful=successful, of=of)
    assert ("recorded_usage" in found.document, found.complete) == (False, False)
    assert why in found.problems[0]
    assert found.document["recording"]["call_log"] == "partial"


def test_a_failed_run_whose_calls_were_all_watched_and_answered_counted_them_all():
    found = ended(TWO, successful=False)
    assert (found.complete, found.document["recorded_usage"]["api_calls"]) == (True, 2)


def test_a_log_is_not_complete_because_nothing_went_wrong():
    assert not ended(TWO, of=Journal(started_at=NOON, watched=2)).complete


def test_a_run_that_counted_nothing_says_nothing_of_calls():
    found = ended(of=Journal(started_at=NOON))
    assert ("recorded_usage" in found.document, found.complete) == (False, False)
    assert found.document["recording"] == {"successful": True}


def test_a_run_that_states_to_have_logged_everything_made_no_call_where_none_is_logged():
    found = ended(of=journal())
    assert (found.complete, found.document["recorded_usage"]["api_calls"]) == (True, 0)


def test_a_statement_written_too_early_is_no_line_that_stays():
    calls = read_calls('{"complete": true}\n' + TWO)
    assert (calls.stated, calls.rows, len(calls.lines), calls.readable) == (True, 2, 2, True)


def test_steps_lie_within_the_run_whatever_their_clock_says():
    strays = [
        JournalStep(name="early", begun_at=NOON - 5, ended_at=NOON + 1, success=True),
        JournalStep(name="late", begun_at=NOON + 59, ended_at=NOON + 99, success=True),
        JournalStep(name="backwards", begun_at=NOON + 9, ended_at=NOON + 8, success=True),
        JournalStep(name="unended", begun_at=NOON + 30),
    ]
    steps = ended(of=journal(steps=strays)).document["steps"]
    found = [(step["name"], step["start_timestamp"][14:19], step["end_timestamp"][14:19]) for step in steps]
    assert found == [
        ("early", "00:00", "00:01"), ("late", "00:59", "01:00"), ("backwards", "00:09", "00:09"),
        ("unended", "00:30", "01:00"),
    ]  # fmt: skip
    assert [step["success"] for step in steps] == [True, True, True, False]


def test_a_clock_that_was_set_back_makes_no_run_end_before_its_start():
    found = ended(at=NOON - 100).document
    assert found["end_timestamp"] == found["start_timestamp"] == "2026-01-05T12:00:00.000000Z"


def test_the_window_does_not_depend_on_the_journal():
    assert ended(of=Journal()).document["start_timestamp"] == "2026-01-05T12:00:00.000000Z"
