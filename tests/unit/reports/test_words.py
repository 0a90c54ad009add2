"""Numbers, ages and instants as a person reads them; text of others made harmless."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.report.phrases import clock, duration, minute, painter, printable, tokens
from reconcile.usage import Usage
from reconcile.words import plural

NOW = datetime(2026, 1, 5, 14, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (-3, "0 min"),
        (0, "0 min"),
        (12, "12 min"),
        (60, "1 h"),
        (65, "1 h 5 min"),
        (1440, "1 d"),
        (1441, "1 d"),
        (3000, "2 d 2 h"),
        (1440 * 12345, "12,345 d"),
        (1440 * 12345 + 60, "12,345 d 1 h"),
    ],
)
def test_durations_show_their_two_largest_units(minutes, expected):
    assert duration(timedelta(minutes=minutes)) == expected


def test_a_clock_of_today_is_short_and_of_another_day_has_its_date():
    assert (clock(NOW, NOW), clock(NOW - timedelta(days=1), NOW)) == ("14:05Z", "2026-01-04 14:05Z")


def test_a_minute_is_a_clock():
    assert minute(int(NOW.timestamp()), NOW) == "14:05Z"


@pytest.mark.parametrize(("count", "expected"), [(1, "1 run"), (0, "0 runs"), (1200, "1,200 runs")])
def test_plurals(count, expected):
    assert plural(count, "run") == expected


def test_a_figure_has_separators():
    assert tokens(Usage(84604, 23275, 0, 31)) == "84,604 in, 23,275 out, 0 cached, 31 calls"


def test_paint_colours_only_where_it_is_asked_to():
    assert painter(colour=False)("verified", "green") == "verified"
    assert painter(colour=True)("verified", "green") == "\x1b[32mverified\x1b[0m"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("plain café 日本", "plain café 日本", id="letters of any language"),
        pytest.param("a\nb\tc\x1b[2J", r"a\nb\tc\x1b[2J", id="control characters"),
        pytest.param("a\u202eb", r"a\u202eb", id="text that runs backwards"),
        pytest.param("a\u2028b", r"a\u2028b", id="line separators"),
        pytest.param("\ud800", r"\ud800", id="half a character"),
    ],
)
def test_untrusted_text_stays_on_its_line_and_shows_what_is_in_it(text, expected):
    assert printable(text) == expected


@given(st.text(st.characters(codec=None)))
def test_printable_text_has_nothing_that_a_terminal_obeys(text):
    assert printable(text).isprintable()


def test_tokens_that_nobody_knows_are_no_zero():
    assert tokens(Usage(50, 5, 0, 0), {"cached_tokens", "api_calls"}) == "50 in, 5 out, ? cached, ? calls"
