"""What the file tells a person: a sentence for each reason, with both numbers."""

import pytest
from support.runs import Tale, call_log, neighbour

from reconcile.runs.state import Policy, Reason
from reconcile.verdict.wording import LATE_CLAIM, SENTENCES

B = neighbour("b", 9, 12)
CALLS_3 = {"recorded_usage": {"api_calls": 3}}

WHY = "not all usage of them is in yet, a recorded call was never billed, or the key id is wrong"

MESSAGES = {
    "first read": (
        {},
        ["00:30 3x84600"],
        "Read 84,600 in, 8,460 out, 1 of 2 reads; the next counts from 2026-01-06T13:00:00Z",
    ),
    "rising": (
        {},
        ["00:30 100", "01:30 84600"],
        "Rose to 84,600 in, 8,460 out, 1 of 2 reads; the next counts from 2026-01-06T14:00:00Z",
    ),
    "awaiting stability": (
        {"policy": Policy(min_stable_verifications=3)},
        ["00:30 100", "01:30 100"],
        "Read 100 in, 10 out, 2 of 3 reads; the next counts from 2026-01-06T14:00:00Z",
    ),
    "stable": (
        {},
        ["00:30 100", "01:31 100"],
        "Data stable across 61 minute interval",
    ),
    "no calls": (
        {"recorded_usage": {"api_calls": 0}},
        ["00:30 0", "04:00 0"],
        "No calls recorded, and none reported that could be its own",
    ),
    "no usage yet": (
        {},
        ["00:30 0"],
        "No usage reported for these minutes yet",
    ),
    "calls missing": (
        CALLS_3,
        ["00:30 2x100", "01:30 2x100"],
        f"3 calls recorded, 2 reported in its minutes: {WHY}",
    ),
    "calls missing while other runs are there": (
        {**CALLS_3, "neighbours": [neighbour("b", 9, 12, calls=2)]},
        ["00:30 3x100 . . . . . . . . 50", "01:30 3x100 . . . . . . . . 50"],
        f"3 calls recorded, 4 reported in its minutes, which it shares with 1 other run: {WHY}",
    ),
    "a neighbour's calls missing": (
        {"neighbours": [neighbour("b", 9, 12, calls=2), neighbour("c", 8, 10)]},
        ["00:30 . . . . . . . . . 50", "01:30 . . . . . . . . . 50"],
        f"an unknown number of calls recorded, 1 reported in its minutes, which it shares with 2 other runs: {WHY}",
    ),
    "first read, calls missing": (
        CALLS_3,
        ["00:30 2x100"],
        (
            "Read 100 in, 10 out, 1 of 2 reads; the next counts from 2026-01-06T13:00:00Z; "
            f"3 calls recorded, 2 reported in its minutes: {WHY}"
        ),
    ),
    "lower read": (
        {},
        ["00:30 100", "01:30 60"],
        "Read 60 in, 6 out after 100 in, 10 out: the higher figure stands",
    ),
    "a log that is matched": (
        {"log": call_log("0:100 3:50")},
        ["00:30 100 . . 50"],
        "2 calls and all their tokens, as in the complete call log: nothing is left to wait for",
    ),
    "a log with other tokens": (
        {"log": call_log("0:100 3:50")},
        ["00:30 100 . . 70", "01:30 100 . . 70"],
        (
            "tokens in 150 recorded, 170 reported; tokens out 15 recorded, 17 reported; cached tokens 37 recorded, 42 "
            "reported: the recorder counts differently, and the figure is the reported one"
        ),
    ),
    "a log with the tokens in other minutes": (
        {"log": call_log("0:100 3:40")},
        ["00:30 . 100 . . 40"],
        (
            "2 calls and all their tokens, as in the complete call log: nothing is left to wait for; the clock of the "
            "machine was 34 to 100 s slow"
        ),
    ),
    "a log with a call outside the run": (
        {"log": call_log("0:100 3:50 30:1")},
        ["00:30 100 . . 2x50", "01:30 100 . . 2x50"],
        (
            "1 call of the call log lies outside the run: the recorder counts differently, and the figure is the "
            "reported one"
        ),
    ),
    "a log and a file that differ": (
        {"log": call_log("0:100 3:50"), "recorded_usage": {"tokens_in": 151}},
        ["00:30 100 . . 50", "01:30 100 . . 50"],
        (
            "The call log has 2 calls with 150 in, 15 out, which does not fit its scope or what the run's own file "
            "says: the recorder counts differently, and the figure is the reported one"
        ),
    ),
    "edge usage": (
        {},
        ["00:30 100 +2", "01:30 100 +2"],
        (
            "2 requests that no run claims in the 120 nearest unclaimed minutes: a run may still be going, or somebody "
            "else uses the key"
        ),
    ),
    "edge usage of one request": (
        {},
        ["00:30 100 +1", "01:30 100 +1"],
        (
            "1 request that no run claims in the 120 nearest unclaimed minutes: a run may still be going, or somebody "
            "else uses the key"
        ),
    ),
    "extra calls of a run nearby": (
        {**CALLS_3, "neighbours": [neighbour("b", 30, 40, calls=1)]},
        ["00:30 3x100" + " ." * 29 + " 2x50", "01:30 3x100" + " ." * 29 + " 2x50"],
        "Requests that nobody recorded lie within 60 minutes: a late call and a foreign one may cancel in the count",
    ),
    "shared minutes": (
        {"neighbours": [B]},
        ["00:30 100 . . . . . . . . 50", "01:30 100 . . . . . . . . 50"],
        "1 minute with usage is shared with chatdev/b: between 100 and 150 tokens in",
    ),
    "minutes shared with three": (
        {"neighbours": [neighbour(name, 9, 12) for name in "bcd"]},
        ["00:30 100 . . . . . . . . 50", "01:30 100 . . . . . . . . 50"],
        "1 minute with usage is shared with chatdev/b, chatdev/c, chatdev/d: between 100 and 150 tokens in",
    ),
    "minutes shared with many": (
        {"neighbours": [neighbour(name, 8, 12) for name in "bcde"]},
        ["00:30 100 . . . . . . . 1050 50", "01:30 100 . . . . . . . 1050 50"],
        (
            "2 minutes with usage are shared with chatdev/b, chatdev/c, chatdev/d and 1 more: between 100 and 1,200 "
            "tokens in"
        ),
    ),
    "extra calls": (
        CALLS_3,
        ["00:30 4x100 50", "01:30 4x100 50"],
        (
            "5 calls reported in its minutes, 3 recorded: retries that were not recorded, or foreign traffic; foreign "
            "traffic would leave at least 0 of 150 tokens in"
        ),
    ),
    "extra calls of a run that recorded none": (
        {"recorded_usage": {"api_calls": 0}},
        ["00:30 100", "01:30 100"],
        (
            "1 call reported in its minutes, 0 recorded: retries that were not recorded, or foreign traffic; foreign "
            "traffic would leave at least 0 of 100 tokens in"
        ),
    ),
    "extra calls on a key that is presumed to be closed": (
        {**CALLS_3, "neighbours": [B]},
        ["00:30 5x100", "01:30 5x100"],
        "5 calls reported in its minutes, 3 recorded: retries that were not recorded, or foreign traffic",
    ),
    "recorded mismatch": (
        {"recorded_usage": {"api_calls": 3, "tokens_in": 900, "tokens_out": 10, "cached_tokens": 3}},
        ["00:30 3x1000", "01:30 3x1000"],
        (
            "tokens in 900 recorded, 1,000 reported; tokens out 10 recorded, 100 reported; cached tokens 3 recorded, "
            "250 reported: the recorder counts differently, and the figure is the reported one"
        ),
    ),
    "recorded mismatch of one kind": (
        {"recorded_usage": {"tokens_in": 900}},
        ["00:30 3x1000", "01:30 3x1000"],
        "tokens in 900 recorded, 1,000 reported: the recorder counts differently, and the figure is the reported one",
    ),
    "recorded mismatch where others use the key": (
        {"recorded_usage": {"api_calls": 3, "tokens_in": 900, "tokens_out": 100, "cached_tokens": 250}},
        ["00:30 3x1000 +1", "01:30 3x1000 +1"],
        (
            "What was recorded and what was reported do not agree: tokens in 900 to 1,000. The recorder counts "
            "differently, or a call is not in yet and somebody else's stands in its place"
        ),
    ),
    "tokens missing": (
        {"recorded_usage": {"api_calls": 3, "tokens_in": 1100, "tokens_out": 100}},
        ["00:30 3x1000", "01:30 3x1000"],
        "tokens in 1,100 recorded, 1,000 reported: not all usage is in yet, or the recorder counts more than is billed",
    ),
    "a zero of a run that made no calls": (
        {"recorded_usage": {"api_calls": 0}},
        ["00:30 0", "01:30 0"],
        "No usage for a run that recorded no calls; that is believed four hours after its end",
    ),
    "restated by a higher figure": (
        {},
        ["00:30 100", "01:30 100", "02:30 1200", "03:30 1200"],
        "Settled at 100 in, 10 out, but 1,200 in, 120 out is read since 2026-01-06T14:30:00Z",
    ),
    "restated by a lower figure": (
        {},
        ["00:30 100", "01:30 100", "02:30 60", "03:30 60"],
        "Settled at 100 in, 10 out, but 60 in, 6 out is read since 2026-01-06T14:30:00Z",
    ),
    "zero unconfirmed": (
        {},
        ["00:30 0", "24:30 0", "25:30 0"],
        "No usage was reported, and nothing confirms that no calls were made",
    ),
    "zero usage with calls": (
        CALLS_3,
        ["00:30 0", "24:30 0", "25:30 0"],
        "No usage was ever reported, but the run recorded 3 calls",
    ),
    "zero usage with tokens": (
        {"recorded_usage": {"api_calls": 0, "tokens_in": 84600, "tokens_out": 12}},
        ["00:30 0", "24:30 0", "25:30 0"],
        "No usage was ever reported, but the run recorded 84,600 tokens in, 12 tokens out",
    ),
    "cutoff passed": (
        {},
        ["00:30 120", "25:00 100"],
        "Not stable 25 hours after the run ended: 1 of 2 reads at 120 in, 12 out; a later --max-age reopens it",
    ),
}


@pytest.mark.parametrize(("members", "reads", "message"), MESSAGES.values(), ids=MESSAGES)
def test_what_the_file_tells_a_person(members, reads, message):
    tale = Tale(**members)
    for read in reads:
        tale.read(*read.split(" ", 1))
    assert tale.block["verification_message"] == message


@pytest.mark.parametrize(
    ("calls", "shown", "late", "message"),
    [
        pytest.param(
            {"recorded_usage": {"api_calls": 5}},
            "3x100 . . . . . . . . 2x50",
            neighbour("b", 9, 12, calls=2),
            "1 minute with usage is shared with chatdev/b",
            id="whose calls are missing",
        ),
        pytest.param(
            {},
            "5x100 +2",
            neighbour("b", 9, 12),
            "Minutes are shared with chatdev/b: between 0 and 100 tokens in",
            id="over quiet minutes of a key that is not closed",
        ),
    ],
)
def test_a_late_claim(calls, shown, late, message):
    tale = Tale(**calls)
    for clock in ("00:30", "01:30"):
        tale.read(clock, shown.removesuffix(" +2"))
    tale.neighbours = [late]
    tale.read("01:40", shown)
    assert tale.block["verification_message"] == message


def test_every_reason_has_a_sentence():
    assert set(SENTENCES) == set(Reason)


def test_a_late_claim_that_could_not_be_read():
    tale = Tale()
    for clock in ("00:30", "01:30"):
        tale.read(clock, "100")
    tale.claimed_late()
    assert tale.block["verification_message"] == LATE_CLAIM
