"""Attribution with call logs: the worked examples of docs/attribution.md, and what a log that is wrong leads to.

Call logs are written as lines and read as the files they are.
"""

import json

import pytest
from support.worlds import LOGS, NOON, WIDE, window

from reconcile.attribution.attribute import attribute
from reconcile.providers.base import Scope
from reconcile.runs.call_log import held_to
from reconcile.runs.run import Claim, RunKey
from reconcile.runs.state import Completeness
from reconcile.usage import Bucket, Recorded, Usage

SCOPE = Scope("openai", ("key_a",))
MODEL = "gpt-4o-mini-2024-07-18"
TWO_RUNS = "1x100 2x250 1x90 1x110 3x400 1x50 1x60 1x70"
ONE_RUN = "2x1000 1x3000 2x500"
BOTH, CALLS, ASSUMED = Completeness.CALLS_AND_TOKENS_MATCHED, Completeness.CALLS_MATCHED, Completeness.ASSUMED


def minutes(text, start=0):
    """`2x250` is a minute of two requests and 250 tokens of each kind; a dot is a quiet one."""
    for index, cell in enumerate(text.split(), start):
        if cell != ".":
            requests, tokens = map(int, cell.split("x"))
            yield Bucket(NOON + 60 * index, Usage(tokens, tokens, tokens, requests), "key_a", MODEL)


def calls(text, *, complete=True, **members):
    """`0:100` is a call of 100 tokens of each kind in minute 0, `0-2:100` one that went on until minute 2, and `!`
    behind it says that it was aborted."""
    lines = [{"complete": complete}]
    for number, each in enumerate(text.split()):
        span, tokens = each.rstrip("!").split(":")
        first, _, last = span.partition("-")
        counts = dict.fromkeys(("input_tokens", "output_tokens", "cached_tokens"), int(tokens))
        times = {"started_at": NOON + 60 * int(first) + 20.5, "ended_at": NOON + 60 * int(last or first) + 30.5}
        aborted = {"aborted": True} if each.endswith("!") else {}
        lines.append({**times, "model": MODEL, **counts, "response_id": f"r{number}", **aborted, **members})
    return "\n".join(map(json.dumps, lines))


def claim(name, start, end, log=None, *, calls=None, tokens=None, scope=SCOPE):
    recorded, there = Recorded(tokens, tokens, tokens, calls), window(start, end)
    read = held_to("calls.ndjson", LOGS.check("calls.ndjson", log.encode()), there)[0] if log else None
    return Claim(RunKey("chatdev", name), scope, there, recorded, read)


def shares(text, *claims, covered=(WIDE,), extra=()):
    result = attribute(claims, [*minutes(text), *extra], covered)
    return {key.run_id: share for key, share in result.by_run.items()}


def interval(share):
    if share.bounds is None:
        return None
    low, high = share.bounds.low.tokens_in, share.bounds.high.tokens_in
    return low if low == high else (low, high)


def intervals(found):
    return {name: interval(share) for name, share in found.items()}


A_LOG = "0:100 1:100 1:150 2:90 3:110 4:150"
B_LOG = "4:125 4:125 5:50 6:60 7:70"


# ------------------------------------------------------------------------------------- worked examples


@pytest.mark.parametrize(
    ("a", "b", "expected", "rests_on"),
    [
        pytest.param({"log": calls(A_LOG)}, {"calls": 5}, (700, 430), (CALLS, CALLS), id="one run's log is enough"),
        pytest.param({"log": calls(A_LOG)}, {"log": calls(B_LOG)}, (700, 430), (BOTH, BOTH), id="both"),
        pytest.param({"log": calls(A_LOG)}, {"calls": 5, "tokens": 430}, (700, 430), (BOTH, BOTH), id="log and totals"),
        pytest.param(
            {"log": calls(A_LOG)}, {}, ((700, 950), (180, 430)), (ASSUMED, ASSUMED), id="nothing is known of the other"
        ),
        pytest.param(
            {"log": calls("0:100 1:100 1:150 2:90 4:150", complete=False), "calls": 6},
            {"calls": 5},
            (700, 430),
            (CALLS, CALLS),
            id="a line missing, of the one request that only it can have made",
        ),
        pytest.param(
            {"log": calls("0:100 1:100 1:150 2:90 3:110", complete=False), "calls": 6},
            {"calls": 5},
            ((550, 950), (180, 580)),
            (CALLS, CALLS),
            id="a line missing, of one of the three at 12:04",
        ),
        pytest.param(
            {"log": calls("0:100 1:100 1:150 2:90 3:110 4:150", complete=False), "calls": 6},
            {"calls": 5},
            (700, 430),
            (CALLS, CALLS),
            id="as many lines as the file has calls",
        ),
        pytest.param(
            {"log": calls("0:100 1:100 1:150 2:90 3:110 3-5:150")},
            {"log": calls(B_LOG)},
            (700, 430),
            (BOTH, BOTH),
            id="a call over the turn of the minute",
        ),
        pytest.param({"log": calls(A_LOG)}, {"calls": 6}, (None, None), (CALLS, CALLS), id="a call short"),
    ],
)
def test_two_runs_with_a_shared_minute(a, b, expected, rests_on):
    found = shares(TWO_RUNS, claim("a", 0, 5, **a), claim("b", 4, 9, **b))
    assert tuple(intervals(found).values()) == expected
    assert tuple(share.completeness for share in found.values()) == rests_on


@pytest.mark.parametrize(
    ("run", "expected", "mismatched", "extra", "matched"),
    [
        pytest.param({"log": calls("0:400 0:600 1:3000 2:250 2:250")}, 4500, False, False, True, id="all of it"),
        pytest.param({"log": calls("0:400 0:600 1:3000 2:300")}, (4300, 4500), False, True, False, id="a request more"),
        pytest.param(
            {"log": calls("0:400 0:600 1:3000 2:250 2:200")}, 4500, True, False, False, id="as many calls, more tokens"
        ),
        pytest.param(
            {"log": calls("0:400 0:600 1:3000 2:250 2:300")},
            None,
            False,
            False,
            False,
            id="as many calls, fewer tokens",
        ),
        pytest.param(
            {"log": calls("0:400 0:600 1:3000 2:300 2:250!")}, 4500, False, False, False, id="billed when aborted"
        ),
        pytest.param(
            {"log": calls("0:400 1:3000 2:300 2:250!")},
            (3700, 4500),
            False,
            True,
            False,
            id="a request more than was aborted",
        ),
        pytest.param(
            {"log": calls("0:400 0:600 1:3000 2:250 2:250 2:9!")}, 4500, False, False, False, id="not yet billed"
        ),
        pytest.param(
            {"log": calls("0:400 0:600 1:3000 2:250 2:250 2:1")}, None, False, False, False, id="a call short"
        ),
        pytest.param(
            {"log": calls("0:400 0:600 1:3000 2:250 2:250", complete=False)},
            4500,
            False,
            False,
            False,
            id="a log that does not say it is complete",
        ),
        pytest.param(
            {"log": calls("0:400 0:600 1:3000 1:250 2:250")}, 4500, False, False, True, id="a call in another minute"
        ),
        pytest.param(
            {"log": calls("0:400 0:600 1:3000 2:250 2:250"), "calls": 5, "tokens": 4600},
            4500,
            True,
            False,
            False,
            id="a file that counts more tokens than its log",
        ),
        pytest.param(
            {"log": calls("0:400 0:600 1:3000 2:250 2:250"), "calls": 4}, 4500, True, False, False, id="and fewer calls"
        ),
        pytest.param({"log": calls("")}, (0, 4500), False, True, False, id="no call at all"),
    ],
)
def test_one_run_alone(run, expected, mismatched, extra, matched):
    share = shares(ONE_RUN, claim("a", 0, 3, **run))["a"]
    assert (interval(share), share.mismatched, share.extra, share.log_matched) == (
        expected,
        mismatched,
        extra,
        matched,
    )


def test_what_a_call_over_the_turn_of_a_minute_used_is_not_its_neighbours():
    found = shares("1x100 1x60", claim("a", 0, 2, calls("0-1:60")), claim("b", 0, 2, calls=1))
    assert intervals(found) == {"a": 60, "b": 100}


def test_a_request_beside_a_complete_log_counts_though_it_holds_nothing():
    share = shares(ONE_RUN, claim("a", 0, 3, calls("0:400 0:600 1:3000 2:500")))["a"]
    assert (interval(share), share.bounds.low.api_calls, share.bounds.high.api_calls) == (4500, 4, 5)
    assert (share.exact, share.extra, share.log_matched) == (False, True, False)


# ------------------------------------------------------------------------------------------- segments


def test_a_surplus_elsewhere_says_nothing_of_minutes_that_no_open_call_reaches():
    found = shares("1x10 2x20 2x40", claim("a", 0, 2, calls("0:10 1:15")), claim("b", 1, 3, calls("1:5 2:20")))
    assert intervals(found) == {"a": 25, "b": (25, 45)}
    assert [(share.surplus, share.extra, share.completeness) for share in found.values()] == [
        (0, False, BOTH),
        (1, True, CALLS),
    ]


def test_a_late_call_of_one_minute_holds_up_only_the_runs_in_that_minute():
    chain = [claim(f"run{i}", 4 * i, 4 * i + 5, calls(f"{4 * i + 2}:10 {4 * i + 4}:10")) for i in range(5)]
    text = ". . 1x10 . 1x10 . 1x10 . 1x10 . . . 1x10 . 1x10 . 1x10 . 1x10 . 1x10"
    found = shares(text, *chain)
    assert {name: share.bounds is None for name, share in found.items()} == {
        "run0": False,
        "run1": False,
        "run2": True,
        "run3": False,
        "run4": False,
    }
    assert {share.completeness for name, share in found.items() if name != "run2"} == {BOTH}


def test_a_late_call_whose_minute_is_open_holds_up_all_who_reach_into_its_minutes():
    found = shares("1x10 . . 1x10", claim("a", 0, 2, calls("0:10 0-1:5")), claim("b", 1, 4, calls=1))
    assert intervals(found) == {"a": None, "b": None}


def test_a_late_call_holds_up_nobody_whose_own_calls_and_tokens_are_there():
    found = shares("1x10 . . 1x10", claim("a", 0, 2, calls("0:10 0-1:5")), claim("b", 1, 4, calls("3:10")))
    assert intervals(found) == {"a": None, "b": 10}


def test_minutes_are_shared_only_where_something_is_left_that_another_may_own():
    found = shares(TWO_RUNS, claim("a", 0, 5, calls("0:100 1:100 1:150 2:90 3:110")), claim("b", 4, 9, calls=6))
    assert intervals(found) == {"a": 550, "b": 580}
    assert found["a"].shared == (NOON + 240,)
    assert found["b"].shared == ()


def test_a_run_that_logged_all_its_calls_may_own_a_retry_beside_a_run_that_recorded_nothing():
    found = shares("2x30 1x40", claim("a", 0, 2, calls("0:10")), claim("b", 1, 3))
    assert intervals(found) == {"a": (10, 70), "b": (0, 40)}
    assert found["a"].extra


@pytest.mark.parametrize("complete", [True, False])
def test_a_log_of_a_run_that_was_read_in_part_is_not_used(complete):
    log = calls("0:10 1:20", complete=complete)
    found = shares("1x10 2x50", claim("b", 0, 2, calls=2), claim("a", 1, 9, log), covered=[window(-60, 4)])
    assert intervals(found) == {"b": (10, 60)}


def test_logs_are_not_taken_apart_between_scopes_but_their_totals_are_a_floor():
    keys = Scope("openai", ("key_a", "key_b"))
    found = shares("1x10 2x50", claim("a", 0, 2, calls("0:10 1:20")), claim("b", 1, 3, scope=keys))
    assert intervals(found) == {"a": (30, 60), "b": (0, 30)}


# ------------------------------------------------------------------------------------ logs that are wrong


@pytest.mark.parametrize(
    ("text", "a", "b", "guilty"),
    [
        pytest.param("1x10 2x50", calls("0:10 1:20"), calls("1:20"), "ab", id="tokens of a minute below what it holds"),
        pytest.param("1x10 2x50", calls("0:5 1:20"), calls("1:30"), "a", id="the wrong minute is its own"),
        pytest.param(
            "1x10 2x50 1x9", calls("0:10 1:20"), calls("1-2:30 1-2:5"), "ab", id="tokens of an open minute, of either"
        ),
        pytest.param("1x10 3x50", calls("0:2 1:20"), calls("1:1"), "a", id="a surplus elsewhere cannot hide it"),
    ],
)
def test_a_log_whose_tokens_cannot_be_true_is_named_and_not_used(text, a, b, guilty):
    found = shares(text, claim("a", 0, 2, a), claim("b", 1, 3, b))
    assert "".join(name for name, share in found.items() if share.mismatched) == guilty
    assert not any(found[name].completeness is BOTH or found[name].log_matched for name in guilty)


@pytest.mark.parametrize(
    ("text", "a", "b", "expected"),
    [
        pytest.param("1x10 2x50", "0:10 1:20", "1:40", {"a": None, "b": None}, id="in a minute that both may have"),
        pytest.param("1x10 2x50", "0:15 1:20", "1:30", {"a": None, "b": 30}, id="in a minute of its own"),
        pytest.param("1x10 3x50", "0:10 1:60", "1:1", {"a": None, "b": None}, id="beside a surplus"),
    ],
)
def test_logs_of_more_tokens_than_were_reported_wait_for_the_rest(text, a, b, expected):
    found = shares(text, claim("a", 0, 2, calls(a)), claim("b", 1, 3, calls(b)))
    assert intervals(found) == expected
    assert {name: share.lacking for name, share in found.items()} == {name: not e for name, e in expected.items()}
    assert not any(share.mismatched or share.log_matched for share in found.values())


def test_what_remains_without_a_wrong_log_is_what_counts_say():
    with_log = shares(TWO_RUNS, claim("a", 0, 5, calls("0:100 1:100 1:150 2:90 3:99")), claim("b", 4, 9, calls=6))
    without = shares(TWO_RUNS, claim("a", 0, 5, calls=5), claim("b", 4, 9, calls=6))
    assert intervals(with_log) == intervals(without) == {"a": 550, "b": 580}
    assert [share.mismatched for share in with_log.values()] == [True, False]


@pytest.mark.parametrize(
    ("foreign", "expected"),
    [pytest.param(".", 4500, id="nobody"), pytest.param("1x7", (4400, 4500), id="somebody")],
)
def test_a_log_that_others_may_have_made_look_wrong_stays_inside_the_bounds(foreign, expected):
    """As many calls and other tokens: where others use the key, a call may be late and a foreign one in its place."""
    log = calls("0:400 0:600 1:3000 2:250 2:150")
    share = shares(ONE_RUN, claim("a", 0, 3, log), extra=list(minutes(foreign, 9)))["a"]
    assert (interval(share), share.mismatched) == (expected, True)


def test_a_wrong_log_costs_the_others_theirs_only_where_it_cannot_be_told_apart():
    """After the first two are set aside, what they leave convicts the third; then none is used."""
    claims = [
        claim("a", 0, 2, calls("0:10 1:20")),
        claim("b", 1, 3, calls("1:20 2:10")),
        claim("c", 2, 4, calls("2:10 3:7")),
    ]
    found = shares("1x10 2x50 2x15 1x7", *claims)
    assert {name for name, share in found.items() if share.mismatched} == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("log", "scope"),
    [
        pytest.param(calls("0:10", api_key_id="key_b"), SCOPE, id="another key"),
        pytest.param(calls("0:10"), Scope("openai", ("key_a",), (), ("gpt-4o",)), id="another model"),
        pytest.param(calls("0:10 7:5"), SCOPE, id="a call outside the run"),
    ],
)
def test_a_log_that_does_not_fit_its_run_proves_nothing(log, scope):
    bucket = Bucket(NOON, Usage(10, 10, 10, 1), "key_a", "gpt-4o-2024-08-06")
    mine = claim("a", 0, 2, log, scope=scope)
    share = attribute([mine], [bucket], [WIDE]).by_run[mine.run]
    assert (share.mismatched, share.log_matched, share.claim.known.tokens) == (True, False, (None, None, None))


def test_a_log_under_an_undated_or_a_dated_name_fits_its_scope():
    for model in ("gpt-4o", "gpt-4o-2024-08-06"):
        scope = Scope("openai", ("key_a",), (), (model,))
        bucket = Bucket(NOON, Usage(10, 10, 10, 1), "key_a", "gpt-4o-2024-08-06")
        mine = claim("a", 0, 2, calls("0:10", model="gpt-4o", api_key_id="key_a"), scope=scope)
        assert attribute([mine], [bucket], [WIDE]).by_run[mine.run].log_matched


def test_totals_that_a_neighbours_log_leaves_no_room_for_are_named():
    found = shares("1x10 2x50", claim("a", 0, 2, calls("0:10 1:20")), claim("b", 1, 3, calls=1, tokens=29))
    assert {name for name, share in found.items() if share.mismatched} >= {"a"}
    assert not any(share.completeness is BOTH for share in found.values())


def test_tokens_that_were_reported_without_a_request_are_anybodys_beside_a_log_too():
    found = shares("1x10 0x7 1x5", claim("a", 0, 3, calls("0:10 2:5")))
    assert interval(found["a"]) == (15, 22)
