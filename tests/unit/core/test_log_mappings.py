"""Mappings that reach what other programs write: lists in lines, lines that are no calls, ids, totals that run on."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from reconcile.ledger.expression import expressible
from reconcile.ledger.formats import OPENAI, SEEDS, Counters, Fields, LogFormat, Shape, Timestamps
from reconcile.ledger.lines import LineParser
from reconcile.ledger.scroll import Scroll
from reconcile.money.entry import total_tokens
from reconcile.usage import Tokens

START = 1_770_422_400  # 2026-02-07T00:00:00Z
NOON = START + 43_200
MAPPED = LogFormat(
    fields=Fields(
        timestamp=("at",),
        input_tokens=("in", "usage.in"),
        output_tokens=("out", "usage.out"),
        cached_tokens=("cached",),
        model=("model",),
        batch=("batch",),
        service_tier=("tier",),
        cost=("cost",),
    )
)


def read(*lines, header=(), delimiter=",", **changes):
    scroll = Scroll(START, START + 86_400)
    scroll.open("a", None, LineParser(replace(MAPPED, **changes), header, delimiter))
    for line in lines:
        scroll.take(line if isinstance(line, bytes) else json.dumps(line).encode())
    return scroll.result()


def line(**said):
    return {"at": NOON, "in": 10, "out": 5, **said}


def counted(found):
    return sum(entry.requests for entry in found.entries), total_tokens(found.entries), found.bad_lines


def test_each_call_of_a_list_in_a_line_counts_with_what_the_line_says():
    calls = [{"in": 1, "out": 2}, {"in": 3, "out": 4, "model": "b"}, "a word"]
    found = read({"at": NOON, "model": "a", "runs": {"events": calls}}, {"at": NOON}, each=("runs.events",))
    assert counted(found) == (2, Tokens(4, 0, 0, 6), 0)
    assert {entry.who.model for entry in found.entries} == {"a", "b"}


def test_lists_may_stand_in_lists():
    calls = [[{"in": 1, "out": 2}], [{"in": 3, "out": 4}]]
    assert counted(read({"at": NOON, "rounds": calls}, each=("rounds",))) == (2, Tokens(4, 0, 0, 6), 0)


def test_lines_that_are_no_calls_are_not_bad():
    where = (("type", ("GENERATION", "llm")), ("ok", ("true",)), ("code", ("200",)))
    good = {"ok": True, "code": 200}
    found = read(
        line(type="GENERATION", **good),
        line(type="llm", **good),
        line(type="SPAN", **good),
        {"type": "EVENT"},
        line(type="llm", ok=False, code=200),
        where=where,
    )
    assert counted(found) == (2, Tokens(20, 0, 0, 10), 0)


def test_of_lines_with_one_id_the_last_counts():
    found = read(line(id=1), line(id=1, out=9), line(id=2), line(), line(), once=("id",), latest_wins=True)
    assert counted(found) == (4, Tokens(40, 0, 0, 24), 0)


def test_totals_that_run_on_count_what_each_line_adds():
    lines = [line(), line(**{"in": 30}), line(**{"in": 30}), line(**{"in": 7, "out": 1}), line(**{"in": 9, "out": 1})]
    assert counted(read(*lines, counters=Counters.RUNNING)) == (4, Tokens(39, 0, 0, 6), 0)


def test_totals_run_on_thread_by_thread_with_their_amounts():
    lines = [line(t=1, cost="1"), line(t=2, cost="5"), line(t=1, out=6, cost="1.5"), line(t=2, out=8, cost="7")]
    found = read(*lines, counters=Counters.RUNNING, thread=("t",))
    assert counted(found) == (4, Tokens(20, 0, 0, 14), 0)
    assert sum(entry.cost for entry in found.entries) == Decimal("8.5")


def test_what_all_lines_say_is_said_once():
    found = read(line(), line(batch=False), constants=(("batch", True), ("model", "m")))
    assert {(entry.who.batch, entry.who.model) for entry in found.entries} == {(True, "m"), (False, "m")}


@pytest.mark.parametrize("empty", ["NaN", "null", "None", "-", "n/a"])
def test_a_word_for_nothing_stands_for_nothing_where_nothing_is_needed(empty):
    found = read(line(cached=empty, tier=empty, cost=empty), b'{"at": %d, "in": 1, "out": 1, "cached": NaN}' % NOON)
    assert counted(found) == (2, Tokens(11, 0, 0, 6), 0)
    assert {(entry.who.service_tier, entry.cost) for entry in found.entries} == {(None, None)}
    assert read(line(**{"in": empty})).bad_lines == 1


@pytest.mark.parametrize(("separator", "spelled"), [(",", "1,234"), (".", "1.234"), (",", " 1,234 "), ("'", "1'234")])
def test_thousands_are_parted_where_that_is_stated(separator, spelled):
    assert counted(read(line(**{"in": spelled}), thousands=separator)) == (1, Tokens(1234, 0, 0, 5), 0)


@pytest.mark.parametrize("spelled", ["1,23", "12,34", "1,2345", ",123"])
def test_what_parts_no_thousands_is_no_count(spelled):
    assert read(line(**{"in": spelled}), thousands=",").bad_lines == 1


def test_thousands_that_are_not_stated_are_refused_with_the_remedy():
    (bad,) = read(line(**{"in": "1,234"})).bad
    assert "say `thousands:` of the log" in bad.why


def test_an_amount_may_have_its_sign():
    assert [entry.cost for entry in read(line(cost="$0.0125")).entries] == [Decimal("0.0125")]


def test_a_place_leads_into_json_inside_text():
    found = read({"at": NOON, "usage": json.dumps({"in": 3, "out": 4})}, {"at": NOON, "usage": "{oops"})
    assert counted(found) == (1, Tokens(3, 0, 0, 4), 1)


def test_a_place_leads_into_json_inside_a_cell():
    fields = Fields(timestamp=("at",), input_tokens=("meta->usage.in",), output_tokens=("meta->usage.out",))
    row = f'{NOON};"{{""usage"": {{""in"": 3, ""out"": 4}}}}"'.encode()
    found = read(row, header=("at", "meta"), delimiter=";", fields=fields, shape=Shape.CSV)
    assert counted(found) == (1, Tokens(3, 0, 0, 4), 0)


@pytest.mark.parametrize("digits", [0, 3, 6, 9])
@pytest.mark.parametrize("kind", ["detected", "stated"])
def test_a_unix_time_is_in_the_unit_that_is_stated_or_in_which_it_lies_in_this_century(digits, kind):
    stated = list(Timestamps)[2 + digits // 3]
    found = read(line(at=NOON * 10**digits), timestamps=stated if kind == "stated" else Timestamps.DETECTED)
    assert [entry.start for entry in found.entries] == [NOON]


@pytest.mark.parametrize("spelled", ["1770465600.0000000000000", "1.7704656e9", "1.7704656E+12"])
def test_a_unix_time_may_have_any_fraction_or_a_power_of_ten(spelled):
    assert [entry.start for entry in read(b'{"at": %s, "in": 1, "out": 1}' % spelled.encode()).entries] == [NOON]


@pytest.mark.parametrize(
    ("counts", "remedy"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 12, "reasoning": 2}, "output_includes_reasoning"),
        ({"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 14, "cached": 4}, "input_includes"),
        ({"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 99}, "log all as reported"),
    ],
)
def test_a_total_that_is_none_names_the_setting_by_which_it_would_be_one(counts, remedy):
    usage = {
        **counts,
        "completion_tokens_details": {"reasoning_tokens": min(counts.get("reasoning", 0), 1) and counts["reasoning"]},
        "prompt_tokens_details": {"cached_tokens": counts.get("cached", 0)},
    }
    usage["completion_tokens"] = max(usage["completion_tokens"], counts.get("reasoning", 0))
    usage["total_tokens"] += usage["completion_tokens"] - counts["completion_tokens"]
    parser = LineParser(OPENAI)
    assert remedy in str(parser.parse(json.dumps({"created": NOON, "usage": usage}).encode()))


def test_known_members_of_a_recognised_line_are_read():
    stamp = datetime.fromtimestamp(NOON, UTC).isoformat()
    seeds = {"timestamp": stamp, "prompt_tokens": 9, "completion_tokens": 4, "cached_tokens": 3}
    assert LineParser(SEEDS).parse(json.dumps(seeds).encode()).parts == (6, 3, 0, 4)
    details = {"cached_tokens": 3, "cache_write_tokens": 2}
    usage = {"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": details}
    assert LineParser(OPENAI).parse(json.dumps({"created": NOON, "usage": usage}).encode()).parts == (4, 3, 2, 4)


def test_a_row_that_is_no_csv_is_bad():
    found = read(b'1770465600,"1"2,3', header=("at", "in", "out"), shape=Shape.CSV)
    assert (found.entries, found.bad_lines) == ((), 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"each": ("calls",)},
        {"where": (("type", ("llm",)),)},
        {"once": ("id",)},
        {"counters": Counters.RUNNING},
        {"constants": (("batch", True),)},
        {"thousands": ","},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_the_expression_cannot_do_is_left_to_the_reader_of_lines(changes):
    assert expressible(MAPPED, ())
    assert not expressible(replace(MAPPED, **changes), ())


def test_a_place_inside_a_cell_is_left_to_the_reader_of_lines():
    fields = replace(MAPPED.fields, model=("meta->model",))
    assert not expressible(replace(MAPPED, fields=fields, shape=Shape.CSV), ("at", "in", "out", "meta"))
