"""Every usage endpoint and the costs against the official specification and its examples, and recorded bodies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from jsonschema import Draft202012Validator
from support.billing import KEY, MEASURED, NOW, PERIOD, START, at, call, embedding, fetched, use

from reconcile.money.entry import Period
from reconcile.providers.openai.rows import ENDPOINTS, Endpoint
from reconcile.simulator import faults
from reconcile.simulator.calls import Ledger
from reconcile.simulator.replies import Reply
from reconcile.simulator.server import Simulator
from reconcile.usage import Tokens

CONTRACTS = Path(__file__).resolve().parents[2].parent / "shared" / "contracts"
SPECIFICATIONS = ("openai-usage.openapi.json", "openai-usage-superset.openapi.json")

pytestmark = pytest.mark.skipif(not CONTRACTS.exists(), reason="the specification is not beside this repository")


def read(name: str) -> Any:
    return json.loads((CONTRACTS / name).read_text())


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    uses = [use(name, 0, 5, model="m", api_key_id="key_a") for name in MEASURED]
    with Simulator(Ledger([call(0), embedding(1), *uses]), now=NOW, admin_key=KEY) as simulator:
        yield simulator


def parameters(path: str, specification: str = SPECIFICATIONS[0]) -> dict[str, Any]:
    return {each["name"]: each["schema"] for each in read(specification)["paths"][path]["get"]["parameters"]}


def grouping(path: str) -> list[str]:
    return parameters(path)["group_by"]["items"]["enum"]


def page(simulator: Simulator, path: str, **params: Any) -> Any:
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(
            simulator.base_url + path,
            params={"start_time": START, "end_time": PERIOD.end} | params,
            headers={"Authorization": f"Bearer {KEY}"},
            timeout=5,
        )
    assert answer.status_code == 200, answer.text
    return answer.json()


PATHS = [*(endpoint.path for endpoint in ENDPOINTS), "/organization/costs"]


# ------------------------------------------------------------------------------------------- the specification


def test_the_table_has_every_usage_endpoint_of_the_specification() -> None:
    paths = {path for path in read(SPECIFICATIONS[0])["paths"] if path.startswith("/organization/usage/")}
    assert {endpoint.path for endpoint in ENDPOINTS} == paths


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.name)
def test_the_table_says_of_an_endpoint_what_the_specification_says(endpoint: Endpoint) -> None:
    known = parameters(endpoint.path)
    shared = {"start_time", "end_time", "bucket_width", "limit", "page", "group_by"}
    assert set(endpoint.filters) == set(known) - shared
    assert set(endpoint.group_by) == set(grouping(endpoint.path))
    results = read(SPECIFICATIONS[0])["components"]["schemas"].values()
    (result,) = [
        schema for schema in results if schema.get("properties", {}).get("object", {}).get("enum") == [endpoint.object]
    ]
    counted = {endpoint.counted, *([endpoint.requests] if endpoint.requests else [])}
    assert set(result["required"]) - {"object", "output_tokens"} == counted


@pytest.mark.parametrize("specification", SPECIFICATIONS)
@pytest.mark.parametrize("grouped", [False, True], ids=["whole", "grouped"])
@pytest.mark.parametrize("path", PATHS)
def test_simulator__its_pages_are_those_of_the_specification(
    simulator: Simulator, path: str, specification: str, grouped: bool
) -> None:
    asked = {"group_by": grouping(path)} if grouped else {}
    body = page(simulator, path, **asked)
    rows = [row for bucket in body["data"] for row in bucket["results"]]
    assert rows
    if path.endswith("costs") and specification == SPECIFICATIONS[0]:
        for row in rows:  # the one known difference: text where the specification has a number
            row["amount"]["value"] = float(row["amount"]["value"])
    Draft202012Validator(read(specification) | {"$ref": "#/components/schemas/UsageResponse"}).validate(body)


@pytest.mark.parametrize("path", PATHS)
def test_simulator__it_takes_every_filter_of_the_specification(simulator: Simulator, path: str) -> None:
    for name in set(parameters(path)) - {"start_time", "end_time", "bucket_width", "limit", "page", "group_by"}:
        value = "true" if name == "batch" else "nothing_of_that_name"
        assert all(bucket["results"] == [] for bucket in page(simulator, path, **{name: value})["data"]), name


def test_provider__asks_only_what_the_specification_knows(simulator: Simulator) -> None:
    fetched(simulator)
    assert {request.path.removeprefix("/v1") for request in simulator.requests} == set(PATHS)
    for request in simulator.requests:
        known = parameters(request.path.removeprefix("/v1"))
        for name, value in request.params:
            schema = known[name].get("items", known[name])
            Draft202012Validator(schema).validate(int(value) if schema["type"] == "integer" else value)


# --------------------------------------------------------------------------------------------------- examples


EXAMPLES = {
    "moderations": (16, "input_tokens"),
    "images": (2, "images"),
    "audio_speeches": (45, "characters"),
    "audio_transcriptions": (20, "seconds"),
    "vector_stores": (1024, "usage_bytes"),
    "code_interpreter_sessions": (1, "num_sessions"),
    "file_search_calls": (2, "num_requests"),
    "web_search_calls": (2, "num_requests"),
}


def whole_page(body: Any) -> faults.Fault:
    return faults.instead(Reply(200, json.dumps(body).encode()))


def day_of(body: Any) -> Period:
    day = datetime.fromtimestamp(body["data"][0]["start_time"], UTC).date()
    return Period(day, day)


@pytest.mark.parametrize("name", EXAMPLES)
def test_provider__reads_the_example_of_the_specification(simulator: Simulator, name: str) -> None:
    body = read(f"examples/openai_organization_usage_{name}.json")
    fault = at(f"usage/{name}", whole_page(body))
    simulator.script(*[fault] * 60)
    (row,) = body["data"][0]["results"]
    (measured,) = fetched(simulator, day_of(body)).other
    assert (measured.endpoint, measured.quantity) == (name, row[EXAMPLES[name][1]])
    assert measured.requests == row.get("num_model_requests")


def test_provider__reads_recorded_costs(simulator: Simulator) -> None:
    body = read("examples/real_costs_2026-06_string_amounts.json")
    fault = at("costs", whole_page(body))
    simulator.script(*[fault] * 60)
    simulator.set_now(datetime(2026, 7, 1, tzinfo=UTC))
    found = fetched(simulator, Period(date(2026, 6, 14), date(2026, 6, 15)), now=datetime(2026, 7, 1, tzinfo=UTC)).costs
    assert found is not None
    assert [(cost.amount, cost.quantity) for cost in found] == [
        (Decimal(0), Decimal(0)),
        (Decimal("0.0000045"), Decimal(30)),
        (Decimal("0.0000342"), Decimal(57)),
    ]


def test_provider__reads_the_example_of_costs(simulator: Simulator) -> None:
    body = read("examples/openai_organization_costs.json")
    fault = at("costs", whole_page(body))
    simulator.script(*[fault] * 60)
    found = fetched(simulator, day_of(body)).costs
    assert found is not None
    assert [(cost.amount, cost.currency, cost.line_item) for cost in found] == [(Decimal("0.06"), "usd", None)]


@pytest.mark.parametrize(
    ("recorded", "tokens", "requests_"),
    [
        pytest.param(
            lambda: read("examples/real_genai-devbench_completions_result_2025-10.json")["result"],
            Tokens(2883, 0, 0, 1795),
            4,
            id="2025-10",
        ),
        pytest.param(
            lambda: read("examples/real_cookbook_completions_buckets_excerpt.json")["data"][1]["results"][0],
            Tokens(3718360 - 76544, 76544, 0, 97756),
            3053,
            id="2025-02",
        ),
        pytest.param(
            lambda: read("examples/openai_object_UsageCompletionsResult.json"),
            Tokens(3000, 1800, 200, 1000),
            5,
            id="specification",
        ),
    ],
)
def test_provider__splits_recorded_rows_into_parts(
    simulator: Simulator, recorded: Any, tokens: Tokens, requests_: int
) -> None:
    row = recorded()
    put = faults.edited(lambda page: page["data"][0].update(results=[row]))
    fault = at("usage/completions", put, put)
    simulator.script(*[fault] * 60)
    simulator.ledger = Ledger()
    (entry,) = fetched(simulator).usage
    assert (entry.tokens, entry.requests) == (tokens, requests_)
