"""Lines of a log: what each tells, or why it tells nothing."""

import json
from dataclasses import replace
from datetime import UTC
from decimal import Decimal

import pytest

from reconcile.ledger.formats import CALLS, OPENAI, SEEDS, Fields, LogFormat, Shape, column, recognised, steps
from reconcile.ledger.lines import LineParser

ZONED = replace(SEEDS, time_zone=UTC)
LINE = {
    "session_id": "a1b2c3d4", "timestamp": "2026-02-07T14:30:15.123456", "prompt_tokens": 250, "completion_tokens": 150,
    "total_tokens": 400, "model": "gpt-4o-mini", "call_type": "conversation", "scope": "IN_SCOPE",
    "input_cost": 0.0000375, "output_cost": 0.00009, "total_cost": 0.0001275,
}  # fmt: skip
QUARTER = 1_770_474_600


def parsed(value, log_format=ZONED, **changes):
    text = value if isinstance(value, str) else json.dumps({**value, **changes})
    return LineParser(log_format).parse(text.encode("utf-8", "surrogatepass"))


def test_a_line_of_the_seeds():
    record = parsed(LINE)
    assert (record.quarter, record.model, record.parts) == (QUARTER, "gpt-4o-mini", (250, 0, 0, 150))
    assert (record.requests, record.cost, record.attempt) == (1, Decimal("0.0001275"), 1)


def test_a_line_of_the_seeds_counts_for_nothing_without_a_zone():
    assert "state the zone of the log with time_zone" in parsed(LINE, SEEDS)


def test_a_row_of_a_call_log():
    row = {
        "started_at": "2026-02-07T14:29:59Z", "ended_at": "2026-02-07T14:30:01Z", "model": "gpt-4o",
        "input_tokens": 100, "output_tokens": 20, "cached_tokens": 60, "response_id": "resp_1", "attempt": 2,
        "aborted": True, "api_key_id": "key_a",
    }  # fmt: skip
    record = parsed(row, CALLS)
    assert (record.quarter, record.api_key_id, record.parts) == (QUARTER, "key_a", (40, 60, 0, 20))
    assert (record.attempt, record.request_id, record.aborted) == (2, "resp_1", True)


def test_only_the_first_line_of_a_call_log_is_a_statement():
    parser = LineParser(CALLS)
    assert parser.parse(b'{"complete": true}', first=True) is None
    assert "only the first line may say it" in parser.parse(b'{"complete": true}')


@pytest.mark.parametrize(
    ("one", "other", "time"), [("prompt", "completion", "created"), ("input", "output", "created_at")]
)
def test_a_response_of_openai(one, other, time):
    usage = {
        f"{one}_tokens": 100, f"{other}_tokens": 20, "total_tokens": 120,
        f"{one}_tokens_details": {"cached_tokens": 60}, f"{other}_tokens_details": {"reasoning_tokens": 5},
    }  # fmt: skip
    record = parsed({time: 1770474615, "model": "gpt-4o", "service_tier": "flex", "usage": usage}, OPENAI)
    assert (record.quarter, record.service_tier) == (QUARTER, "flex")
    assert (record.parts, record.reasoning) == ((40, 60, 0, 20), 5)


def test_a_csv_is_read_by_its_header():
    log_format = replace(ZONED, shape=Shape.CSV)
    header = ("model", "timestamp", "prompt_tokens", "completion_tokens", "total_cost")
    record = LineParser(log_format, header).parse(b'"gpt, new",2026-02-07T14:30:15,5,6,')
    assert (record.model, record.parts, record.cost) == ("gpt, new", (5, 0, 0, 6), None)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"gpt,2026-02-07T14:30:15,5", "3 cells and the header 4; write one for each"),
        (b'gpt,2026-02-07T14:30:15,5,"6', "not CSV; quote cells"),
        (b"gpt,2026-02-07T14:30:15,5,6\ngpt,2026-02-07T14:30:16,5,6", "not CSV; quote cells"),
        (b"gpt,2026-02-07T14:30:15,5,\xff", "byte 0xff is not UTF-8"),
    ],
)
def test_a_row_of_csv_that_is_none(line, words):
    header = ("model", "timestamp", "prompt_tokens", "completion_tokens")
    assert words in LineParser(replace(ZONED, shape=Shape.CSV), header).parse(line)


def test_nested_members_and_names_with_dots_are_found():
    fields = Fields(timestamp=("meta.at",), input_tokens=('attributes."llm.in"', "in"), output_tokens=("out",))
    log_format = LogFormat(fields=fields)
    value = {"meta": {"at": 1770474615}, "attributes": {"llm.in": 7}, "out": 2}
    assert parsed(value, log_format).parts == (7, 0, 0, 2)
    assert parsed({"meta": {"at": 1770474615}, "attributes": [], "in": 3, "out": 2}, log_format).parts == (3, 0, 0, 2)


def test_a_log_without_output_needs_none():
    fields = Fields(timestamp=("timestamp",), input_tokens=("prompt_tokens",))
    assert parsed(LINE, LogFormat(fields=fields, time_zone=UTC)).parts == (250, 0, 0, 0)


def test_everything_that_can_be_mapped_is_read():
    names = ("cached_tokens", "cache_write_tokens", "reasoning_tokens", "requests", "project_id", "batch", "request_id")
    fields = replace(ZONED.fields, **{name: (name,) for name in names})
    said = dict(zip(names, (100, 50, 20, 3, "proj_1", "false", "req_1"), strict=True))
    record = parsed(LINE, replace(ZONED, fields=fields), **said)
    assert (record.parts, record.reasoning, record.requests) == ((100, 100, 50, 150), 20, 3)
    assert (record.project_id, record.batch, record.request_id) == ("proj_1", False, "req_1")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"a": Infinity}', "not JSON"),
        ("[1]", "the line is a list and no object"),
        ('"\udc80"', "not UTF-8"),
        ({**LINE, "timestamp": None}, "timestamp is missing; log it in every line, or map timestamp"),
        ({**LINE, "prompt_tokens": None}, "prompt_tokens is missing; log it in every line, or map input_tokens"),
        ({**LINE, "completion_tokens": None, "total_tokens": None}, "output_tokens is missing"),
        ({**LINE, "prompt_tokens": -1}, "input_tokens is -1, which is no count"),
        ({**LINE, "model": 5}, "model is 5; write a name"),
        ({**LINE, "model": "m" * 201}, "write a name of up to 200 characters"),
        ({**LINE, "model": "\ud800"}, "model holds half a surrogate pair"),
        ({**LINE, "total_cost": "free"}, 'cost is "free", which is no amount'),
        ({**LINE, "total_tokens": 399}, "total_tokens is 399 and its parts sum to 400"),
    ],
)
def test_a_line_that_tells_nothing_says_why(value, words):
    assert words in parsed(value)


def test_what_stands_at_none_of_several_places_is_missing_and_all_of_them_are_named():
    assert "timestamp or created or created_at is missing" in parsed({"usage": {"prompt_tokens": 1}}, OPENAI)


def test_a_flag_that_is_none_says_so():
    fields = replace(ZONED.fields, batch=("scope",))
    assert 'batch is "IN_SCOPE"; write true or false' in parsed(LINE, replace(ZONED, fields=fields))


def test_a_secret_key_in_the_place_of_its_id_is_kept_nowhere():
    fields = replace(ZONED.fields, api_key_id=("key",), batch=("key",))
    said = parsed(LINE, replace(ZONED, fields=fields), key="sk-proj-secret")
    assert "secret" not in said
    fields = replace(ZONED.fields, api_key_id=("key",))
    assert parsed(LINE, replace(ZONED, fields=fields), key="sk-proj-secret").api_key_id == "sk-..."


@pytest.mark.parametrize("name", [None, "", "é"])
def test_names(name):
    assert parsed(LINE, model=name).model == (name or None)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (LINE, "seeds"),
        ({"complete": True}, None),
        ({"started_at": 1, "ended_at": 2, "input_tokens": 1, "output_tokens": 1}, "calls"),
        ({"usage": {}}, "openai"),
        ({"usage": 5}, None),
    ],
)
def test_the_first_line_that_shows_a_format_tells_it(line, name):
    found = recognised(LogFormat(time_zone=UTC, units=1000), [{"a": 1}, line, LINE if name else {}])
    assert (found and found.name) == name
    assert found is None or (found.time_zone, found.units) == (UTC, 1000)


def test_a_format_that_is_stated_is_not_looked_for():
    assert recognised(SEEDS, []) is SEEDS


def test_a_line_is_not_read_before_its_format_is_recognised():
    with pytest.raises(ValueError, match="once it is recognised"):
        LineParser(LogFormat())


def test_a_column_may_be_named_in_quotes():
    assert (column('"total.cost"'), column("total.cost")) == ("total.cost", "total.cost")


@pytest.mark.parametrize(
    ("path", "way"), [("a", ("a",)), ("a.b", ("a", "b")), ('a."b.c".d', ("a", "b.c", "d")), ('"a b"', ("a b",))]
)
def test_the_way_to_a_place(path, way):
    assert steps(path) == way
