"""How many pages are asked for, and that nothing needed is left out."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.worlds import examples

from reconcile.minutes import Window, instant, minutes_of
from reconcile.passes.planning import MOST_KEY_FILTERS, PAGE_MINUTES, plan
from reconcile.providers.base import Query, Scope

HOUR = 3600
NOON = 1_767_614_400  # 2026-01-05T12:00:00Z
NOW = instant(NOON + 5 * 24 * HOUR + 30.5)
HORIZON = NOON + 5 * 24 * HOUR
SCOPE = Scope("openai", ("key_a",))


def hours(start, end):
    return Window(NOON + round(start * HOUR), NOON + round(end * HOUR))


def pages(needed, wished=(), now=NOW):
    return [query.window for query in plan(needed, wished, [SCOPE], now)]


def wanted_minutes(needed):
    """Every needed minute with 60 more on either side, up to now, of windows that have passed."""
    return sorted(
        {m for w in needed if w.end <= HORIZON for m in minutes_of(Window(w.start - HOUR, min(w.end + HOUR, HORIZON)))}
    )


def fewest(minutes):
    """No page holds two minutes that are a page's length apart: so many such minutes need so many pages."""
    apart = []
    for minute in minutes:
        if not apart or minute >= apart[-1] + 60 * PAGE_MINUTES:
            apart.append(minute)
    return len(apart)


spans = st.builds(
    lambda start, length: Window(NOON + 60 * start, NOON + 60 * (start + length)),
    st.integers(0, 5 * 1440),
    st.one_of(st.integers(1, 30), st.integers(1, 3000)),
)


@examples(150)
@given(needed=st.lists(spans, max_size=6), wished=st.lists(spans, max_size=6))
def test_pages_cover_what_is_needed_and_are_as_few_as_can_be(needed, wished):
    found = pages(needed, wished)
    minutes = wanted_minutes(needed)
    read = [minute for page in found for minute in minutes_of(page)]
    assert set(minutes) <= set(read)
    assert len(read) == len(set(read)), "pages overlap"
    assert len(found) == fewest(minutes)
    assert all(1 <= page.minutes <= PAGE_MINUTES for page in found)
    assert all(page.end <= HORIZON for page in found)
    assert found == sorted(found)


@examples(100)
@given(needed=st.lists(spans, min_size=1, max_size=4), wished=st.lists(spans, max_size=6))
def test_wishes_only_ever_add_whole_windows(needed, wished):
    plain, found = pages(needed), pages(needed, wished)
    for before, after in zip(plain, found, strict=True):
        assert after.holds(before)
        brought_in = [w for w in wished if after.holds(w)]
        assert after.start == min([before.start, *(w.start for w in brought_in)])
        assert after.end == max([before.end, *(w.end for w in brought_in)])


@pytest.mark.parametrize(
    ("wished", "expected"),
    [
        pytest.param([], [hours(-1, 3)], id="none"),
        pytest.param([hours(-9, -8)], [hours(-9, 3)], id="before"),
        pytest.param([hours(8, 9)], [hours(-1, 9)], id="after"),
        pytest.param([hours(-5, 6)], [hours(-5, 6)], id="around"),
        pytest.param([hours(0, 1)], [hours(-1, 3)], id="inside"),
        pytest.param([hours(-20, -19), hours(19, 20)], [hours(-20, 3)], id="not both fit"),
        pytest.param([hours(-9, 20)], [hours(-1, 3)], id="longer than a page"),
        pytest.param([hours(22, 24)], [hours(-1, 3)], id="a page's length away"),
    ],
)
def test_a_wished_window_is_read_where_the_page_has_room_for_all_of_it(wished, expected):
    assert pages([hours(0, 2)], wished) == expected


def test_a_wish_does_not_make_one_page_reach_into_another():
    needed = [hours(0, 23), hours(26, 27)]
    assert pages(needed) == [hours(-1, 23), hours(23, 28)]
    assert pages(needed, [hours(22, 24), hours(15, 30)]) == [hours(-1, 23), hours(23, 28)]
    assert pages(needed, [hours(30, 31)]) == [hours(-1, 23), hours(23, 31)]


def test_a_wish_reaches_no_further_than_now():
    needed = [Window(HORIZON - 2 * HOUR, HORIZON - HOUR)]
    assert pages(needed, [Window(HORIZON - 60, HORIZON + 60)]) == [Window(HORIZON - 3 * HOUR, HORIZON)]


@pytest.mark.parametrize(
    ("ends", "asked"),
    [
        pytest.param(HORIZON, True, id="with the last whole minute"),
        pytest.param(HORIZON + 60, False, id="in the running minute"),
        pytest.param(HORIZON + HOUR, False, id="in the future"),
    ],
)
def test_a_run_whose_window_has_not_passed_is_not_asked_for(ends, asked):
    found = pages([Window(HORIZON - HOUR, ends)])
    assert found == ([Window(HORIZON - 2 * HOUR, HORIZON)] if asked else [])


def test_now_counts_by_the_minute():
    needed = [Window(HORIZON - HOUR, HORIZON)]
    assert [pages(needed, now=instant(HORIZON) + timedelta(seconds=s)) != [] for s in (-0.1, 0, 59.9)] == [0, 1, 1]


def test_nothing_needed_asks_for_nothing():
    assert plan([], [hours(0, 1)], [SCOPE], NOW) == ()


def test_a_day_of_300_runs_is_at_most_two_requests():
    needed = [Window(NOON + 60 * start, NOON + 60 * (start + 20)) for start in range(0, 1420, 71) for _ in range(15)]
    assert len(needed) == 300
    assert len(pages(needed)) <= 2


def test_a_page_is_no_longer_than_what_is_needed():
    assert pages([hours(0, 1), hours(5, 6)]) == [hours(-1, 7)]
    assert pages([hours(0, 1), hours(50, 51)]) == [hours(-1, 2), hours(49, 52)]


def test_a_window_longer_than_a_page_takes_several():
    assert pages([hours(0, 60)]) == [hours(-1, 23), hours(23, 47), hours(47, 61)]


KEY_AND_PROJECT, PROJECT = Scope("openai", ("key_b", "key_a"), ("proj_1",)), Scope("openai", (), ("proj_1",))
FULL = Scope("openai", tuple(f"key_{i:03}" for i in range(MOST_KEY_FILTERS)))


@pytest.mark.parametrize(
    ("scopes", "keys"),
    [
        pytest.param([SCOPE], ("key_a",), id="one"),
        pytest.param([SCOPE, KEY_AND_PROJECT], ("key_a", "key_b"), id="each once, in order"),
        pytest.param([SCOPE, PROJECT], (), id="a scope without keys needs all"),
        pytest.param([FULL], FULL.api_key_ids, id="as many as an address can take"),
        pytest.param([FULL, SCOPE], (), id="more than an address can take"),
    ],
)
def test_keys_are_filtered_where_every_scope_names_them(scopes, keys):
    assert plan([hours(0, 1)], [], scopes, NOW) == (Query("openai", hours(-1, 2), keys),)
