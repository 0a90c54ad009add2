"""Each reason in a small week: what is said of it, how much it explains, and when it is not named."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from support.week import START, WEEK, bill, calls, compared, listed, official, price, used

from reconcile.ledger.figures import Metric
from reconcile.ledger.log import UsageLog
from reconcile.ledger.reasons.codes import BreakCode
from reconcile.money.entry import DAY, HOUR, Cost, Official, Period
from reconcile.usage import Tokens

CODES = (
    "time_zone cached_counted_twice cached_left_out cache_writes_left_out reasoning_counted_twice "
    "reasoning_left_out units cache_hits failed_calls streamed_chunks repeated_ids running_totals "
    "nested_spans duplicate_lines model_spelling outlier_line refused_lines missing_log provider_gap "
    "timeout_retries unlogged_attempts foreign_key batch_price tier_price tier_requested price_table "
    "unpriced_model credits_or_free_usage open_period unexplained"
)


def codes(found):
    return [each.code.value for each in found.breaks]


def only(found):
    (single,) = found.breaks
    return single


def who(entries, **changes):
    return [replace(entry, who=replace(entry.who, **changes)) for entry in entries]


def moved(entries, hours):
    return [replace(entry, start=entry.start + int(hours * HOUR)) for entry in entries]


def counted(entry, uncached=0, read=0, write=0, output=0, requests=0):
    """The entry with some counts changed."""
    tokens = Tokens(*(a + b for a, b in zip(entry.tokens.parts, (uncached, read, write, output), strict=True)))
    return replace(entry, tokens=tokens, requests=entry.requests + requests)


def reasoned():
    return [replace(entry, reasoning=entry.tokens.output // 2) for entry in calls()]


# ------------------------------------------------------------------------------------------------------- quantities


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (5, "5 h ahead of UTC"),
        (-5.5, "5 h 30 min behind UTC"),
    ],
)
def test_a_clock_that_is_off_is_told_by_how_much(hours, said):
    around = [entry for days in (-7, 0, 7) for entry in moved(calls(), 24 * days)]
    found = only(compared(moved(around, hours)))
    assert (found.code, found.metric) == (BreakCode.TIME_ZONE, Metric.TOTAL)
    assert said in found.arithmetic
    assert found.explains == found.local - found.official


CHANGES = {
    "put forward": (date(2026, 3, 29), 1, 2, "1 h ahead of UTC until 2026-03-29 01:00Z and 2 h ahead of UTC"),
    "put forward from UTC": (date(2026, 3, 29), 0, 1, "level with UTC until 2026-03-29 01:00Z and 1 h ahead of UTC"),
    "put back": (date(2026, 10, 25), 2, 1, "2 h ahead of UTC until 2026-10-25 01:00Z and 1 h ahead of UTC"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_clock_that_is_turned_in_the_period_is_told_with_the_hour(case):
    sunday, before, since, said = CHANGES[case]
    period = Period(date(sunday.year, sunday.month, sunday.day - 3), date(sunday.year, sunday.month, sunday.day + 2))
    turn = period.start + 3 * DAY + HOUR
    theirs = [
        replace(entry, start=entry.start - START + period.start) for entry in calls() if entry.start < START + 6 * DAY
    ]
    ours = [
        replace(entry, start=entry.start + HOUR * (before if entry.start < turn else since), tokens=entry.tokens)
        for entry in theirs
    ]
    merged = {}
    for entry in ours:
        key = (entry.start, entry.who)
        old = merged.get(key)
        merged[key] = (
            replace(entry, tokens=old.tokens + entry.tokens, requests=old.requests + entry.requests) if old else entry
        )
    found = only(compared(list(merged.values()), official(theirs), period=period))
    assert found.code is BreakCode.TIME_ZONE
    assert said in found.arithmetic
    assert found.arithmetic.endswith("100.0% of what differs hour by hour goes away")


def test_cached_tokens_that_are_in_the_input_too_are_counted_twice():
    local = [counted(entry, uncached=entry.tokens.cache_read) for entry in calls()]
    found = only(compared(local))
    assert (found.code, found.metric) == (BreakCode.CACHED_COUNTED_TWICE, Metric.INPUT)
    assert found.explains == found.local - found.official == sum(entry.tokens.cache_read for entry in calls())


def test_written_tokens_that_are_in_the_input_too_are_counted_twice():
    theirs = [replace(entry, tokens=Tokens(400, 100, 50, 20)) for entry in calls()]
    for uncached, code in ((450, "cache write"), (550, "cached and cache write")):
        local = [counted(entry, uncached=uncached - 400) for entry in theirs]
        found = compared(local, official(theirs, costs=())).breaks[0]
        assert found.code is BreakCode.CACHED_COUNTED_TWICE
        assert f" {code} tokens" in found.arithmetic


def test_reasoning_that_is_in_the_output_too_is_counted_twice():
    local = [counted(entry, output=entry.reasoning) for entry in reasoned()]
    found = only(compared(local))
    assert (found.code, found.metric) == (BreakCode.REASONING_COUNTED_TWICE, Metric.OUTPUT)
    assert found.explains == sum(entry.reasoning for entry in reasoned())


@pytest.mark.parametrize(
    ("factor", "per", "said"), [(1000, 1, "1,000 times too high"), (1, 1000, "1,000 times too low")]
)
def test_another_unit_is_told_with_its_factor(factor, per, said):
    theirs = [replace(entry, tokens=Tokens(*(count * 1000 for count in entry.tokens.parts))) for entry in calls()]
    local = [
        replace(entry, tokens=Tokens(*(count * factor // per for count in entry.tokens.parts))) for entry in theirs
    ]
    found = compared(local, official(theirs)).breaks[0]
    assert found.code is BreakCode.UNITS
    assert said in found.arithmetic


def test_repeated_lines_are_taken_out_once():
    again = calls()[::7]
    log = UsageLog(entries=(*calls(), *again), repeated=tuple(again))
    found = only(compared([], log=log))
    assert found.code is BreakCode.DUPLICATE_LINES
    assert "lines that equal an earlier one hold" in found.arithmetic
    assert found.explains == sum(entry.tokens.total for entry in again)


def test_equal_lines_that_are_calls_of_their_own_are_no_duplicates():
    again = calls()[::7]
    assert codes(compared([], log=UsageLog(entries=tuple(calls()), repeated=tuple(again)))) == []
    outside = moved(calls(), 24 * 30)
    late = [entry for entry in calls() if entry.start >= START + 4 * HOUR]
    log = UsageLog(entries=(*late, *outside), repeated=tuple(outside))
    assert codes(compared([], log=log)) == ["missing_log"]


@pytest.mark.parametrize("times", [2, 3])
def test_a_log_that_has_everything_several_times_is_told_without_repeated_lines(times):
    assert f"{times} times" in only(compared(calls() * times)).arithmetic


def test_hours_that_stand_in_the_log_twice_are_told():
    days = [entry for entry in calls() if DAY <= entry.start - START < 3 * DAY]
    found = only(compared(calls() + days))
    assert found.code is BreakCode.DUPLICATE_LINES
    assert "in 24 hours the log has exactly twice" in found.arithmetic


def test_hours_without_a_line_are_told_with_their_times():
    local = [entry for entry in calls() if not 2 * DAY <= entry.start - START < 3 * DAY]
    found = only(compared(local))
    assert found.code is BreakCode.MISSING_LOG
    assert "nothing is logged from 2026-03-04 00:00Z to 2026-03-04 23:00Z, where" in found.arithmetic


def test_many_gaps_are_counted():
    local = [entry for entry in calls() if (entry.start - START) // HOUR % 10]
    assert " and 14 times more, where" in only(compared(local)).arithmetic


def test_a_gap_of_one_key_is_told_with_the_key():
    gone = range(START + 2 * DAY, START + 4 * DAY)
    local = [entry for entry in calls() if entry.who.api_key_id == "key_jobs" or entry.start not in gone]
    assert "nothing of key key_app is logged from 2026-03-04 00:00Z" in only(compared(local)).arithmetic


def test_lines_that_are_missing_here_and_there_are_counted():
    local = short(uncached=-200, output=-80)
    lacking = sum(entry.requests for entry in calls()) - sum(entry.requests for entry in local)
    found = only(compared(local))
    assert found.code is BreakCode.MISSING_LOG
    assert f"{lacking} of 378 requests have no line ({lacking / 3.78:.2f} %)" in found.arithmetic


def test_a_log_with_nothing_is_missing_and_no_other_reason_is_looked_for():
    found = only(compared([]))
    assert (found.code, found.explains) == (BreakCode.MISSING_LOG, -found.official)
    assert codes(compared(calls(), Official(usage=()))) == []


def short(requests=1, **parts):
    """The log without a request of every ninth entry."""
    return [
        counted(e, requests=-requests, **parts) if n % 9 == 0 and e.requests > 1 else e for n, e in enumerate(calls())
    ]


def attempted(local, unlogged):
    return compared([], log=UsageLog(entries=tuple(local), unlogged_attempts=unlogged))


def test_attempts_are_named_where_lines_speak_of_enough_of_them():
    local = short(uncached=-200, output=-80)
    lacking = sum(entry.requests for entry in calls()) - sum(entry.requests for entry in local)
    enough = only(attempted(local, lacking))
    assert (enough.code, enough.metric, enough.explains) == (BreakCode.UNLOGGED_ATTEMPTS, Metric.REQUESTS, -lacking)
    half = attempted(local, lacking // 2 + 1)
    assert half.breaks[0].code is BreakCode.UNLOGGED_ATTEMPTS
    assert codes(attempted(local, lacking // 3)) == ["missing_log"]


def test_requests_without_output_are_attempts_without_being_told():
    assert only(compared(short(uncached=-200))).code is BreakCode.UNLOGGED_ATTEMPTS


def test_requests_whose_tokens_go_the_other_way_fit_no_reason():
    assert set(codes(compared(short(uncached=+200, output=-80)))) == {"unexplained"}


def test_a_key_that_the_log_does_not_know_is_foreign():
    foreign = who(calls()[::3], api_key_id="key_x", project_id="p")
    found = compared(calls(), official([*calls(), *foreign])).breaks[0]
    assert found.code is BreakCode.FOREIGN_KEY
    assert "of key key_x, which the log seems to hold none of" in found.arithmetic
    assert found.explains == -sum(entry.tokens.total for entry in foreign)


def test_a_key_is_found_foreign_by_its_hours_where_the_log_tells_no_keys():
    local = who([entry for entry in calls() if entry.who.api_key_id == "key_app"], api_key_id=None)
    assert "of key key_jobs" in only(compared(local)).arithmetic


def test_several_foreign_keys_are_named_up_to_a_few():
    foreign = [entry for n in range(5) for entry in who(calls()[n::9], api_key_id=f"key_{n}")]
    said = only(compared(calls(), official([*calls(), *foreign]))).arithmetic
    assert said.count("key_") == 3
    assert "and 2 more" in said


def test_what_is_billed_elsewhere_is_named_by_what_only_the_log_has():
    elsewhere = who(calls()[::3], model="claude", api_key_id=None)
    said = compared([*calls(), *elsewhere]).breaks[0].arithmetic
    assert "of model claude, which the provider seems to report none of" in said
    environments = who(calls(), framework="prod") + who(calls()[::3], framework="staging", api_key_id=None)
    assert "of environment staging" in compared(environments).breaks[0].arithmetic


def test_batch_jobs_that_are_not_logged_are_a_gap_and_no_matter_of_price():
    batches = who(calls()[::3], batch=True)
    found = only(compared(calls(), official([*calls(), *batches])))
    assert found.code is BreakCode.MISSING_LOG
    assert "of batch jobs" in found.arithmetic


def test_two_reasons_of_which_none_takes_away_most_are_found_together():
    day = [entry for entry in calls() if entry.start - START < DAY]
    gone = range(START + 4 * DAY, START + 5 * DAY)
    odd = [counted(e, uncached=600) if 2 * DAY <= e.start - START < 3 * DAY else e for e in calls()]
    found = compared([entry for entry in odd if entry.start not in gone] + day)
    assert codes(found) == ["missing_log", "duplicate_lines", "unexplained"]
    assert found.breaks[-1].explains == 600 * sum(2 * DAY <= e.start - START < 3 * DAY for e in calls())


def test_what_fits_no_reason_is_unexplained_to_the_last_token():
    local = [counted(calls()[0], uncached=+7, output=-2, requests=1), *calls()[1:]]
    found = compared(local)
    assert [(each.code.value, each.metric.value, each.explains) for each in found.breaks] == [
        ("unexplained", "requests", 1),
        ("unexplained", "input_tokens", 7),
        ("unexplained", "output_tokens", -2),
    ]


def test_calls_that_cross_an_hour_are_no_reason_where_totals_agree():
    late = [counted(entry, uncached=-100 * (n == 4) + 100 * (n == 6)) for n, entry in enumerate(calls())]
    assert codes(compared(late)) == []


def test_a_call_that_is_logged_in_the_next_hour_is_no_gap():
    first, *rest = calls()
    second = used(1)
    later = replace(second, tokens=first.tokens + second.tokens, requests=first.requests + second.requests)
    assert codes(compared([later, *rest], official([first, second, *rest]))) == []


def test_a_log_that_tells_batch_jobs_is_not_taken_for_one_without():
    local = [entry for n, entry in enumerate(batched()) if n % 8]
    assert "seems to hold none" not in compared(local, official(batched())).breaks[0].arithmetic


def test_a_log_that_tells_no_written_tokens_apart_agrees_in_its_input():
    theirs = [replace(entry, tokens=Tokens(400, 100, 50, 20)) for entry in calls()]
    local = [replace(entry, tokens=Tokens(450, 100, 0, 20)) for entry in calls()]
    assert codes(compared(local, official(theirs))) == []


def test_models_are_not_held_apart_where_the_log_calls_all_by_one_name():
    local = who(calls(), model="gpt-4o")
    assert {each.metric for each in compared(local).breaks} == {Metric.COST}
    assert {each.metric for each in compared(who(calls(), model=None)).breaks} == {Metric.COST}


# ------------------------------------------------------------------------------------------------------------ money


def batched():
    return [replace(e, who=replace(e.who, batch=n % 4 == 0)) for n, e in enumerate(calls())]


def tiered():
    return [
        replace(e, who=replace(e.who, service_tier="flex" if n % 4 == 0 else "default")) for n, e in enumerate(calls())
    ]


def costed(entries, cost=listed):
    return [replace(entry, cost=cost(entry)) for entry in entries]


def flat(entry):
    """At the prices of no batch."""
    return listed(entry, flags=False)


def unflagged(entry):
    return price(entry, flags=False)


def free(entry):
    return listed(entry) * (0 if entry.start // HOUR % 3 == 0 else 1)


GAPS = {
    "equal amounts": (lambda: compared(batched(), official(batched())), []),
    "right amounts without flags": (lambda: compared(who(costed(batched()), batch=None), official(batched())), []),
    "batch not told": (lambda: compared(calls(), official(batched())), ["batch_price"]),
    "batch told of half of the jobs": (
        lambda: compared(
            [replace(e, who=replace(e.who, batch=n % 8 == 0)) for n, e in enumerate(calls())], official(batched())
        ),
        ["batch_price"],
    ),
    "batch told and priced without": (lambda: compared(costed(batched(), flat), official(batched())), ["batch_price"]),
    "a list that knows no batch": (
        lambda: compared(batched(), official(batched()), price_of=unflagged),
        ["batch_price"],
    ),
    "a tier that the list does not know": (
        lambda: compared(tiered(), official(tiered(), costs=bill(tiered(), amount=half_of_flex))),
        ["tier_price"],
    ),
    "a tier not told": (
        lambda: compared(
            calls(), official(tiered(), costs=bill(tiered(), amount=half_of_flex)), price_of=price_with_flex
        ),
        ["tier_price"],
    ),
    "amounts of another price list": (
        lambda: compared(costed(calls(), lambda entry: listed(entry) * Decimal("1.2"))),
        ["price_table"],
    ),
    "amounts in cents": (lambda: compared(costed(calls(), lambda entry: listed(entry) * 100)), ["units"]),
    "a bill above the list": (
        lambda: compared(calls(), official(calls(), costs=bill(calls(), amount=lambda entry: listed(entry) * 2))),
        ["price_table"],
    ),
    "a bill below the list": (
        lambda: compared(calls(), official(calls(), costs=bill(calls(), amount=free))),
        ["credits_or_free_usage"],
    ),
    "a bill without items": (
        lambda: compared(calls(), official(calls(), costs=bill(calls(), amount=free, item=False))),
        ["credits_or_free_usage"],
    ),
    "a model without a price": (
        lambda: compared(calls(), price_of=unlisted("o3-2025-04-16")),
        ["unpriced_model"],
    ),
    "a model without a price, and no items": (
        lambda: compared(
            calls(), official(calls(), costs=bill(calls(), item=False)), price_of=unlisted("o3-2025-04-16")
        ),
        ["unpriced_model"],
    ),
    "no model with a price": (lambda: compared(calls(), price_of=lambda entry: None), ["unpriced_model"]),
    "no model told": (lambda: compared(who(calls(), model=None)), ["unpriced_model"]),
    "some models not told": (
        lambda: compared([*calls()[:-20], *who(calls()[-20:], model=None)]),
        ["unpriced_model"],
    ),
    "cached tokens not told": (
        lambda: compared([replace(e, tokens=Tokens(e.tokens.input, 0, 0, e.tokens.output)) for e in calls()]),
        ["price_table"],
    ),
    "all calls under one model": (lambda: compared(who(calls(), model="o3-2025-04-16")), ["model_spelling"]),
    "amounts and no prices": (
        lambda: compared(costed(calls(), lambda entry: listed(entry) * 2), price_of=None),
        ["unexplained"],
    ),
    "no costs": (lambda: compared(calls(), official(calls(), costs=())), []),
    "a hair's breadth": (
        lambda: compared(costed(calls(), lambda entry: listed(entry) * Decimal("1.0005"))),
        [],
    ),
}


def half_of_flex(entry):
    return listed(entry) * (Decimal("0.5") if entry.who.service_tier == "flex" else 1)


def price_with_flex(entry):
    prices = price(entry)
    if entry.who.service_tier != "flex":
        return prices
    rates = {name: getattr(prices, name) / 2 for name in ("uncached", "cache_read", "cache_write", "output")}
    return replace(prices, **rates)


def unlisted(model):
    return lambda entry: None if entry.who.model == model else price(entry)


@pytest.mark.parametrize("case", GAPS)
def test_a_gap_in_money_has_its_reason_to_the_last_digit(case):
    make, expected = GAPS[case]
    found = make()
    assert codes(found) == expected
    if expected:
        gap = (found.local.cost or Decimal(0)) - found.official.cost
        assert abs(only(found).explains - gap) <= (Decimal("0.001") if "half" in case else 0)
        assert (only(found).metric, only(found).local) == (Metric.COST, found.local.cost)


def test_the_reasons_of_a_gap_come_by_size_and_add_up_to_it():
    theirs = official(batched(), costs=bill(batched(), amount=lambda entry: listed(entry) * Decimal("0.99")))
    found = compared(calls(), theirs)
    assert codes(found) == ["batch_price", "credits_or_free_usage"]
    assert sum(each.explains for each in found.breaks) == found.local.cost - found.official.cost


def test_money_follows_from_tokens_where_a_reason_for_them_was_found():
    assert codes(compared(calls() * 2)) == ["duplicate_lines"]


def test_many_models_without_a_price_are_named_up_to_a_few():
    extra = [used(n, model=f"m{n}") for n in range(6)]
    cost = tuple(Cost(day=START, amount=Decimal(1), currency="usd", line_item=f"m{n}, input") for n in range(6))
    reported = official([*calls(), *extra], costs=(*bill(calls()), *cost))
    said = only(compared([*calls(), *extra], reported)).arithmetic
    assert "m0; m1; m2 and 3 more" in said


def test_an_open_end_that_differs_is_named():
    lately = [entry for entry in calls() if entry.start >= WEEK.end - 5 * HOUR]
    reported = Official(usage=tuple(calls())[: -len(lately)], costs=None)
    found = only(compared(calls(), reported, settled_until=WEEK.end - 5 * HOUR))
    assert (found.code, found.explains) == (BreakCode.OPEN_PERIOD, sum(entry.tokens.total for entry in lately))
    assert "from 2026-03-08 19:00Z on" in found.arithmetic


def test_days_that_are_not_billed_yet_are_named_and_not_compared():
    costs = bill(entry for entry in calls() if entry.start < WEEK.end - DAY)
    found = compared(calls(), official(calls(), costs=costs))
    assert (codes(found), found.local.cost) == (["open_period"], found.official.cost)
    assert "from 2026-03-08 on" in only(found).arithmetic


def test_the_list_of_reasons_is_closed_and_the_likelier_come_first():
    assert [code.value for code in BreakCode] == CODES.split()
