"""Made-up traffic for runs that exist."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.simulator.scenarios import imitate
from reconcile.usage import Recorded

NOON = 1_767_614_400.0


def calls(recorded, name="chatdev/a"):
    return imitate(name, NOON, NOON + 300, "key_a", recorded)


def test_the_same_run_always_makes_the_same_calls():
    assert calls(Recorded()) == calls(Recorded())
    assert calls(Recorded()) != calls(Recorded(), "chatdev/b")


@pytest.mark.parametrize("wanted", [0, 1, 5, 500])
def test_as_many_calls_as_were_recorded(wanted):
    assert len(calls(Recorded(api_calls=wanted))) == wanted


@given(
    st.integers(1, 300),
    st.integers(0, 10**9),
    st.integers(0, 10**9),
    st.integers(0, 10**9) | st.none(),
)
def test_what_was_recorded_is_believed_to_the_token(number, fresh, tokens_out, cached):
    made = calls(Recorded(fresh + (cached or 0), tokens_out, cached, number))
    assert sum(call.tokens_in for call in made) == fresh + (cached or 0)
    assert sum(call.tokens_out for call in made) == tokens_out
    assert sum(call.cached_tokens for call in made) == (cached or 0)
    assert all(0 <= call.cached_tokens <= call.tokens_in and call.tokens_out >= 0 for call in made)
    assert all(NOON <= call.at < NOON + 300 for call in made)
