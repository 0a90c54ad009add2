"""Three counts of the same tokens: which of them is odd."""

from decimal import Decimal

import pytest
from support.money import DAY, MINI, billed, used

from reconcile.ledger.legs import Leg, three_way


@pytest.mark.parametrize(
    ("log", "usage", "costs", "odd"),
    [
        (30, 30, "30", None),
        (20, 30, "30", Leg.LOG),
        (30, 20, "30.0", Leg.USAGE),
        (30, 30, "20", Leg.COSTS),
        (30, 30, "30.5", Leg.COSTS),
        (10, 20, "30", Leg.ALL),
    ],
)
def test_two_that_agree_show_the_third(log, usage, costs, odd):
    logged, reported = [used("gpt-4o-mini", (log, 0, 0, 0))], [used(tokens=(usage, 0, 0, 0))]
    found = three_way(logged, reported, [billed("1", quantity=costs)])
    assert [(each.log, each.usage, each.costs, each.odd) for each in found] == [(log, usage, Decimal(costs), odd)]


def test_parts_are_matched_as_they_are_billed():
    usage = [used(tokens=(10, 20, 5, 40)), used(tokens=(1, 0, 0, 0), day=DAY + 3600)]
    costs = [
        billed("1", f"{MINI}, output", quantity="0.04", quantity_unit="1000_tokens"),
        billed("1", f"{MINI}, cached input", quantity="20"),
        billed("1", f"{MINI}, input", quantity="10", project_id="proj_a"),
        billed("1", f"{MINI}, input", quantity="6", project_id="proj_b"),
    ]
    found = three_way(usage, usage, costs)
    assert [(each.part, each.costs, each.odd) for each in found] == [
        ("cached input", 20, None), ("input", 16, None), ("output", 40, None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "costs",
    [
        [billed("1")],
        [billed("1", quantity="3"), billed("1", project_id="proj_a")],
        [billed("1", quantity="3", quantity_unit="images")],
        [billed("1", "web search", quantity="3")],
        [billed("1", f"{MINI}, cache storage", quantity="3")],
    ],
    ids=["none", "not all", "of something else", "no model's", "no part of the tokens"],
)
def test_where_the_bill_states_no_tokens_there_is_no_third_count(costs):
    assert three_way([used()], [used(model=None), used()], costs) == ()


def test_a_batch_line_of_a_model_is_held_against_the_model():
    (match,) = three_way([used()], [used()], [billed("1", f"{MINI} batch, input", quantity="900")])[:1]
    assert match.model == "gpt-4o-mini"
