"""COST_USD of a run: what its exact figure comes to at list prices, and what it was computed from."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.money import at_list, prices
from support.proof import Written, said
from support.runs import EXAMPLES, FIRST, KEY, MODEL, SCOPE, WIDE, neighbour, theirs, usage

from reconcile.attribution.attribute import attribute
from reconcile.attribution.evidence import read_evidence
from reconcile.insight.audit import AuditOutcome, AuditResult
from reconcile.minutes import MINUTE, Window
from reconcile.runs.metrics import BLOCK
from reconcile.runs.run import Claim
from reconcile.runs.seal import seal
from reconcile.usage import Bucket, Usage
from reconcile.verdict.cost import AMOUNTS, CACHE_WRITES, RunCost, entries_of_settled, run_cost

BUSY = "100 . . . . . . . . 50"
BREAKDOWN = {
    "uncached_input_cost": 0.0, "cached_input_cost": 0.0, "output_cost": 0.0, "cache_savings": 0.0,
    "model": "gpt-4o-mini",
}  # fmt: skip


def exactly(text):
    """The document with its numbers as they are spelled."""
    return json.loads(text, parse_float=Decimal)


def attributed(rows, *others):
    claim = Claim(KEY, replace(SCOPE, batch="include"), Window(FIRST, FIRST + 10 * MINUTE))
    return attribute([claim, *others], rows, [WIDE]).by_run[KEY]


def row(minute=0, tokens=Usage(84604, 23275, 42624, 31), model=MODEL, **of):  # noqa: B008  a frozen value
    return Bucket(FIRST + minute * MINUTE, tokens, "key_a", model, **of)


CHARGES = "writes-2026-01-01"
"""A model with a price of its own for what is written to a cache."""


class Filling(Written):
    """A run of that model, whose every request writes a tenth of its input to a cache."""

    def rows(self, shown):
        return [replace(row, model=CHARGES, cache_write=row.usage.tokens_in // 10) for row in super().rows(shown)]


# ---------------------------------------------------------------------------------------------------- the amounts


def test_uncached_and_cached_input_and_output_have_their_prices():
    found = attributed([row()])
    cost = run_cost(found, found.figure, at_list)
    assert cost.usd == Decimal("0.0234588")
    assert cost.amounts == (Decimal("0.006297"), Decimal("0.0031968"), Decimal("0.013965"), Decimal("0.0031968"))


def test_each_model_and_day_has_its_own_price():
    midnight = FIRST - FIRST % 86400 + 86400
    rows = [row(), row(1, model="o3-2025-04-16"), row(2, model="o3-2025-04-16"), row(3, batch=True, tokens=Usage(8, 1))]
    found = attributed(rows)
    parts = run_cost(found, found.figure, at_list).parts
    assert [(part.model, part.batch, part.usage.tokens_in) for part in parts] == [
        (MODEL, None, 84604), ("o3-2025-04-16", None, 169208), (MODEL, True, 8),
    ]  # fmt: skip
    claim = Claim(KEY, SCOPE, Window(midnight - MINUTE, midnight + MINUTE))
    split = [replace(row(), minute=midnight - MINUTE), replace(row(), minute=midnight)]
    late = attribute([claim], split, [WIDE]).by_run[KEY]
    assert [part.day for part in run_cost(late, late.figure, at_list).parts] == ["2026-01-06", "2026-01-07"]


@pytest.mark.parametrize(
    ("rows", "unpriced"),
    [
        ([row(), row(1, model="x")], "x: no list price on 2026-01-06"),
        ([row(service_tier="flex")], f"{MODEL}, flex: no list price on 2026-01-06"),
        ([row(model=None)], "a model that is not named: no list price on 2026-01-06"),
        ([row(model="writes-2026-01-01")], f"writes-2026-01-01: {CACHE_WRITES}"),
    ],
    ids=["a model", "a tier", "no model", "cache writes"],
)  # fmt: skip
def test_one_part_without_a_price_leaves_the_run_without_a_cost(rows, unpriced):
    found = attributed(rows)
    assert run_cost(found, found.figure, at_list) == RunCost(unpriced=(unpriced,))


def test_a_figure_that_is_not_exact_has_no_cost():
    found = attributed([row(9)], neighbour("b", 9, 12))
    assert not found.exact
    assert run_cost(found, found.figure, at_list) is None


def test_a_figure_that_is_not_the_one_read_has_no_cost():
    found = attributed([row()])
    assert run_cost(found, found.figure + Usage(1), at_list) is None


def test_nothing_has_no_cost():
    found = attributed([])
    assert run_cost(found, found.figure, at_list) is None


def shared(model):
    """An exact figure of a run that shares a minute, whose neighbour made the other of two equal requests."""
    rows = [row(0, usage(100)), row(9, usage(200, calls=2), model)]
    own = Claim(KEY, SCOPE, Window(FIRST, FIRST + 10 * MINUTE))
    found = attribute([own, neighbour("b", 9, 12)], rows, [WIDE]).by_run[KEY]
    return replace(found, bounds=replace(found.bounds, low=usage(150, calls=2), high=usage(150, calls=2)))


def test_an_exact_share_of_a_minute_is_priced_where_all_usage_is_one_model_s():
    found = shared(MODEL)
    parts = run_cost(found, found.figure, at_list).parts
    assert [part.usage for part in parts] == [found.figure]


def test_an_exact_share_of_a_minute_of_two_models_has_no_cost():
    found = shared("o3-2025-04-16")
    assert run_cost(found, found.figure, at_list).unpriced == (
        "the run shares minutes, and which model has what of its figure is not known",
    )


# ------------------------------------------------------------------------------------------------- cache writes

TEN_THOUSAND = Usage(10000, 1000, 2000, 3)


@pytest.mark.parametrize(
    ("written", "amounts"),
    [
        # uncached 5000 x 0.000004 and written 3000 x 0.000005; cached 2000 x 0.0000004; output 1000 x 0.00002
        (3000, ("0.035", "0.0008", "0.02", "0.0072")),
        # uncached 8000 x 0.000004
        (0, ("0.032", "0.0008", "0.02", "0.0072")),
        # written 8000 x 0.000005
        (8000, ("0.04", "0.0008", "0.02", "0.0072")),
    ],
    ids=["some", "none", "all that was not cached"],
)
def test_what_was_written_to_a_cache_has_its_price_where_the_minutes_tell_it(written, amounts):
    found = attributed([row(tokens=TEN_THOUSAND, model=CHARGES, cache_write=written)])
    cost = run_cost(found, found.figure, at_list)
    assert cost.amounts == tuple(map(Decimal, amounts))
    assert cost.usd == sum(map(Decimal, amounts[:3]))


def test_what_a_model_does_not_charge_for_costs_what_other_input_costs():
    told, untold = (
        attributed([row(tokens=TEN_THOUSAND, **of)]) for of in ({"cache_write": 3000}, {"cache_write": None})
    )
    assert run_cost(told, told.figure, at_list) == run_cost(untold, untold.figure, at_list)


def test_rows_of_one_minute_are_added_with_what_they_wrote_and_one_that_does_not_tell_leaves_none_told():
    for of, written in (((100, 20), 120), ((0, 0), 0), ((100, None), None)):
        found = attributed([row(tokens=TEN_THOUSAND, model=CHARGES, cache_write=each) for each in of])
        assert [each.cache_write for each in found.rows] == [written]


def test_one_minute_that_does_not_tell_leaves_the_run_without_a_cost():
    rows = [row(0, TEN_THOUSAND, CHARGES, cache_write=3000), row(1, TEN_THOUSAND, CHARGES)]
    found = attributed(rows)
    assert run_cost(found, found.figure, at_list) == RunCost(unpriced=(f"{CHARGES}: {CACHE_WRITES}",))


@pytest.mark.parametrize(
    ("written", "unpriced"), [(0, ()), (5, (f"{CHARGES}: {CACHE_WRITES}",))], ids=["none", "some of it anybody's"]
)
def test_a_share_of_a_minute_is_priced_where_nothing_was_written_in_it(written, unpriced):
    found = shared(CHARGES)
    rows = tuple(replace(each, model=CHARGES, cache_write=written) for each in found.rows)
    assert run_cost(replace(found, rows=rows), found.figure, at_list).unpriced == unpriced


def test_the_file_says_what_was_written_to_a_cache_and_at_which_price():
    """7800 x 0.000004 + 1200 x 0.000005 + 3000 x 0.0000004 + 1200 x 0.00002"""
    file = Filling().read("00:45", "4000 8000", prices=at_list)
    value = exactly(file.text)
    assert value["aggregate_metrics"]["COST_USD"] == Decimal("0.0624")
    assert value["cost_breakdown"]["uncached_input_cost"] == Decimal("0.0372")
    assert value[BLOCK]["pricing"]["parts"] == [
        {
            "model": CHARGES, "date": "2026-01-06", "batch": None, "service_tier": None,
            "tokens_in": 12000, "cached_tokens": 3000, "cache_write_tokens": 1200, "tokens_out": 1200,
            "usd_per_token": {
                "input": "0.000004", "cached_input": "0.0000004", "cache_write": "0.000005", "output": "0.00002",
            },
        }
    ]  # fmt: skip
    assert file.audit() == AuditResult(outcome=AuditOutcome.SOUND)


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda part: part.update(cache_write_tokens=1199), f"{BLOCK}/pricing/parts: prices other usage"),
        (lambda part: part.pop("cache_write_tokens"), f"{BLOCK}/pricing/parts: prices other usage"),
        (lambda part: part["usd_per_token"].update(cache_write="0.000006"), "aggregate_metrics/COST_USD: is 0.0624"),
    ],
    ids=["tokens", "no tokens", "a price"],
)
def test_an_edited_cache_write_is_found(edit, expected):
    found = edited(Filling().read("00:45", "4000 8000", prices=at_list), lambda value: edit(part(value)))
    assert said(found)[0].startswith(expected)


def test_a_settled_run_tells_what_it_wrote_to_a_cache():
    file = Filling().read("00:45", "4000 8000").read("01:45", "4000 8000")
    entries = entries_of_settled(file.run, evidence_of(file))
    assert [(each.tokens.parts, each.writes_told) for each in entries] == [
        ((2600, 1000, 400, 400), True), ((5200, 2000, 800, 800), True),
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------------------ the file


def test_the_file_gets_the_cost_with_all_it_was_computed_from():
    file = Written().read("00:45", "4000 8000", prices=at_list)
    value = exactly(file.text)
    assert value["aggregate_metrics"]["COST_USD"] == Decimal("0.002295")
    assert value["cost_breakdown"] == {
        "uncached_input_cost": Decimal("0.00135"),
        "cached_input_cost": Decimal("0.000225"),
        "output_cost": Decimal("0.00072"),
        "cache_savings": Decimal("0.000225"),
        "model": MODEL,
    }
    assert value[BLOCK]["pricing"] == {
        "source": "a list 1.0",
        "parts": [
            {
                "model": MODEL, "date": "2026-01-06", "batch": None, "service_tier": None,
                "tokens_in": 12000, "cached_tokens": 3000, "tokens_out": 1200,
                "usd_per_token": {"input": "0.00000015", "cached_input": "0.000000075", "output": "0.0000006"},
            }
        ],
    }  # fmt: skip


def test_an_amount_is_written_digit_by_digit():
    file = Written().read("00:45", "100", prices=lambda _: prices((f"0.{'0' * 37}13", "0", f"0.{'0' * 37}13", "0")))
    assert f'"COST_USD": 0.{"0" * 36}975' in file.text


def test_nothing_is_written_twice():
    file = Written().read("00:45", "100", prices=at_list)
    before = file.text
    assert file.read("00:50", "100", prices=at_list).text == before
    after = file.read("01:45", "100", prices=at_list).text
    assert exactly(after)["cost_breakdown"] == exactly(before)["cost_breakdown"]


def test_the_cost_follows_the_figure():
    file = Written().read("00:45", "100", prices=at_list).read("01:45", "300", prices=at_list)
    assert exactly(file.text)["aggregate_metrics"]["COST_USD"] == at_list_of(300)


def at_list_of(tokens):
    used = usage(tokens)
    return (
        (used.tokens_in - used.cached_tokens) * Decimal("0.00000015")
        + used.cached_tokens * Decimal("0.000000075")
        + used.tokens_out * Decimal("0.0000006")
    )


@pytest.mark.parametrize("members", [{}, {"cost_breakdown": BREAKDOWN}], ids=["new", "in its place"])
def test_the_parts_of_the_cost_are_put_where_they_are(members):
    file = Written(**members).read("00:45", "100", prices=at_list)
    assert list(file.value["cost_breakdown"]) == list(BREAKDOWN)


def test_a_cost_of_a_former_figure_goes_with_it():
    for members, left in (({}, None), ({"cost_breakdown": {**BREAKDOWN, "note": "kept"}}, {"note": "kept"})):
        file = Written(**members).read("00:45", "100", prices=at_list).read("01:45", "300")
        assert file.run.state.figure.tokens_in == 300
        assert ("COST_USD" in file.value["aggregate_metrics"], "pricing" in file.value[BLOCK]) == (False, False)
        assert file.value.get("cost_breakdown") == left


def test_a_cost_that_is_not_ours_is_left_alone():
    aggregates = {"TOK_IN": 0, "TOK_OUT": 0, "COST_USD": 1.50}
    file = Written(aggregate_metrics=aggregates, cost_breakdown=BREAKDOWN)
    file.read("00:45", "100").read("01:45", "100")
    assert (file.value["aggregate_metrics"]["COST_USD"], file.value["cost_breakdown"]) == (1.5, BREAKDOWN)


def test_what_another_tool_calls_pricing_is_its_own():
    for pricing in (["theirs"], {"of": "theirs"}):
        members = theirs(("00:20", 100))
        members[BLOCK]["pricing"] = pricing
        file = Written(**members).read("00:45", "300").read("01:45", "300")
        assert file.run.state.ours
        assert file.value[BLOCK]["pricing"] == pricing
        assert file.audit().outcome is AuditOutcome.SOUND


def test_a_cost_in_a_block_that_is_not_ours_is_not_taken_for_one_of_ours():
    members = theirs(("00:20", 100))
    members[BLOCK]["pricing"] = {"unpriced": ["theirs"]}
    file = Written(**members).read("00:45", "300")
    assert (file.run.state.ours, file.value[BLOCK]["pricing"]) == (True, {"unpriced": ["theirs"]})


def test_an_unpriced_model_leaves_the_cost_alone_and_says_so():
    file = Written(aggregate_metrics={"TOK_IN": 0, "TOK_OUT": 0, "COST_USD": 1.5})
    file.read("00:45", "100", prices=lambda _: None)
    why = f"{MODEL}: no list price on 2026-01-06"
    assert file.value["aggregate_metrics"]["COST_USD"] == 1.5
    assert file.value[BLOCK]["pricing"] == {"unpriced": [why]}
    assert file.note == f"no COST_USD of it: {why}"
    assert "cost_breakdown" not in file.value


def test_a_run_without_prices_has_no_note():
    assert Written().read("00:45", "100").note is None


def test_a_verdict_without_a_read_leaves_the_cost_as_it_is():
    file = Written().read("00:45", "100", prices=at_list).read("01:45", "100", prices=at_list)
    before = file.value
    file.others = (neighbour("b", 9, 12),)
    after = file.claimed_late("02:45").value
    assert (after["aggregate_metrics"]["COST_USD"], after[BLOCK]["pricing"]) == (
        before["aggregate_metrics"]["COST_USD"], before[BLOCK]["pricing"],
    )  # fmt: skip


STORIES = st.lists(st.sampled_from(["100", "100 50", "300", "."]), min_size=1, max_size=4)


@EXAMPLES
@given(STORIES)
def test_without_prices_files_are_what_they_were_and_with_them_only_money_is_added(story):
    plain, priced_ = Written(cost_breakdown=BREAKDOWN), Written(cost_breakdown=BREAKDOWN)
    for hour, shown in enumerate(story):
        plain.read(f"{hour:02}:45", shown)
        priced_.read(f"{hour:02}:45", shown, prices=at_list)
    money = priced_.value
    money["aggregate_metrics"].pop("COST_USD", None)
    money[BLOCK].pop("pricing", None)
    money["cost_breakdown"] = BREAKDOWN
    without = plain.value
    for value in (money, without):
        value[BLOCK].get("evidence", {}).pop("seal", None)
    assert money == without
    assert plain.data == priced_.data


# ------------------------------------------------------------------------------------------- for a charge-back


def evidence_of(file):
    return read_evidence(file.document)


def test_a_settled_run_with_an_exact_figure_is_usage():
    file = Written().read("00:45", "100 50").read("01:45", "100 50")
    entries = entries_of_settled(file.run, evidence_of(file))
    assert [(each.who.framework, each.who.model, each.tokens.input) for each in entries] == [
        ("chatdev", MODEL, 100), ("chatdev", MODEL, 50),
    ]  # fmt: skip


def test_a_run_that_waits_is_no_usage_yet():
    file = Written().read("00:45", "100")
    assert entries_of_settled(file.run, evidence_of(file)) is None


def test_a_run_that_was_never_read_is_none():
    assert entries_of_settled(Written().run, None) is None


def test_a_settled_run_without_evidence_is_none():
    file = Written().read("00:45", "100").read("01:45", "100")
    assert entries_of_settled(file.run, None) is None


def test_a_figure_with_bounds_is_none():
    file = Written(neighbour("b", 9, 12)).read("00:45", BUSY).read("01:45", BUSY)
    assert (file.run.settled, entries_of_settled(file.run, evidence_of(file))) == (True, None)


def test_an_exact_share_of_minutes_of_two_models_is_none():
    file = Written().read("00:45", "100 50").read("01:45", "100 50")
    evidence = evidence_of(file)
    rows = (evidence.rows[0], replace(evidence.rows[1], model="o3", usage=usage(60)))
    assert entries_of_settled(file.run, replace(evidence, rows=rows)) is None


# ----------------------------------------------------------------------------------------------------- the audit


def verified():
    return Written().read("00:45", "100 50", prices=at_list).read("01:45", "100 50", prices=at_list)


def edited(file, edit):
    value = file.value
    edit(value)
    value[BLOCK]["evidence"]["seal"] = seal(value)
    return file.audit(value=value)


def test_a_priced_run_is_sound():
    assert verified().audit() == AuditResult(outcome=AuditOutcome.SOUND)


def test_a_run_that_has_no_price_is_sound():
    assert Written().read("00:45", "100", prices=lambda _: None).audit() == AuditResult(outcome=AuditOutcome.SOUND)


def part(value):
    return value[BLOCK]["pricing"]["parts"][0]


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda value: value["aggregate_metrics"].update(COST_USD=9), ["aggregate_metrics/COST_USD: is 9"]),
        (lambda value: value["aggregate_metrics"].pop("COST_USD"), ["aggregate_metrics/COST_USD: is None"]),
        (lambda value: value.pop("cost_breakdown"), [f"cost_breakdown/{name}: is None" for name in AMOUNTS]),
        (lambda value: value["cost_breakdown"].update(output_cost=1), ["cost_breakdown/output_cost: is 1"]),
        (lambda value: part(value).update(tokens_out=1), [f"{BLOCK}/pricing/parts: prices other usage"]),
        (lambda value: part(value).update(model="o3"), [f"{BLOCK}/pricing/parts: prices other usage"]),
        (lambda value: part(value).update(date="2026-01-07"), [f"{BLOCK}/pricing/parts: prices other usage"]),
        (lambda value: part(value)["usd_per_token"].update(output="1"),
         ["aggregate_metrics/COST_USD: is", "cost_breakdown/output_cost: is"]),
    ],
    ids=["the cost", "no cost", "no parts of it", "a part of it", "tokens", "a model", "a day", "a price"],
)  # fmt: skip
def test_an_edited_cost_is_found_where_it_is(edit, expected):
    found = edited(verified(), edit)
    sentences = said(found)
    assert [sentence.startswith(start) for sentence, start in zip(sentences, expected, strict=True)] == [True] * len(
        expected
    )


def test_a_difference_names_both_amounts():
    found = edited(verified(), lambda value: value["aggregate_metrics"].update(COST_USD=9))
    assert "is 9, and the evidence at its prices comes to 0.0000287" in said(found)[0]


def test_a_file_that_another_tool_wrote_anew_is_sound_where_its_numbers_are_the_same():
    file = verified()
    assert file.audit(value=json.loads(json.dumps(file.value))).outcome is AuditOutcome.SOUND


def test_an_edited_cost_that_is_not_ours_is_nobody_s_business():
    file = Written().read("00:45", "100").read("01:45", "100")
    assert edited(file, lambda value: value["aggregate_metrics"].update(COST_USD=9)).outcome is AuditOutcome.SOUND
