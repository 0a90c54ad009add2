"""The seal is over all that reconciliation wrote, by value, and over nothing that people may write."""

import json

import pytest
from support.proof import Written

from reconcile.runs.metrics import BLOCK
from reconcile.runs.seal import digest, seal, sealed, unsealed


def written():
    return Written().read("00:45", "100").read("01:45", "100")


@pytest.mark.parametrize(
    ("place", "item"),
    [
        pytest.param((BLOCK, "total_tokens_in"), 101, id="a figure"),
        pytest.param((BLOCK, "verification_status"), "warning", id="the verdict"),
        pytest.param((BLOCK, "attempts"), [], id="the observations"),
        pytest.param((BLOCK, "policy"), {}, id="the policy"),
        pytest.param((BLOCK, "evidence", "sha256"), "0" * 64, id="the name of the evidence"),
        pytest.param(("aggregate_metrics", "TOK_OUT"), 11, id="a figure among the metrics"),
        pytest.param(("recorded_usage",), {"api_calls": 1}, id="what the run recorded"),
    ],
)
def test_the_seal_is_broken_by_another_value_of(place, item):
    value = written().value
    holder = value
    for name in place[:-1]:
        holder = holder[name]
    holder[place[-1]] = item
    assert seal(value) != value[BLOCK]["evidence"]["seal"]


def test_the_seal_holds_whatever_else_is_written_and_however_numbers_are_spelled():
    value = written().value
    assert seal(value) == value[BLOCK]["evidence"]["seal"]
    value["note"] = "by hand"
    value["aggregate_metrics"] |= {"UTT": 4, "TOK_IN": 100.0}
    assert seal(json.loads(json.dumps(value, indent=None))) == value[BLOCK]["evidence"]["seal"]


def test_a_file_that_names_no_evidence_is_left_as_it_is_and_one_that_does_can_forget_it():
    file = written()
    bare = unsealed(file.text)
    assert "evidence" not in json.loads(bare)[BLOCK]
    assert sealed(bare, None) == bare
    assert json.loads(sealed(bare, file.data)) == file.value


def test_the_seal_is_made_anew_over_evidence_that_stays():
    file = written()
    edited = file.text.replace('"TOK_IN": 100', '"TOK_IN": 101')
    after = json.loads(sealed(edited, None))
    assert after[BLOCK]["evidence"]["sha256"] == digest(file.data)
    assert after[BLOCK]["evidence"]["seal"] == seal(after) != file.value[BLOCK]["evidence"]["seal"]
