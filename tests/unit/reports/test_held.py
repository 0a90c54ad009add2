"""How a verdict is held, in words."""

from dataclasses import replace
from datetime import timedelta

import pytest
from support.runs import Tale, run_after, theirs

from reconcile.passes.summary import STANDINGS
from reconcile.report.held import (
    ASSUMPTIONS,
    HELD,
    RESTS_ON,
    UNGRADED,
    assumed,
    counted,
    held,
    label_of,
    reasoned,
    rests_on,
)
from reconcile.runs.state import Completeness, Guard, Proof, State, Status
from reconcile.verdict import settlement

ALL = {"api_calls": 2, "tokens_in": 300, "tokens_out": 30, "cached_tokens": 75}
PROVEN = run_after("00:45", "01:45", recorded_usage=ALL)
INHERITED = Tale(**theirs(("00:05", 50), status="verified")).run


@pytest.mark.parametrize(
    ("run", "label", "with_reasons"),
    [
        pytest.param(PROVEN, "proven (verified)", "proven (verified: stable)", id="proven"),
        pytest.param(
            run_after("00:45", "01:45", recorded_usage={"api_calls": 2}),
            "supported (verified)",
            "supported (verified: stable)",
            id="supported",
        ),
        pytest.param(run_after("00:45", "01:45"), "assumed (verified)", "assumed (verified: stable)", id="assumed"),
        pytest.param(run_after("00:45"), "pending", "pending (first_read)", id="pending"),
        pytest.param(run_after(), "unread", "unread", id="never read"),
        pytest.param(INHERITED, "inherited", "inherited", id="of another tool"),
    ],
)
def test_the_grade_comes_before_the_status(run, label, with_reasons):
    assert (label_of(run), reasoned(run)) == (label, with_reasons)


def test_verified_runs_are_counted_by_grade():
    counts = {**dict.fromkeys(STANDINGS, 2), "verified": 6, "proven": 4, "supported": 1, "assumed": 1}
    assert counted("verified", counts) == "6 verified (4 proven, 1 supported, 1 assumed)"
    assert counted("skipped", counts) == "2 unread"


def test_every_word_of_a_verdict_has_a_sentence():
    names = ("CLOSED_KEY", "SCOPE_COMPLETE", "USAGE_COMPLETE", "NO_UNRECORDED_RETRIES", "CLOCK", "COMPLETIONS_ONLY")
    assert set(ASSUMPTIONS) == {getattr(settlement, name) for name in (*names, "UNREADABLE_RUNS")}
    assert set(RESTS_ON) == set(Completeness)
    assert set(HELD) == set(Proof)


def test_what_is_assumed_of_a_clock_and_a_key_has_its_numbers():
    state = State(
        status=Status.VERIFIED, assumes=("closed_key", "clock", "their\nown"), reach_seconds=12.5, guard=Guard(120, 0)
    )
    quiet = "0 requests in 120 unclaimed minutes nearby: at most 0.025 a minute at 95 %"
    assert assumed(state) == [
        f"nobody else used the key in these minutes ({quiet})",
        "the clock is right within 12.5 s",
        "their\\nown",
    ]


def test_tokens_that_match_are_told_apart_from_calls():
    state = State(status=Status.VERIFIED, completeness="tokens_matched", assumes=("completions_only",))
    assert rests_on(state) == (
        "tokens: as many were reported as were recorded; taken for granted: embedding, audio and image calls are not "
        "in the figure"
    )


def test_what_a_grade_means_is_told_of_verified_runs_only():
    assert held(PROVEN) == [HELD[Proof.PROVEN]]
    assert held(replace(PROVEN, state=replace(PROVEN.state, proof=None))) == [HELD[Proof.SUPPORTED], UNGRADED]
    edited = replace(PROVEN, window=PROVEN.window.widened(1), ended_at=PROVEN.ended_at + timedelta(minutes=1))
    assert held(edited) == held(INHERITED) == held(run_after()) == []
