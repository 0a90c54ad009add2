"""Which key is whose, and what may be written of it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from support.examined import LISTED, SECRET

from reconcile.doctor.key_rows import keys_json, proposals, rows
from reconcile.providers.base import Scope

A, B = Scope("openai", ("key_a",)), Scope("openai", ("key_b",))


def judged(key=SECRET, configured=None, in_force=None, others=()):
    variables = {"chatdev": key, **{f"other{number}": other for number, other in enumerate(others)}}
    first, *_ = proposals(
        variables, {"chatdev": configured} if configured else {}, {"chatdev": in_force} if in_force else {}
    )
    return first


@pytest.mark.parametrize(
    ("facts", "outcome", "said"),
    [
        ({}, "found", "is key_a"),
        ({"configured": Scope("openai", models=("gpt-4o",))}, "found", "is key_a"),
        ({"in_force": A}, "found", "is key_a"),
        ({"configured": A, "in_force": A}, "known", "it has key_a"),
        ({"configured": B, "in_force": B}, "refused", "it has key_b"),
        ({"configured": Scope("openai", project_ids=("proj_lab",))}, "refused", "by its projects"),
        ({"in_force": B}, "refused", "OPENAI_API_KEY_CHATDEV_ID names another"),
        ({"key": replace(SECRET, fits=())}, "refused", "no listed key"),
        ({"key": replace(SECRET, fits=("key_a", "key_b"))}, "refused", "several keys"),
        ({"others": (SECRET,)}, "refused", "another framework"),
    ],
)
def test_only_what_is_certain_may_be_written(facts, outcome, said):
    proposal = judged(**facts)
    assert (proposal.outcome, said in proposal.message) == (outcome, True)


def test_keys_are_listed_by_project_and_name_with_their_frameworks():
    used = replace(LISTED, id="key_b", name="another", last_used_at=datetime(2026, 1, 5, tzinfo=UTC))
    found = rows([LISTED, used], {"chatdev": A, "baes": A})
    assert [(row.key.id, row.frameworks) for row in found] == [("key_b", ()), ("key_a", ("chatdev", "baes"))]
    document = keys_json(found, [judged()], ["chatdev"])
    assert [key["last_used_at"] for key in document["keys"]] == ["2026-01-05T00:00:00Z", None]
    assert document["frameworks"][0]["written"] is True
