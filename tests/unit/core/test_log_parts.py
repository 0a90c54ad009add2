"""Token parts of a line: they share nothing, and sum to what the line says."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.ledger.cells import MOST, Stated, amount_of, count_of, parts_of
from reconcile.ledger.formats import Included, LogFormat
from reconcile.ledger.log import UnusableError

OPENAI = LogFormat()
tokens = st.integers(0, 10**9)
formats = st.builds(
    LogFormat,
    input_includes=st.frozensets(st.sampled_from(Included)),
    output_includes_reasoning=st.booleans(),
)


@given(formats, tokens, tokens, tokens, tokens, tokens)
def test_parts_that_were_added_up_as_a_log_does_are_found_again(log_format, uncached, read, written, answer, reasoning):
    given_ = uncached
    given_ += read if Included.CACHED in log_format.input_includes else 0
    given_ += written if Included.CACHE_WRITE in log_format.input_includes else 0
    answered = answer + (reasoning if log_format.output_includes_reasoning else 0)
    whole = uncached + read + written + answer + reasoning
    for total in (None, whole, given_ + answered):
        parts = parts_of(log_format, Stated(given_, answered, total, read, written, reasoning))
        assert parts == (uncached, read, written, answer + reasoning)


few = st.integers(0, 12)


@given(formats, st.builds(Stated, few, few, st.none() | few, few, few, few))
def test_whatever_a_line_says_no_part_is_below_zero_and_a_total_is_kept(log_format, counts):
    given_, answered, total, *rest = counts
    try:
        parts = parts_of(log_format, counts)
    except UnusableError:
        return
    assert min(parts) >= 0
    assert total in {None, sum(parts), given_ + answered}
    assert log_format.input_includes != frozenset(Included) or sum(parts[:3]) == given_
    assert not log_format.output_includes_reasoning or parts[3] == answered
    assert tuple(rest[:2]) == parts[1:3]


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        pytest.param(Stated(10, 5, cached=11), "input_tokens is 10 and is to include 11", id="more cached than input"),
        pytest.param(Stated(10, 5, cached=6, written=5), "include 11 cached", id="more read and written than input"),
        pytest.param(Stated(10, 5, reasoning=6), "output_tokens is 5 and is to include 6", id="more reasoning"),
        pytest.param(Stated(10, 5, total=16), "total_tokens is 16 and its parts sum to 15", id="another total"),
        pytest.param(Stated(10, None, total=9), "total_tokens is 9, less than input_tokens, which is 10", id="less"),
        pytest.param(Stated(10, None), "output_tokens is missing", id="no output"),
    ],
)
def test_counts_that_contradict_each_other_are_told_with_both_numbers(counts, words):
    with pytest.raises(UnusableError, match=words):
        parts_of(OPENAI, counts)


def test_without_output_the_total_says_it():
    assert parts_of(OPENAI, Stated(10, None, total=10)) == (10, 0, 0, 0)
    assert parts_of(OPENAI, Stated(10, None, total=14)) == (10, 0, 0, 4)


def test_reasoning_apart_from_output_is_added_to_it_once():
    apart = replace(OPENAI, output_includes_reasoning=False)
    assert parts_of(apart, Stated(10, 5, total=18, reasoning=3)) == (10, 0, 0, 8)
    assert parts_of(OPENAI, Stated(10, 5, total=15, reasoning=3)) == (10, 0, 0, 5)


@pytest.mark.parametrize(
    ("value", "units", "count"),
    [(5, 1, 5), ("5", 1, 5), ("5.0", 1, 5), ("1e3", 1, 1000), ("1.25", 1000, 1250), (2, 1000, 2000), (MOST, 1, MOST)],
)
def test_counts(value, units, count):
    assert count_of(value, "input_tokens", units) == count


@pytest.mark.parametrize(
    "value", [-1, "-1", True, None, "5.5", "1e99", MOST + 1, "", " 5", "\u0665", [], {}, "9" * 16, "NaN"]
)
def test_what_is_no_count(value):
    with pytest.raises(UnusableError, match=r"input_tokens is .*; write a whole number"):
        count_of(value, "input_tokens")


@pytest.mark.parametrize("value", ["0.1000000000000000055", "3.75e-05", 0, "12", "1E-7"])
def test_an_amount_keeps_its_digits(value):
    assert amount_of(value) == Decimal(str(value))


@pytest.mark.parametrize("value", ["-0.5", "$", "$-1", True, [], "NaN", "Infinity", "1e999", -1, ""])
def test_what_is_no_amount(value):
    with pytest.raises(UnusableError, match=r"cost is .*; write US dollars"):
        amount_of(value)


@pytest.mark.parametrize(
    ("includes", "parts"),
    [
        ((), (100, 30, 20, 10)),
        ((Included.CACHED,), (70, 30, 20, 10)),
        ((Included.CACHE_WRITE,), (80, 30, 20, 10)),
        (tuple(Included), (50, 30, 20, 10)),
    ],
)
def test_uncached_input_is_what_the_input_includes_nothing_else_of(includes, parts):
    log_format = LogFormat(input_includes=frozenset(includes))
    assert parts_of(log_format, Stated(100, 10, cached=30, written=20)) == parts
