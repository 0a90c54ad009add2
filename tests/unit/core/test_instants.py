"""Timestamps in every spelling that files have, and what a whole second means as an end."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runs import EXAMPLES

from reconcile.minutes import end_seconds, instant_of, spelled, start_seconds

NOON = 1_767_700_800  # 2026-01-06T12:00:00Z

SPELLINGS = {
    "UTC": ("2026-01-06T12:00:00Z", NOON, NOON + 1),
    "UTC with microseconds": ("2026-01-06T12:00:00.250000Z", NOON + 0.25, NOON + 0.25),
    "no microseconds to speak of": ("2026-01-06T12:00:00.000000Z", NOON, NOON),
    "an offset": ("2026-01-06T14:00:00+02:00", NOON, NOON + 1),
    "an offset with microseconds": ("2026-01-06T06:30:00.5-05:30", NOON + 0.5, NOON + 0.5),
    "a whole number of seconds": (NOON, NOON, NOON + 1),
    "seconds with a fraction": (NOON + 0.25, NOON + 0.25, NOON + 0.25),
    "seconds with a fraction of zero": (float(NOON), NOON, NOON),
    "before 1970": (-60, -60, -59),
}


@pytest.mark.parametrize(("value", "start", "end"), SPELLINGS.values(), ids=SPELLINGS)
def test_what_a_timestamp_means_as_a_start_and_as_an_end(value, start, end):
    assert (start_seconds(value), end_seconds(value)) == (start, end)


@pytest.mark.parametrize("value", ["2026-01-06T12:00:00", "2026-02-30T12:00:00Z", "2026-01-06T25:00:00Z", "soon"])
def test_text_that_names_no_instant_is_refused(value):
    with pytest.raises(ValueError, match=r"UTC offset|day is out of range|hour must be|Invalid isoformat"):
        instant_of(value)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2026, 1, 6, 12, tzinfo=UTC), "2026-01-06T12:00:00Z"),
        (datetime(2026, 1, 6, 12, 0, 0, 5, tzinfo=UTC), "2026-01-06T12:00:00.000005Z"),
        (datetime(2026, 1, 6, 14, tzinfo=timezone(timedelta(hours=2))), "2026-01-06T12:00:00Z"),
    ],
    ids=["whole seconds", "microseconds", "an offset"],
)
def test_how_an_instant_is_spelled(moment, expected):
    assert spelled(moment) == expected


@given(st.timedeltas(timedelta(days=1), timedelta(days=300_000)))
@EXAMPLES
def test_what_is_spelled_is_read_as_the_same_instant(since_1970):
    moment = datetime(1970, 1, 1, tzinfo=UTC) + since_1970
    assert instant_of(spelled(moment)) == moment


@given(st.integers(0, 10**10))
@EXAMPLES
def test_an_end_is_never_before_its_start(second):
    assert start_seconds(second) < end_seconds(second) == second + 1
