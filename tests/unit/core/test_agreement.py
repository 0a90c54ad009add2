"""Recorded against reported: the four cases, and what is left where not everything was recorded."""

import pytest
from support.runs import Tale, neighbour, theirs

from reconcile.insight.account import Agreement, against, agreement
from reconcile.runs.state import Guard

BOTH = {"tokens_in": 300, "tokens_out": 30, "cached_tokens": 75}


@pytest.mark.parametrize(
    ("recorded", "meant"),
    [
        pytest.param({**BOTH, "api_calls": 2}, Agreement.CONFIRMED, id="calls and tokens equal"),
        pytest.param({**BOTH, "tokens_out": 29, "api_calls": 2}, Agreement.MISCOUNTED, id="calls equal, tokens not"),
        pytest.param({**BOTH, "tokens_out": 31, "api_calls": 2}, Agreement.FEWER_TOKENS, id="fewer tokens reported"),
        pytest.param({**BOTH, "api_calls": 1}, Agreement.MORE_CALLS, id="more calls reported"),
        pytest.param({**BOTH, "api_calls": 3}, Agreement.FEWER_CALLS, id="fewer calls reported"),
        pytest.param({"tokens_in": 300, "api_calls": 2}, Agreement.CALLS_AGREE, id="not all tokens recorded"),
        pytest.param(BOTH, Agreement.CALLS_UNKNOWN, id="calls not recorded"),
    ],
)
def test_agreement(recorded, meant):
    tale = Tale(recorded_usage=recorded)
    tale.read("00:45", "100 200")
    assert agreement(against(tale.run)) is meant


def test_agreement__within_bounds_is_agreement():
    tale = Tale(neighbours=[neighbour("b", 1, 12)], recorded_usage={"api_calls": 2})
    tale.read("00:45", "100 2x200")
    calls = against(tale.run)[-1]
    assert (calls.low, calls.high, calls.agrees) == (2, 3, True)


@pytest.mark.parametrize(
    "tale",
    [
        pytest.param(Tale(recorded_usage=BOTH), id="never read"),
        pytest.param(Tale(), id="nothing recorded"),
    ],
)
def test_against__nothing(tale):
    assert against(tale.run) == ()


def test_against__nothing_of_another_tools_read():
    tale = Tale(recorded_usage=BOTH, **theirs(("00:45", 100), status="verified"))
    assert against(tale.run) == ()


@pytest.mark.parametrize(
    ("guard", "most"),
    [
        pytest.param(Guard(120, 0), 0.025, id="quiet"),
        pytest.param(Guard(120, 1), None, id="not quiet"),
        pytest.param(Guard(0, 0), None, id="not watched"),
    ],
)
def test_guard__bounds_what_may_hide(guard, most):
    assert guard.most_hidden == most
