"""Both sides line by line, for spreadsheets and disputes."""

import csv
from decimal import Decimal

from support.week import START, used

from reconcile.money.entry import DAY, Cost
from reconcile.report.compared_as import costs_csv, entries_csv


def rows(text):
    return list(csv.DictReader(text.splitlines()))


def test_a_row_has_every_part_and_the_cost_to_the_last_digit():
    entry = used(1, batch=True, cost=Decimal("0.0000000000000000000000000000000000001"), reasoning=7)
    (row,) = rows(entries_csv([entry]))
    assert row == {
        "start": "2026-03-02T01:00:00Z", "model": "gpt-4o-2024-08-06", "api_key_id": "key_app", "project_id": "",
        "framework": "", "batch": "true", "service_tier": "", "uncached": "900", "cache_read": "400",
        "cache_write": "0", "output": "200", "requests": "3", "reasoning": "7",
        "cost_usd": "0.0000000000000000000000000000000000001",
    }  # fmt: skip


def test_rows_are_in_order_of_time():
    assert [row["start"][11:13] for row in rows(entries_csv([used(5), used(2)]))] == ["02", "05"]


def test_what_a_side_does_not_say_is_an_empty_cell():
    (row,) = rows(entries_csv([used(1, model=None)]))
    assert (row["model"], row["cost_usd"]) == ("", "")


def test_no_name_is_a_formula():
    (row,) = rows(entries_csv([used(1, model='=cmd("x")')]))
    assert row["model"] == '\'=cmd("x")'


def test_the_bill_is_by_day_and_line_item():
    costs = [
        Cost(day=START + DAY, amount=Decimal(2), currency="usd", line_item="b", quantity=Decimal(10)),
        Cost(day=START, amount=Decimal("0E-6176"), currency="usd", line_item="a"),
    ]
    assert [(row["day"], row["line_item"], row["amount"], row["quantity"]) for row in rows(costs_csv(costs))] == [
        ("2026-03-02", "a", "0", ""),
        ("2026-03-03", "b", "2", "10"),
    ]


def test_a_credit_stays_a_number():
    credit = Cost(day=START, amount=Decimal("-5.25"), currency="usd", line_item="=credit", quantity=Decimal(-3))
    (row,) = rows(costs_csv([credit]))
    assert (row["amount"], row["quantity"], row["line_item"]) == ("-5.25", "-3", "'=credit")
