"""Control totals: which minutes are held to them, and what counts as a difference."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconcile.minutes import Window, instant
from reconcile.providers.base import Fetched, Query
from reconcile.providers.control import control_query, differing
from reconcile.usage import Bucket, OddRow, Usage

NOW = instant(6000)
QUERY = Query("openai", Window(0, 6000), ("key_a",))


@pytest.mark.parametrize(
    ("start", "end", "min_age", "wanted"),
    [
        pytest.param(0, 6000, 30, (0, 4200), id="up to the minutes that are old enough"),
        pytest.param(0, 3000, 30, (0, 3000), id="no further than the query"),
        pytest.param(4200, 6000, 30, None, id="nothing where all are too young"),
        pytest.param(0, 6000, 0.5, (0, 5940), id="whole minutes only"),
    ],
)
def test_control_query(start, end, min_age, wanted):
    asked = Query("openai", Window(start, end), ("key_a",))
    control = control_query(asked, NOW, timedelta(minutes=min_age))
    assert (control and (control.window, control.api_key_ids, control.grouped)) == (
        wanted and (Window(*wanted), ("key_a",), False)
    )


def answers(rows, totals):
    """Rows as (minute, key, tokens in) against totals as (minute, tokens in), for the minutes 0 to 2."""
    control = Query("openai", Window(0, 180), grouped=False)
    listed = tuple(Bucket(60 * minute, Usage(tokens, 1, 0, 1), key) for minute, key, tokens in rows)
    whole = tuple(Bucket(60 * minute, Usage(tokens, calls, 0, calls)) for minute, tokens, calls in totals)
    return Fetched(QUERY, listed), Fetched(control, whole)


@pytest.mark.parametrize(
    ("rows", "totals"),
    [
        pytest.param([], [], id="nothing on both sides"),
        pytest.param([(0, "a", 5), (0, "b", 7)], [(0, 12, 2)], id="the rows of a minute are added"),
        pytest.param([(0, "a", 5), (3, "a", 9)], [(0, 5, 1)], id="later minutes are left out"),
        pytest.param([], [(1, 0, 0)], id="a row of zeros is nothing"),
    ],
)
def test_differing__nothing(rows, totals):
    assert differing(*answers(rows, totals)) is None


@pytest.mark.parametrize(
    ("rows", "totals", "said"),
    [
        pytest.param([(0, "a", 5)], [(0, 12, 2)], "1970-01-01T00:00Z", id="a key that was left out"),
        pytest.param([], [(1, 12, 1)], "tokens_in 0 of 12, tokens_out 0 of 1, api_calls 0 of 1", id="no rows at all"),
        pytest.param([(2, "a", 1_200)], [], "tokens_in 1,200 of 0", id="no total"),
        pytest.param([(0, "a", 5), (1, "a", 5)], [(0, 6, 1), (1, 4, 1)], "tokens_in 5 of 6", id="the first minute"),
    ],
)
def test_differing__says_where_and_both_numbers(rows, totals, said):
    problem = differing(*answers(rows, totals))
    assert problem.code == "control_total"
    assert said in problem.message


@pytest.mark.parametrize(
    ("parts", "whole", "fits"),
    [
        pytest.param((7, 1, 0, 1), (12, 2), True, id="all of it can be read, and adds up"),
        pytest.param((7, 1, 0, 1), (13, 2), False, id="all of it can be read, and something is missing"),
        pytest.param((None, 1, 0, 1), (900, 2), True, id="of the kind that cannot be read there may be more"),
        pytest.param((None, 1, 0, 1), (4, 2), False, id="but never less"),
        pytest.param((None, 1, 0, 1), (900, 3), False, id="a kind that can be read does not add up"),
    ],
)
def test_an_odd_row_of_others_hides_nothing_that_can_be_read(parts, whole, fits):
    rows, totals = answers([(0, "a", 5)], [(0, *whole)])
    rows = replace(rows, odd=(OddRow(minute=0, parts=parts),))
    assert (differing(rows, totals) is None) is fits
