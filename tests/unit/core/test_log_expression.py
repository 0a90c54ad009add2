"""The SQL expression over lines at hand: what it adds up, and what it leaves to Python."""

import json
from dataclasses import replace
from datetime import UTC
from functools import cache

import pytest

from reconcile.ledger.expression import BLANK, COLUMNS, ODD, SOUND, expressible, expression, numbered
from reconcile.ledger.formats import CALLS, OPENAI, SEEDS, Fields, LogFormat, Shape, Timestamps

duckdb = pytest.importorskip("duckdb")

ZONED = replace(SEEDS, time_zone=UTC)
HEADER = ("timestamp", "prompt_tokens", "completion_tokens", "total_cost", "model")
TIERED = replace(ZONED, fields=replace(SEEDS.fields, service_tier=("scope", "tier")))
LINE = '{"timestamp": "2026-02-07T14:30:15", "prompt_tokens": 5, "completion_tokens": 2, "total_cost": 3.75e-05}'


LINES = "(SELECT unnest($lines) AS line, unnest($parts) AS part)"


@cache
def database():
    return duckdb.connect(config={"threads": 1})


def rows_of(query, lines, parts=None, **more):
    given = {"lines": list(lines), "parts": parts or [0] * len(lines), **more}
    return database().cursor().execute(query, given).fetchall()


def answer(lines, log_format=ZONED, header=(), parts=None, **more):
    query = expression(log_format, log_format.fields, header, LINES, **more)
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows_of(query, lines, parts)]


def kinds(lines, log_format=ZONED, header=(), **more):
    return sorted(row["kind"] for row in answer(lines, log_format, header, **more) for _ in range(row["lines"]))


def test_lines_of_a_quarter_are_one_row():
    row, *others = answer([LINE, LINE.replace("30:15", "44:59.5")])
    assert others == []
    assert (row["kind"], row["quarter"] * 900, row["zone"], row["lines"]) == (SOUND, 1_770_474_600, "", 2)
    assert (row["uncached"], row["output"], row["asked"], str(row["cost"])[:10]) == (10, 4, 2, "0.00007500")


def test_lines_that_look_like_another_and_odd_ones_come_with_their_number():
    lines = [LINE, "", "x", LINE + " ", "", "y", LINE, "z", "z"]
    assert rows_of(numbered(LINES), lines, odd=["y"]) == [(1, LINE), (6, "y"), (7, LINE), (8, "z"), (9, "z")]
    assert rows_of(numbered(LINES), lines[:3], odd=[]) == []


def test_parts_of_a_log_are_added_up_apart():
    rows = answer([LINE, "", LINE.replace("5", "6"), LINE.replace("5", "7")], parts=[0, 0, 1, 1])
    assert sorted((row["part"], row["lines"]) for row in rows if row["kind"] == SOUND) == [(0, 1), (1, 2)]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (LINE, SOUND),
        ("", BLANK),
        (" ", ODD),
        (f" {LINE}", ODD),
        (LINE[:-1], ODD),
        (LINE[:-1] + ",}", ODD),
        (LINE[:-1] + ', "note": "a\\nb"}', ODD),
        (LINE[:-1] + ', "note": NaN}', ODD),
        (LINE[:-1] + ', "note": "info"}', SOUND),
        (LINE[:-1] + ', "note": "' + "x" * 5000 + '"}', SOUND),
        (LINE[:-1] + ', "note": ' + "[" * 999 + "]" * 999 + "}", ODD),
        (LINE.replace("3.75e-05", "0.123456789012345678901"), ODD),
        (LINE.replace("14:30:15", "14:30:61"), ODD),
        (LINE.replace("14:30:15", "14:30:15+05:30"), SOUND),
        (LINE.replace("14:30:15", "14:30:15+05:31"), ODD),
        (LINE.replace('"2026-02-07T14:30:15"', "1770474615"), SOUND),
        (LINE.replace('"2026-02-07T14:30:15"', "1770474615.5"), ODD),
        (LINE.replace("5, ", "5.0, "), ODD),
        (LINE.replace("5, ", "-5, "), ODD),
        (LINE.replace("5, ", "null, "), ODD),
    ],
    ids=str,
)  # fmt: skip
def test_only_what_every_reader_reads_in_one_way_is_added_up(line, kind):
    assert kinds([line]) == [kind]


def test_a_line_that_is_left_to_python_comes_as_it_is():
    odd = [(row["odd"], row["lines"]) for row in answer([LINE, "{", LINE, "x", "x"]) if row["kind"] == ODD]
    assert sorted(odd) == [("x", 2), ("{", 1)]


def test_members_that_are_there_twice_are_noticed_and_with_care_left_to_python():
    twice = '{"model": "a", ' + LINE[:-1].replace("{", "", 1) + ', "model": "b"}'
    assert [row["doubled"] for row in answer([twice])] == [True]
    assert [row["doubled"] for row in answer([LINE])] == [False]
    assert kinds([LINE, twice], careful=True) == [SOUND, ODD]


def test_lists_of_members_that_are_known_make_no_difference_but_to_the_time_it_takes():
    named = LINE[:-1] + """, "it's": 1}"""
    known = [("timestamp", "prompt_tokens", "completion_tokens", "total_cost"), ("it's",)]
    for lists in (known, [*known, (*known[0], "it's")]):
        rows = answer([LINE, named, LINE[:-1] + ', "model": "a", "model": "a"}'], known=lists)
        assert sorted((row["doubled"], row["lines"]) for row in rows) in (
            [(False, 1), (False, 1), (True, 1)],
            [(False, 2), (True, 1)],
        )
    assert [row["shape"] for row in answer([LINE], known=known)] == [""]


def test_a_time_without_an_offset_is_left_to_python_where_no_zone_is_stated():
    assert kinds([LINE, LINE.replace('15"', '15Z"')], SEEDS) == [SOUND, ODD]


@pytest.mark.parametrize(
    ("kind", "stamp", "sound"),
    [
        (Timestamps.RFC3339, '"2026-02-07T14:30:15Z"', True),
        (Timestamps.RFC3339, "1770474615", False),
        (Timestamps.SECONDS, "1770474615", True),
        (Timestamps.SECONDS, '"2026-02-07T14:30:15Z"', False),
        (Timestamps.MILLISECONDS, "1770474615123", True),
        (Timestamps.MILLISECONDS, "1770474615", False),
        (Timestamps.DETECTED, "1770474615123", True),
        (Timestamps.DETECTED, "4102444800", False),
    ],
)
def test_a_timestamp_is_of_the_kind_that_is_stated(kind, stamp, sound):
    line = LINE.replace('"2026-02-07T14:30:15"', stamp)
    assert kinds([line], replace(ZONED, timestamps=kind)) == [SOUND if sound else ODD]


@pytest.mark.parametrize(
    ("log_format", "parts"),
    [
        (OPENAI, (30, 60, 0, 20)),
        (replace(OPENAI, input_includes=frozenset()), None),
        (replace(OPENAI, output_includes_reasoning=False), (30, 60, 0, 25)),
        (replace(OPENAI, units=1000), (30_000, 60_000, 0, 20_000)),
        (replace(OPENAI, fields=replace(OPENAI.fields, output_tokens=(), total_tokens=())), None),
    ],
)
def test_parts_of_a_line(log_format, parts):
    usage = {
        "prompt_tokens": 90, "completion_tokens": 20, "total_tokens": 110,
        "prompt_tokens_details": {"cached_tokens": 60}, "completion_tokens_details": {"reasoning_tokens": 5},
    }  # fmt: skip
    (row,) = answer([json.dumps({"created": 1770474615, "usage": usage})], log_format)
    found = (row["uncached"], row["cached"], row["written"], row["output"])
    apart = (90, 60, 0, 20) if log_format.fields.output_tokens else None
    assert (row["kind"], found) == ((SOUND, parts or apart) if parts or apart else (ODD, (None,) * 4))


def test_cells_of_a_csv():
    csv = replace(TIERED, shape=Shape.CSV)
    rows = [
        "2026-02-07T14:30:15,5,2,0.25,gpt",
        "1770474615,5,2,,",
        '"2026-02-07T14:30:15",5,2,,',
        "5,2",
        ",".join(HEADER),
    ]
    assert kinds(rows, csv, HEADER) == [SOUND, SOUND, ODD, ODD, ODD]
    assert kinds(rows, csv, HEADER, careful=True) == [SOUND, SOUND, ODD, ODD, ODD]


@pytest.mark.parametrize(
    ("log_format", "header", "can"),
    [
        (SEEDS, (), True),
        (OPENAI, (), True),
        (CALLS, (), False),
        (LogFormat(), (), False),
        (replace(SEEDS, fields=replace(SEEDS.fields, attempt=("try",))), (), False),
        (replace(SEEDS, fields=replace(SEEDS.fields, model=("the model",))), (), False),
        (replace(SEEDS, fields=replace(SEEDS.fields, cost=("cost", "price"))), (), False),
        (replace(SEEDS, shape=Shape.CSV), ("a", "b"), True),
        (replace(SEEDS, shape=Shape.CSV), ("a", "a"), False),
        (replace(SEEDS, shape=Shape.CSV, fields=Fields(timestamp=("the time",), input_tokens=("in",))), ("a",), True),
    ],
)
def test_formats_that_the_expression_can_read(log_format, header, can):
    assert expressible(log_format, header) is can
