"""What a complete call log, or a lone window, tells of the clock that wrote it."""

import json

import pytest
from support.worlds import LOGS, NOON, dice, seeds, window

from reconcile.attribution.booking import elsewhere, shift_of
from reconcile.usage import Bucket, Usage, total

TOKENS = Usage(100, 10, 25, 1)


def log(*calls):
    """Calls of these seconds, from noon."""
    lines = [
        {"started_at": NOON + start, "ended_at": NOON + end, "model": "m", "input_tokens": 100, "output_tokens": 10,
         "cached_tokens": 25}
        for start, end in calls
    ]  # fmt: skip
    return LOGS.check("calls.ndjson", "\n".join(map(json.dumps, [{"complete": True}, *lines])).encode())


def rows(*counts):
    """So many requests in each minute from noon on."""
    for minute, count in enumerate(counts):
        if count:
            yield Bucket(NOON + 60 * minute, Usage(100 * count, 10 * count, 25 * count, count))


def test_the_shift_lies_where_both_ways_to_book_a_call_allow_it():
    """Booked at its start, the second call may lie 9.5 to 69.5 seconds later; at its end, 4.5 to 64.5."""
    found = shift_of(log((20.5, 25.5), (50.5, 55.5)), list(rows(1, 1)))
    assert found == (4.5, 39.5)


@pytest.mark.parametrize(
    "reported",
    [
        pytest.param((1,), id="a call less"),
        pytest.param((1, 2), id="a call more"),
        pytest.param((1, 0, 0, 0, 1), id="too far apart"),
        pytest.param((), id="nothing"),
    ],
)
def test_no_shift_makes_these_calls_those_rows(reported):
    assert shift_of(log((20.5, 25.5), (50.5, 55.5)), list(rows(*reported))) is None


def test_no_shift_where_the_tokens_of_a_minute_are_others():
    other = [Bucket(NOON, Usage(50, 5, 0, 1)), Bucket(NOON + 60, Usage(150, 15, 50, 1))]
    assert total(row.usage for row in other) == TOKENS + TOKENS
    assert shift_of(log((20.5, 25.5), (50.5, 55.5)), other) is None


def test_the_true_shift_is_always_among_those_that_are_told():
    for seed in seeds(200):
        random = dice(seed)
        shift, at_end = random.uniform(-90, 90), random.random() < 0.5
        starts = sorted(random.uniform(100, 900) for _ in range(random.randint(1, 12)))
        calls = [(start, start + random.uniform(0.25, 30.25)) for start in starts]
        counts = [0] * 20
        for start, end in calls:
            counts[int(((end if at_end else start) + shift) // 60)] += 1
        low, high = shift_of(log(*calls), list(rows(*counts)))
        assert low - 0.001 <= shift <= high + 0.001, seed


# ---------------------------------------------------------------------------------------------- a lone window


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        pytest.param((0, 0, 1, 1), None, id="as it is"),
        pytest.param((0, 0, 0, 0, 0, 1, 1), 3, id="later, in the middle of those that hold all"),
        pytest.param((1, 1), -2, id="earlier"),
        pytest.param((0, 0, 0, 0, 0, 3), None, id="with a request more"),
        pytest.param((0, 0, 0, 0, 0, 0, 1), None, id="with a request less"),
        pytest.param((1, 1, 0, 0, 0, 0, 0, 0, 1, 1), None, id="in two places"),
    ],
)
def test_by_how_many_minutes_a_window_lies_elsewhere(counts, expected):
    """The run has the minutes from the second to the fourth."""
    assert elsewhere(TOKENS + TOKENS, list(rows(*counts)), window(2, 5), 60) == expected
