"""What would make a verified figure wrong, one story each: clocks that are off, a wavering provider, strangers, zeros.

The truth is the ledger of the simulated provider: every call with its own second. Passes are whole ones, over real
files and real HTTP.
"""

import json
import shutil
import subprocess
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import pytest
from support.bench import MODEL, Ledger, at, called, recorded

from reconcile.git.versions import versions
from reconcile.insight.audit_files import audit_runs, refetched
from reconcile.passes.apply import run_pass
from reconcile.providers.base import Scope
from reconcile.providers.openai.completions import OpenAIUsage
from reconcile.providers.transport import Patience
from reconcile.runs.state import Policy
from reconcile.simulator.calls import BilledCall
from reconcile.workspace import open_workspace

SAMPLES = Path(__file__).parents[2] / "runs"


def figure(bench, name):
    block = bench.block(name)
    return block["total_tokens_in"], block["total_tokens_out"], block["total_cached_tokens"], block["total_api_calls"]


def truth(calls):
    return tuple(recorded(calls).values())


def held(bench, name, calls):
    """Whether the block is exact at the truth, or its interval holds it."""
    block = bench.block(name)
    if block["attribution"]["exact"]:
        return figure(bench, name) == truth(calls)
    bounds = block["attribution"].get("bounds")
    return bounds is None or all(
        low <= part <= high for (low, high), part in zip(bounds.values(), truth(calls), strict=True)
    )


def hourly(bench, first, last):
    """Passes at seventeen past, from one hour of the day to another; those of the next day count on from 24."""
    for hour in range(first, last + 1):
        bench.run(f"+{hour // 24} {hour % 24:02}:17")


def known(calls, what):
    """What a run recorded of its calls."""
    counts = recorded(calls)
    return {"nothing": None, "counts": {"api_calls": counts["api_calls"]}, "totals": counts}[what]


def logged(calls, seconds=0.0, *, took=(4.0,)):
    """A complete call log of calls that are booked as they end, by a clock that shows so many seconds more."""
    rows = [
        {
            "started_at": call.at - each + seconds,
            "ended_at": call.at + seconds,
            "model": call.model,
            "input_tokens": call.tokens_in,
            "output_tokens": call.tokens_out,
            "cached_tokens": call.cached_tokens,
        }
        for call, each in zip(calls, cycle(took), strict=False)
    ]
    return "\n".join(map(json.dumps, [{"complete": True}, *rows])) + "\n"


# ------------------------------------------------------------------------------------- the clock of the machine

NEAR = {
    "a": ("12:00:40", "12:02:10", [("12:00:45", 1000, 100), ("12:01:20", 1001, 100), ("12:02:05", 1002, 100)]),
    "b": ("12:02:35", "12:04:10", [("12:02:40", 10_000, 100), ("12:03:20", 10_001, 100), ("12:04:05", 10_002, 100)]),
}


def slow(clock, seconds):
    """What a clock shows that is so many seconds slow."""
    moment = at(clock).timestamp() - seconds
    return f"{int(moment // 3600 % 24):02}:{int(moment // 60 % 60):02}:{moment % 60}"


def near(bench, seconds, what):
    """Two runs half a minute apart on one key, on a machine whose clock is slow."""
    made = {}
    for name, (start, end, calls) in NEAR.items():
        truly = [called(*call, key="key_chatdev") for call in calls]
        bench.add(f"chatdev/{name}", slow(start, seconds), slow(end, seconds), truly, recorded=known(truly, what))
        made[name] = truly
    return made


@pytest.mark.parametrize("seconds", [4, 30, 59])
@pytest.mark.parametrize("what", ["nothing", "counts"])
def test_near_runs_of_a_slow_clock_are_not_verified_where_no_tokens_tell_them_apart(bench, what, seconds):
    made = near(bench, seconds, what)
    hourly(bench, 13, 18)
    assert not any(bench.verdict(f"chatdev/{name}").startswith("verified") for name in made)
    assert all(held(bench, f"chatdev/{name}", calls) for name, calls in made.items())


@pytest.mark.parametrize("seconds", [4, 30, 59])
def test_near_runs_of_a_slow_clock_are_proven_by_their_records(bench, seconds):
    made = near(bench, seconds, "totals")
    hourly(bench, 13, 14)
    for name, calls in made.items():
        block = bench.block(f"chatdev/{name}")
        assert (figure(bench, f"chatdev/{name}"), block["verification_status"]) == (truth(calls), "verified")
        assert (block["proof"], block["assumes"]) == ("proven", ["no_unrecorded_retries"])


def test_a_call_in_the_minute_before_the_run_is_inside_its_interval(bench):
    """The clock was five seconds fast, so the first call lies before the window."""
    calls = bench.add("chatdev/a", "12:01:01", "12:01:45", [("12:00:58", 5000, 500), ("12:01:30", 1000, 100)])
    hourly(bench, 13, 37)
    assert bench.verdict("chatdev/a") == "warning: edge_usage"
    assert held(bench, "chatdev/a", calls)
    assert "12:00:00Z" in bench.block("chatdev/a")["verification_message"]


@pytest.mark.parametrize("seconds", [6, 20, 45])
def test_a_complete_log_proves_its_run_and_tells_how_slow_the_clock_was(bench, seconds):
    clocks = [("12:00:26", 1000, 100), ("12:01:02", 2000, 200), ("12:01:35", 3000, 300), ("12:02:35", 4000, 400)]
    calls = [called(*each, key="key_chatdev") for each in clocks]
    bench.add("chatdev/a", slow("12:00:15", seconds), slow("12:02:40", seconds), calls)
    (bench.runs / "chatdev/a/calls.ndjson").write_text(logged(calls, -seconds), "utf-8")
    bench.run("13:17")
    block = bench.block("chatdev/a")
    assert (bench.verdict("chatdev/a"), figure(bench, "chatdev/a")) == ("verified: log_matched", truth(calls))
    low, high = block["attribution"]["clock_seconds"]
    assert low <= seconds <= high
    assert "s slow" in block["verification_message"]


def test_a_log_of_a_clock_that_is_right_says_nothing_of_it(bench):
    calls = [called("12:00:26", 1000, 100, key="key_chatdev"), called("12:01:30", 2000, 200, key="key_chatdev")]
    bench.add("chatdev/a", "12:00:15", "12:02:40", calls)
    (bench.runs / "chatdev/a/calls.ndjson").write_text(logged(calls), "utf-8")
    bench.run("13:17")
    assert "clock" not in bench.block("chatdev/a")["verification_message"]


def test_usage_that_lies_ten_minutes_after_the_run_is_named(bench):
    calls = [(f"12:{minute}:10", 1000 + minute, 100) for minute in (10, 11, 12)]
    truly = [called(*call, key="key_chatdev") for call in calls]
    bench.add("chatdev/a", "12:00:05", "12:02:55", truly, recorded=recorded(truly))
    bench.run("13:17")
    assert "10 minutes after its own" in bench.block("chatdev/a")["verification_message"]
    assert not bench.verdict("chatdev/a").startswith("verified")


def test_a_stated_clock_moves_the_minutes_and_narrows_the_reach(bench):
    """With clocks known to seconds, two runs that recorded nothing are told apart by a pause of forty."""
    made = {}
    for name, (start, end, calls) in {
        "a": ("12:00:20", "12:01:15", [("12:00:25", 700, 70), ("12:01:10", 701, 70)]),
        "b": ("12:02:20", "12:03:15", [("12:02:25", 9000, 900), ("12:03:10", 9001, 900)]),
    }.items():
        clock = {"offset_seconds": 30, "uncertainty_seconds": 1, "source": "date header"}
        made[name] = bench.add(f"chatdev/{name}", slow(start, 30), slow(end, 30), calls, clock=clock)
    hourly(bench, 13, 14)
    for name, calls in made.items():
        assert bench.verdict(f"chatdev/{name}") == "verified: stable"
        assert figure(bench, f"chatdev/{name}") == truth(calls)
        assert bench.block(f"chatdev/{name}")["reach_seconds"] == 10


def test_what_logs_teach_of_the_booking_separates_runs_to_seconds(bench):
    """Six runs with complete logs, on a measured clock, and then two that recorded nothing, nine seconds apart."""
    clock = {"offset_seconds": 0, "uncertainty_seconds": 0.5, "source": "date header"}
    for hour in range(2, 8):
        clocks = [
            f"{hour:02}:{second // 60:02}:{second % 60}" for second in range(65 + 9 * hour, 65 + 9 * hour + 40 * 31, 31)
        ]
        calls = [called(each, 100, 10, key="key_chatdev") for each in clocks]
        bench.add(f"chatdev/logged{hour}", f"{hour:02}:00:50", f"{hour:02}:23:10", calls, clock=clock)
        (bench.runs / f"chatdev/logged{hour}/calls.ndjson").write_text(logged(calls, took=(1, 6, 14)), "utf-8")
    bench.run("09:17")
    made = {
        name: bench.add(f"chatdev/{name}", start, end, [(within, 700, 70)], clock=clock)
        for name, start, within, end in (
            ("a", "12:00:20", "12:01:10", "12:01:55.5"),
            ("b", "12:02:04.5", "12:02:25", "12:03:15"),
        )
    }
    hourly(bench, 13, 14)
    for name, calls in made.items():
        assert (bench.verdict(f"chatdev/{name}"), figure(bench, f"chatdev/{name}")) == (
            "verified: stable",
            truth(calls),
        )
        assert bench.block(f"chatdev/{name}")["reach_seconds"] == 2


def test_a_stated_policy_is_taken_for_granted_and_said(bench):
    bench.policy = Policy(clock_uncertainty=at("00:00:05") - at("00:00"))
    bench.add("chatdev/a", "12:00:20", "12:01:15", [("12:00:25",)])
    hourly(bench, 13, 14)
    assert "clock" in bench.block("chatdev/a")["assumes"]


# ---------------------------------------------------------------------------------------- strangers, and zeros


@pytest.mark.parametrize(("what", "verdict"), [("nothing", "pending: edge_usage"), ("counts", "pending: edge_usage")])
def test_a_foreign_call_just_after_a_lone_run_is_not_added_to_it(bench, what, verdict):
    calls = [called(clock, 1000, 100, key="key_chatdev") for clock in ("12:00:10", "12:00:30", "12:00:50")]
    bench.add("chatdev/a", "12:00:05", "12:00:59", calls, recorded=known(calls, what))
    bench.simulator.ledger.add([called("12:01:39", 9000, 100, key="key_chatdev")])
    hourly(bench, 13, 18)
    assert bench.verdict("chatdev/a") == verdict
    assert held(bench, "chatdev/a", calls)


def test_recorded_tokens_tell_a_run_from_the_foreign_call_beside_it(bench):
    calls = [called(clock, 1000, 100, key="key_chatdev") for clock in ("12:00:10", "12:00:30", "12:00:50")]
    bench.add("chatdev/a", "12:00:05", "12:00:59", calls, recorded=recorded(calls))
    bench.simulator.ledger.add([called("12:01:39", 9000, 100, key="key_chatdev")])
    hourly(bench, 13, 14)
    assert (bench.verdict("chatdev/a"), figure(bench, "chatdev/a")) == ("verified: stable", truth(calls))


def test_counts_that_reach_beside_the_run_are_believed_after_four_hours(bench):
    calls = [called(clock, 1000, 100, key="key_chatdev") for clock in ("12:00:10", "12:00:35", "12:01:00")]
    bench.add("chatdev/a", slow("12:00:05", 30), slow("12:01:02", 30), calls, recorded=known(calls, "counts"))
    hourly(bench, 13, 15)
    assert bench.verdict("chatdev/a") == "pending: edge_usage"
    hourly(bench, 16, 16)
    block = bench.block("chatdev/a")
    assert (bench.verdict("chatdev/a"), block["proof"]) == ("verified: stable", "supported")
    assert figure(bench, "chatdev/a") == truth(calls)


def test_a_hidden_retry_in_the_runs_own_minutes_is_never_left_out_of_its_interval(bench):
    calls = [called(f"12:0{minute}:30", 1000, 100, key="key_chatdev") for minute in (0, 1, 2, 2)]
    bench.add("chatdev/a", "12:00:10", "12:02:50", calls, recorded=recorded(calls[:3]))
    hourly(bench, 13, 14)
    assert bench.verdict("chatdev/a") == "warning: extra_calls"
    assert held(bench, "chatdev/a", calls)


def test_rows_of_batch_jobs_are_nobodys_unless_the_scope_says_otherwise(bench):
    calls = bench.add("chatdev/a", "12:00:05", "12:01:25", [("12:00:14", 1000, 100), ("12:01:14", 1000, 100)])
    batch = [replace(called("12:01:05", 50_000, 4000, key="key_chatdev"), batch=True) for _ in range(20)]
    bench.simulator.ledger.add(batch)
    summary = bench.run("13:17")
    bench.run("14:17")
    assert (bench.verdict("chatdev/a"), figure(bench, "chatdev/a")) == ("verified: stable", truth(calls))
    assert sum(each.usage.api_calls for each in summary.unattributed) == 20
    assert bench.block("chatdev/a")["attribution"]["batch"] == "exclude"


def test_a_scope_may_include_batch_jobs_or_have_nothing_else(bench):
    for framework, batch in {"both": "include", "alone": "only"}.items():
        key = f"key_{framework}"
        calls = [called("12:00:14", 1000, 100, key=key), replace(called("12:01:05", 50_000, 1, key=key), batch=True)]
        bench.add(f"{framework}/a", "12:00:05", "12:01:25", calls)
        bench.scopes[framework] = Scope("openai", (key,), batch=batch)
    hourly(bench, 13, 14)
    assert bench.block("both/a")["total_tokens_in"] == 51_000
    assert bench.block("alone/a")["total_tokens_in"] == 50_000


def test_recorded_zeros_are_believed_only_when_late_usage_would_be_in(bench):
    calls = [called("12:00:30", 900, 90, key="key_chatdev", visible="14:40")]
    bench.add("chatdev/a", "12:00:10", "12:01", calls, recorded=dict.fromkeys(recorded([]), 0))
    hourly(bench, 13, 14)
    assert not bench.verdict("chatdev/a").startswith("verified")
    hourly(bench, 15, 18)
    assert not bench.verdict("chatdev/a").startswith("verified")
    assert held(bench, "chatdev/a", calls)


def test_a_run_that_truly_made_no_calls_is_verified_after_four_hours(bench):
    bench.add("chatdev/a", "12:00:10", "12:01", recorded=dict.fromkeys(recorded([]), 0))
    hourly(bench, 13, 15)
    assert not bench.verdict("chatdev/a").startswith("verified")
    hourly(bench, 16, 17)
    assert bench.verdict("chatdev/a") == "verified: no_api_calls"


def test_a_run_whose_only_call_was_cut_off_is_no_run_without_calls(bench):
    zeros = {**dict.fromkeys(recorded([]), 0), "aborted_calls": 1}
    bench.add("chatdev/a", "12:00:10", "12:01", recorded=zeros)
    hourly(bench, 13, 20)
    assert bench.verdict("chatdev/a") == "data_not_available: no_usage_yet"


def test_a_cut_off_call_that_was_billed_is_the_runs_own(bench):
    calls = [called("12:00:20", 1000, 100, key="key_chatdev"), called("12:00:40", 1000, 100, key="key_chatdev")]
    bench.add("chatdev/a", "12:00:10", "12:01", calls, recorded={**recorded(calls[:1]), "aborted_calls": 1})
    hourly(bench, 13, 14)
    assert (bench.verdict("chatdev/a"), figure(bench, "chatdev/a")) == ("verified: stable", truth(calls))
    assert "cut off but billed" in bench.block("chatdev/a")["verification_message"]
    assert bench.block("chatdev/a")["proof"] == "supported"


# ------------------------------------------------------------------------------- late usage, and a feed that stalls


def test_tokens_that_come_after_their_requests_are_waited_for(bench):
    """Requests and tokens come through two pipelines. What was recorded tells that tokens are missing."""
    calls = [called(f"12:00:{second}", 1000, 100, key="key_chatdev") for second in (10, 30, 50)]
    bench.add("chatdev/a", "12:00:05", "12:00:55", calls, recorded={"tokens_in": 3000, "tokens_out": 300})
    bench.simulator.ledger = Ledger([*calls[:2], replace(calls[2], tokens_in=0, tokens_out=0)])
    hourly(bench, 13, 15)
    assert bench.verdict("chatdev/a") == "pending: tokens_missing"
    assert not bench.block("chatdev/a")["attribution"]["exact"]
    bench.simulator.ledger = Ledger(calls)
    hourly(bench, 16, 17)
    assert (bench.verdict("chatdev/a"), figure(bench, "chatdev/a")) == ("verified: stable", truth(calls))
    assert bench.block("chatdev/a")["proof"] == "supported"


def test_a_call_that_was_never_billed_does_not_hold_up_the_runs_beside_it(bench):
    """Three runs without a pause between them. The middle one recorded a call too many."""
    made = {}
    for name, minute in {"a": 0, "b": 3, "c": 6}.items():
        calls = [called(f"12:0{minute + step}:30", 1000 + minute, 100, key="key_chatdev") for step in range(3)]
        said = recorded(calls) if name != "b" else {**recorded(calls), "api_calls": 4}
        bench.add(f"chatdev/{name}", f"12:0{minute}:05", f"12:0{minute + 2}:58", calls, recorded=said)
        made[name] = calls
    hourly(bench, 13, 14)
    assert [bench.verdict(f"chatdev/{name}") for name in "abc"] == [
        "verified: stable",
        "pending: calls_missing",
        "verified: stable",
    ]
    assert bench.block("chatdev/a")["proof"] == "proven"


def test_a_model_that_the_feed_is_silent_on_holds_back_what_rests_on_it(bench):
    other = "gpt-4o-2024-08-06"
    early = [called("09:00:30", key="key_chatdev"), replace(called("09:00:40", key="key_chatdev"), model=other)]
    bench.add("chatdev/early", "09:00:10", "09:02", early)
    late = replace(called("12:01:30", 5000, 500, key="key_chatdev", visible="15:30"), model=other)
    calls = [called("12:00:30", key="key_chatdev"), called("12:01:50", key="key_chatdev"), late]
    bench.add("chatdev/a", "12:00:10", "12:02", calls)
    bench.add("baes/b", "12:30:10", "12:32", [("12:30:30",), ("12:31:50",)])
    hourly(bench, 13, 15)
    assert bench.verdict("chatdev/a") == "pending: stalled_feed"
    assert other in bench.block("chatdev/a")["verification_message"]
    hourly(bench, 16, 17)
    assert (bench.verdict("chatdev/a"), figure(bench, "chatdev/a")) == ("verified: stable", truth(calls))


def test_local_time_that_was_written_as_utc_is_never_better_than_a_warning(bench):
    bench.add("chatdev/a", "13:30:05", "13:32:20", [("13:30:30", 444, 44)])
    bench.run("12:45")
    assert bench.verdict("chatdev/a") == "pending: ends_in_future"
    hourly(bench, 14, 16)
    assert bench.verdict("chatdev/a") == "warning: clock_off"
    assert not bench.block("chatdev/a")["attribution"]["exact"]


def test_times_that_are_corrected_are_read_as_if_nothing_had_been_said(bench):
    calls = bench.add("chatdev/a", "13:30:05", "13:32:20", [("12:30:30", 444, 44)])
    bench.run("12:45")
    value = bench.value("chatdev/a")
    value["start_timestamp"], value["end_timestamp"] = (at(clock).isoformat() for clock in ("12:30:05", "12:32:20"))
    bench.write("chatdev/a", json.dumps(value, indent=2))
    hourly(bench, 13, 14)
    assert (bench.verdict("chatdev/a"), figure(bench, "chatdev/a")) == ("verified: stable", truth(calls))
    assert "seen_in_future" not in bench.block("chatdev/a")


def test_a_run_that_ended_half_a_second_ago_is_not_in_the_future(bench):
    bench.add("chatdev/a", "12:00:05", "12:00:30.500", [("12:00:20",)])
    before = bench.bytes()
    summary = bench.run("12:00:30")
    assert ([report.selection for report in summary.runs], bench.bytes()) == (["too_young"], before)


def test_an_interrupted_run_claims_its_sessions_and_nothing_between(bench):
    first = [called(f"12:00:{second}", 1000, 100, key="key_chatdev") for second in (10, 30)]
    second = [called(f"14:00:{second}", 1000, 100, key="key_chatdev") for second in (10, 30)]
    between = [called("13:00:30", 777, 77, key="key_chatdev")]
    spans = [
        [at(start).isoformat(), at(end).isoformat()]
        for start, end in (("12:00:05", "12:00:45"), ("14:00:05", "14:00:45"))
    ]
    bench.add("chatdev/a", "12:00:05", "14:00:45", [*first, *second], sessions=spans)
    bench.add("chatdev/b", "13:00:05", "13:00:55", between)
    hourly(bench, 15, 16)
    for name, calls in {"a": [*first, *second], "b": between}.items():
        assert (bench.verdict(f"chatdev/{name}"), figure(bench, f"chatdev/{name}")) == (
            "verified: stable",
            truth(calls),
        )


# --------------------------------------------------------------------------------------- a provider that wavers


class Wavering:
    """A bench whose provider shows each request of the run twice, in the passes between two hours."""

    def __init__(self, bench, what):
        self.bench = bench
        self.calls = [called(f"12:00:{second}", 1000, 100, key="key_chatdev") for second in (10, 20, 30)]
        bench.add(
            "chatdev/a", "12:00:05", "12:00:50", self.calls, recorded=known(self.calls, what) if what != "log" else None
        )
        if what == "log":
            (bench.runs / "chatdev/a/calls.ndjson").write_text(logged(self.calls), "utf-8")

    def hours(self, first, last, *, twice=(), by=1):
        for hour in range(first, last + 1, by):
            self.bench.simulator.ledger = Ledger(self.calls * (2 if hour in twice else 1))
            hourly(self.bench, hour, hour)

    @property
    def state(self):
        return self.bench.verdict("chatdev/a"), self.bench.value("chatdev/a")["aggregate_metrics"]["TOK_IN"]


@pytest.mark.parametrize("what", ["totals", "log"])
def test_a_spike_at_the_first_read_does_not_outweigh_the_record(bench, what):
    wavering = Wavering(bench, what)
    wavering.hours(13, 15, twice=[13])
    assert wavering.state in {("verified: stable", 3000), ("verified: log_matched", 3000)}
    assert bench.block("chatdev/a")["proof"] == "proven"


def test_a_spike_that_nothing_contradicts_is_never_called_the_figure(bench):
    wavering = Wavering(bench, "nothing")
    wavering.hours(13, 37, twice=[13])
    assert wavering.state[0] == "failed: cutoff_passed"
    assert held(bench, "chatdev/a", wavering.calls)


@pytest.mark.parametrize("what", ["nothing", "counts", "totals", "log"])
def test_a_spike_after_the_verdict_changes_nothing_of_it(bench, what):
    """The pages that show it are read for another run of the key, whose verdict is due."""
    wavering = Wavering(bench, what)
    wavering.hours(13, 14)
    settled = bench.block("chatdev/a")
    bench.add("chatdev/z", "16:00:10", "16:00:50")
    wavering.hours(17, 19, twice=[18])
    block = bench.block("chatdev/a")
    assert {name: item for name, item in block.items() if name not in {"attempts", "evidence"}} == {
        name: item for name, item in settled.items() if name not in {"attempts", "evidence"}
    }
    assert audit_runs(bench.workspace("19:17")).runs[0].found.outcome == "sound"


@pytest.mark.parametrize(
    ("what", "reason"), [("totals", "extra_calls"), ("log", "extra_calls"), ("nothing", "restated")]
)
def test_a_higher_figure_that_is_read_twice_warns_between_both_and_a_return_lifts_it(bench, what, reason):
    wavering = Wavering(bench, what)
    wavering.hours(13, 14)
    bench.add("chatdev/z", "16:00:10", "16:00:50")
    wavering.hours(17, 18, twice=[17, 18])
    block = bench.block("chatdev/a")
    assert wavering.state == (f"warning: {reason}", 3000)
    assert block["attribution"]["bounds"]["tokens_in"] == [3000, 6000]
    assert audit_runs(bench.workspace("18:17")).runs[0].found.outcome == "sound"
    wavering.hours(19, 19)
    assert wavering.state[0].startswith("verified: ")
    assert bench.block("chatdev/a")["attribution"]["exact"]


@pytest.mark.parametrize("what", ["nothing", "counts", "totals"])
def test_a_read_in_which_one_kind_falls_and_the_others_rise_is_believed_when_it_comes_back(bench, what):
    calls = [called(f"12:00:{second}", 1000, 100, key="key_chatdev") for second in range(10, 55, 5)]
    bench.add("chatdev/a", "12:00:05", "12:00:55", calls, recorded=known(calls, what))
    bench.simulator.ledger = Ledger([called("12:00:10", 1000, 100, key="key_chatdev", cached=64)])
    bench.run("13:17")
    bench.simulator.ledger = Ledger(calls)
    hourly(bench, 14, 15)
    assert (bench.verdict("chatdev/a"), figure(bench, "chatdev/a")) == ("verified: stable", truth(calls))


def test_a_settled_figure_never_falls_by_itself(bench):
    """It was settled at twice what was recorded, which is read ever after."""
    wavering = Wavering(bench, "totals")
    wavering.hours(13, 14, twice=[13, 14])
    assert wavering.state == ("warning: extra_calls", 6000)
    bench.add("chatdev/z", "16:00:10", "16:00:50")
    wavering.hours(15, 20)
    assert wavering.state[1] == 6000
    assert held(bench, "chatdev/a", wavering.calls)
    bench.run("21:17", framework="chatdev", run_id="a", force=True)
    bench.run("22:17")
    assert wavering.state == ("verified: stable", 3000)


def test_a_late_claim_lowers_a_settled_figure_only_with_force(bench):
    """A minute of a's holds a call of b's and its own; b's file goes, and one of c's comes in another minute."""
    clock = {"offset_seconds": 0, "uncertainty_seconds": 5, "source": "chrony"}
    bench.add("chatdev/b", "12:00:15", "12:00:45", recorded={"api_calls": 1}, clock=clock)
    bench.add("chatdev/a", "12:00:15", "12:04:45", recorded={"api_calls": 2}, clock=clock)
    bench.simulator.ledger.add(
        called(minute, tokens, 100, key="key_chatdev")
        for minute, tokens in (("12:00:30", 1000), ("12:02:30", 5000), ("12:04:30", 1000))
    )
    hourly(bench, 13, 17)
    assert (bench.verdict("chatdev/a"), figure(bench, "chatdev/a")[0]) == ("verified: stable", 6000)
    shutil.rmtree(bench.runs / "chatdev/b")
    bench.add("chatdev/c", "12:02:15", "12:02:45", recorded={"api_calls": 1}, clock=clock)
    bench.run("18:17")
    assert (bench.verdict("chatdev/a"), figure(bench, "chatdev/a")[0]) == ("warning: restated", 6000)
    assert bench.block("chatdev/a")["attribution"]["bounds"]["tokens_in"] == [2000, 6000]
    assert outcome(bench)[0] == "unaudited", "it rests on b too, which is gone"
    before = bench.bytes()
    hourly(bench, 19, 20)
    assert bench.bytes()[bench.runs / "chatdev/a/metrics.json"] == before[bench.runs / "chatdev/a/metrics.json"]
    for clock in ("21:17", "22:17"):
        bench.run(clock, framework="chatdev", run_id="a", force=clock == "21:17")
    assert (bench.verdict("chatdev/a"), figure(bench, "chatdev/a")[0]) == ("verified: stable", 2000)


def test_an_old_run_that_a_later_cutoff_reached_is_not_failed_by_the_next_pass(bench):
    calls = bench.add("chatdev/a", "12:00:05", "12:00:50", [("12:00:20", 500, 50)])
    bench.policy = Policy(max_age=at("+7 00:00") - at("00:00"))
    bench.run("+3 12:00")
    bench.policy = Policy()
    bench.run("+3 12:10")
    assert bench.verdict("chatdev/a") == "pending: first_read"
    bench.run("+3 13:10")
    assert (bench.verdict("chatdev/a"), figure(bench, "chatdev/a")) == ("verified: stable", truth(calls))


# ----------------------------------------------------------------------------------- events that teach nothing


def beside(bench):
    """Two proven runs that share a minute."""
    for name, start, end, clocks in (
        ("exp1", "12:00:05", "12:01:10", ["12:00:10", "12:01:05"]),
        ("exp2", "12:01:12", "12:02:10", ["12:01:20", "12:02:05"]),
    ):
        calls = [called(clock, 1000, 100, key="key_chatdev") for clock in clocks]
        bench.add(f"chatdev/{name}", start, end, calls, recorded=recorded(calls))
    hourly(bench, 13, 14)


def renamed(bench):
    bench.runs.joinpath("chatdev/exp2").rename(bench.runs / "chatdev/exp2b")
    value = bench.value("chatdev/exp2b")
    bench.write("chatdev/exp2b", json.dumps({**value, "run_id": "exp2b"}, indent=2))


@pytest.mark.parametrize("reachable", [True, False], ids=["the provider answers", "the provider is away"])
def test_a_renamed_run_costs_its_neighbours_nothing(bench, reachable):
    beside(bench)
    renamed(bench)
    before = bench.bytes()
    summary = bench.run("15:17") if reachable else run_pass(bench.workspace("15:17"), unreachable(bench))
    assert (bench.bytes(), summary.api.requests, summary.exit_code) == (before, 0, 0)
    assert {each.found.outcome for each in audit_runs(bench.workspace("15:17")).runs} == {"sound"}


def unreachable(bench):
    """The provider where nobody listens any more."""
    return OpenAIUsage(
        bench.simulator.admin_key,
        "http://127.0.0.1:9/v1",
        patience=Patience(tries=1, read_timeout=1, sleep=lambda _: None),
    )


def test_two_files_that_are_there_are_two_claims_whatever_they_say(bench):
    beside(bench)
    shutil.copytree(bench.runs / "chatdev/exp2", bench.runs / "chatdev/exp3")
    value = bench.value("chatdev/exp3")
    bench.write("chatdev/exp3", json.dumps({**value, "run_id": "exp3"}, indent=2))
    bench.run("15:17")
    assert bench.verdict("chatdev/exp2") == "warning: shared_minutes"


def test_a_neighbour_that_comes_while_the_provider_is_away_changes_no_file(bench):
    bench.add("chatdev/a", "12:00:05", "12:02:10", [("12:00:10",), ("12:02:05",)])
    hourly(bench, 13, 14)
    bench.add("chatdev/b", "12:01:05", "12:03:10")
    before = bench.bytes()
    summary = run_pass(bench.workspace("15:17"), unreachable(bench))
    assert (bench.bytes(), summary.exit_code) == (before, 3)


def test_an_untouched_tree_of_version_one_costs_no_request_and_no_byte(tmp_path):
    shutil.copytree(SAMPLES, tmp_path / "runs")
    scopes = {name: Scope("openai", (f"key_sample_{name}",)) for name in ("baes", "chatdev")}
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    class Never:
        def fetch(self, query):
            raise AssertionError(query)

    settled = open_workspace(tmp_path / "runs", scopes=scopes, now=at("+30 12:00"))
    waiting = [
        path for path in tmp_path.rglob("metrics.json") if '"verification_status": "pending"' in path.read_text()
    ]
    for path in waiting:
        shutil.rmtree(path.parent)
        before = {file: data for file, data in before.items() if path.parent not in file.parents}
    summary = run_pass(settled, Never())
    assert (summary.exit_code, summary.api.requests) == (0, 0)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert {each.found.outcome.value for each in audit_runs(settled).runs} <= {"sound", "unread"}


# ---------------------------------------------------------------------------------------------------- audit


def outcome(bench, name="chatdev/a", clock="20:00", **more):
    done = audit_runs(bench.workspace(clock), **more)
    (found,) = [each for each in done.runs if str(each.run.key) == name]
    return found.found.outcome.value, " ".join(finding.message for finding in found.findings)


def test_a_key_that_was_changed_in_the_settings_afterwards_is_found(bench):
    bench.add("chatdev/a", "12:00:05", "12:02:10", [("12:00:10",)])
    hourly(bench, 13, 14)
    bench.scopes["chatdev"] = Scope("openai", ("key_other",))
    verdict, said = outcome(bench)
    assert verdict == "different"
    assert "key_chatdev" in said
    assert "key_other" in said


def test_a_verdict_of_fewer_reads_than_the_settings_ask_for_is_found(bench):
    bench.policy = Policy(min_stable_verifications=1)
    bench.add("chatdev/a", "12:00:05", "12:02:10", [("12:00:10",)])
    bench.run("13:17")
    assert outcome(bench)[0] == "sound"
    bench.policy = Policy()
    assert outcome(bench)[0] == "different"


def test_a_complete_log_that_contradicts_the_verdict_is_found(bench):
    calls = bench.add("chatdev/a", "12:00:05", "12:02:10", [("12:00:10", 500, 50)])
    hourly(bench, 13, 14)
    (bench.runs / "chatdev/a/calls.ndjson").write_text(logged(calls), "utf-8")
    assert outcome(bench)[0] == "sound"
    more = [*calls, called("12:01:10", 7, 7, key="key_chatdev")]
    (bench.runs / "chatdev/a/calls.ndjson").write_text(logged(more), "utf-8")
    assert outcome(bench)[0] == "different"


def test_two_verdicts_over_the_same_minutes_that_do_not_know_of_each_other_are_found(bench):
    """As two branches leave them that are merged: each was reconciled without the other."""
    for name in ("a", "b"):
        bench.add(f"chatdev/{name}", "12:00:05", "12:02:10")
    bench.simulator.ledger.add([called("12:00:30", key="key_chatdev")])
    aside = bench.folder / "aside"
    for other in ("b", "a"):
        shutil.move(bench.runs / "chatdev" / other, aside)
        hourly(bench, 13, 14)
        shutil.move(aside, bench.runs / "chatdev" / other)
    assert outcome(bench)[0] == "different"
    assert outcome(bench, "chatdev/b")[0] == "different"


def test_evidence_without_a_verdict_is_found(bench):
    bench.add("chatdev/a", "12:00:05", "12:02:10", [("12:00:10",)])
    first = bench.value("chatdev/a")
    hourly(bench, 13, 14)
    bench.write("chatdev/a", json.dumps(first, indent=2))
    assert outcome(bench)[0] == "different"


@pytest.mark.parametrize("lost", ["the block and its evidence", "the later read"])
def test_a_verdict_that_an_earlier_commit_had_is_missed(bench, lost):
    git = ["git", "-C", str(bench.folder), "-c", "user.name=A", "-c", "user.email=a@example.org"]

    def commit():
        subprocess.run([*git, "add", "-A"], check=True)
        subprocess.run([*git, "commit", "-q", "-m", "runs"], check=True)

    subprocess.run([*git[:3], "init", "-q"], check=True)
    bench.add("chatdev/a", "12:00:05", "12:02:10", [("12:00:10",)])
    unread = bench.bytes()
    bench.run("13:17")
    once = bench.bytes()
    bench.run("14:17")
    commit()
    before = unread if lost == "the block and its evidence" else once
    for path in bench.bytes().keys() - before.keys():
        path.unlink()
    for path, data in before.items():
        path.write_bytes(data)
    commit()

    def history(paths):
        return versions(bench.folder, paths, {"PATH": "/usr/bin:/bin"})

    assert outcome(bench, versions=history)[0] == "different"
    assert "in commit" in outcome(bench, versions=history)[1]


@pytest.mark.parametrize(
    "call",
    [
        BilledCall(at=at("12:30:10").timestamp(), tokens_in=5, tokens_out=5, api_key_id="key_chatdev", model=MODEL),
        BilledCall(at=at("12:01:10").timestamp(), tokens_in=5, tokens_out=5, api_key_id="key_chatdev", model=MODEL),
    ],
    ids=["beside it, where nobody claims it", "inside it"],
)
def test_a_fresh_read_finds_usage_that_the_evidence_lacks(bench, call):
    bench.add("chatdev/a", "12:00:05", "12:02:10", [("12:00:10",)])
    hourly(bench, 13, 14)
    bench.simulator.ledger.add([call])
    bench.simulator.set_now(at("20:00"))
    workspace = bench.workspace("20:00")
    done = refetched(workspace, audit_runs(workspace), bench.provider())
    assert [each.found.outcome.value for each in done.runs] == ["different"]
