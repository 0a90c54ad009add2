"""What can be compared: models under one name, settled whole hours, costs of closed days."""

from datetime import date
from decimal import Decimal

import pytest

from reconcile.ledger.cut import aligned, cut
from reconcile.ledger.log import UsageLog
from reconcile.money.entry import DAY, HOUR, Cost, Dimensions, Entry, Official, Period
from reconcile.usage import Tokens

PERIOD = Period(date(2026, 3, 1), date(2026, 3, 3))
START = PERIOD.start


def used(at, model="m", **who):
    return Entry(start=START + at, who=Dimensions(model=model, **who), tokens=Tokens(1), requests=1)


def billed(day, item="m, input", amount="1", currency="usd"):
    return Cost(day=START + day * DAY, amount=Decimal(amount), currency=currency, line_item=item)


def parts(local=(), official=(), costs=(), until=PERIOD.end):
    return cut(UsageLog(entries=tuple(local)), Official(usage=tuple(official), costs=costs), PERIOD, until)


NAMES = {
    "an alias and its snapshot": (["gpt-4o"], ["gpt-4o-2024-08-06"], ["gpt-4o-2024-08-06"] * 2),
    "an alias and two snapshots": (["gpt-4o"], ["gpt-4o-2024-08-06", "gpt-4o-2024-11-20"], ["gpt-4o"] * 3),
    "a snapshot on both sides": (["gpt-4-0613"], ["gpt-4-0613"], ["gpt-4-0613"] * 2),
    "an older kind of snapshot": (["gpt-4"], ["gpt-4-0613"], ["gpt-4-0613"] * 2),
    "a longer name that is another model": (
        ["gpt-4o"],
        ["gpt-4o-mini-2024-07-18"],
        ["gpt-4o", "gpt-4o-mini-2024-07-18"],
    ),
    "an alias that is reported too": (["x"], ["x", "x-2024-08-06"], ["x"] * 3),
    "no name": ([None], ["x"], [None, "x"]),
}


@pytest.mark.parametrize("case", NAMES)
def test_an_undated_name_stands_for_its_snapshots(case):
    local, official, expected = NAMES[case]
    ours, theirs = [used(0, name) for name in local], [used(0, name) for name in official]
    names = aligned(ours, theirs)
    assert [entry.who.model for entry in names.entries([*ours, *theirs])] == expected


def test_usage_is_compared_in_the_period_up_to_the_last_settled_hour():
    every = [used(at) for at in (-HOUR, 0, 5 * HOUR, 6 * HOUR, 3 * DAY)]
    found = parts(every, every, until=START + 6 * HOUR + 1800)
    assert [entry.start - START for entry in found.local] == [0, 5 * HOUR]
    assert found.official == found.local
    assert [entry.start - START for entry in found.apart_local] == [6 * HOUR]
    assert found.apart_official == found.apart_local
    assert [entry.start - START for entry in found.log] == [-HOUR, 0, 5 * HOUR, 6 * HOUR, 3 * DAY]


@pytest.mark.parametrize(("until", "hours"), [(START - DAY, 0), (PERIOD.end + DAY, 72)])
def test_what_is_final_ends_within_the_period(until, hours):
    assert parts(until=until).until == START + hours * HOUR


def test_costs_are_compared_over_closed_days_only():
    found = parts(
        [], [used(at) for at in (0, DAY, 2 * DAY)], [billed(day) for day in (-1, 0, 1, 2)], START + 2 * DAY + 5
    )
    assert [cost.day - START for cost in found.costs] == [0, DAY]
    assert (found.costs_until, found.costs_due) == (START + 2 * DAY, START + 2 * DAY)


def test_days_that_are_not_billed_yet_are_no_closed_days():
    found = parts([], [used(at) for at in (0, DAY, 2 * DAY)], [billed(0)])
    assert (found.costs_until, found.costs_due) == (START + DAY, START + 3 * DAY)


def test_days_without_usage_need_no_costs():
    assert parts([], [used(0)], [billed(0)]).costs_until == START + 3 * DAY


def test_costs_that_are_not_there_are_none_and_not_zero():
    assert parts([], [used(0)], ()).costs is parts([], [used(0)], None).costs is None
    assert parts([], [used(0)], [billed(0, "web search")]).costs is None


OTHERS = {
    "a line of a model": (billed(0), True),
    "a line without an item": (billed(0, None), True),
    "a line of a model and more words": (billed(0, "m batch, output"), True),
    "a line of another model": (billed(0, "other, input"), False),
    "a tool": (billed(0, "web search tool calls"), False),
    "another currency": (billed(0, currency="eur"), False),
}


@pytest.mark.parametrize("case", OTHERS)
def test_costs_of_models_that_were_called_are_compared(case):
    cost, compared = OTHERS[case]
    found = parts([used(0)], [used(0)], [cost])
    assert ((found.costs or ()), found.other_costs) == (((cost,), ()) if compared else ((), (cost,)))
