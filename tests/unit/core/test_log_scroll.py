"""A log as it is read: its sums, its repeats, its versions of a call, the tries that were not logged."""

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.errors import ConfigurationError
from reconcile.ledger import tally as tallies
from reconcile.ledger import windows
from reconcile.ledger.formats import CALLS, SEEDS, Fields, LogFormat
from reconcile.ledger.lines import LineParser
from reconcile.ledger.scroll import MOST_BYTES, Scroll
from reconcile.money.entry import HOUR, MARGIN, Dimensions, total_tokens
from reconcile.usage import Tokens

START = 1_770_422_400  # 2026-02-07T00:00:00Z
DAY = 86_400
TRIES = LogFormat(
    fields=Fields(
        timestamp=("at",), input_tokens=("in",), output_tokens=("out",), attempt=("attempt",), request_id=("id",),
        aborted=("aborted",), model=("model",), cost=("cost",),
    )
)  # fmt: skip


def read(*files, log_format=TRIES, end=START + DAY):
    scroll = Scroll(START, end)
    for number, lines in enumerate(files):
        scroll.open(f"{number}.ndjson", None, LineParser(log_format))
        for line in lines:
            scroll.take(line if isinstance(line, bytes) else json.dumps(line).encode())
    return scroll.result()


def line(at=0, **said):
    return {"at": START + at, "in": 10, "out": 5, **said}


def requests(entries):
    return sum(entry.requests for entry in entries)


def test_lines_of_a_quarter_and_model_are_one_entry():
    found = read(
        [line(0, model="a"), line(899, model="a", cost=0.1), line(800, model="a", cost=0.2), line(900, model="b")]
    )
    assert [(entry.start - START, entry.who, entry.tokens, entry.requests, entry.cost) for entry in found.entries] == [
        (0, Dimensions(model="a"), Tokens(10, 0, 0, 5), 1, None),
        (0, Dimensions(model="a"), Tokens(20, 0, 0, 10), 2, Decimal("0.3")),
        (900, Dimensions(model="b"), Tokens(10, 0, 0, 5), 1, None),
    ]


def test_amounts_are_added_up_exactly_and_spelled_in_full():
    small, large = "0.000000000000000000000000000001", "999999999999999"
    found = read([line(cost=small), line(cost=large), line(900, cost="50"), line(900, cost="50.0")])
    assert [str(entry.cost) for entry in found.entries] == [f"{large}.000000000000000000000000000001", "100"]


def test_what_lies_beyond_the_margin_is_read_and_not_counted():
    found = read([line(-MARGIN - 1), line(-MARGIN), line(DAY + MARGIN - 1), line(DAY + MARGIN)])
    assert (requests(found.entries), found.lines, found.bad_lines) == (2, 4, 0)


def test_bad_lines_are_counted_and_the_first_are_shown_with_their_place():
    found = read([line(), b"", b" ", *[b"{"] * 30], [b"{"])
    assert (found.lines, found.bad_lines, len(found.bad)) == (32, 31, 20)
    assert (found.bad[0].file, found.bad[0].line) == ("0.ndjson", 4)
    assert found.files == ("0.ndjson", "1.ndjson")


def test_a_line_that_is_too_long_is_bad():
    scroll = Scroll(START, START + DAY)
    scroll.open("a", None, LineParser(TRIES))
    scroll.take_oversized()
    scroll.take(b" " * MOST_BYTES + b"{}")
    found = scroll.result()
    assert [(bad.line, "log no prompts" in bad.why) for bad in found.bad] == [(1, True), (2, True)]
    assert found.lines == 2


def test_a_line_that_was_there_before_is_counted_and_repeated_whatever_file_it_stands_in():
    found = read([line(), line(1), line()], [line()])
    assert (requests(found.entries), requests(found.repeated)) == (4, 2)


def test_a_line_is_remembered_for_so_many_lines_and_no_more(monkeypatch):
    monkeypatch.setattr(windows, "NEAR", 5)
    others = [line(at) for at in range(1, 40)]
    assert requests(read([line(), *others[:4], line()]).repeated) == 1
    assert requests(read([line(), *others[:5], line()]).repeated) == 0
    assert requests(read([line(), *others, line()]).repeated) == 0


@given(st.lists(st.integers(0, 6), max_size=60), st.integers(1, 8))
def test_repeats_are_those_of_a_look_at_the_last_lines(numbers, near):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "NEAR", near)
        found = read([line(number) for number in numbers])
    again = [number for place, number in enumerate(numbers) if number in numbers[max(0, place - near) : place]]
    assert requests(found.repeated) == len(again)
    assert requests(found.entries) == len(numbers)


@pytest.mark.parametrize(
    ("lines", "unlogged"),
    [
        pytest.param([line(attempt=3)], 2, id="a third try alone"),
        pytest.param([line(attempt=1), line(attempt=2), line(attempt=3)], 0, id="all of them"),
        pytest.param([line(attempt=1), line(attempt=3)], 1, id="the second is missing"),
        pytest.param([line(), line(attempt=2)], 0, id="a line without a number is a first try"),
        pytest.param([line(), line(attempt=2, out=6), line(attempt=2, out=7)], 1, id="one line serves one try"),
        pytest.param([line(**{"in": 11}), line(attempt=2)], 1, id="another question"),
        pytest.param([line(**{"in": 0, "aborted": True}), line(attempt=2)], 0, id="an aborted try of unknown input"),
        pytest.param([line(model="a"), line(attempt=2, model="b")], 1, id="another model"),
        pytest.param([line(id="x", **{"in": 99}), line(id="x", attempt=2)], 0, id="one id, another question"),
        pytest.param([line(id="x"), line(id="y", attempt=2)], 1, id="another id"),
        pytest.param([line(attempt=2), line(attempt=2)], 1, id="a line that repeats says nothing new"),
        pytest.param([line(attempt=10**6)], 100, id="more than can be"),
        pytest.param([line(-900, attempt=3)], 0, id="before the period"),
        pytest.param([line(DAY, attempt=3)], 0, id="after the period"),
    ],
)
def test_tries_that_lines_speak_of_and_that_have_none(lines, unlogged):
    assert read(lines).unlogged_attempts == unlogged


def test_aborted_calls_count_for_nothing():
    assert read([line(aborted=True)]).entries == ()


def call(at=0, **said):
    row = {"started_at": START + at, "ended_at": START + at + 1, "model": "m", "input_tokens": 10, "output_tokens": 5}
    return {**row, "cached_tokens": 4, **said}


@pytest.mark.parametrize(
    ("rows", "tokens", "calls"),
    [
        pytest.param([{"complete": True}, call()], Tokens(6, 4, 0, 5), 1, id="a statement"),
        pytest.param(
            [call(response_id="a"), call(response_id="a", output_tokens=7)], Tokens(6, 4, 0, 7), 1, id="later"
        ),
        pytest.param([call(response_id="a"), call(response_id="a")], Tokens(6, 4, 0, 5), 1, id="the same again"),
        pytest.param([call(response_id="a"), call(response_id="b")], Tokens(12, 8, 0, 10), 2, id="two calls"),
        pytest.param([call(response_id="a"), call(response_id="a", aborted=True)], Tokens(), 0, id="aborted later"),
        pytest.param(
            [call(response_id="a", aborted=True), call(response_id="a")], Tokens(6, 4, 0, 5), 1, id="answered later"
        ),
        pytest.param([call(), call()], Tokens(12, 8, 0, 10), 2, id="no ids"),
    ],
)
def test_of_rows_of_one_response_the_last_counts(rows, tokens, calls):
    found = read(rows, log_format=CALLS)
    assert (total_tokens(found.entries), requests(found.entries)) == (tokens, calls)


def test_rows_of_one_response_are_no_repeats():
    found = read([call(response_id="a", attempt=2), call(response_id="a", attempt=2)], log_format=CALLS)
    assert (found.repeated, found.unlogged_attempts) == ((), 1)


def test_lines_are_numbered_past_those_that_are_skipped(monkeypatch):
    monkeypatch.setattr(windows, "NEAR", 5)
    scroll = Scroll(START, START + DAY)
    scroll.open("a", None, LineParser(TRIES))
    scroll.take(json.dumps(line()).encode())
    scroll.skip(5)
    scroll.take(json.dumps(line()).encode())
    scroll.take(b"{")
    found = scroll.result()
    assert (found.repeated, found.bad[0].line) == ((), 8)


def test_lines_out_of_many_are_read_where_they_are_odd_and_repeat_where_they_equal_one():
    scroll = Scroll(START, START + DAY)
    scroll.open("a", None, LineParser(TRIES))
    same = json.dumps(line()).encode()
    scroll.revisit(b"at,in", 1, 1, summed=False, header=True)
    for place, (each, summed) in enumerate(
        [(b" ", False), (b"{", False), (same, False), (same, True), (same, True)], 2
    ):
        scroll.revisit(each, place, place, summed=summed, header=False)
    scroll.revisit(b"{}", 90, 90, summed=True, header=False)
    scroll.revisit(b"{}", 91, 91, summed=True, header=False)
    found = scroll.result()
    assert (requests(found.entries), requests(found.repeated), found.bad[0].line) == (1, 2, 3)
    assert found.lines == 2


@pytest.mark.parametrize("at", [-MARGIN - 900, DAY + MARGIN])
def test_sums_of_beyond_the_margin_are_not_added(at):
    tally = tallies.Tally(START, START + DAY)
    key = tallies.TallyKey(START + at, None, None, None, None, None, None, False)
    tally.add(key, tallies.Sums((1, 0, 0, 0), 1, 0, 1, Decimal(0)), repeated=True)
    assert tally.result(lines=1, files=(), unlogged_attempts=0).entries == ()


def test_a_log_with_more_sums_than_can_be_held_is_an_error(monkeypatch):
    monkeypatch.setattr(tallies, "MOST_SUMS", 3)
    with pytest.raises(ConfigurationError, match="more than 3 sums") as raised:
        read([line(model=str(number)) for number in range(4)])
    assert raised.value.code == "too_many_groups"
    assert "map it to another field" in raised.value.remedy


@given(
    st.lists(
        st.tuples(st.integers(0, 3 * HOUR), st.integers(0, 50), st.integers(0, 9), st.sampled_from("ab")), max_size=40
    )
)
def test_parts_of_all_entries_sum_to_what_the_lines_say(rows):
    lines = [
        {"timestamp": datetime.fromtimestamp(START + at, UTC).isoformat(), "prompt_tokens": given_,
         "completion_tokens": answered, "total_tokens": given_ + answered, "model": model}
        for at, given_, answered, model in rows
    ]  # fmt: skip
    found = read(lines, log_format=replace(SEEDS, time_zone=UTC))
    assert total_tokens(found.entries).total == sum(given_ + answered for _, given_, answered, _ in rows)
    assert requests(found.entries) == len(rows)
    assert Counter(entry.start % 900 for entry in found.entries).keys() <= {0}
    assert len({(entry.start, entry.who) for entry in found.entries}) == len(found.entries)
