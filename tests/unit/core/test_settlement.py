"""How a run becomes verified: docs/verdict-rules.md row by row, as stories of reads (tests/support/runs.py)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runs import (
    EXAMPLES,
    HOURLY,
    WINDOW,
    Tale,
    after,
    attribution_of,
    call_log,
    clock_of,
    neighbour,
    remembered,
    scenes,
    theirs,
    usage,
)

from reconcile.runs.state import Policy, Reason, Status
from reconcile.usage import Bounds, Recorded, Usage
from reconcile.verdict.judgement import late_claims
from reconcile.verdict.plateau import Effect
from reconcile.verdict.settlement import settle

THREE = Policy(min_stable_verifications=3)
CALLS_3 = {"recorded_usage": {"api_calls": 3}}
CALLS_0 = {"recorded_usage": {"api_calls": 0}}
ALL_3 = {"tokens_in": 100, "tokens_out": 10, "cached_tokens": 25, "api_calls": 3}
BOTH = "calls_and_tokens_matched"


VERIFIED = """
    00:30   100    pending: first_read    100
    01:30   100    verified: stable       100
"""


def holds(story, **members):
    assert Tale(**members).tell(story) == scenes(story)


# ------------------------------------------------------------------------------------------- statuses and reasons

STATUSES = {
    "first read": (
        """
        00:30   100    pending: first_read    100
        """,
        {},
    ),
    "rising": (
        """
        00:30   100    pending: first_read    100
        01:30   120    pending: rising        120
        """,
        {},
    ),
    "awaiting stability, after the second of three reads": (
        """
        00:30   100    pending: first_read            100
        01:30   100    pending: awaiting_stability    100
        02:30   100    verified: stable               100
        """,
        {"policy": THREE},
    ),
    "calls missing": (
        """
        00:30   2x100    pending: first_read, calls_missing    100
        01:30   2x100    pending: calls_missing                100
        02:30   2x100    -                                     100
        03:30   3x140    pending: rising                       140
        04:30   3x140    verified: stable                      140
        """,
        CALLS_3,
    ),
    "lower read": (
        """
        00:30   100    pending: first_read    100
        01:30   60     pending: lower_read    100
        """,
        {},
    ),
    "unclaimed usage beside a run that recorded nothing": (
        """
        00:30   100 +2    pending: first_read    100
        01:30   100 +2    pending: edge_usage    100
        02:30   100 +2    -                      100
        """,
        {},
    ),
    "no usage yet": (
        """
        00:30   0      data_not_available: no_usage_yet    0
        01:30   0      data_not_available: no_usage_yet    0
        02:30   0      -                                   0
        03:30   100    pending: rising                     100
        04:30   100    verified: stable                    100
        """,
        {},
    ),
    "stable": (
        """
        00:30   100    pending: first_read    100
        01:30   100    verified: stable       100
        """,
        {},
    ),
    "stable with the recorded calls": (
        """
        00:30   3x100    pending: first_read    100
        01:30   3x100    verified: stable       100
        """,
        CALLS_3,
    ),
    "a stable zero where no calls were recorded": (
        """
        00:30   0    pending: first_read            0
        01:30   0    pending: awaiting_stability    0
        03:59   0    -                              0
        04:00   0    verified: no_api_calls         0
        """,
        CALLS_0,
    ),
    "a zero that a recorded total contradicts": (
        """
        00:30   0    data_not_available: no_usage_yet    500
        01:30   0    data_not_available: no_usage_yet    500
        24:30   0    failed: zero_usage_with_calls       500
        """,
        {"recorded_usage": {"api_calls": 0, "tokens_in": 500}},
    ),
    "usage where no calls were recorded": (
        """
        00:30   100    pending: first_read      100
        01:30   100    warning: extra_calls     100
        """,
        CALLS_0,
    ),
    "shared minutes": (
        """
        00:30   100 . . . . . . . . 50    pending: first_read        150
        01:30   100 . . . . . . . . 50    warning: shared_minutes    150
        """,
        {"neighbours": [neighbour("b", 9, 12)]},
    ),
    "shared minutes and extra calls": (
        """
        00:30   3x100 . . . . . . . . 3x50    pending: first_read                     150
        01:30   3x100 . . . . . . . . 3x50    warning: shared_minutes, extra_calls    150
        """,
        {"neighbours": [neighbour("b", 9, 12, calls=1)], **CALLS_3},
    ),
    "a neighbour in minutes without usage": (
        """
        00:30   100    pending: first_read    100
        01:30   100    verified: stable       100
        """,
        {"neighbours": [neighbour("b", 9, 12)]},
    ),
    "a neighbour that recorded no calls": (
        """
        00:30   2x100 . . . . . . . . 50    pending: first_read    150
        01:30   2x100 . . . . . . . . 50    verified: stable       150
        """,
        {"neighbours": [neighbour("b", 9, 12, calls=0)], **CALLS_3},
    ),
    "counts that place the shared minute": (
        """
        00:30   3x100 . . . . . . . . 50 20    pending: first_read    100
        01:30   3x100 . . . . . . . . 50 20    verified: stable       100
        """,
        {"neighbours": [neighbour("b", 9, 12, calls=2)], **CALLS_3},
    ),
    "counts that split the shared minute": (
        """
        00:30   3x100 . . . . . . . . 3x50 20    pending: first_read        150
        01:30   3x100 . . . . . . . . 3x50 20    warning: shared_minutes    150
        """,
        {"neighbours": [neighbour("b", 9, 12, calls=3)], "recorded_usage": {"api_calls": 4}},
    ),
    "one call more than both recorded, in a shared minute": (
        """
        00:30   2x100 . . . . . . . . 3x50    pending: first_read                     150
        01:30   2x100 . . . . . . . . 3x50    warning: shared_minutes, extra_calls    150
        """,
        {"neighbours": [neighbour("b", 9, 12, calls=1)], **CALLS_3},
    ),
    "extra calls of a neighbour in minutes of its own": (
        """
        04:30   3x100 . . . . . . . . . 3x50    pending: first_read    100
        05:30   3x100 . . . . . . . . . 3x50    verified: stable       100
        """,
        {"neighbours": [neighbour("b", 9, 12, calls=1)], **CALLS_3},
    ),
    "usage that is all a neighbour's": (
        """
        00:30   . . . . . . . . . 50    pending: first_read            0
        01:30   . . . . . . . . . 50    pending: awaiting_stability    0
        04:00   . . . . . . . . . 50    verified: no_api_calls         0
        """,
        {"neighbours": [neighbour("b", 9, 12, calls=1)], **CALLS_0},
    ),
    "a zero while a neighbour's calls are missing": (
        """
        00:30   0     pending: first_read, calls_missing            0
        01:30   0     pending: awaiting_stability, calls_missing    0
        24:30   0     warning: zero_unconfirmed                     0
        """,
        {"neighbours": [neighbour("b", 9, 12, calls=2)], **CALLS_0},
    ),
    "a neighbour whose calls are missing": (
        """
        00:30   3x100 . . . . . . . . 50    pending: first_read, calls_missing    150
        01:30   3x100 . . . . . . . . 50    pending: calls_missing                150
        """,
        {"neighbours": [neighbour("b", 9, 12, calls=2)], **CALLS_3},
    ),
    "extra calls": (
        """
        00:30   4x100    pending: first_read     100
        01:30   4x100    warning: extra_calls    100
        """,
        CALLS_3,
    ),
    "more tokens recorded than reported": (
        """
        00:30   3x100    pending: first_read, tokens_missing    101
        01:30   3x100    pending: tokens_missing                101
        24:30   3x100    warning: tokens_missing                101
        """,
        {"recorded_usage": {"api_calls": 3, "tokens_in": 101}},
    ),
    "more tokens recorded than reported, without calls": (
        """
        00:30   3x100    pending: first_read, tokens_missing    100
        01:30   3x100    pending: tokens_missing                100
        02:30   3x140    pending: rising                        140
        03:30   3x140    warning: recorded_mismatch             140
        """,
        {"recorded_usage": {"tokens_out": 11}},
    ),
    "recorded tokens that are fewer than reported": (
        """
        00:30   3x100    pending: first_read           100
        01:30   3x100    warning: recorded_mismatch    100
        """,
        {"recorded_usage": {"tokens_in": 90}},
    ),
    "unclaimed usage until the cutoff": (
        """
        00:30   100 +2    pending: first_read    100
        01:30   100 +2    pending: edge_usage    100
        24:30   100 +2    warning: edge_usage    100
        """,
        {},
    ),
    "restated": (
        """
        00:30   100    pending: first_read    100
        01:30   100    verified: stable       100
        02:30   120    verified: stable       100
        03:30   120    warning: restated      100
        """,
        {},
    ),
    "calls missing until the cutoff": (
        """
        00:30   2x100    pending: first_read, calls_missing    100
        01:30   2x100    pending: calls_missing                100
        24:30   2x100    warning: calls_missing                100
        """,
        CALLS_3,
    ),
    "calls missing until the cutoff, where a lower read came last": (
        """
        00:30   2x100    pending: first_read, calls_missing    100
        01:30   2x100    pending: calls_missing                100
        02:30   2x60     pending: lower_read, calls_missing    100
        24:30   2x60     warning: calls_missing                100
        """,
        CALLS_3,
    ),
    "calls missing until the cutoff, where a passing zero came last": (
        """
        00:30   2x100    pending: first_read, calls_missing    100
        01:30   2x100    pending: calls_missing                100
        24:30   0        warning: calls_missing                100
        25:30   0        -                                     100
        """,
        CALLS_3,
    ),
    "a single read until the cutoff, where a passing zero came last": (
        """
        00:30   100    pending: first_read       100
        24:30   0      failed: cutoff_passed     100
        25:30   0      -                         100
        """,
        {},
    ),
    "never any usage": (
        """
        00:30   0    data_not_available: no_usage_yet    0
        24:30   0    data_not_available: no_usage_yet    0
        25:30   0    warning: zero_unconfirmed           0
        """,
        {},
    ),
    "never any usage, although calls were recorded": (
        """
        00:30   0    data_not_available: no_usage_yet    0
        24:30   0    data_not_available: no_usage_yet    0
        25:30   0    failed: zero_usage_with_calls       0
        """,
        CALLS_3,
    ),
    "a zero that was confirmed after the cutoff": (
        """
        23:50   0    pending: first_read       0
        24:05   0    -                         0
        24:30   0    verified: no_api_calls    0
        25:30   0    -                         0
        """,
        CALLS_0,
    ),
    "never stable": (
        """
        00:30   100    pending: first_read      100
        23:50   120    pending: rising          120
        24:30   60     failed: cutoff_passed    120
        """,
        {},
    ),
    "never stable and short of calls, where a lower read came last": (
        """
        00:30   2x100    pending: first_read, calls_missing    100
        24:30   2x60     failed: cutoff_passed                 100
        """,
        CALLS_3,
    ),
    "a rise at the very cutoff is read once more": (
        """
        23:50:00   100    pending: first_read    100
        24:00:00   120    pending: rising        120
        24:00:01   120    -                      120
        24:30:00   120    verified: stable       120
        """,
        {},
    ),
    "never stable, where a lower read came last": (
        """
        00:30   100    pending: first_read       100
        24:10   60     failed: cutoff_passed     100
        """,
        {},
    ),
    "never stable, where the first usage came after the cutoff": (
        """
        00:30   0      data_not_available: no_usage_yet    0
        24:30   100    pending: rising                     100
        25:00   60     failed: cutoff_passed               100
        """,
        {},
    ),
    "a last read that makes the figure stable": (
        """
        23:00   100    pending: first_read    100
        24:30   100    verified: stable       100
        """,
        {},
    ),
    "given up, then reopened by a later cutoff": (
        """
        23:20   100    pending: first_read      100
        24:10   60     failed: cutoff_passed    100
        24:30   100    verified: stable         100
        """,
        {},
    ),
    "a higher figure that becomes stable after the cutoff": (
        """
        00:30   100    pending: first_read    100
        01:30   100    verified: stable       100
        23:50   120    verified: stable       100
        24:30   120    warning: restated      100
        """,
        {},
    ),
}


@pytest.mark.parametrize(("story", "members"), STATUSES.values(), ids=STATUSES)
def test_a_status_and_its_reasons(story, members):
    holds(story, **members)


def test_every_reason_that_settlement_can_give_is_in_the_table():
    told = "".join(story for story, _ in STATUSES.values())
    elsewhere = {Reason.LOG_MATCHED, Reason.STALLED_FEED, Reason.ENDS_IN_FUTURE, Reason.CLOCK_OFF}
    assert {reason for reason in Reason if reason not in told} == elsewhere


# ----------------------------------------------------------------------------------------- how reads are read

READS = {
    "two equal reads an interval apart are enough": (
        """
        00:30   100    pending: first_read    100
        01:00   100    verified: stable       100
        """,
        {},
    ),
    "an equal read too early is ignored, and does not put off the next": (
        """
        00:30   100    pending: first_read
        00:45   100    -
        00:58   100    -
        01:00   100    verified: stable
        """,
        {},
    ),
    "59:00 counts as an hour": (
        """
        00:30:00   100    pending: first_read
        01:29:00   100    verified: stable
        """,
        {"policy": HOURLY},
    ),
    "58:59 does not count as an hour": (
        """
        00:30:00   100    pending: first_read
        01:28:59   100    -
        01:30:00   100    verified: stable
        """,
        {"policy": HOURLY},
    ),
    "one read, where one is enough": (
        """
        00:30   100    verified: stable    100
        """,
        {"policy": Policy(min_stable_verifications=1)},
    ),
    "without an interval a second read counts at once, but not the same instant twice": (
        """
        00:30:00   100    pending: first_read
        00:30:00   100    -
        00:30:01   100    verified: stable
        """,
        {"policy": Policy(verification_interval=timedelta(0))},
    ),
    "a short interval is not eaten up by the slack for schedules": (
        """
        00:30:00   100    pending: first_read
        00:30:53   100    -
        00:30:54   100    verified: stable
        """,
        {"policy": Policy(verification_interval=timedelta(minutes=1))},
    ),
    "a higher read starts anew, however soon it comes": (
        """
        00:30   100    pending: first_read
        00:32   101    pending: rising
        01:00   101    -
        01:01   101    verified: stable
        """,
        {},
    ),
    "a zero after a figure changes nothing": (
        """
        00:30   100    pending: first_read    100
        00:45   0      -                      100
        01:30   100    verified: stable       100
        02:30   0      -                      100
        24:30   0      -                      100
        """,
        {},
    ),
    "a dip leaves figure and count": (
        """
        00:30   100    pending: first_read            100
        00:40   60     pending: lower_read            100
        00:50   60     -                              100
        00:55   100    pending: awaiting_stability    100
        01:00   100    verified: stable               100
        """,
        {},
    ),
    "a dip on a settled run is kept, and so is the return": (
        """
        00:30   100    pending: first_read    100
        01:30   100    verified: stable       100
        02:30   60     verified: stable       100
        03:30   100    verified: stable       100
        04:30   100    -                      100
        """,
        {},
    ),
    "a read with some kinds higher and some lower leaves the figure": (
        """
        00:30   3x100    pending: first_read            100
        01:30   2x120    pending: awaiting_stability    100
        02:30   3x100    verified: stable               100
        """,
        {},
    ),
    "a lower figure that becomes stable on a settled run": (
        """
        00:30   100    pending: first_read    100
        01:30   100    verified: stable       100
        02:30   60     verified: stable       100
        03:30   60     warning: restated      100
        04:30   60     -                      100
        """,
        {},
    ),
    "another lower figure, which is not stable, lifts nothing": (
        """
        00:30   100    pending: first_read    100
        01:30   100    verified: stable       100
        02:30   60     verified: stable       100
        03:30   60     warning: restated      100
        04:30   50     warning: restated      100
        """,
        {},
    ),
    "lower reads with the figure between them are no plateau": (
        """
        00:30   100    pending: first_read    100
        01:30   100    verified: stable       100
        02:30   60     verified: stable       100
        02:40   100    verified: stable       100
        03:30   60     verified: stable       100
        """,
        {},
    ),
    "lower reads that differ are no plateau": (
        """
        00:30   100    pending: first_read    100
        01:30   100    verified: stable       100
        02:30   60     verified: stable       100
        03:30   50     verified: stable       100
        04:30   60     verified: stable       100
        """,
        {},
    ),
    "a lower figure never becomes that of a run that is not settled": (
        """
        00:30   100    pending: first_read       100
        01:30   60     pending: lower_read       100
        02:30   60     pending: lower_read       100
        03:30   60     -                         100
        24:30   60     failed: cutoff_passed     100
        """,
        {},
    ),
    "a return to the figure lifts the restatement": (
        """
        00:30   100    pending: first_read    100
        01:30   100    verified: stable       100
        02:30   60     verified: stable       100
        03:30   60     warning: restated      100
        03:35   100    verified: stable       100
        04:30   60     verified: stable       100
        """,
        {},
    ),
    "a return leaves what the run was warned of before": (
        """
        00:30   4x100    pending: first_read               100
        01:30   4x100    warning: extra_calls              100
        02:30   3x60     warning: extra_calls              100
        03:30   3x60     warning: restated, extra_calls    100
        04:30   4x100    warning: extra_calls              100
        """,
        CALLS_3,
    ),
    "a higher figure on a settled run is written beside it once it is stable": (
        """
        00:30   100    pending: first_read    100
        01:30   100    verified: stable       100
        02:30   120    verified: stable       100
        02:40   120    -                      100
        03:30   120    warning: restated      100
        04:30   120    -                      100
        """,
        {},
    ),
    "a figure that is read again lifts the higher one, whenever that comes": (
        """
        00:30   100    pending: first_read    100
        01:30   100    verified: stable       100
        02:30   120    verified: stable       100
        03:30   120    warning: restated      100
        04:30   100    verified: stable       100
        05:30   100    -                      100
        06:30   120    verified: stable       100
        07:30   120    warning: restated      100
        """,
        {},
    ),
    "a higher figure with more calls than recorded": (
        """
        00:30   3x100    pending: first_read    100
        01:30   3x100    verified: stable       100
        02:30   4x120    verified: stable       100
        03:30   4x120    warning: restated      100
        """,
        CALLS_3,
    ),
    "a higher figure of a run that was warned": (
        """
        00:30   4x100    pending: first_read               100
        01:30   4x100    warning: extra_calls              100
        02:30   5x120    warning: extra_calls              100
        03:30   5x120    warning: restated, extra_calls    100
        """,
        CALLS_3,
    ),
    "a higher figure that sinks again changes nothing": (
        """
        00:30   100    pending: first_read    100
        01:30   100    verified: stable       100
        02:30   120    verified: stable       100
        03:30   100    verified: stable       100
        24:30   100    -                      100
        """,
        {},
    ),
    "usage that comes after a run was closed without any": (
        """
        00:30   0      data_not_available: no_usage_yet    0
        24:30   0      data_not_available: no_usage_yet    0
        25:30   0      failed: zero_usage_with_calls       0
        48:30   3x9    pending: rising                     9
        49:30   3x9    verified: stable                    9
        """,
        CALLS_3,
    ),
}


@pytest.mark.parametrize(("story", "members"), READS.values(), ids=READS)
def test_how_a_read_is_read(story, members):
    holds(story, **members)


def test_a_restatement_keeps_both_figures():
    tale = Tale()
    tale.tell("""
        00:30   100    pending: first_read
        01:30   100    verified: stable
        02:30   120    verified: stable
        03:30   120    warning: restated
    """)
    assert (tale.tokens, tale.run.state.restatement) == (100, (usage(100), usage(120)))
    assert tale.run.state.bounds == Bounds(usage(100), usage(120))
    tale.tell("""
        04:30   90    warning: restated
    """)
    assert tale.run.state.restatement == (usage(100), usage(120)), "one other read restates nothing"
    tale.tell("""
        05:30   90    warning: restated
    """)
    assert tale.run.state.restatement == (usage(100), usage(90))
    assert tale.run.state.bounds == Bounds(usage(90), usage(120)), "either may be so"
    tale.tell("""
        06:30   100    verified: stable
    """)
    assert (tale.run.state.restatement, tale.run.state.exact) == (None, True)


def test_what_the_run_was_warned_of_itself_outlasts_every_other_figure():
    tale = Tale(**CALLS_3)
    story = """
        00:30   4x100    pending: first_read
        01:30   4x100    warning: extra_calls
        02:30   3x60     warning: extra_calls
        03:30   3x60     warning: restated, extra_calls
        04:30   3x50     warning: restated, extra_calls
        05:30   3x50     warning: restated, extra_calls
        06:30   4x100    warning: extra_calls
        07:30   3x60     warning: extra_calls
        08:30   4x100    warning: extra_calls
    """
    assert tale.tell(story) == scenes(story)
    assert tale.run.state.restatement is None


def test_a_return_lifts_to_what_the_verdict_was():
    tale = Tale()
    tale.tell(VERIFIED)
    tale.put("usage_api_reconciliation", tale.block | {"reasons": ["log_matched"]})
    assert [tale.read("02:30", "60"), tale.read("03:30", "100")] == ["verified: log_matched"] * 2


def test_a_higher_figure_beside_a_late_claim_is_told_with_all_that_either_may_have_used():
    tale = Tale()
    tale.tell(VERIFIED)
    tale.neighbours = [neighbour("b", 9, 12, calls=2)]
    shown = "100 . . . . . . . . 50"
    assert [tale.read(clock, shown) for clock in ("02:30", "03:30", "04:30")] == [
        "warning: shared_minutes",
        "warning: restated, shared_minutes",
        "-",
    ]
    assert (tale.tokens, tale.run.state.bounds) == (100, Bounds(Usage(), usage(150, calls=2)))


def test_a_late_claim_after_a_higher_read_takes_nothing_from_its_second():
    tale = Tale()
    tale.tell(VERIFIED)
    assert tale.read("02:30", BUSY) == "verified: stable"
    tale.neighbours = [B]
    assert [tale.read("03:30", BUSY), tale.read("03:40", BUSY)] == ["warning: shared_minutes, restated", "-"]
    assert (tale.tokens, tale.run.state.bounds) == (100, Bounds(Usage(), usage(150, calls=2)))


def test_recorded_totals_that_cannot_be_true_beside_those_of_others_are_a_mismatch():
    tale = Tale(**CALLS_3)
    tale.read("00:30", "3x100")
    attribution = replace(attribution_of("3x100", run=tale.run), mismatched=True)
    verdict = settle(tale.run, attribution, after("01:30"), Policy()).verdict
    assert (verdict.status, verdict.reasons) == (Status.WARNING, (Reason.RECORDED_MISMATCH,))


def test_a_lifted_restatement_leaves_nothing_behind():
    tale = Tale()
    tale.tell("""
        00:30   100    pending: first_read
        01:30   100    verified: stable
        02:30   60     verified: stable
        03:30   60     warning: restated
    """)
    assert tale.run.state.restatement == (usage(100), usage(60))
    assert "verified_at" not in tale.block
    assert tale.read("04:30", "100") == "verified: stable"
    assert "restatement" not in tale.block
    assert tale.run.state.verified_at == after("04:30")


# --------------------------------------------------------------------------------------------- the four-hour rule

YOUNG = """
    00:30   3x100 +1    pending: first_read    100
    01:30   3x100 +1    pending: edge_usage    100
    03:59   3x100 +1    -                      100
    04:00   3x100 +1    verified: stable       100
"""


def test_matching_calls_beside_unclaimed_usage_wait_until_the_run_is_four_hours_old():
    holds(YOUNG, **CALLS_3)


def test_matching_calls_near_a_run_with_extra_calls_wait_too():
    tale = Tale(neighbours=[neighbour("b", 30, 40, calls=1)], **CALLS_3)
    shown = "3x100" + " ." * 29 + " 2x50"
    assert [tale.read(clock, shown) for clock in ("00:30", "01:30", "04:00")] == [
        "pending: first_read",
        "pending: edge_usage",
        "verified: stable",
    ]


def test_matching_calls_and_tokens_beside_unclaimed_usage_do_not_wait():
    totals = {"tokens_in": 100, "tokens_out": 10, "cached_tokens": 25, "api_calls": 3}
    story = """
        00:30   3x100 +2    pending: first_read    100
        01:30   3x100 +2    verified: stable       100
    """
    holds(story, recorded_usage=totals)


def test_the_claim_that_explains_the_usage_beside_a_run_lifts_the_wait():
    tale = Tale()
    tale.tell("""
        00:30   100 +2    pending: first_read
        01:30   100 +2    pending: edge_usage
    """)
    tale.neighbours = [neighbour("b", 12, 20)]
    assert tale.read("01:40", "100 +2") == "verified: stable", "a claim needs no counted read"


# --------------------------------------------------------------------------------------------- what it rests on


@pytest.mark.parametrize(
    ("members", "shown", "completeness", "proof", "assumes"),
    [
        pytest.param(
            {}, "3x100", "assumed", "assumed", ["closed_key", "scope_complete", "usage_complete"], id="nothing recorded"
        ),
        pytest.param(
            CALLS_3, "3x100", "calls_matched", "supported", ["usage_complete", "no_unrecorded_retries"], id="calls"
        ),
        pytest.param(
            {"recorded_usage": ALL_3}, "3x100", BOTH, "proven", ["no_unrecorded_retries"], id="calls and tokens"
        ),
        pytest.param(
            {"recorded_usage": ALL_3 | {"source": "aggregate_metrics"}},
            "3x100",
            BOTH,
            "supported",
            ["no_unrecorded_retries"],
            id="calls and tokens that nobody says were counted call by call",
        ),
        pytest.param(
            {"recorded_usage": {"tokens_in": 100, "tokens_out": 10}},
            "3x100",
            "tokens_matched",
            "supported",
            ["no_unrecorded_retries"],
            id="tokens",
        ),
        pytest.param(
            CALLS_0, "0", "calls_matched", "supported", ["usage_complete", "no_unrecorded_retries"], id="no calls"
        ),
    ],
)
def test_a_verdict_says_what_it_rests_on(members, shown, completeness, proof, assumes):
    tale = Tale(**members)
    tale.read("00:30", shown)
    assert tale.read("04:30", shown).startswith("verified")
    assert (tale.block["completeness"], tale.block["proof"], tale.block["assumes"]) == (completeness, proof, assumes)


def test_a_verdict_says_that_it_assumes_unreadable_runs_to_be_elsewhere():
    tale = Tale()
    tale.read("00:30", "100", unreadable=1)
    tale.read("01:30", "100", unreadable=1)
    assert tale.block["assumes"] == ["closed_key", "scope_complete", "usage_complete", "unreadable_runs"]
    assert tale.block["verification_message"].endswith("; 1 unreadable file may claim its minutes too")


def test_a_figure_that_is_not_exact_rests_on_nothing_that_is_named():
    tale = Tale(neighbours=[neighbour("b", 9, 12)])
    tale.read("00:30", "100 . . . . . . . . 50")
    tale.read("01:30", "100 . . . . . . . . 50")
    assert "completeness" not in tale.block
    assert "assumes" not in tale.block


def test_the_policy_is_stored_with_the_verdict_and_stays_that_of_the_verdict():
    tale = Tale(policy=HOURLY)
    tale.read("00:30", "100")
    tale.read("01:30", "100")
    tale.policy = THREE
    assert tale.read("02:30", "60") == "verified: stable"
    assert tale.block["policy"]["verification_interval_minutes"] == 60
    assert tale.block["policy"]["min_stable_verifications"] == 2


# ------------------------------------------------------------------------------------------------------- --force

FORCED = {
    "a lower figure is written once it is stable": """
        02:30 forced   60    pending: first_read    100
        03:30          60    verified: stable       60
    """,
    "a rise after that is held against it": """
        02:30 forced   60    pending: first_read    100
        03:30          60    verified: stable       60
        04:30          80    verified: stable       60
        05:30          80    warning: restated      60
    """,
    "a higher one too, and it restates nothing": """
        02:30 forced   120    pending: first_read    100
        03:30          120    verified: stable       120
    """,
    "forcing every pass verifies an unchanged figure": """
        02:30 forced   100    pending: first_read    100
        03:30 forced   100    verified: stable       100
    """,
    "forcing every pass restarts with every other figure": """
        02:30 forced   60    pending: first_read    100
        03:30 forced   50    pending: first_read    100
        04:30 forced   50    verified: stable       50
    """,
    "the old figure again": """
        02:30 forced   60     pending: first_read    100
        03:30          100    pending: rising        100
        04:30          100    verified: stable       100
    """,
    "a dip below the forced figure": """
        02:30 forced   60    pending: first_read    100
        03:30          50    pending: lower_read    100
        04:30          60    verified: stable       60
    """,
    "a zero replaces no figure": """
        02:30 forced   0      data_not_available: no_usage_yet    100
        03:30          0      data_not_available: no_usage_yet    100
        04:30          100    pending: rising                     100
        05:30          100    verified: stable                    100
    """,
    "a zero between reads of the forced figure": """
        02:30 forced   60    pending: first_read    100
        03:00          0     -                      100
        03:30          60    verified: stable       60
    """,
    "a zero until the cutoff replaces no figure either": """
        02:30 forced   0    data_not_available: no_usage_yet    100
        24:30          0    data_not_available: no_usage_yet    100
        25:30          0    warning: zero_unconfirmed           100
    """,
    "a figure that the cutoff kept from becoming stable": """
        23:50 forced   60    pending: first_read      100
        24:10          50    pending: lower_read      100
        24:30          50    failed: cutoff_passed    100
        25:10          60    verified: stable         60
    """,
}


@pytest.mark.parametrize("story", FORCED.values(), ids=FORCED)
def test_force_reopens_a_settled_run(story):
    holds(VERIFIED + story.lstrip("\n"))


def test_force_ends_a_restatement():
    holds("""
        00:30          100    pending: first_read    100
        01:30          100    verified: stable       100
        02:30          120    verified: stable       100
        03:30          120    warning: restated      100
        04:30 forced   120    pending: first_read    100
        05:30          120    verified: stable       120
    """)


def test_a_forced_zero_of_a_run_that_recorded_no_calls_is_written_once_it_is_stable():
    story = """
        00:30          100    pending: first_read        100
        01:30          100    warning: extra_calls       100
        02:30 forced   0      pending: first_read        100
        04:00          0      verified: no_api_calls     0
    """
    holds(story, **CALLS_0)


def test_force_changes_nothing_for_a_run_that_was_never_read():
    tale = Tale()
    tale.read("00:30", "100", forced=True)
    assert "forced" not in tale.block["attempts"][0]


def test_a_forced_read_beside_a_late_claim_leaves_what_is_known_until_it_is_stable():
    tale = Tale()
    tale.tell(VERIFIED)
    tale.neighbours = [B]
    assert tale.read("02:30", QUIET, forced=True) == "pending: first_read"
    attribution = tale.block["attribution"]
    assert [each["run"] for each in attribution.pop("neighbours")] == ["chatdev/b"]
    basis = ["completions", "api_key_id", "window"]
    assert attribution == {"exact": True, "basis": basis, "guard": {"minutes": 120, "requests": 0}}


def test_a_forced_verdict_is_as_old_as_its_read():
    tale = Tale(policy=Policy(min_stable_verifications=1))
    tale.read("00:30", "100")
    tale.read("02:30", "100", forced=True)
    assert tale.run.state.verified_at == after("02:30")


def test_forcing_every_pass_still_verifies_a_run_that_is_not_settled():
    holds("""
        00:30 forced   100    pending: first_read    100
        01:30 forced   100    verified: stable       100
    """)


def test_a_forced_read_is_marked():
    tale = Tale()
    tale.tell(VERIFIED)
    tale.read("02:30", "100", forced=True)
    assert [attempt.get("forced") for attempt in tale.block["attempts"]] == [None, None, True]


# -------------------------------------------------------------------------------------------------- edited times


def edited():
    """A verified run whose end was moved by five minutes afterwards."""
    tale = Tale()
    tale.tell(VERIFIED)
    tale.put("end_timestamp", "2026-01-06T12:05:00.000000Z")
    return tale


@pytest.mark.parametrize("forced", [False, True], ids=["", "even where it is forced"])
def test_edited_times_start_anew_and_the_figure_of_the_other_window_goes_at_once(forced):
    tale = edited()
    assert tale.run.edited
    assert not tale.run.settled
    assert (tale.read("02:30", "60", forced=forced), tale.tokens) == ("pending: first_read", 60)
    assert not tale.run.edited
    assert tale.read("03:30", "60", forced=forced) == "verified: stable"
    assert [attempt.get("window_changed") for attempt in tale.block["attempts"]] == [None, None, True, None]


def test_a_higher_figure_of_an_edited_run_restates_nothing():
    tale = edited()
    assert [tale.read("02:30", "120"), tale.read("03:30", "120")] == ["pending: first_read", "verified: stable"]


# --------------------------------------------------------------------------------------------------- late claims

EVERYTHING = {"bounds": {"tokens_in": [0, 100], "tokens_out": [0, 10], "cached_tokens": [0, 25], "api_calls": [0, 4]}}
QUIET = "100"
BUSY = "100 . . . . . . . . 50"
B = neighbour("b", 9, 12)
C = neighbour("c", 9, 12)


def verified(shown, **members):
    tale = Tale(**members)
    tale.read("04:30", shown)
    assert tale.read("05:30", shown) == "verified: stable"
    return tale


def test_a_late_claim_over_usage_takes_a_verdict_back_with_the_bounds_of_the_read():
    tale = verified(BUSY)
    tale.neighbours = [B]
    assert tale.read("05:40", BUSY) == "warning: shared_minutes"
    assert (tale.run.state.bounds.low.tokens_in, tale.run.state.bounds.high.tokens_in) == (100, 150)
    assert "verified_at" not in tale.block
    assert tale.read("06:30", BUSY) == "-", "it is known now"


def test_a_late_claim_that_can_have_taken_nothing_leaves_the_verdict_and_is_remembered():
    tale = verified(QUIET)
    tale.neighbours = [B]
    assert tale.read("05:40", QUIET) == "verified: stable"
    assert [each.run for each in tale.run.state.neighbours] == ["chatdev/b"]
    assert tale.run.state.verified_at == after("05:30")
    assert tale.read("06:30", QUIET) == "-"


def test_a_late_claim_whose_calls_show_what_it_took_leaves_the_verdict():
    tale = verified("2x100 . . . . . . . . 50 70", **CALLS_3)
    tale.neighbours = [neighbour("b", 9, 12, calls=1)]
    assert (tale.read("05:40", "2x100 . . . . . . . . 50 70"), tale.tokens) == ("verified: stable", 150)


def test_a_late_claim_that_explains_extra_calls_verifies_the_run():
    tale = Tale(**CALLS_3)
    shown = "3x100 . . . . . . . . 50 70"
    assert [tale.read("04:30", shown), tale.read("05:30", shown)] == ["pending: first_read", "warning: extra_calls"]
    tale.neighbours = [neighbour("b", 9, 12, calls=2)]
    assert (tale.read("05:40", shown), tale.tokens) == ("verified: stable", 100)


def test_a_late_claim_that_leaves_the_run_another_share_restates_its_figure():
    """One call is late and another run's stands in for it: the counts match, until that run claims its own."""
    tale = Tale(neighbours=[neighbour("b", -6, 4, calls=1)], recorded_usage={"api_calls": 2})
    early, whole = ". . 200 . . . . . 50 50", "+1 . 200 . . . . . 50 50"
    assert [tale.read("00:30", early), tale.read("04:30", early)] == ["pending: first_read", "verified: stable"]
    assert tale.tokens == 100
    tale.neighbours = [neighbour("b", -6, 16, calls=1), neighbour("c", 9, 10, calls=1)]
    assert tale.read("05:30", whole) == "warning: restated"
    assert tale.run.state.restatement[0].tokens_in == 100
    assert tale.run.state.restatement[1].tokens_in == tale.tokens == 250


def split():
    """A verified run that holds 150 of the 200 in its minutes; the rest is a neighbour's, by the calls of both."""
    tale = Tale(neighbours=[neighbour("b", 0, 1, calls=1)], recorded_usage={"api_calls": 2})
    tale.read("04:30", "50 100 50")
    assert (tale.read("05:30", "50 100 50"), tale.tokens) == ("verified: stable", 150)
    return tale


def test_a_late_claim_that_leaves_the_run_less_lowers_its_figure_only_with_force():
    tale = split()
    tale.neighbours = [neighbour("c", 1, 2, calls=1)]
    assert (tale.read("06:30", "50 100 50"), tale.tokens) == ("warning: restated", 150)
    bounds, restatement = tale.run.state.bounds, tale.run.state.restatement
    assert (bounds.low.tokens_in, bounds.high.tokens_in) == (100, 150)
    assert [usage.tokens_in for usage in restatement] == [150, 100]
    assert tale.read("06:45", "50 100 50") == "-", "the claim is named, and asked for no more"
    assert tale.read("07:30", "50 100 50", forced=True) == "pending: first_read"
    assert (tale.read("08:30", "50 100 50"), tale.tokens) == ("verified: stable", 100)


def test_another_share_is_not_lifted_by_the_return_after_a_dip():
    tale = split()
    tale.neighbours = [neighbour("c", 1, 2, calls=1)]
    tale.read("06:30", "50 100 50")
    restatement = tale.run.state.restatement
    assert [tale.read("07:30", "50"), tale.read("07:40", "50 100 50")] == ["warning: restated"] * 2
    assert tale.run.state.restatement == restatement


def test_a_late_claim_that_cannot_be_read_may_have_taken_everything():
    tale = verified(BUSY)
    tale.neighbours = [B]
    assert tale.claimed_late() == "warning: shared_minutes"
    assert tale.run.state.bounds == Bounds(Usage(), tale.run.state.figure)
    assert tale.tokens == 150
    assert tale.claimed_late() == "-", "the file says so already"
    assert late_claims(tale.run, [B]), "it is tried again in the next pass"
    assert tale.read("06:30", BUSY) == "warning: shared_minutes"
    assert tale.run.state.bounds.low.tokens_in == 100
    assert not late_claims(tale.run, [B])


def test_a_late_claim_that_could_not_be_read_at_first_is_forgiven_once_it_is():
    tale = verified(QUIET)
    tale.neighbours = [B]
    tale.claimed_late()
    assert tale.read("06:30", QUIET) == "verified: stable"
    assert "bounds" not in tale.block["attribution"]


@pytest.mark.parametrize(
    ("shown", "again"),
    [pytest.param("0", "-", id="zero"), pytest.param("60", "warning: restated, shared_minutes", id="lower")],
)
def test_a_read_that_does_not_show_the_figure_tells_nothing_of_a_late_claim(shown, again):
    tale = verified(QUIET)
    tale.neighbours = [B]
    assert tale.read("06:30", shown) == "warning: shared_minutes"
    assert tale.run.state.bounds == Bounds(Usage(), usage(100))
    assert tale.read("07:30", shown) == again
    assert tale.run.state.bounds == Bounds(Usage(), usage(100))
    assert tale.read("08:30", QUIET) == "verified: stable"


def test_a_late_claim_whose_own_calls_are_missing_may_have_taken_everything():
    tale = verified("3x100 . . . . . . . . 2x50", recorded_usage={"api_calls": 5})
    tale.neighbours = [neighbour("b", 9, 12, calls=2)]
    assert tale.read("05:40", "3x100 . . . . . . . . 2x50") == "warning: shared_minutes"
    assert tale.run.state.bounds == Bounds(Usage(), tale.run.state.figure)


def test_a_late_claim_over_a_higher_figure_is_forgiven_where_that_passes():
    tale = verified(QUIET)
    tale.neighbours = [B]
    assert tale.read("06:30", BUSY) == "warning: shared_minutes"
    assert tale.read("07:30", BUSY) == "warning: restated, shared_minutes"
    assert tale.read("08:30", QUIET) == "verified: stable"
    assert tale.run.state.exact


def test_a_neighbour_that_vanishes_never_lifts_the_warning():
    quiet = neighbour("d", 3, 5)
    tale = Tale(neighbours=[B, quiet])
    tale.read("04:30", BUSY)
    assert tale.read("05:30", BUSY) == "warning: shared_minutes"
    tale.neighbours = [quiet]
    assert tale.read("06:30", BUSY) == "-"
    assert [tale.read("07:30", "60"), tale.read("08:30", "60")] == [
        "warning: shared_minutes",
        "warning: restated, shared_minutes",
    ]
    assert tale.read("09:30", BUSY) == "warning: shared_minutes", "the return lifts the restatement only"
    assert tale.run.state.bounds == Bounds(usage(60), usage(150, calls=2)), "what lies between them is not known"
    tale.neighbours = [quiet, neighbour("c", 3, 5)]
    assert tale.read("10:30", BUSY) == "warning: shared_minutes", "nor does another claim that took nothing"


def test_a_figure_that_returns_while_a_neighbour_is_missing_is_not_verified_again():
    """Without the neighbour it cannot be shown to be exact, and the file would call a range verified."""
    quiet = neighbour("d", 3, 5)
    tale = Tale(neighbours=[quiet])
    assert [tale.read("04:30", "60"), tale.read("05:30", "60")][-1] == "verified: stable"
    assert [tale.read("06:30", "90"), tale.read("07:30", "90")][-1] == "warning: restated"
    tale.neighbours = []
    tale.read("08:30", "60")
    assert (tale.status, tale.run.state.exact) == ("warning: restated", False)


def test_a_neighbour_that_vanishes_does_not_lift_the_warning_when_another_comes():
    tale = Tale(neighbours=[B])
    tale.read("04:30", BUSY)
    tale.read("05:30", BUSY)
    tale.neighbours = [neighbour("c", 3, 5)]
    assert tale.read("06:30", BUSY) == "warning: shared_minutes"
    assert tale.run.state.bounds == Bounds(Usage(), tale.run.state.figure), "either may have used anything"
    assert tale.read("07:30", BUSY) == "-"


GONE = replace(B, gone=True)


def test_a_neighbour_that_is_gone_by_the_second_read_may_have_used_what_it_shares():
    tale = Tale(neighbours=[B])
    assert tale.read("00:30", BUSY) == "pending: first_read"
    tale.neighbours = [GONE]
    assert tale.read("01:30", BUSY) == "warning: shared_minutes"
    assert (tale.run.state.bounds.low.tokens_in, tale.run.state.bounds.high.tokens_in) == (100, 150)
    assert "chatdev/b (whose file is gone or broken: put it back)" in tale.block["verification_message"]


def test_a_neighbour_that_is_seen_by_a_read_too_early_to_count_is_remembered():
    tale = Tale()
    tale.read("00:30", BUSY)
    tale.neighbours = [B]
    assert tale.read("00:40", BUSY) == "pending: awaiting_stability"
    assert [each.run for each in tale.run.state.neighbours] == ["chatdev/b"]
    assert tale.read("00:41", BUSY) == "-"
    assert tale.read("01:30", BUSY) == "warning: shared_minutes"


def test_a_neighbour_that_goes_after_the_verdict_changes_nothing():
    tale = Tale(neighbours=[B])
    tale.read("00:30", BUSY)
    tale.read("01:30", BUSY)
    tale.neighbours = [GONE]
    assert (late_claims(tale.run, [GONE]), tale.read("02:30", BUSY)) == ((), "-")


def test_a_neighbour_that_is_back_with_its_calls_is_judged_as_if_it_had_never_gone():
    counted = neighbour("b", 9, 12, calls=1)
    shown = "2x100 . . . . . . . . 50"
    tale = Tale(neighbours=[counted], recorded_usage={"api_calls": 2})
    tale.read("04:30", shown)
    tale.neighbours = [replace(counted, gone=True, recorded=Recorded())]
    assert tale.read("05:30", shown) == "warning: shared_minutes"
    assert tale.read("06:30", shown) == "-"
    tale.neighbours = [counted]
    assert (tale.read("07:30", shown), tale.tokens) == ("verified: stable", 100)


def test_a_second_late_claim_widens_what_the_first_left():
    tale = Tale(neighbours=[B])
    tale.read("04:30", BUSY)
    tale.read("05:30", BUSY)
    tale.neighbours = [B, neighbour("c", 0, 2)]
    assert tale.claimed_late() == "warning: shared_minutes"
    assert tale.run.state.bounds.low.is_zero


def test_a_late_claim_keeps_what_else_the_run_was_warned_of():
    tale = Tale()
    tale.tell("""
        00:30   100    pending: first_read
        01:30   100    verified: stable
        02:30   120    verified: stable
        03:30   120    warning: restated
    """)
    tale.neighbours = [B]
    assert tale.read("04:30", "0") == "warning: shared_minutes, restated"
    assert tale.run.state.restatement == (usage(100), usage(120))
    assert tale.run.state.bounds == Bounds(Usage(), usage(120))
    assert [tale.read("06:30", "120"), tale.read("07:30", "100")] == ["-", "verified: stable"]


def test_a_late_claim_does_not_make_a_verdict_wait_again():
    tale = Tale(**CALLS_3)
    assert [tale.read("00:30", "3x100"), tale.read("01:30", "3x100")] == ["pending: first_read", "verified: stable"]
    tale.neighbours = [neighbour("b", 9, 12, calls=0)]
    assert tale.read("01:40", "3x100 +2") == "verified: stable", "it was judged before the usage beside it came"


def test_bounds_that_hold_everything_do_not_stand_for_a_claim_that_could_not_be_read():
    tale = Tale(**CALLS_3)
    tale.read("00:30", "4x100")
    assert tale.read("01:30", "4x100") == "warning: extra_calls"
    assert tale.run.state.bounds.low.tokens_in == 0
    tale.put("usage_api_reconciliation", tale.block | {"attribution": tale.block["attribution"] | EVERYTHING})
    assert tale.claimed_late() == "warning: shared_minutes, extra_calls"


def test_a_neighbour_whose_times_changed_is_a_late_claim():
    tale = Tale(neighbours=[B])
    tale.read("00:30", QUIET)
    tale.read("01:30", QUIET)
    assert not late_claims(tale.run, [B])
    assert late_claims(tale.run, [neighbour("b", 8, 12)])


def test_a_run_that_is_not_settled_or_failed_knows_no_late_claims():
    tale = Tale()
    assert late_claims(tale.run, [B]) == ()
    tale.read("00:30", QUIET)
    assert (late_claims(tale.run, [B]), tale.claimed_late()) == ((), "-")
    assert tale.read("24:30", "60") == "failed: cutoff_passed"
    assert late_claims(tale.run, [B]) == ()


# ------------------------------------------------------------------------------------------- another tool's files


def lacking(members, *names, null=False):
    """The same where every read lacks these figures, or says null."""
    block = members["usage_api_reconciliation"]
    kept = [{name: item for name, item in each.items() if name not in names} for each in block["attempts"]]
    attempts = [{**each, **(dict.fromkeys(names) if null else {})} for each in kept]
    return {**members, "usage_api_reconciliation": {**block, "attempts": attempts}}


FOREIGN = {
    "their read counts": (
        """
        01:30   100    verified: stable    100
        """,
        theirs(("00:30", 100)),
    ),
    "their read counts, though it knows neither cached tokens nor calls": (
        """
        01:30   100    verified: stable    100
        """,
        lacking(theirs(("00:30", 100)), "total_cached_tokens", "total_api_calls"),
    ),
    "so do two of theirs, the first of less": (
        """
        02:30   100    verified: stable    100
        """,
        lacking(theirs(("00:30", 60), ("01:30", 100)), "total_api_calls"),
    ),
    "what they left out confirms no figure that differs in the rest": (
        """
        01:30   120    pending: rising      120
        02:30   120    verified: stable     120
        """,
        lacking(theirs(("00:30", 100)), "total_cached_tokens", "total_api_calls"),
    ),
    "their null is left out too": (
        """
        01:30   100    verified: stable    100
        """,
        lacking(theirs(("00:30", 100)), "total_api_calls", null=True),
    ),
    "a higher read of ours": (
        """
        01:30   120    pending: rising      120
        02:30   120    verified: stable     120
        """,
        theirs(("00:30", 100)),
    ),
    "a lower read of ours starts anew, for theirs was of a wider window": (
        """
        01:30   60     pending: first_read    60
        02:30   60     verified: stable       60
        """,
        theirs(("00:30", 100)),
    ),
    "a lower read of ours that repeats one of theirs": (
        """
        02:30   60     pending: first_read    60
        """,
        theirs(("00:30", 100), ("01:30", 60)),
    ),
    "a zero of ours": (
        """
        01:30   0    -    100
        """,
        theirs(("00:30", 100)),
    ),
    "their data_not_available": (
        """
        01:30   100    pending: rising    100
        """,
        theirs(("00:30", 0), status="data_not_available"),
    ),
    "their warning is not settled": (
        """
        01:30   100    verified: stable    100
        """,
        theirs(("00:30", 100), status="warning"),
    ),
    "their verdict, when it is forced": (
        """
        02:30 forced   60    pending: first_read    100
        03:30          60    verified: stable       60
        """,
        theirs(("00:30", 100), ("01:30", 100), status="verified"),
    ),
    "a zero when their verdict is forced": (
        """
        02:30 forced   0    data_not_available: no_usage_yet    100
        24:30          0    data_not_available: no_usage_yet    100
        25:30          0    warning: zero_unconfirmed           100
        """,
        theirs(("00:30", 100), ("01:30", 100), status="verified"),
    ),
}


@pytest.mark.parametrize(("story", "members"), FOREIGN.values(), ids=FOREIGN)
def test_another_tools_reads_are_observations(story, members):
    holds(story, **members)


def test_a_verdict_of_another_tool_is_inherited():
    run = Tale(**theirs(("00:30", 100), ("01:30", 100), status="verified")).run
    assert run.state.inherited
    assert run.settled
    assert late_claims(run, [B]) == ()


def test_another_tool_that_reads_more_after_our_verdict_takes_it_back_until_we_read_again():
    tale = verified(QUIET)
    block = tale.block
    block["attempts"].append(theirs(("06:00", 200))["usage_api_reconciliation"]["attempts"][0])
    tale.put("usage_api_reconciliation", block)
    assert [tale.read("06:30", "120"), tale.read("07:30", "120")] == ["pending: first_read", "warning: restated"]


# ----------------------------------------------------------------------------------------------- two writers at once

OVERTAKEN = {
    "the older read of a confirmed figure": (["00:30 100", "01:30 100", "01:00 100"], "-"),
    "the older read that confirms the figure": (["01:30 100", "00:30 100"], "verified: stable"),
    "the older read, seconds older": (["01:30:05 100", "01:30:00 100"], "-"),
    "the older read of less": (["01:30 100", "00:30 60"], "-"),
    "the older read of more": (["01:30 100", "00:30 120"], "pending: first_read"),
    "the older rise": (["00:30 100", "01:30 120", "01:00 120"], "verified: stable"),
    "a rise that nobody saw again": (["00:30 100", "01:30 100", "01:00 120"], "pending: rising"),
    "the older dip": (["00:30 100", "01:30 100", "01:00 60"], "-"),
    "the older zero": (["01:30 100", "00:30 0"], "-"),
    "the older read after a zero": (["01:30 0", "00:30 100"], "pending: first_read"),
    "the same instant": (["00:30 100", "00:30 100"], "-"),
}


@pytest.mark.parametrize(("reads", "verdict"), OVERTAKEN.values(), ids=OVERTAKEN)
def test_a_read_that_another_overtook_counts_at_its_place_in_time(reads, verdict):
    tale = Tale()
    assert [tale.read(*read.split(" ")) for read in reads][-1] == verdict
    stamps = [observation.at for observation in tale.run.state.observations]
    assert stamps == sorted(stamps)


def test_a_verdict_that_an_overtaken_read_makes_is_as_old_as_the_latest_read():
    tale = Tale()
    tale.read("01:30", "100")
    tale.read("00:30", "100")
    assert tale.run.state.verified_at == after("01:30")
    assert tale.block["verification_message"] == "Data stable across 60 minute interval"


def test_a_figure_that_is_known_only_by_a_read_that_another_overtook_past_the_cutoff_is_given_up():
    tale = Tale()
    tale.read("24:30", "60")
    assert (tale.read("00:30", "100"), tale.tokens) == ("failed: cutoff_passed", 100)


@given(st.lists(st.tuples(st.integers(30, 400), st.sampled_from(["0", "60", "100", "120"])), min_size=1, max_size=5))
@EXAMPLES
def test_in_whatever_order_two_writers_come_the_figure_is_the_highest_or_was_settled_before_and_stable_was_read_twice(
    reads,
):
    """One that was settled before the highest was known stands, unless that was read before it was confirmed."""
    by_time = {clock_of(minute): shown for minute, shown in sorted(reads)}
    in_order, as_written = Tale(), Tale()
    highest = max(int(shown) for shown in by_time.values())
    for tale, clocks in ((in_order, [*by_time]), (as_written, [clock_of(minute) for minute, _ in reads])):
        settled = None
        for clock in clocks:
            tale.read(clock, by_time[clock])
            settled = settled or (tale.tokens if tale.run.settled else None)
        assert tale.tokens in {highest, settled}
    if as_written.status == "verified: stable":
        instants = [clock for clock, shown in by_time.items() if int(shown) == as_written.tokens]
        assert after(instants[-1]) - after(instants[0]) >= timedelta(minutes=29)


# ------------------------------------------------------------------------------------------------------ invariants

CLOCKS = st.lists(st.integers(30, 1400), min_size=1, max_size=8, unique=True).map(sorted)
FIGURES = st.lists(st.sampled_from([0, 60, 100, 120, 130]), min_size=8, max_size=8)


@given(CLOCKS, FIGURES)
@EXAMPLES
def test_through_the_file_or_in_memory_the_verdicts_are_the_same(clocks, figures):
    tale, run = Tale(), Tale().run
    for minute, figure in zip(clocks, figures, strict=False):
        outcome = settle(run, attribution_of(str(figure), run=run), after(clock_of(minute)), Policy())
        written = tale.read(clock_of(minute), str(figure))
        expected = f"{outcome.verdict.status}: {', '.join(outcome.verdict.reasons)}" if outcome.verdict else "-"
        assert written == expected
        run = remembered(run, outcome.verdict) if outcome.verdict else run
        assert run.state is None or run.state.observations == tale.run.state.observations


@given(CLOCKS, FIGURES)
@EXAMPLES
def test_the_figure_is_the_highest_until_it_is_settled_and_a_zero_after_a_figure_leaves_every_byte(clocks, figures):
    """What is read after that, twice an interval apart, is inside the bounds."""
    tale, highest = Tale(), 0
    for minute, figure in zip(clocks, figures, strict=False):
        before, settled, stood = tale.text, tale.run.settled, tale.tokens
        verdict = tale.read(clock_of(minute), str(figure))
        if figure == 0 and highest:
            assert tale.text == before
        highest = max(highest, figure)
        assert tale.tokens == (stood if settled else highest)
        if verdict.startswith("warning: restated"):
            state = tale.run.state
            confirmed = (stood, state.restatement[1].tokens_in)
            assert state.bounds.low.tokens_in <= min(confirmed)
            assert max(confirmed) <= state.bounds.high.tokens_in


@given(CLOCKS, FIGURES)
@EXAMPLES
def test_a_read_made_again_teaches_nothing(clocks, figures):
    tale = Tale()
    for minute, figure in zip(clocks, figures, strict=False):
        tale.read(clock_of(minute), str(figure))
        assert tale.read(clock_of(minute), str(figure)) == "-"


@given(CLOCKS, FIGURES)
@EXAMPLES
def test_verified_is_only_what_was_read_twice_an_interval_apart_since_it_last_rose(clocks, figures):
    """And never more than once of two figures."""
    tale, verified = Tale(), set()
    shown = []
    for minute, figure in zip(clocks, figures, strict=False):
        shown.append((minute, figure))
        if tale.read(clock_of(minute), str(figure)) == "verified: stable":
            instants = [at for at, read in shown if read == tale.tokens]
            assert verified or tale.tokens == max(read for _, read in shown)
            assert instants[-1] - instants[0] >= 29
            verified.add(tale.tokens)
    assert len(verified) <= 1


@given(st.lists(st.integers(31, 1439), max_size=12), st.lists(st.integers(0, 1439), min_size=1, max_size=4))
@EXAMPLES
def test_polling_more_often_never_delays_a_verdict(extra, arrivals):
    """The feed only grows: at each arrival another hundred tokens are there. Whoever verified it between two of them
    is told of the higher figure no later."""
    hourly = list(range(30, 1440, 60))

    def verdict(minutes):
        plateau, run = None, Tale().run
        for minute in sorted(set(minutes)):
            shown = str(100 * sum(arrival <= minute for arrival in arrivals))
            outcome = settle(run, attribution_of(shown, run=run), after(clock_of(minute)), Policy())
            run = remembered(run, outcome.verdict) if outcome.verdict else run
            plateau = outcome.plateau
            rival = plateau.rival if plateau.rival and plateau.rival.stable(Policy()) else None
            told = {each.figure.tokens_in for each in (plateau, rival) if each}
            if run.state.status.settled and 100 * len(arrivals) in told:
                return minute, minute - max(arrivals)
        return 1440, 0

    seldom, often = verdict(hourly), verdict([*hourly, *extra])
    assert often[0] <= seldom[0]
    assert often[0] == 1440 or often[1] >= 29


def test_a_normal_run_is_written_twice():
    tale = Tale()
    verdicts = [tale.read(f"{hour:02}:30", "100") for hour in range(24)]
    assert verdicts == ["pending: first_read", "verified: stable", *["-"] * 22]


def test_what_a_read_did_is_told_apart_from_what_was_written():
    tale = Tale()
    tale.tell(VERIFIED)
    outcome = settle(tale.run, attribution_of("0", run=tale.run), after("02:30"), Policy())
    assert (outcome.effect, outcome.verdict) == (Effect.ZERO, None)


# ------------------------------------------------------------------------------- whatever happens to run and others

CELLS = (".", "1x50", "2x100", "3x200")


def happenings(rng):
    """Reads of a run while others come and go beside it and usage changes; now and then one is forced."""
    shown, beside, minute = [rng.choice(CELLS) for _ in range(12)], {}, 31
    for _ in range(rng.randint(2, 8)):
        name = rng.choice("bcd")
        if rng.random() < 0.4 and beside.pop(name, None) is None:
            start = rng.choice([-3, 0, 3, 8, 9])
            beside[name] = neighbour(name, start, start + rng.choice([2, 4]), calls=rng.choice([None, 0, 1, 2, 3]))
        if rng.random() < 0.4:
            shown[rng.randrange(12)] = rng.choice(CELLS)
        yield clock_of(minute), "0" if rng.random() < 0.1 else " ".join(shown), [*beside.values()], rng.random() < 0.1
        minute += rng.choice([10, 30, 60, 300])


def lives(rng):
    """After each read of such a history: the run before, the tale, and the verdict."""
    calls = rng.choice([None, 0, 1, 3, 5])
    tale = Tale(recorded_usage=None if calls is None else {"api_calls": calls})
    for clock, shown, beside, forced in happenings(rng):
        before, tale.neighbours = tale.run, beside
        verdict = tale.read(clock, shown, forced=forced)
        yield before, tale, verdict
        assert tale.read(f"{clock}:01", shown) == "-", "the same read a second later teaches nothing"


RANDOM = st.randoms(use_true_random=False)


@given(RANDOM)
@EXAMPLES
def test_verified_is_exact_and_is_the_figure_of_the_file(rng):
    for _, tale, verdict in lives(rng):
        if verdict.startswith("verified"):
            assert tale.block["attribution"]["exact"] is True
            assert "bounds" not in tale.block["attribution"]
            assert tale.tokens == tale.block["total_tokens_in"]


@given(RANDOM)
@EXAMPLES
def test_a_warning_of_shared_minutes_has_bounds(rng):
    for _, tale, verdict in lives(rng):
        if "shared_minutes" in verdict:
            assert tale.block["attribution"]["exact"] is False
            assert "bounds" in tale.block["attribution"]


@given(RANDOM)
@EXAMPLES
def test_nothing_is_verified_while_a_claim_that_came_late_is_not_looked_at(rng):
    for _, tale, verdict in lives(rng):
        if verdict.startswith("verified"):
            assert late_claims(tale.run, [claim for claim in tale.neighbours if claim.window.meets(WINDOW)]) == ()


@given(RANDOM)
@EXAMPLES
def test_unless_it_is_forced_a_warning_of_shared_minutes_is_lifted_only_beside_all_who_caused_it(rng):
    for before, tale, verdict in lives(rng):
        forced = tale.block["attempts"][-1].get("forced") if tale.block else None
        if verdict.startswith("verified") and before.state and "shared_minutes" in before.state.reasons and not forced:
            beside = {str(claim.run) for claim in tale.neighbours if claim.window.meets(WINDOW)}
            assert {each.run for each in before.state.neighbours} <= beside


# ---------------------------------------------------------------------------------------------- call logs

LOG = call_log("0:100 3:50")


@pytest.mark.parametrize(
    ("log", "story"),
    [
        pytest.param(
            LOG,
            """
            00:30   100 . . 50     verified: log_matched   150
            01:30   100 . . 50     verified: log_matched   150
            02:30   100 . . 50     -                       150
            """,
            id="a complete log ends the waiting at the first read",
        ),
        pytest.param(
            LOG,
            """
            00:30   100            pending: first_read, calls_missing       150
            01:30   100 . . 50     verified: log_matched                    150
            """,
            id="once all of it is there",
        ),
        pytest.param(
            LOG,
            """
            00:30   100 . 50       verified: log_matched     150
            """,
            id="whatever minutes it was booked in",
        ),
        pytest.param(
            call_log("0:100 3:50", complete=False),
            """
            00:30   100 . . 50     pending: first_read     150
            01:30   100 . . 50     verified: stable        150
            """,
            id="a log that does not say it is complete waits",
        ),
        pytest.param(
            call_log("0:100 3:50 3:7!"),
            """
            00:30   100 . . 50      pending: first_read            150
            01:30   100 . . 2x57    pending: awaiting_stability    150
            02:30   100 . . 2x57    verified: stable               157
            """,
            id="an aborted call may still come",
        ),
        pytest.param(
            LOG,
            """
            00:30   100 . . 2x57   pending: first_read     157
            01:30   100 . . 2x57   warning: extra_calls    157
            """,
            id="a request more is a retry or foreign",
        ),
        pytest.param(
            LOG,
            """
            00:30   100 . . 57     pending: first_read            157
            01:30   100 . . 57     warning: recorded_mismatch     157
            """,
            id="other tokens",
        ),
        pytest.param(
            LOG,
            """
            00:30   100 . . 57 +1    pending: first_read            157
            01:30   100 . . 57 +1    warning: recorded_mismatch     157
            """,
            id="other tokens, where a foreign call may stand in the place of a late one",
        ),
        pytest.param(
            call_log(""),
            """
            00:30   0     pending: first_read            0
            01:30   0     pending: awaiting_stability    0
            04:00   0     verified: no_api_calls         0
            """,
            id="a complete log of no call",
        ),
        pytest.param(
            LOG,
            """
            00:30   0              data_not_available: no_usage_yet      150
            25:00   100 . . 50     verified: log_matched                 150
            """,
            id="past the cutoff too",
        ),
        pytest.param(
            LOG,
            """
            00:30   100 . . 50           verified: log_matched     150
            01:30   100 . . 2x57         verified: log_matched     150
            02:30   100 . . 2x57         warning: extra_calls      150
            03:30   100 . . 50           verified: log_matched     150
            """,
            id="what is read beyond it is told, and the figure stands",
        ),
        pytest.param(
            LOG,
            """
            00:30   100 . . 50           verified: log_matched     150
            01:30   60                   verified: log_matched     150
            02:30   60                   warning: restated         150
            03:30   100 . . 50           verified: log_matched     150
            """,
            id="a lower figure that passes",
        ),
        pytest.param(
            LOG,
            """
            00:30          100 . . 50     verified: log_matched     150
            03:30 forced   100 . . 50     verified: log_matched     150
            """,
            id="forced",
        ),
    ],
)
def test_stories_with_a_call_log(log, story):
    tale = Tale(log=log)
    assert tale.tell(story) == scenes(story)


CUT_OFF = call_log("0:100 3:7!")


@pytest.mark.parametrize(
    ("log", "story"),
    [
        pytest.param(
            CUT_OFF,
            """
            00:30   100            pending: first_read     100
            01:30   100            verified: stable        100
            """,
            id="which was not billed",
        ),
        pytest.param(
            CUT_OFF,
            """
            00:30   100 . . 57     pending: first_read     157
            01:30   100 . . 57     verified: stable        157
            """,
            id="which was billed",
        ),
        pytest.param(
            CUT_OFF,
            """
            00:30   100 . . 2x57   pending: first_read     157
            01:30   100 . . 2x57   warning: extra_calls    157
            """,
            id="and a request more than that",
        ),
        pytest.param(
            call_log("3:7!"),
            """
            00:30   0     data_not_available: no_usage_yet    0
            04:30   0     data_not_available: no_usage_yet    0
            25:30   0     warning: zero_unconfirmed           0
            """,
            id="and no other",
        ),
    ],
)
def test_a_call_whose_answer_was_cut_off(log, story):
    assert Tale(log=log).tell(story) == scenes(story)


def test_what_rests_on_a_call_that_was_cut_off_assumes_that_all_usage_is_in():
    tale = Tale(log=CUT_OFF)
    tale.read("00:30", "100 . . 57")
    tale.read("01:30", "100 . . 57")
    assert tale.block["assumes"] == ["usage_complete", "no_unrecorded_retries"]
    assert tale.block["proof"] == "supported"


UNKNOWN = replace(call_log("0:100", complete=False), unknown=1)


def test_a_request_that_nobody_understood_is_waited_for_until_the_run_is_four_hours_old():
    tale = Tale(log=UNKNOWN, recorded_usage={"api_calls": 1})
    assert [tale.read(clock, "100") for clock in ("00:30", "01:30", "04:30")] == [
        "pending: first_read, calls_missing",
        "pending: calls_missing",
        "verified: stable",
    ]


def test_a_request_that_nobody_understood_and_that_was_billed_is_no_extra_one():
    tale = Tale(log=UNKNOWN, recorded_usage={"api_calls": 1})
    assert [tale.read(clock, "100 50") for clock in ("00:30", "01:30")] == ["pending: first_read", "verified: stable"]


def test_a_forced_read_that_a_log_proves_needs_no_second():
    tale = Tale()
    tale.tell("""
        00:30   100    pending: first_read    100
        01:30   100    verified: stable       100
    """)
    tale.log = LOG
    assert tale.read("02:30", "100 . . 50", forced=True) == "verified: log_matched"
    assert tale.tokens == 150


def test_a_log_settles_what_a_neighbour_that_logs_shares():
    tale = Tale(log=LOG, neighbours=[neighbour("b", 3, 12, log="3:52 11:9")])
    assert tale.read("00:30", "100 . . 2x102 . . . . . . . 9") == "verified: log_matched"
    assert tale.tokens == 150
    assert tale.block["completeness"] == "calls_and_tokens_matched"


def test_a_log_beside_a_neighbour_that_recorded_nothing_proves_only_its_own_minutes():
    tale = Tale(log=LOG, neighbours=[neighbour("b", 3, 12)])
    assert tale.read("00:30", "100 . . 2x120") == "pending: first_read"
    assert tale.read("01:30", "100 . . 2x120") == "warning: shared_minutes"
    alone = Tale(log=LOG, neighbours=[neighbour("b", 3, 12)])
    assert alone.read("00:30", "100 . . 50") == "verified: log_matched"


def test_a_zero_that_is_read_again_is_what_it_was():
    tale = Tale(**CALLS_0)
    story = """
        00:30   0        pending: first_read       0
        04:30   0        verified: no_api_calls    0
        05:30   2x50     verified: no_api_calls    0
        06:30   2x50     warning: restated         0
        07:30   0        verified: no_api_calls    0
    """
    assert tale.tell(story) == scenes(story)
