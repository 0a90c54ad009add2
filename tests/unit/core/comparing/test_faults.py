"""A month with a known fault names that fault first, and a clean month names none. The truth is the drawn calls."""

import itertools
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from support import months
from support.months import MARCH, MODELS, OCTOBER, log_of, month
from support.worlds import SCALE, dice, seeds

from reconcile.ledger.comparison import ComparisonVerdict, compare
from reconcile.ledger.figures import Metric, difference
from reconcile.money.entry import Official

FEW = 1 if SCALE >= 10 else 10
"""Of many combinations every so manieth is tried; all of them in `make prove`."""


def compared(drawn, lines, *, official=None, price_of=None, repeated=(), unlogged=0, **given):
    log = log_of(lines, period=drawn.period, repeated=repeated, unlogged=unlogged)
    return compare(
        log,
        official or drawn.official(),
        drawn.period,
        settled_until=given.pop("settled_until", drawn.period.end),
        price_of=price_of or drawn.price_of(),
        **given,
    )


def flagged(drawn, lines):
    return [replace(line, batch=call.batch, tier=call.tier) for line, call in zip(lines, drawn.calls, strict=True)]


def priced(drawn, lines, price=lambda call: sum(call.price())):
    return [replace(line, cost=price(call)) for line, call in zip(lines, drawn.calls, strict=True)]


def standard(call):
    return sum(replace(call, batch=False).price())


def codes(comparison):
    return [each.code.value for each in comparison.breaks]


FAULTS = {
    "a clock 5 h ahead": ("time_zone", lambda lines, seed: months.shifted(lines, 5)),
    "a clock 5 h 30 min behind": ("time_zone", lambda lines, seed: months.shifted(lines, -5.5)),
    "local time with a change of clocks": (
        "time_zone",
        lambda lines, seed: months.in_local_time(lines, "Europe/Berlin"),
    ),
    "local time that begins to differ in the month": (
        "time_zone",
        lambda lines, seed: months.in_local_time(lines, "Europe/London"),
    ),
    "cached counted twice": ("cached_counted_twice", lambda lines, seed: months.cached_twice(lines)),
    "reasoning counted twice": ("reasoning_counted_twice", lambda lines, seed: months.reasoning_twice(lines)),
    "tokens a thousand times too high": ("units", lambda lines, seed: months.times(lines, 1000)),
    "3 % of lines lost": ("missing_log", lambda lines, seed: months.lost(lines, 0.03, seed)),
    "the file of two days missing": (
        "missing_log",
        lambda lines, seed: months.without_days(lines, date(2026, 3, 10), 2),
    ),
    "every line twice": ("duplicate_lines", lambda lines, seed: lines + lines),
    "the file of two days read twice": (
        "duplicate_lines",
        lambda lines, seed: lines + [line for line in lines if 10 <= (line.at - MARCH.start) // 86400 < 12],
    ),
}


@pytest.mark.parametrize("keys", [True, False], ids=["with keys", "without keys"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_log_is_named_first(fault, keys):
    code, spoil = FAULTS[fault]
    for seed in seeds(1):
        drawn = month(seed, batch=0)
        found = compared(drawn, spoil(drawn.lines(keys=keys), seed))
        assert set(codes(found)) == {code}, seed  # lost lines leave some hours empty, and others not
        gap = difference(found.breaks[0].local, found.breaks[0].official)
        assert sum(each.explains for each in found.breaks) == gap, seed


def test_a_clean_month_names_nothing():
    for seed in seeds(1):
        drawn = month(seed, tiers=0.1)
        for keys, aliases in itertools.product((True, False), repeat=2):
            lines = drawn.lines(keys=keys, aliases=aliases)
            for clean in (flagged(drawn, lines), priced(drawn, lines), priced(drawn, flagged(drawn, lines))):
                found = compared(drawn, clean)
                assert (codes(found), found.verdict) == ([], ComparisonVerdict.RECONCILED), seed
                assert found.local.cost == found.official.cost


def late(lines, seed):
    """Stamped when the answer was there: up to a minute later."""
    thrown = dice(seed)
    return [replace(line, at=line.at + thrown.randrange(60)) for line in lines]


@pytest.mark.long
def test_calls_that_are_logged_when_they_end_are_no_reason_but_at_the_edges():
    for seed in seeds(2):
        drawn = month(seed, busy=1)
        found = compared(drawn, late(flagged(drawn, drawn.lines()), seed))
        assert set(codes(found)) <= {"unexplained", "missing_log"}, seed
        assert abs(found.local.requests - found.official.requests) <= 1, seed


@pytest.mark.long
@pytest.mark.parametrize("fault", list(FAULTS)[::FEW])
def test_a_fault_of_a_log_that_is_written_when_calls_end_is_named_first(fault):
    code, spoil = FAULTS[fault]
    drawn = month(7, batch=0)
    assert codes(compared(drawn, spoil(late(drawn.lines(), 1), 1)))[0] == code


@pytest.mark.parametrize("keys", [True, False], ids=["with keys", "without keys"])
def test_a_foreign_key_is_named_first(keys):
    for seed in seeds(1):
        drawn = month(seed, batch=0, foreign=0.2)
        found = compared(drawn, months.without_key(drawn.lines(keys=keys), drawn, "key_other"))
        assert codes(found) == ["foreign_key"], seed
        assert "key key_other" in found.breaks[0].arithmetic


def test_repeated_lines_are_named_first():
    for seed in seeds(1):
        drawn = month(seed, batch=0)
        lines = drawn.lines()
        assert codes(compared(drawn, lines + lines[::9], repeated=lines[::9])) == ["duplicate_lines"], seed


def test_an_hour_that_the_clock_shows_twice_leaves_nothing_unexplained():
    for seed in seeds(1):
        drawn = month(seed, period=OCTOBER, batch=0, zone="Europe/Berlin")
        found = compared(drawn, months.in_local_time(drawn.lines(), "Europe/Berlin"))
        assert codes(found) == ["time_zone"], seed
        assert "2 h ahead of UTC until 2026-10-2" in found.breaks[0].arithmetic


UNPRICED = "o3-2025-04-16"

PRICES = {
    "batch priced as standard": ("batch_price", lambda drawn, lines: (lines, {})),
    "batch priced as standard by the log": ("batch_price", lambda drawn, lines: (priced(drawn, lines, standard), {})),
    "batch told and priced as standard": (
        "batch_price",
        lambda drawn, lines: (priced(drawn, flagged(drawn, lines), standard), {}),
    ),
    "prices that know no batch": (
        "batch_price",
        lambda drawn, lines: (flagged(drawn, lines), {"price_of": drawn.price_of(flags=False)}),
    ),
    "an unpriced model": (
        "unpriced_model",
        lambda drawn, lines: (flagged(drawn, lines), {"price_of": drawn.price_of(unknown=[UNPRICED])}),
    ),
    "no priced model": (
        "unpriced_model",
        lambda drawn, lines: (flagged(drawn, lines), {"price_of": drawn.price_of(unknown=list(MODELS))}),
    ),
    "no model told": (
        "unpriced_model",
        lambda drawn, lines: ([replace(line, model=None) for line in lines], {}),
    ),
    "an unpriced model and a bill without items": (
        "unpriced_model",
        lambda drawn, lines: (
            flagged(drawn, lines),
            {"price_of": drawn.price_of(unknown=[UNPRICED]), "official": itemless(drawn.official())},
        ),
    ),
    "prices of the log a fifth too high": (
        "price_table",
        lambda drawn, lines: (
            priced(drawn, flagged(drawn, lines), lambda call: sum(call.price()) * Decimal("1.2")),
            {},
        ),
    ),
    "amounts in cents": (
        "units",
        lambda drawn, lines: (priced(drawn, flagged(drawn, lines), lambda call: sum(call.price()) * 100), {}),
    ),
    "a bill above list price": (
        "price_table",
        lambda drawn, lines: (
            flagged(drawn, lines),
            {"official": drawn.official(bill=lambda call, amount: amount * Decimal("1.1"))},
        ),
    ),
    "some calls for free": (
        "credits_or_free_usage",
        lambda drawn, lines: (
            flagged(drawn, lines),
            {"official": drawn.official(bill=lambda call, amount: amount if call.at % 5 else 0)},
        ),
    ),
    "cached tokens not told": (
        "price_table",
        lambda drawn, lines: (
            [replace(line, counts=(sum(line.counts[:3]), 0, 0, line.counts[3])) for line in flagged(drawn, lines)],
            {},
        ),
    ),
    "all calls under one model": (
        "model_spelling",
        lambda drawn, lines: ([replace(line, model="gpt-4o-mini") for line in flagged(drawn, lines)], {}),
    ),
}


def itemless(official):
    return replace(official, costs=tuple(replace(cost, line_item=None) for cost in official.costs))


@pytest.mark.parametrize("case", PRICES)
def test_a_fault_of_prices_is_named_alone_and_to_the_last_digit(case):
    code, spoil = PRICES[case]
    for seed in seeds(1):
        drawn = month(seed, busy=1)
        lines, given = spoil(drawn, drawn.lines())
        found = compared(drawn, lines, **given)
        assert codes(found) == [code], seed
        (only,) = found.breaks
        assert only.explains == (found.local.cost or 0) - found.official.cost
        assert only.metric is Metric.COST


@pytest.mark.long
@pytest.mark.parametrize("known", [True, False], ids=["tiers on the list", "tiers not on the list"])
def test_a_tier_that_is_priced_as_the_default_is_named_alone(known):
    drawn = month(5, busy=2, batch=0, tiers=0.4)
    lines = drawn.lines() if known else flagged(drawn, drawn.lines())
    assert codes(compared(drawn, lines, price_of=drawn.price_of(flags=known))) == ["tier_price"]


def test_attempts_are_named_where_lines_speak_of_them():
    for seed in seeds(1):
        drawn = month(seed, batch=0)
        lines = [line for place, line in enumerate(drawn.lines()) if place % 20]
        gone = len(drawn.calls) - len(lines)
        assert codes(compared(drawn, lines, unlogged=gone)) == ["unlogged_attempts"], seed
        assert codes(compared(drawn, lines, unlogged=gone // 5)) == ["missing_log"], seed


def test_requests_without_output_are_attempts():
    drawn = month(2, batch=0)
    tried = [replace(call, output=0, reasoning=0) for call in drawn.calls[::15]]
    billed = replace(drawn, calls=drawn.calls + tried)
    found = compared(billed, drawn.lines())
    assert codes(found)[0] == "unlogged_attempts"


def test_batch_jobs_that_are_not_logged_are_missing_and_not_mispriced():
    drawn = month(3)
    lines = [line for line in flagged(drawn, drawn.lines()) if not line.batch]
    found = compared(drawn, lines)
    assert codes(found) == ["missing_log"]
    assert "batch jobs" in found.breaks[0].arithmetic


def test_calls_that_are_billed_elsewhere_are_named():
    drawn = month(3, batch=0)
    lines = [replace(line, framework="prod") for line in drawn.lines()]
    other = [replace(line, framework="staging") for line in month(4, batch=0, busy=1).lines(keys=False)]
    found = compared(drawn, lines + other)
    assert codes(found)[0] == "foreign_key"
    assert "environment staging" in found.breaks[0].arithmetic
    model = [replace(line, model="claude-x") for line in month(4, batch=0, busy=1).lines(keys=False)]
    assert "model claude-x" in compared(drawn, lines + model).breaks[0].arithmetic


def test_the_lost_file_of_one_service_is_a_gap_of_its_key():
    drawn = month(3, batch=0)
    gone = range(MARCH.start + 10 * 86400, MARCH.start + 13 * 86400)
    lines = [line for line in drawn.lines() if line.key != "key_jobs" or line.at not in gone]
    found = compared(drawn, lines)
    assert codes(found) == ["missing_log"]
    assert "of key key_jobs" in found.breaks[0].arithmetic


COMBINED = {
    "time_zone": lambda lines, seed: months.shifted(lines, 5),
    "cached_counted_twice": lambda lines, seed: months.cached_twice(lines),
    "reasoning_counted_twice": lambda lines, seed: months.reasoning_twice(lines),
    "units": lambda lines, seed: months.times(lines, 1000),
    "missing_log": lambda lines, seed: months.lost(lines, 0.03, seed),
    "duplicate_lines": lambda lines, seed: lines + lines,
    "foreign_key": lambda lines, seed: lines,
}


@pytest.mark.long
@pytest.mark.parametrize("pair", list(itertools.combinations(COMBINED, 2))[::FEW], ids=" and ".join)
def test_two_faults_at_once_are_both_named(pair):
    for seed in seeds(1):
        drawn = month(seed + 1, batch=0, busy=1.5, foreign=0.2 if "foreign_key" in pair else 0)
        lines = months.without_key(drawn.lines(keys=False), drawn, "key_other")
        for name in pair:
            lines = COMBINED[name](lines, seed)
        assert set(codes(compared(drawn, lines))) == set(pair), seed


@pytest.mark.long
def test_any_three_faults_at_once_put_a_true_one_first():
    drawn = month(11, batch=0, busy=1, foreign=0.2)
    every = list(itertools.combinations(COMBINED, 3))
    for three in every[:: 2 * FEW - 1]:
        lines = months.without_key(drawn.lines(keys=False), drawn, "key_other")
        for name in three:
            lines = COMBINED[name](lines, 1)
        assert codes(compared(drawn, lines))[0] in {*three, "foreign_key"}, three


def test_nothing_is_never_reconciled():
    drawn = month(1, busy=1)
    lines = flagged(drawn, drawn.lines())
    assert compared(drawn, []).verdict is ComparisonVerdict.NO_DATA
    assert codes(compared(drawn, [])) == ["missing_log"]
    assert compared(drawn, lines, official=Official(usage=())).verdict is ComparisonVerdict.NO_DATA
    assert codes(compared(drawn, lines, official=Official(usage=()))) == []
    assert compared(drawn, [], official=Official(usage=())).verdict is ComparisonVerdict.NO_DATA
