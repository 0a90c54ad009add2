"""Simulator and provider against the official specification and recorded bodies of the usage API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from jsonschema import Draft202012Validator

from reconcile.errors import ProviderError
from reconcile.minutes import Window, instant
from reconcile.providers.base import Query
from reconcile.providers.openai.completions import OpenAIUsage
from reconcile.simulator import faults
from reconcile.simulator.calls import Ledger
from reconcile.simulator.faults import Asking, Fault
from reconcile.simulator.replies import Reply
from reconcile.simulator.scenarios import MODEL, calls_for
from reconcile.simulator.server import ADMIN_KEY, Simulator
from reconcile.usage import Usage

CONTRACTS = Path(__file__).resolve().parents[2].parent / "shared" / "contracts"
START = 1767621600  # 2026-01-05T14:00:00Z
NOW = instant(START + 86400)
PATH = "/organization/usage/completions"

pytestmark = pytest.mark.skipif(not CONTRACTS.exists(), reason="the specification is not beside this repository")


def read(name: str) -> Any:
    return json.loads((CONTRACTS / name).read_text())


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    calls = calls_for("chatdev/ab12", START, START + 600, "key_a", MODEL)
    with Simulator(Ledger(calls), now=NOW) as simulator:
        yield simulator


def ask(simulator: Simulator, key: str = ADMIN_KEY, path: str = PATH, **params: object) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(
            simulator.base_url + path, params=params, headers={"Authorization": f"Bearer {key}"}, timeout=5
        )


@pytest.mark.parametrize(
    ("path", "schema"),
    [
        ("/organization/projects", "ProjectListResponse"),
        ("/organization/projects/proj_simulated/api_keys", "ProjectApiKeyListResponse"),
    ],
)
def test_simulator__its_lists_are_those_of_the_specification(simulator: Simulator, path: str, schema: str) -> None:
    body = ask(simulator, path=path, limit=1).json()
    assert len(body["data"]) == 1
    assert_valid(body, "openai-keys.openapi.json", schema)


def provider(simulator: Simulator) -> OpenAIUsage:
    return OpenAIUsage(ADMIN_KEY, simulator.base_url, now=NOW)


def assert_valid(body: Any, specification: str, schema: str) -> None:
    rules = read(specification) | {"$ref": f"#/components/schemas/{schema}"}
    Draft202012Validator(rules).validate(body)


@pytest.mark.parametrize("specification", ["openai-usage.openapi.json", "openai-usage-superset.openapi.json"])
@pytest.mark.parametrize(
    "params",
    [
        pytest.param({"bucket_width": "1m", "limit": 5}, id="a-page-of-several"),
        pytest.param({"bucket_width": "1m", "group_by": ["model", "api_key_id", "batch"]}, id="grouped"),
        pytest.param({"bucket_width": "1d"}, id="by-the-day"),
        pytest.param({"api_key_ids": "key_nobody"}, id="no-usage"),
    ],
)
def test_simulator__its_pages_are_those_of_the_specification(
    simulator: Simulator, params: dict[str, object], specification: str
) -> None:
    answer = ask(simulator, start_time=START, end_time=START + 3600, **params)
    assert answer.status_code == 200
    assert_valid(answer.json(), specification, "UsageResponse")


@pytest.mark.parametrize(
    ("script", "params", "recorded"),
    [
        pytest.param([faults.missing_scope(403)], {}, 0, id="scope-as-bare-text"),
        pytest.param([], {"key": "sk-xxx"}, 2, id="wrong-key"),
        pytest.param([], {"start_time": 1730419200.123}, 5, id="float-start"),
    ],
)
def test_simulator__its_errors_are_those_recorded(
    simulator: Simulator, script: list[Fault], params: dict[str, Any], recorded: int
) -> None:
    simulator.script(*script)
    answer = ask(simulator, **({"start_time": START} | params))
    example = read("examples/errors_openai.json")[recorded]
    assert (answer.status_code, answer.json()) == (example["status"], example["body"])
    assert_valid(answer.json(), "openai-usage-superset.openapi.json", "ErrorAny")


def test_simulator__its_429_is_that_of_the_specification(simulator: Simulator) -> None:
    simulator.script(faults.rate_limited("7"))
    answer = ask(simulator, start_time=START)
    assert answer.headers["Retry-After"] == "7"
    assert_valid(answer.json(), "openai-usage.openapi.json", "ErrorResponse")


def assert_known(request: Asking) -> None:
    path = request.path.removeprefix("/v1")
    known = {p["name"]: p["schema"] for p in read("openai-usage.openapi.json")["paths"][path]["get"]["parameters"]}
    for name, value in request.params:
        schema = known[name].get("items", known[name])
        Draft202012Validator(schema).validate(int(value) if schema["type"] == "integer" else value)


def test_provider__asks_only_what_the_specification_knows(simulator: Simulator) -> None:
    provider(simulator).fetch(Query("openai", Window(START, START + 600), ("key_a",)))
    assert_known(simulator.requests[0])


@pytest.mark.parametrize(
    ("recorded", "usage"),
    [
        pytest.param(
            lambda: read("examples/real_genai-devbench_completions_result_2025-10.json")["result"],
            Usage(2883, 1795, 0, 4),
            id="by-the-minute-2025-10",
        ),
        pytest.param(
            lambda: read("examples/real_cookbook_completions_buckets_excerpt.json")["data"][1]["results"][0],
            Usage(3718360, 97756, 76544, 3053),
            id="cookbook-2025-02",
        ),
        pytest.param(
            lambda: read("examples/openai_object_UsageCompletionsResult.json"),
            Usage(5000, 1000, 1800, 5),
            id="example-of-the-specification",
        ),
    ],
)
def test_provider__reads_recorded_rows(simulator: Simulator, recorded: Any, usage: Usage) -> None:
    simulator.script(faults.edited(lambda page: page["data"][0].update(results=[recorded()])))
    fetched = provider(simulator).fetch(Query("openai", Window(START, START + 60)))
    assert [bucket.usage for bucket in fetched.buckets] == [usage]


RECORDED_ERRORS = [
    pytest.param(0, "missing_scope", id="bare-text-403"),
    pytest.param(1, "missing_scope", id="object-401"),
    pytest.param(2, "invalid_api_key", id="wrong-key"),
    pytest.param(3, "request_refused", id="too-early"),
    pytest.param(4, "request_refused", id="limit"),
    pytest.param(5, "request_refused", id="float-start"),
]


@pytest.mark.parametrize(("number", "code"), RECORDED_ERRORS)
def test_provider__understands_recorded_errors(simulator: Simulator, number: int, code: str) -> None:
    example = read("examples/errors_openai.json")[number]
    simulator.script(faults.instead(Reply(example["status"], json.dumps(example["body"]).encode())))
    with pytest.raises(ProviderError) as caught:
        provider(simulator).fetch(Query("openai", Window(START, START + 60)))
    said = example["body"]["error"]
    text = said if isinstance(said, str) else said["message"]
    assert caught.value.code == code
    assert text[:60] in caught.value.message
