"""Projects and their keys over real HTTP on loopback: all pages, all owners, or an error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from reconcile.errors import ProviderError
from reconcile.minutes import instant
from reconcile.providers.base import Contact, ListedKey
from reconcile.providers.openai.key_list import contact, list_keys
from reconcile.providers.transport import Patience
from reconcile.simulator import faults
from reconcile.simulator.calls import BilledCall, Ledger
from reconcile.simulator.organization import ApiKey, Organization, Project
from reconcile.simulator.replies import error, reply
from reconcile.simulator.server import ADMIN_KEY, Simulator

NOW = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
SECRET = "sk-proj-abcdefgh1234"


def key(identifier: str, project: str = "proj_a", **facts: Any) -> ApiKey:
    return ApiKey(id=identifier, project_id=project, **({"name": "worker", "secret": SECRET} | facts))


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """Two keys of one name, one of an owner without access, one of an archived project, one that was deleted."""
    organization = Organization(
        projects=[Project(id="proj_a", name="Lab"), Project(id="proj_old", name="Old", archived_at=1_760_000_000)],
        keys=[
            key("key_1"),
            key("key_2", last_used_at=1_767_600_000),
            key("key_3", owner_access="inactive"),
            key("key_4", "proj_old"),
        ],
    )
    calls = [
        BilledCall(at=1_767_600_000, tokens_in=1, tokens_out=1, api_key_id=each, model="m")
        for each in ("key_1", "key_gone")
    ]
    with Simulator(Ledger(calls), now=NOW, organization=organization) as simulator:
        yield simulator


def listed(simulator: Simulator) -> tuple[ListedKey, ...]:
    return list_keys(simulator.admin_key, simulator.base_url, now=NOW, patience=Patience(tries=1))


def refused(simulator: Simulator) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        listed(simulator)
    return caught.value


def touched(simulator: Simulator, secret: str = ADMIN_KEY) -> Contact:
    return contact(secret, simulator.base_url)


def test_keys_of_every_owner_and_of_archived_projects_are_listed(simulator: Simulator) -> None:
    found = listed(simulator)
    assert [each.id for each in found] == ["key_1", "key_2", "key_3", "key_4"]
    assert found[1] == ListedKey(
        id="key_2", name="worker", redacted="sk-proj-...1234", project_id="proj_a", project="Lab",
        last_used_at=instant(1_767_600_000),
    )  # fmt: skip
    assert [each.archived for each in found] == [False, False, False, True]


def test_long_lists_are_read_to_their_end(simulator: Simulator) -> None:
    keys = [key(f"key_{number:03}") for number in range(250)]
    simulator.organization = Organization(projects=[Project(id="proj_a", name="Lab")], keys=keys)
    assert [each.id for each in listed(simulator)] == [each.id for each in keys]
    assert [dict(request.params).get("after") for request in simulator.requests] == [None, None, "key_099", "key_199"]


def test_without_an_organization_the_keys_with_records_are_listed(simulator: Simulator) -> None:
    simulator.organization = None
    assert [each.id for each in listed(simulator)] == ["key_1", "key_gone"]


def test_an_archived_project_that_tells_nothing_of_its_keys_has_none(simulator: Simulator) -> None:
    simulator.script(None, None, faults.instead(error(400, "Project is archived.", code=None)))
    assert [each.id for each in listed(simulator)] == ["key_1", "key_2", "key_3"]


def test_a_key_without_the_second_scope_is_told_which_one_it_lacks(simulator: Simulator) -> None:
    simulator.organization = Organization(manageable=False)
    problem = refused(simulator)
    assert (problem.code, "api.management.read" in problem.remedy) == ("missing_scope", True)


@pytest.mark.parametrize(
    "page",
    [
        {"data": [], "has_more": True},
        {"data": [{"id": "proj_a", "name": "Lab"}], "has_more": True},
        {"data": {}, "has_more": False},
        {"data": [], "has_more": None},
        {"data": [7], "has_more": False},
        {"data": [{"id": None}], "has_more": False},
    ],
    ids=["more-of-nothing", "the-same-again", "no-list", "no-word-of-more", "no-object", "no-id"],
)
def test_a_list_that_is_not_whole_is_an_error(simulator: Simulator, page: dict[str, Any]) -> None:
    simulator.organization = Organization(projects=[Project(id="proj_a", name="Lab")])
    wrong = faults.instead(reply(200, page))
    simulator.script(wrong, None, wrong)
    assert refused(simulator).code in {"cursor_repeated", "unexpected_shape"}


@pytest.mark.parametrize(
    ("query", "said"),
    [("limit=0", "Invalid limit"), ("limit=101", "Invalid limit"), ("after=proj_z", "Invalid 'after'")],
)
def test_the_simulated_lists_refuse_what_the_service_does(simulator: Simulator, query: str, said: str) -> None:
    assert simulator.organization
    answer = simulator.organization.answer("/organization/projects", [tuple(query.split("=", 1))])  # type: ignore[list-item]
    assert (answer.status, said in answer.body.decode()) == (400, True)


def test_the_simulated_list_hides_keys_of_owners_without_access_unless_asked(simulator: Simulator) -> None:
    assert simulator.organization
    path = "/organization/projects/proj_a/api_keys"
    asked: list[list[tuple[str, str]]] = [[], [("owner_project_access", "inactive")], [("owner_project_access", "any")]]
    bodies = [json.loads(simulator.organization.answer(path, params).body) for params in asked]
    assert [[each["id"] for each in body["data"]] for body in bodies] == [
        ["key_1", "key_2"], ["key_3"], ["key_1", "key_2", "key_3"],
    ]  # fmt: skip
    assert simulator.organization.answer("/organization/projects/proj_z/api_keys", []).status == 404


def test_an_id_that_could_be_a_secret_is_taken_for_none(simulator: Simulator) -> None:
    simulator.organization = Organization(projects=[Project(id="proj_a", name="Lab")], keys=[key("sk-proj-abc")])
    assert refused(simulator).code == "unexpected_shape"


def test_contact_tells_the_clock_of_the_provider_and_no_problem(simulator: Simulator) -> None:
    found = touched(simulator)
    assert (found.served_at, found.problem) == (NOW, None)


@pytest.mark.parametrize(
    ("answer", "secret", "code"),
    [
        (None, "sk-admin-another", "invalid_api_key"),
        (None, "sk-proj-one", "missing_scope"),
        (error(401, "You must be a member of an organization to use the API.", code=None), ADMIN_KEY,
         "wrong_organization"),
        (error(403, "No.", code=None), ADMIN_KEY, "access_denied"),
        (error(503, "Later.", code=None), ADMIN_KEY, "provider_unavailable"),
        (reply(200, []), ADMIN_KEY, "not_json"),
        (None, "sk admin", "malformed_key"),
    ],
    ids=["wrong", "project", "organization", "denied", "down", "another", "malformed"],
)  # fmt: skip
def test_contact_says_why_there_is_none(simulator: Simulator, answer: Any, secret: str, code: str) -> None:
    simulator.script(faults.instead(answer) if answer else None)
    problem = touched(simulator, secret).problem
    assert problem
    assert (problem.code, secret in f"{problem.message}{problem.remedy}") == (code, False)
