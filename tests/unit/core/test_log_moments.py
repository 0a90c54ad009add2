"""The quarter of an hour that a timestamp lies in."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.ledger import cells
from reconcile.ledger.cells import TimestampReader
from reconcile.ledger.formats import LogFormat, Timestamps
from reconcile.ledger.log import UnusableError

BERLIN, KATHMANDU = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kathmandu")


def quarter(value, zone=None, kind=Timestamps.DETECTED):
    return TimestampReader(LogFormat(time_zone=zone, timestamps=kind)).quarter(value)


FIRST, LAST = (datetime(year, 1, 1) for year in (2000, 2098))  # noqa: DTZ001  of wall clocks


def at(text):
    return int(datetime.fromisoformat(text).timestamp())


@pytest.mark.parametrize(
    ("value", "zone", "instant"),
    [
        ("2026-02-07T14:30:15.123456", UTC, "2026-02-07T14:30:00Z"),
        ("2026-02-07T14:29:59.999999", UTC, "2026-02-07T14:15:00Z"),
        ("2026-02-07T14:30:15", BERLIN, "2026-02-07T13:30:00Z"),
        ("2026-07-07T14:30:15", BERLIN, "2026-07-07T12:30:00Z"),
        ("2026-02-07T14:30:15", KATHMANDU, "2026-02-07T08:45:00Z"),
        ("2026-10-25T02:30:00", BERLIN, "2026-10-25T00:30:00Z"),
        ("2026-02-07T14:30:15Z", BERLIN, "2026-02-07T14:30:00Z"),
        ("2026-02-07t14:30z", None, "2026-02-07T14:30:00Z"),
        ("2026-02-07 14:30:15,5 +05:30", None, "2026-02-07T09:00:00Z"),
        ("2026-02-07T14:30:15-0931", None, "2026-02-08T00:00:00Z"),
        (1770474615, None, "2026-02-07T14:30:00Z"),
        ("1770474615", None, "2026-02-07T14:30:00Z"),
        ("1770474615.25", None, "2026-02-07T14:30:00Z"),
        (1770474615123, None, "2026-02-07T14:30:00Z"),
    ],
)
def test_a_timestamp_lies_in_a_quarter_of_utc(value, zone, instant):
    assert quarter(value, zone) == at(instant)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("2026-02-30T10:00:00Z", Timestamps.DETECTED),
        ("2026-02-07T24:00:00Z", Timestamps.DETECTED),
        ("2026-02-07T10:00:00+99:00", Timestamps.DETECTED),
        ("0001-01-01T00:00:00+10:00", Timestamps.DETECTED),
        ("1969-12-31T23:59:00Z", Timestamps.DETECTED),
        ("2026-02-07", Timestamps.DETECTED),
        ("yesterday", Timestamps.DETECTED),
        (True, Timestamps.DETECTED),
        ({}, Timestamps.DETECTED),
        (0, Timestamps.DETECTED),
        (-5, Timestamps.DETECTED),
        (4_102_444_800, Timestamps.DETECTED),
        (1770474615, Timestamps.RFC3339),
        ("2026-02-07T14:30:15Z", Timestamps.SECONDS),
        (1770474615123, Timestamps.SECONDS),
        ("2026-02-07T14:30:15Z", Timestamps.MILLISECONDS),
    ],
)
def test_what_names_no_instant_says_what_to_write(value, kind):
    with pytest.raises(UnusableError, match=r"timestamp is .*; write"):
        quarter(value, UTC, kind)


def test_a_time_without_an_offset_needs_a_stated_zone():
    with pytest.raises(UnusableError, match="without an offset; state the zone of the log with time_zone"):
        quarter("2026-02-07T14:30:15")


def test_milliseconds_that_are_stated_are_taken_as_such():
    assert quarter(1_000_000_000, kind=Timestamps.MILLISECONDS) == 999_900


@given(
    st.datetimes(FIRST, LAST),
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu"]),
)
def test_all_of_a_quarter_on_a_wall_clock_lies_in_one_of_utc(moment, name):
    zone = ZoneInfo(name)
    seconds = int(moment.replace(tzinfo=zone).astimezone(UTC).timestamp())
    assert quarter(moment.isoformat(), zone) == seconds - seconds % 900


def test_no_more_minutes_are_remembered_than_are_to_be(monkeypatch):
    monkeypatch.setattr(cells, "REMEMBERED", 2)
    clock = TimestampReader(replace(LogFormat(), time_zone=UTC))
    minutes = [f"2026-02-07T14:{minute:02}:00" for minute in (1, 16, 31, 1, 46, 1)]
    assert [clock.quarter(text) for text in minutes] == [at(f"{text[:-3]}Z") - 60 for text in minutes]
