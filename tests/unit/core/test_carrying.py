"""What only the Action's own branch knows goes into the base's file as that is now, and nothing else does."""

import json

import pytest
from support.runs import CHECKER, Tale, document, valid

from reconcile.runs.metrics import BLOCK
from reconcile.verdict.lesson import carried

V1 = {
    "step_number": 1,
    "command": "one",
    "start_timestamp": "2026-01-06T11:50:00Z",
    "end_timestamp": "2026-01-06T12:00:00Z",
    "tokens_in": 0,
    "tokens_out": 0,
}


def learnt(text, *shown):
    """The file on the Action's own branch: the same, read as often."""
    tale = Tale(text)
    for number, each in enumerate(shown):
        tale.read(f"{number:02}:45", each)
    return tale.text


def edited(text, **members):
    return json.dumps({**json.loads(text), **members}, indent=2)


def brought(base, ours):
    after = carried(valid(base), ours.encode(), CHECKER)
    return None if after is None else after.decode()


def test_what_was_learnt_on_an_unchanged_file_makes_it_the_same():
    text = document()
    ours = learnt(text, "100", "100")
    assert brought(text, ours) == ours


def test_an_observation_more_is_brought_to_the_first_one():
    text = document()
    once, twice = learnt(text, "100"), learnt(text, "100", "100")
    assert json.loads(brought(once, twice)) == json.loads(twice)


def test_a_persons_edits_of_the_base_stay_byte_for_byte():
    text = document()
    base = text.replace('"steps"', '"note":   "by hand",\n  "steps"')
    after = brought(base, learnt(text, "100", "100"))
    assert '"note":   "by hand",\n' in after
    assert json.loads(after) == {**json.loads(learnt(text, "100", "100")), "note": "by hand"}


def test_a_note_of_our_branch_is_not_ours_to_bring():
    text = document()
    assert "sneaked" not in brought(text, edited(learnt(text, "100"), sneaked="in"))


def test_the_status_at_the_top_follows_where_the_base_has_one():
    with_status = document(verification_status="pending")
    ours = learnt(with_status, "100", "100")
    assert json.loads(brought(with_status, ours))["verification_status"] == "verified"
    assert "verification_status" not in json.loads(brought(document(), ours))


def test_what_the_run_had_counted_is_kept_aside_once():
    counted = document(aggregate_metrics={"AUTR": 1.0, "TOK_IN": 100, "TOK_OUT": 10, "AEI": 0.1})
    ours = learnt(counted, "100", "100")
    recorded = json.loads(ours)["recorded_usage"]
    assert json.loads(brought(counted, ours))["recorded_usage"] == recorded
    base = edited(counted, recorded_usage={"api_calls": 1})
    after = json.loads(brought(base, ours))
    assert after["recorded_usage"] == {"api_calls": 1, "tokens_in": 100, "tokens_out": 10}


def test_tokens_of_steps_are_brought_where_both_files_have_them():
    text = document(steps=[V1, {**V1, "step_number": 2}])
    ours = learnt(text, "100", "100")
    shown = [step["tokens_in"] for step in json.loads(ours)["steps"]]
    assert [step["tokens_in"] for step in json.loads(brought(text, ours))["steps"]] == shown != [0, 0]
    bare = {name: value for name, value in V1.items() if name != "tokens_in"}
    after = json.loads(brought(edited(text, steps=[bare]), ours))
    assert [step.get("tokens_in") for step in after["steps"]] == [None]


def test_an_aggregate_that_our_file_has_not_is_left_as_it_is():
    text = document(aggregate_metrics={"TOK_IN": 0, "TOK_OUT": 0})
    ours = learnt(text, "100")
    after = json.loads(brought(text, ours))
    assert after["aggregate_metrics"] == json.loads(ours)["aggregate_metrics"]


@pytest.mark.parametrize(
    ("base", "ours"),
    [
        pytest.param(document(), "{", id="a file that is not valid"),
        pytest.param(document(), document(), id="a file that was never read"),
        pytest.param(learnt(document(), "100"), learnt(document(), "100"), id="what the base knows"),
        pytest.param(learnt(document(), "100", "100"), learnt(document(), "100"), id="less than the base knows"),
        pytest.param(
            document(end_timestamp="2026-01-06T12:05:00Z"), learnt(document(), "100"), id="a read over other times"
        ),
        pytest.param(document(steps=[V1]), learnt(document(), "100"), id="a file of another generation"),
        pytest.param(
            document(), edited(document(), **{BLOCK: {"verification_status": "verified"}}), id="a block without reads"
        ),
    ],
)
def test_nothing_is_carried_of(base, ours):
    assert brought(base, ours) is None


def test_what_would_contradict_the_base_is_not_carried():
    """A person has counted more cached tokens than were ever read: that is for a person to mend."""
    ours = json.loads(learnt(document(aggregate_metrics={"TOK_IN": 0, "TOK_OUT": 0}), "100"))
    del ours["aggregate_metrics"]["CACHED_TOKENS"]
    base = document(aggregate_metrics={"TOK_IN": 1000, "TOK_OUT": 0, "CACHED_TOKENS": 900})
    assert brought(base, json.dumps(ours)) is None
