"""A comparison as text, CSV and Markdown: what a person in finance reads, and names that stay names."""

import csv
import io
from dataclasses import replace
from decimal import Decimal
from functools import cache

import pytest
from markdown_it import MarkdownIt
from support.week import START, WEEK, bill, calls, compared, listed, official, used

from reconcile.ledger.comparison import ComparisonVerdict
from reconcile.ledger.comparison_json import comparison_json
from reconcile.ledger.figures import Metric
from reconcile.ledger.log import BadLine, UsageLog
from reconcile.ledger.table import By
from reconcile.money.entry import DAY, HOUR, Cost, Dimensions, Measured, Official
from reconcile.report.compared import compared_text, number, share, signed
from reconcile.report.compared_as import compared_csv, compared_markdown
from reconcile.report.phrases import painter

EVIL = "=x\x1b[31m|</td>`@all ![](a)\n# b"
"""A name that would be a formula, a colour, a cell, HTML, a mention, an image and a heading."""


def text(found, width=120):
    return compared_text(found, painter(colour=False), width)


@cache
def in_full():
    """Everything that a comparison may have to say."""
    local = [replace(entry, cost=listed(entry)) for entry in calls()[10:]]
    local.append(used(50, model="secret", tokens=(10, 0, 0, 2), requests=1))
    local.append(used(51, model=None, tokens=(10, 0, 0, 2), requests=1))
    all_else = (
        Cost(day=START, amount=Decimal("1.25"), currency="usd", line_item="web search tool calls"),
        Cost(day=START, amount=Decimal(3), currency="EUR", line_item=None),
    )
    other = (
        Measured(day=START, endpoint="images", unit="images", quantity=1200, requests=2, who=Dimensions()),
        Measured(day=START, endpoint="vector_stores", unit="usage_bytes", quantity=9, requests=None, who=Dimensions()),
    )
    bad = tuple(BadLine(file="usage.ndjson", line=place, why="no JSON") for place in range(1, 8))
    log = UsageLog(entries=tuple(local), lines=250, bad=bad, bad_lines=7, files=("usage.ndjson",))
    reported = official(calls(), costs=(*bill(calls()), *all_else), other=other, requests=7, cached=1)
    return compared([], reported, log=log, invoice=Decimal(9), settled_until=WEEK.end - 5 * HOUR, by=By.MODEL)


def test_the_verdict_comes_first_and_says_what_is_out():
    lines = text(in_full()).splitlines()
    assert lines[0] == "MISMATCH  2026-03-02 to 2026-03-08 (UTC)"
    assert lines[1].startswith("Out of tolerance: requests")


@pytest.mark.parametrize("of_runs", [True, False])
def test_runs_in_the_place_of_a_log_are_no_proof_of_their_figures(of_runs):
    found = compared(calls(), log=UsageLog(entries=tuple(calls()), of_runs=of_runs))
    assert ("not that the figures are right" in " ".join(text(found).split())) == of_runs
    assert comparison_json(found)["log"]["of_runs"] == of_runs


def test_equal_sides_are_told_in_short():
    said = text(compared(calls()))
    assert said.startswith("RECONCILED  2026-03-02 to 2026-03-08 (UTC)\nLog and provider agree: every figure")
    assert "Why they may differ" not in said
    assert "Not in the comparison" not in said


@pytest.mark.parametrize(
    ("local", "reported", "empty"),
    [
        ([], official(calls()), "the log shows"),
        (calls(), Official(usage=()), "the provider shows"),
        ([], Official(usage=(), costs=None), "the log and the provider show"),
    ],
)
def test_nothing_is_called_nothing(local, reported, empty):
    found = compared(local, reported)
    assert found.verdict is ComparisonVerdict.NO_DATA
    assert text(found).startswith("NO DATA  2026-03-02")
    assert f"Nothing to compare: {empty} no usage in these days" in text(found)


def test_both_sides_stand_side_by_side():
    said = text(in_full())
    (requests,) = (line.split() for line in said.splitlines() if line.startswith("  requests  "))
    local, reported = in_full().local.requests, in_full().official.requests
    assert requests[:4] == ["requests", f"{local:,}", f"{reported:,}", f"{local - reported:,}"]
    assert requests[-1] == "OUT"
    assert "tested as a part of the input" in said


def test_everything_that_is_in_no_figure_is_listed():
    said = " ".join(text(in_full()).split())
    for sentence in (
        "Usage from 2026-03-08 19:00Z on, which is not final: log 6 requests,",
        "Costs from 2026-03-08 on: these days are not closed.",
        "UNPRICED in the log's cost: secret, 12 tokens of 1 request.",
        "UNPRICED in the log's cost: calls without a model, 12 tokens of 1 request.",
        "Usage of images: 1,200 images in 2 requests.",
        "Usage of vector_stores: 9 usage_bytes.",
        "Cost of web search tool calls: 1.25 USD.",
        "Cost of no line item: 3 EUR.",
        "Invoice: 9.0000 USD, +",
        "Tax, credits and refunds are on the invoice and in none of these figures.",
        "250 lines of 1 file, 7 bad lines. usage.ndjson:1: no JSON.",
        "7 requests to the provider, 1 answer from the cache.",
    ):
        assert sentence in said
    assert said.count("no JSON") == 5


def test_reasons_are_numbered_with_their_arithmetic_and_what_to_do():
    said = text(compared([entry for entry in calls() if not DAY <= entry.start - START < 2 * DAY]))
    assert "Why they may differ, likeliest first\n  1. missing_log: -" in said
    assert "     Nothing is logged from 2026-03-03 00:00Z to 2026-03-03 23:00Z, where the provider" in said
    assert "     To do: look for log files of these hours" in said


def test_prices_are_named_with_their_source():
    assert "  Prices: a list of 2026.\n" in text(compared(calls()))


def test_days_that_are_not_billed_have_no_share_of_a_gap():
    costs = bill(entry for entry in calls() if entry.start < WEEK.end - DAY)
    assert "  1. open_period: 0 cost (USD)\n" in text(compared(calls(), official(calls(), costs=costs)))


def test_no_rows_are_no_table():
    assert "By day" not in text(compared([], Official(usage=())))


def test_rows_that_a_side_does_not_tell_are_not_zero():
    keyless = [replace(entry, who=replace(entry.who, api_key_id=None)) for entry in calls()]
    cost = sum(listed(entry) for entry in calls())
    (row,) = (line.split() for line in text(compared(keyless, by=By.KEY)).splitlines() if "(not told)" in line)
    assert row[2:] == ["378", "n/a", "331,168", "n/a", "n/a", f"{cost:.4f}", "n/a", "n/a"]


def test_figures_as_a_person_reads_them():
    amounts = (None, 0, 1234, -1234, Decimal("1234.56789"), Decimal(-1))
    assert [number(each) for each in amounts] == ["n/a", "0", "1,234", "-1,234", "1,234.5679", "-1.0000"]
    assert [signed(each) for each in amounts] == ["n/a", "0", "+1,234", "-1,234", "+1,234.5679", "-1.0000"]
    assert [share(each) for each in (None, Decimal(0), Decimal("5.126"))] == ["n/a", "0.00", "+5.13"]


def test_a_terminal_is_coloured_and_another_output_is_not():
    assert "\x1b[" in compared_text(in_full(), painter(colour=True), 100)
    assert "\x1b[" not in text(in_full())


# ------------------------------------------------------------------------------------------------------------- CSV


def table(found):
    return list(csv.DictReader(io.StringIO(compared_csv(found))))


def test_csv_has_a_line_a_row_and_one_for_the_total_with_every_digit():
    found = compared(calls()[3:])
    rows = table(found)
    assert [row["day"] for row in rows] == [*(row.name for row in found.rows), "TOTAL"]
    for metric in Metric:
        of = [Decimal(row[f"official_{metric.value}"]) for row in rows]
        assert sum(of[:-1]) == of[-1] == found.official.of(metric)
    assert rows[-1]["difference_requests"] == str(found.local.requests - found.official.requests)
    assert rows[-1]["percent_cache_write_tokens"] == ""


def test_csv_leaves_empty_what_is_not_told():
    keyless = [replace(entry, who=replace(entry.who, api_key_id=None)) for entry in calls()]
    rows = table(compared(keyless, price_of=None, by=By.KEY))
    assert (rows[0]["local_requests"], rows[0]["official_requests"]) == ("", "336")
    assert rows[-1]["local_cost_usd"] == ""


@pytest.mark.parametrize("name", [EVIL, "=1+1", "+1", "-1", "@a", 'a"b', "a,b", "a\nb", ""])
def test_csv_holds_any_name_in_one_cell_and_as_no_formula(name):
    rows = table(compared([*calls(), used(3, model=name)], by=By.MODEL))
    assert len(rows) == 4
    assert all(len(row) == 1 + 4 * len(Metric) and None not in row.values() for row in rows)
    assert not any(row["model"].startswith(tuple("=+-@")) for row in rows)


# -------------------------------------------------------------------------------------------------------- Markdown


def elements(found, limit=100_000):
    return [token.type for token in MarkdownIt().enable("table").parse(compared_markdown(found, limit))]


def test_markdown_has_the_verdict_the_tables_and_the_reasons():
    said = compared_markdown(in_full(), 100_000)
    assert said.startswith("### Log and provider, 2026-03-02 to 2026-03-08: mismatch\n\nOut of tolerance")
    assert "| requests | " in said
    assert "\n1. missing&#95;log&#58; " in said
    assert "| model | requests | provider | tokens |" in said
    assert elements(in_full()).count("table_open") == 2


def named(name):
    local = [*calls(), used(3, model=name, key=name, project_id=name)]
    log = UsageLog(entries=tuple(local), bad=(BadLine(file=name, line=1, why=name),), bad_lines=1, files=(name,))
    return compared([], log=log, by=By.MODEL)


def test_names_of_others_change_nothing_in_the_document():
    assert elements(named(EVIL)) == elements(named("tame"))
    assert "@all" not in compared_markdown(named(EVIL), 100_000)
    assert "\x1b" not in text(named(EVIL)) + compared_markdown(named(EVIL), 100_000)
    assert len(text(named(EVIL), 1000).splitlines()) == len(text(named("tame"), 1000).splitlines())


@pytest.mark.parametrize("limit", [1_000, 2_000, 3_000, 4_000, 6_000])
def test_markdown_keeps_within_its_limit_and_says_what_it_left_out(limit):
    said = compared_markdown(in_full(), limit)
    assert len(said) <= max(limit, 1_200)
    assert ("left out: `reconcile compare` has them" in said) is (len(compared_markdown(in_full(), 10**6)) > limit)


def test_markdown_without_reasons_and_rows_has_neither():
    said = compared_markdown(compared([], Official(usage=())), 100_000)
    assert "Why they may differ" not in said
    assert said.count("| --- |") == 2


def billed_tokens(extra=0):
    """A bill that states how many tokens it is for."""
    return tuple(
        replace(cost, line_item=f"{entry.who.model}, {part}", quantity=Decimal(count + extra), quantity_unit="tokens")
        for entry, cost in zip(calls(), bill(calls()), strict=True)
        for part, count in zip(
            ("input", "cached input", "output"), (*entry.tokens.parts[:2], entry.tokens.output), strict=True
        )
    )


def test_the_count_that_stands_apart_is_told():
    local = [replace(entry, tokens=replace(entry.tokens, output=entry.tokens.output + 1)) for entry in calls()]
    found = compared(local, official(calls(), costs=billed_tokens()))
    assert {match.odd for match in found.odd} == {"log"}
    assert "usage and bill agree, and the log has another number" in text(found, 300)
    assert comparison_json(found)["odd_counts"][0]["odd"] == "log"


def test_the_difference_in_cost_is_told_in_parts_that_sum_to_it():
    found = compared(calls()[10:])
    assert "The difference in cost" in text(found)
    parts = comparison_json(found)["cost_difference"]
    assert sum(Decimal(parts[name]) for name in ("quantity", "price", "unpriced", "rounding")) == Decimal(
        parts["total"]
    )
    assert Decimal(parts["total"]) == found.local.cost - found.official.cost
