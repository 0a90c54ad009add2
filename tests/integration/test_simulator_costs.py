"""The simulator's costs and its other usage endpoints: as the service was recorded to answer, priced by a tariff."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from support.billing import MINI, NOW, PERIOD, START, call, embedding, use

from reconcile.money.entry import DAY
from reconcile.simulator.calls import Credit, Ledger, Rate, Tariff
from reconcile.simulator.server import ADMIN_KEY, Simulator

ERRORS = Path(__file__).resolve().parents[2].parent / "shared" / "contracts" / "examples" / "errors_openai.json"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(Ledger(), now=NOW) as simulator:
        yield simulator


def ask(simulator: Simulator, path: str = "costs", **params: Any) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(
            f"{simulator.base_url}/organization/{path}",
            params={"start_time": START, "end_time": PERIOD.end} | params,
            headers={"Authorization": f"Bearer {ADMIN_KEY}"},
            timeout=5,
        )


def lines(simulator: Simulator, *group_by: str, **params: Any) -> list[dict[str, Any]]:
    answer = ask(simulator, group_by=list(group_by or ("line_item",)), **params)
    assert answer.status_code == 200, answer.text
    return [row for bucket in answer.json()["data"] for row in bucket["results"]]


def billed(simulator: Simulator, **params: Any) -> dict[str, Decimal]:
    """USD by line item, of one day."""
    return {row["line_item"]: Decimal(row["amount"]["value"]) for row in lines(simulator, **params)}


# ------------------------------------------------------------------------------------------------- amounts


@pytest.mark.parametrize(
    ("facts", "tariff", "expected"),
    [
        pytest.param({}, Tariff(), ("0.0001116", "0.0000192", "0.00012"), id="list-price"),
        pytest.param({"batch": True}, Tariff(), ("0.0000558", "0.0000096", "0.00006"), id="batch-half"),
        pytest.param({"service_tier": "flex"}, Tariff(), ("0.0000558", "0.0000096", "0.00006"), id="flex-half"),
        pytest.param({"service_tier": "priority"}, Tariff(), ("0.0002232", "0.0000384", "0.00024"), id="priority"),
        pytest.param({"reasoning_tokens": 150}, Tariff(), ("0.0001116", "0.0000192", "0.00012"), id="reasoning"),
        pytest.param(
            {"cache_write_tokens": 44}, Tariff(), ("0.0001116", "0.0000192", "0.00012"), id="written-as-input"
        ),
        pytest.param(
            {"cache_write_tokens": 44},
            Tariff(rates={MINI: Rate(Decimal(1), Decimal(0), Decimal(0), Decimal(2))}),
            ("0.000788", "0", "0"),
            id="written-at-a-price-of-its-own",
        ),
        pytest.param(
            {},
            Tariff(negotiated={MINI: Decimal("0.9")}),
            ("0.00010044", "0.00001728", "0.000108"),
            id="a-negotiated-price",
        ),
        pytest.param({}, Tariff(free=frozenset({MINI})), ("0", "0", "0"), id="given-away"),
    ],
)
def test_a_call_costs_what_the_tariff_says(
    simulator: Simulator, facts: dict[str, Any], tariff: Tariff, expected: tuple[str, str, str]
) -> None:
    simulator.ledger, simulator.tariff = Ledger([call(0, **facts)]), tariff
    names = [f"{MINI}, {kind}" for kind in ("input", "cached input", "output")]
    assert billed(simulator) == dict(zip(names, map(Decimal, expected), strict=True))


def test_a_model_that_is_not_in_the_list_costs_as_well(simulator: Simulator) -> None:
    simulator.ledger = Ledger([call(0, model="gpt-next-2026-01-01", tokens_in=10**6, cached_tokens=0, tokens_out=0)])
    assert billed(simulator) == {"gpt-next-2026-01-01, input": Decimal("2.5")}


def test_other_endpoints_are_billed_by_their_unit_and_moderations_not(simulator: Simulator) -> None:
    simulator.ledger = Ledger(
        [
            embedding(0),
            use("images", 0, 3, model="gpt-image-1"),
            use("web_search_calls", 0, 2),
            use("moderations", 0, 9),
        ]
    )
    assert billed(simulator) == {
        "text-embedding-3-small, input": Decimal("0.00002"),
        "gpt-image-1, images": Decimal("0.12"),
        "web search calls": Decimal("0.02"),
        "moderations": Decimal(0),
    }


def test_a_credit_makes_the_bill_lower(simulator: Simulator) -> None:
    simulator.ledger = Ledger([Credit(at=START, amount=Decimal("1.50"))])
    assert billed(simulator) == {"credits": Decimal("-1.5")}


def test_many_small_amounts_add_up_to_the_last_digit(simulator: Simulator) -> None:
    simulator.tariff = Tariff(
        rates={MINI: Rate(Decimal("0.123456789012345"), Decimal("0.000000000000001"), Decimal(3))}
    )
    simulator.ledger = Ledger([call(hour / 100) for hour in range(999)])
    each = 744 * Decimal("0.123456789012345") + 256 * Decimal("0.000000000000001") + 600
    assert sum(billed(simulator).values()) == 999 * each / 10**6


def test_amounts_are_spelled_as_recorded(simulator: Simulator) -> None:
    simulator.ledger = Ledger([call(0)])
    simulator.tariff = Tariff(rates={MINI: Rate(Decimal("0.15"), Decimal(0), Decimal(0))})
    spelled = [row["amount"] for row in lines(simulator)]
    assert spelled == [
        {"value": "0.000111600000000000000000000000000000000", "currency": "usd"},
        {"value": "0E-6176", "currency": "usd"},
        {"value": "0E-6176", "currency": "usd"},
    ]


# -------------------------------------------------------------------------------------------- rows and pages


def test_lines_come_with_their_quantity_and_unit(simulator: Simulator) -> None:
    simulator.ledger = Ledger([call(0), use("audio_transcriptions", 0, 61, model="whisper-1")])
    assert [(row["line_item"], row["quantity"], row["quantity_unit"]) for row in lines(simulator)] == [
        (f"{MINI}, input", 744.0, "tokens"),
        (f"{MINI}, cached input", 256.0, "tokens"),
        (f"{MINI}, output", 200.0, "tokens"),
        ("whisper-1, audio transcriptions", 61.0, "duration_seconds"),
    ]


def test_without_a_group_a_day_is_one_row_without_a_quantity(simulator: Simulator) -> None:
    simulator.ledger = Ledger([call(0), call(1, project_id="proj_other")])
    days = ask(simulator).json()["data"]
    assert [len(day["results"]) for day in days] == [1, 0, 0]
    (row,) = days[0]["results"]
    assert Decimal(row["amount"]["value"]) == Decimal("0.0005016")
    assert {row[name] for name in ("line_item", "project_id", "api_key_id", "quantity", "quantity_unit")} == {None}


@pytest.mark.parametrize(
    ("params", "counted"),
    [
        pytest.param({"project_ids": "proj_other"}, 1, id="project"),
        pytest.param({"api_key_ids": ["key_a", "key_b"]}, 2, id="keys"),
        pytest.param({"line_items": f"{MINI}"}, 0, id="a-model-is-no-line-item"),
    ],
)
def test_costs_can_be_filtered(simulator: Simulator, params: dict[str, Any], counted: int) -> None:
    only_input = {"cached_tokens": 0, "tokens_out": 0}
    other = call(1, project_id="proj_other", api_key_id="key_b", **only_input)
    simulator.ledger = Ledger([call(0, **only_input), other])
    assert len(lines(simulator, "line_item", "project_id", **params)) == counted


@pytest.mark.parametrize(("limit", "days"), [(None, 7), (31, 31), (32, 31), (180, 31)])
def test_a_limit_above_31_is_taken_and_not_kept(simulator: Simulator, limit: int | None, days: int) -> None:
    params = {} if limit is None else {"limit": limit}
    answer = ask(simulator, start_time=START - 40 * DAY, **params).json()
    assert (len(answer["data"]), answer["has_more"]) == (days, True)


REFUSED = [
    pytest.param({"limit": 366}, None, "Limit must be less than or equal to 180.", id="limit"),
    pytest.param({"bucket_width": "1h"}, "bucket_width", "Currently only '1d' is supported.", id="hours"),
    pytest.param({"bucket_width": "1m"}, "bucket_width", "Currently only '1d' is supported.", id="minutes"),
    pytest.param(
        {"group_by": "api_key_id", "start_time": 1764979199},
        "start_time",
        "on or after 1764979200.",
        id="keys-too-early",
    ),
    pytest.param({"group_by": ["user_id", "project_id"]}, "group_by", "together with projects", id="user-and-project"),
    pytest.param(
        {"group_by": "user_id", "project_ids": "p"}, "group_by", "together with projects", id="user-in-project"
    ),
    pytest.param({"group_by": "model"}, "group_by", "'model'", id="model"),
]


@pytest.mark.parametrize(("params", "param", "said"), REFUSED)
def test_what_the_service_refuses_of_costs_is_refused(
    simulator: Simulator, params: dict[str, Any], param: str | None, said: str
) -> None:
    answer = ask(simulator, **params)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (400, param, "invalid_request_error")
    assert said in error["message"]


def test_keys_are_told_apart_from_the_floor_on(simulator: Simulator) -> None:
    assert ask(simulator, group_by="api_key_id", start_time=1764979200).status_code == 200


@pytest.mark.skipif(not ERRORS.exists(), reason="the recorded errors are not beside this repository")
@pytest.mark.parametrize(
    ("recorded", "params"),
    [(3, {"group_by": "api_key_id", "start_time": 1764979199}), (4, {"limit": 366})],
    ids=["keys-too-early", "limit"],
)
def test_refusals_of_costs_are_those_recorded(simulator: Simulator, recorded: int, params: dict[str, Any]) -> None:
    answer = ask(simulator, **params)
    example = json.loads(ERRORS.read_text())[recorded]
    assert (answer.status_code, answer.json()) == (example["status"], example["body"])


def test_a_cursor_of_one_endpoint_serves_no_other(simulator: Simulator) -> None:
    cursor = ask(simulator, "usage/images", limit=1).json()["next_page"]
    assert ask(simulator, "usage/images", limit=1, page=cursor).status_code == 200
    assert ask(simulator, "usage/moderations", limit=1, page=cursor).json()["error"]["param"] == "page"


@pytest.mark.parametrize(
    ("path", "group_by", "label"),
    [
        ("images", "size", "512x512"),
        ("images", "source", "image.edit"),
        ("file_search_calls", "vector_store_id", "vs_1"),
        ("web_search_calls", "context_level", "high"),
    ],
)
def test_an_endpoint_has_dimensions_of_its_own(simulator: Simulator, path: str, group_by: str, label: str) -> None:
    simulator.ledger = Ledger([use(path, 0, 1, **{group_by: label}), use(path, 0, 2, **{group_by: "other"})])
    rows = ask(simulator, f"usage/{path}", group_by=group_by).json()["data"][0]["results"]
    assert {row[group_by] for row in rows} == {label, "other"}
    assert ask(simulator, "usage/vector_stores", group_by=group_by).status_code == 400


def test_usage_that_is_not_visible_yet_is_not_billed(simulator: Simulator) -> None:
    simulator.ledger = Ledger([call(0, visible_at=NOW.timestamp() + 1)])
    assert billed(simulator) == {}


def test_completions_show_no_other_endpoints_usage(simulator: Simulator) -> None:
    simulator.ledger = Ledger([embedding(0), use("images", 0, 1), Credit(at=START, amount=Decimal(1))])
    assert all(bucket["results"] == [] for bucket in ask(simulator, "usage/completions").json()["data"])
    assert simulator.ledger.reported(START, PERIOD.end, NOW.timestamp()) == []
    assert simulator.ledger.truth("key_a", START, PERIOD.end).is_zero
