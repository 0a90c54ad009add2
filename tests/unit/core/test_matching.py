"""Runs whose records say it all: what was reported in some minutes of theirs is just what they recorded.

Each run may have been booked a minute around its own, for its clock is not known.
"""

from dataclasses import replace

import pytest
from support.worlds import NOON, window

from reconcile.attribution.attribute import attribute
from reconcile.minutes import Clock, Window
from reconcile.providers.base import Scope
from reconcile.runs.run import Claim, RunKey
from reconcile.runs.state import Completeness
from reconcile.usage import Bucket, Recorded, Usage

SCOPE = Scope("openai", ("key_a",))
BOTH, TOKENS = Completeness.CALLS_AND_TOKENS_MATCHED, Completeness.TOKENS_MATCHED
DAY = window(-2000, 2000)


def minutes(text, start=0):
    """`2x30` is a minute of two requests and 30 tokens of each kind; a dot is a quiet one."""
    for index, cell in enumerate(text.split(), start):
        if cell != ".":
            requests, tokens = map(int, cell.split("x"))
            yield Bucket(NOON + 60 * index, Usage(tokens, tokens, tokens, requests), "key_a", "gpt-4o-mini-2024-07-18")


def claim(name, start, end, calls=None, tokens=None, *, cached=True, reach=1, scope=SCOPE):
    own = window(start, end)
    recorded = Recorded(tokens, tokens, tokens if cached else None, calls)
    reached = (own.widened(reach),) if reach else ()
    return Claim(RunKey("chatdev", name), scope, own, recorded, clock=Clock(0.0, 60.0 * reach), reached=reached)


def told(text, *claims, covered=DAY):
    """By run, its figure of tokens in, exact or as an interval, and `=` behind it where its record says it all."""
    found = attribute(claims, list(minutes(text)), [covered]).by_run
    return {key.run_id: _told(share) for key, share in sorted(found.items())}


def _told(share):
    if share.bounds is None:
        return "waits"
    low, high = share.bounds.low.tokens_in, share.bounds.high.tokens_in
    return f"{low if share.exact else f'{low}-{high}'}{'=' if share.component.match else ''}"


# ---------------------------------------------------------------------------------------------- one run alone


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(". . 1x10 1x20", "30=", id="in its minutes"),
        pytest.param(". 1x10 1x20 .", "30=", id="the first a minute earlier"),
        pytest.param(". . . 1x10 1x20", "30=", id="the last a minute later"),
        pytest.param(". 1x9 1x10 1x20", "30=", id="a stranger's in the minute before"),
        pytest.param(". . 1x10 1x20 4x9", "30=", id="strangers' in the minute after"),
        pytest.param(". 1x9 1x10 1x20 1x7", "30=", id="both"),
        pytest.param(". . 2x15 1x15", "30-30", id="a request more in a minute of its own, which may be a retry"),
        pytest.param("1x10 . . 1x20", "waits", id="a call two minutes earlier"),
        pytest.param(". . 1x10 1x19", "waits", id="fewer tokens"),
        pytest.param(". . . .", "waits", id="nothing yet"),
    ],
)
def test_a_run_alone(text, expected):
    assert told(text, claim("a", 2, 4, 2, 30)) == {"a": expected}


def test_more_tokens_in_its_own_minutes_than_it_recorded_are_no_match():
    assert told(". . 1x10 1x21", claim("a", 2, 4, 2, 30)) == {"a": "31"}


def test_a_retry_that_it_hid_in_its_own_minutes_is_never_left_to_nobody():
    """The match would be the first two requests; the third is in a minute of the run's own."""
    share = attribute([claim("a", 0, 4, 2, 30)], list(minutes("1x10 1x20 . 1x30")), [DAY]).by_run[
        RunKey("chatdev", "a")
    ]
    assert (share.component.match, share.extra, share.figure.tokens_in) == (None, True, 60)


def test_what_is_not_matched_is_seen_as_usage_that_nobody_claims():
    result = attribute([claim("a", 2, 4, 2, 30)], list(minutes(". 1x9 1x10 1x20")), [DAY])
    share = result.by_run[RunKey("chatdev", "a")]
    assert ([row.usage.tokens_in for row in result.unattributed], share.guard.requests) == ([9], 1)
    assert (share.completeness, share.record_matched, share.surplus) == (BOTH, True, 0)
    assert [row.usage.tokens_in for row in share.rows] == [10, 20]


def test_usage_outside_its_own_minutes_is_told():
    share = attribute([claim("a", 2, 4, 2, 30)], list(minutes(". 1x10 1x20")), [DAY]).by_run[RunKey("chatdev", "a")]
    assert share.beyond == (NOON + 60,)


# ------------------------------------------------------------------------------------------- runs that follow


@pytest.mark.parametrize(
    ("text", "claims", "expected"),
    [
        pytest.param(
            "1x10 . 2x60 1x5",
            [claim("a", 0, 2, 2, 30), claim("b", 2, 4, 2, 45)],
            {"a": "30=", "b": "45="},
            id="a call that was booked in its neighbour's minute",
        ),
        pytest.param(
            "1x10 1x20 1x7 1x40 1x5",
            [claim("a", 0, 2, 2, 30), claim("b", 3, 5, 2, 45)],
            {"a": "30=", "b": "45="},
            id="a stranger's in the minute between them",
        ),
        pytest.param(
            "1x10 1x20 1x40 . 1x1 1x2",
            [claim("a", 0, 2, 2, 30), claim("b", 2, 4, 2, 45), claim("c", 4, 6, 2, 3)],
            {"a": "30=", "b": "waits", "c": "3="},
            id="a call that was never billed holds up its own run only",
        ),
        pytest.param(
            "1x10 1x20 3x45 . 1x1 1x2",
            [claim("a", 0, 2, 2, 30), claim("b", 2, 4, 2, 40), claim("c", 4, 6, 2, 3)],
            {"a": "30=", "b": "40-45", "c": "3="},
            id="a stranger's among one run's calls leaves the others theirs",
        ),
        pytest.param(
            "1x10 1x20 1x40 1x5",
            [claim("a", 0, 2, 2, 30), claim("b", 2, 4)],
            {"a": "30=", "b": "45"},
            id="beside a run that recorded nothing",
        ),
        pytest.param(
            "1x10 1x20 1x40 1x5",
            [claim("a", 0, 2, 2, 30), claim("b", 1, 2, 0, 0), claim("c", 2, 4, 2, 45)],
            {"a": "30=", "b": "0", "c": "45="},
            id="with a run that made no calls among them",
        ),
        pytest.param(
            ". . . . 1x40 1x5",
            [claim("a", 0, 2, 0, 0), claim("b", 4, 6, 2, 45)],
            {"a": "0", "b": "45="},
            id="a run without calls alone is no match",
        ),
    ],
)
def test_runs_that_follow_each_other(text, claims, expected):
    assert told(text, *claims) == expected


def test_a_chain_is_cut_wherever_it_is_told_apart():
    claims = [claim(name, 3 * i, 3 * i + 2, 2, 10 * (i + 1)) for i, name in enumerate("abcd")]
    found = attribute(claims, list(minutes("1x4 1x6 . 1x15 1x5 . 2x30 . . 1x3 1x37")), [DAY]).by_run
    assert [share.figure.tokens_in for share in found.values()] == [10, 20, 30, 40]
    assert [len(share.component.members) for share in found.values()] == [1, 1, 1, 1]


def test_runs_whose_calls_lie_in_each_others_minutes_are_matched_together():
    claims = [claim("a", 0, 2, 2, 30), claim("b", 2, 4, 2, 45), claim("c", 6, 8, 1, 1)]
    found = attribute(claims, list(minutes("1x10 . 2x60 1x5 . . 1x1")), [DAY]).by_run
    assert [len(share.component.members) for share in found.values()] == [2, 2, 1]


# --------------------------------------------------------------------------------------- where nothing is matched


@pytest.mark.parametrize(
    ("mine", "covered"),
    [
        pytest.param(claim("a", 0, 2, 2), DAY, id="no tokens"),
        pytest.param(claim("a", 0, 2, 2, 30, scope=Scope("openai", ("key_a", "key_b"))), DAY, id="another scope"),
        pytest.param(claim("a", 0, 2, 2, 30), window(0, 100), id="its reach was not read whole"),
        pytest.param(
            replace(claim("a", 0, 2), recorded=Recorded(30, 30, 30, 2, unknown=1)),
            DAY,
            id="a request nobody understood",
        ),
        pytest.param(
            replace(
                claim("a", 0, 2, 2, 30), sessions=(window(0, 1), window(4, 5)), reached=(window(-1, 2), window(3, 6))
            ),
            DAY,
            id="a run that was interrupted",
        ),
    ],
)
def test_no_record_says_it_all(mine, covered):
    found = attribute([mine, claim("b", 2, 4, 2, 45)], list(minutes("1x10 1x20 1x40 1x6")), [covered]).by_run
    assert not any(share.component.match for share in found.values())


def test_a_component_of_too_many_places_is_not_searched():
    long, short = claim("a", 0, 300_000, 2, 30), claim("b", 10, 11, 1, 5)
    found = attribute([long, short], list(minutes("1x10 1x20" + " ." * 8 + " 1x5")), [Window(NOON - 600, NOON + 10**8)])
    assert not any(share.component.match for share in found.by_run.values())


# ------------------------------------------------------------------------------------------- tokens without calls


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(". . 1x10 1x20", "30=", id="in its minutes"),
        pytest.param(". 1x9 1x10 1x20", "30=", id="a stranger's beside it"),
        pytest.param(". 1x10 1x20 .", "30=", id="a minute earlier"),
        pytest.param(". . 1x10 1x21", "31", id="more than recorded"),
        pytest.param(". . 1x10 1x19", "waits", id="less than recorded"),
    ],
)
def test_recorded_tokens_without_calls(text, expected):
    mine = claim("a", 2, 4, None, 30, cached=False)
    share = attribute([mine], list(minutes(text)), [DAY]).by_run[mine.run]
    assert _told(share) == expected
    assert (share.completeness is TOKENS) is bool(share.component.match)


def test_of_several_places_for_recorded_tokens_its_own_minutes_are_taken():
    """The 30 before it and the 30 after may be a stranger's as well."""
    text = ". 1x30 1x30 . 1x30"
    share = attribute([claim("a", 2, 4, None, 30, cached=False)], list(minutes(text)), [DAY]).by_run[
        RunKey("chatdev", "a")
    ]
    assert [row.minute for row in share.rows] == [NOON + 120]


def test_the_kinds_that_it_did_not_record_are_as_reported():
    mine = claim("a", 2, 4, None, 30, cached=False)
    share = attribute([mine], list(minutes(". 1x9 2x10 1x20")), [DAY]).by_run[mine.run]
    assert (share.figure, share.exact, share.record_matched) == (Usage(30, 30, 30, 3), True, False)


def test_tokens_of_nothing_are_no_match():
    mine = claim("a", 2, 4, None, 0, cached=False)
    assert attribute([mine], list(minutes(". 1x9")), [DAY]).by_run[mine.run].component.match is None


def test_minutes_that_calls_and_tokens_of_others_match_are_not_matched_again():
    claims = [claim("a", 0, 2, 2, 30), claim("b", 1, 3, None, 20, cached=False)]
    found = attribute(claims, list(minutes("1x10 1x20")), [DAY]).by_run
    assert [bool(share.component.match) for share in found.values()] == [True, False]
