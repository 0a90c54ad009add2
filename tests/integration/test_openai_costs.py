"""Costs over real HTTP on loopback: amounts to the last digit, keys as far back as they are told apart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from support.billing import KEY, MINI, NOW, PERIOD, START, asked, call, fetched, row_with, spoil

from reconcile.errors import ProviderError
from reconcile.money.entry import DAY, Cost, Period
from reconcile.simulator import faults
from reconcile.simulator.calls import Credit, Ledger
from reconcile.simulator.faults import Fault
from reconcile.simulator.replies import Reply
from reconcile.simulator.server import Simulator

FLOOR = date(2025, 12, 6)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(Ledger([call(1), call(25, batch=True)]), now=NOW, admin_key=KEY) as simulator:
        yield simulator


def costs(simulator: Simulator, period: Period = PERIOD, **settings: Any) -> tuple[Cost, ...]:
    found = fetched(simulator, period, other=False, **settings).costs
    assert found is not None
    return found


def refused(simulator: Simulator) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        costs(simulator)
    return caught.value


def line(day: int, kind: str, quantity: int, amount: str) -> Cost:
    return Cost(
        day=START + day * DAY,
        amount=Decimal(amount),
        currency="usd",
        line_item=f"{MINI}, {kind}",
        project_id="proj_simulated",
        api_key_id="key_a",
        quantity=Decimal(quantity),
        quantity_unit="tokens",
    )


def test_costs_are_lines_of_a_day_a_project_and_a_key(simulator: Simulator) -> None:
    assert costs(simulator) == (
        line(0, "input", 744, "0.0001116"),
        line(0, "cached input", 256, "0.0000192"),
        line(0, "output", 200, "0.00012"),
        line(1, "input", 744, "0.0000558"),
        line(1, "cached input", 256, "0.0000096"),
        line(1, "output", 200, "0.00006"),
    )


def test_a_credit_is_an_amount_below_zero(simulator: Simulator) -> None:
    simulator.ledger.add([Credit(at=START, amount=Decimal("5.25"))])
    credit = next(cost for cost in costs(simulator) if cost.line_item == "credits")
    assert (credit.amount, credit.project_id, credit.quantity, credit.quantity_unit) == (
        Decimal("-5.25"),
        None,
        None,
        None,
    )


# ----------------------------------------------------------------------------------------------- amounts


def answered(spelled: str) -> Fault:
    """The first amount as this piece of JSON, which no json module of ours has touched."""

    def fault(_: Any, right: Reply) -> Reply:
        page = json.loads(right.body)
        next(row for bucket in page["data"] for row in bucket["results"])["amount"]["value"] = "@"
        return Reply(200, json.dumps(page).replace('"@"', spelled).encode())

    return fault


@pytest.mark.parametrize(
    ("spelled", "amount"),
    [
        pytest.param('"0E-6176"', "0", id="a-zero-as-recorded"),
        pytest.param("0E-6176", "0", id="a-zero-as-a-number"),
        pytest.param('"0.000004500000000000000000000000000000000"', "0.0000045", id="39-decimals-as-recorded"),
        pytest.param("0.000004500000000000000000000000000000001", None, id="39-decimals-as-a-number"),
        pytest.param('"123456789.123456789012345678901234567890123456789"', None, id="48-digits"),
        pytest.param("0.1", "0.1", id="what-no-float-can-hold"),
        pytest.param("12345678901234.56789012345678", None, id="more-digits-than-a-float-has"),
        pytest.param("7", "7", id="a-whole-number"),
        pytest.param('"100"', "100", id="a-round-one"),
        pytest.param("1e2", "100", id="an-exponent"),
        pytest.param('"-4.5E-6"', "-0.0000045", id="below-zero"),
        pytest.param('"-0.00"', "0", id="minus-nothing"),
        pytest.param('"0.' + "0" * 6000 + '"', "0", id="a-long-zero"),
    ],
)
def test_an_amount_is_read_to_its_last_digit(simulator: Simulator, spelled: str, amount: str | None) -> None:
    spoil(simulator, "costs", answered(spelled))
    found = costs(simulator)[0].amount
    assert found == Decimal(amount or spelled.strip('"'))
    assert "E" not in str(found).replace("E-", "")


@pytest.mark.parametrize(
    ("spelled", "code"),
    [
        pytest.param("null", "invalid_amount", id="null"),
        pytest.param("true", "invalid_amount", id="true"),
        pytest.param('""', "invalid_amount", id="nothing"),
        pytest.param('"NaN"', "invalid_amount", id="not-a-number"),
        pytest.param('"Infinity"', "invalid_amount", id="infinite"),
        pytest.param('"1_000"', "invalid_amount", id="an-underscore"),
        pytest.param('" 1"', "invalid_amount", id="a-space"),
        pytest.param('"\\u0663"', "invalid_amount", id="a-digit-of-another-script"),
        pytest.param('"0x10"', "invalid_amount", id="hexadecimal"),
        pytest.param('"1,5"', "invalid_amount", id="a-comma"),
        pytest.param('"1e15"', "invalid_amount", id="more-than-there-is"),
        pytest.param('"1e999999"', "invalid_amount", id="a-huge-exponent"),
        pytest.param('"1e-101"', "invalid_amount", id="smaller-than-any-amount"),
        pytest.param('"1e99999999999999999999"', "invalid_amount", id="an-exponent-no-decimal-has"),
        pytest.param('"' + "1" * 10_001 + '"', "invalid_amount", id="ten-thousand-digits"),
        pytest.param("1e99999999999999999999", "not_json", id="such-an-exponent-as-a-number"),
        pytest.param("NaN", "not_json", id="not-a-number-and-no-json"),
        pytest.param("[]", "invalid_amount", id="a-list"),
    ],
)
def test_an_amount_that_cannot_be_is_refused(simulator: Simulator, spelled: str, code: str) -> None:
    spoil(simulator, "costs", answered(spelled))
    error = refused(simulator)
    assert (error.code, error.exit_code) == (code, 3)
    assert code == "not_json" or "2026-01-05T00:00:00Z" in error.message


@pytest.mark.parametrize(
    ("fields", "code", "shown"),
    [
        pytest.param({"amount": None}, "invalid_amount", "a line without an amount", id="no-amount"),
        pytest.param({"amount": ...}, "invalid_amount", "a line without an amount", id="amount-missing"),
        pytest.param({"amount": {"value": 1}}, "invalid_amount", "no currency: None", id="no-currency"),
        pytest.param({"amount": {"value": 1, "currency": "$"}}, "invalid_amount", "'$'", id="a-sign"),
        pytest.param({"quantity": "many"}, "invalid_amount", "a quantity that is no decimal", id="words"),
        pytest.param({"quantity": True}, "invalid_amount", "a quantity that is no decimal", id="a-flag"),
        pytest.param({"quantity_unit": 1}, "unexpected_shape", "quantity_unit 1", id="a-number-for-a-unit"),
        pytest.param({"line_item": []}, "unexpected_shape", "line_item []", id="a-list-for-a-line-item"),
        pytest.param({"object": "organization.usage.completions.result"}, "unexpected_shape", "costs", id="usage"),
    ],
)
def test_a_line_that_cannot_be_is_refused(simulator: Simulator, fields: dict[str, Any], code: str, shown: str) -> None:
    spoil(simulator, "costs", row_with(**fields))
    error = refused(simulator)
    assert error.code == code
    assert shown in error.message
    assert error.message.startswith("the costs API's answer about costs cannot be trusted")


@pytest.mark.parametrize("quantity", [30.0, 1.5, 7, "30.0", None])
def test_a_quantity_may_be_a_number_or_text_or_missing(simulator: Simulator, quantity: Any) -> None:
    spoil(simulator, "costs", row_with(quantity=quantity))
    assert costs(simulator)[0].quantity == (None if quantity is None else Decimal(str(quantity)))


def test_amounts_of_two_currencies_have_no_sum(simulator: Simulator) -> None:
    spoil(simulator, "costs", row_with(amount={"value": "1", "currency": "EUR"}))
    error = refused(simulator)
    assert error.code == "currency_mixed"
    assert "eur and usd" in error.message


# ------------------------------------------------------------------------------------------------ the keys


def groups(simulator: Simulator) -> list[tuple[str, str, bool]]:
    """Of each request for costs its start, its end, and whether keys are told apart."""
    found = [request.params for request in asked(simulator, "costs")]
    keys = [("group_by", "api_key_id") in params for params in found]
    return [(dict(params)["start_time"], dict(params)["end_time"], by) for params, by in zip(found, keys, strict=True)]


def test_keys_are_told_apart_only_since_december_2025(simulator: Simulator) -> None:
    floor = Period(FLOOR, FLOOR).start
    period = Period(date(2025, 12, 4), date(2025, 12, 7))
    turn = (floor - START) / 3600
    simulator.ledger = Ledger([call(turn - 1), call(turn)])
    assert [cost.api_key_id for cost in costs(simulator, period)] == [None] * 3 + ["key_a"] * 3
    assert groups(simulator) == [
        (str(period.start), str(floor), False),
        (str(floor), str(period.end), True),
    ]


def test_a_service_that_refuses_keys_for_a_time_is_asked_without_them(simulator: Simulator) -> None:
    said = {"message": "group_by=api_key_id is not available for this time range.", "param": "start_time"}
    spoil(simulator, "costs", faults.instead(Reply(400, json.dumps({"error": said}).encode())))
    found = costs(simulator)
    assert [keys for *_, keys in groups(simulator)] == [True, False]
    assert ({cost.api_key_id for cost in found}, sum(cost.amount for cost in found)) == (
        {None},
        Decimal("0.0003762"),
    )


def test_any_other_refusal_of_costs_stands(simulator: Simulator) -> None:
    said = {"message": "Invalid limit provided: 31.", "param": None}
    spoil(simulator, "costs", faults.instead(Reply(400, json.dumps({"error": said}).encode())))
    assert refused(simulator).code == "request_refused"
    assert len(asked(simulator, "costs")) == 1


def test_a_refusal_without_keys_in_it_is_final(simulator: Simulator) -> None:
    said = {"message": "group_by=api_key_id is not available for this time range.", "param": "start_time"}
    wrong = faults.instead(Reply(400, json.dumps({"error": said}).encode()))
    spoil(simulator, "costs", wrong, wrong)
    assert refused(simulator).code == "request_refused"
    assert len(asked(simulator, "costs")) == 2


# ------------------------------------------------------------------------------------------------- the pages


def test_a_long_period_is_asked_for_in_months_of_31_days(simulator: Simulator) -> None:
    period = Period(date(2025, 12, 10), date(2026, 2, 18))
    costs(simulator, period)
    edges = [int(edge) for start, end, _ in groups(simulator) for edge in (start, end)]
    assert [(b - a) // DAY for a, b in list(pairwise(edges))[::2]] == [31, 31, 9]


def test_pages_are_followed_and_not_counted(simulator: Simulator) -> None:
    """A service that puts fewer days on a page than it was asked for is read to its end."""
    right = costs(simulator)
    simulator.page_size = 1
    before = len(asked(simulator, "costs"))
    assert costs(simulator, max_requests=None) == right
    assert len(asked(simulator, "costs")) - before == 3
