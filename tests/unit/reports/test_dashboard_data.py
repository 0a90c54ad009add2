"""The data of the dashboard, member by member."""

import json
from dataclasses import replace

import pytest
from support.runs import END, FIRST, KEY, MODEL, SCOPE, WINDOW, Tale, after, attribution_of, neighbour, usage

from reconcile.attribution.evidence import evidence_of
from reconcile.errors import ConfigurationError
from reconcile.insight.account import Account
from reconcile.insight.dashboard import Dashboard
from reconcile.insight.lag import lag_of
from reconcile.passes.selection import Selection
from reconcile.passes.summary import RunReport, Summary
from reconcile.providers.base import Scope
from reconcile.report.page import dashboard_json, with_hashed_keys
from reconcile.runs.run import Claim, Finding
from reconcile.runs.state import Policy

NOW = after("03:00")
HOUR = 3_600
END_AT = int(END.timestamp())


def account(run, *, selection=Selection.OBSERVED, scope=SCOPE, neighbours=(), shown=None, due=None):
    return Account(
        report=RunReport(run=run, selection=selection, due_at=due),
        claim=Claim(KEY, scope, run.window) if scope else None,
        neighbours=neighbours,
        plateau=None,
        policy=Policy(),
        now=NOW,
        requests=(),
        evidence=evidence_of(attribution_of(shown, *neighbours), after("02:00")) if shown else None,
    )


def dashboard(*accounts, comparisons=(), **members):
    runs = tuple(each.report for each in accounts)
    return Dashboard(
        summary=Summary(now=NOW, policy=Policy(), discovered=len(runs), runs=runs, **members),
        accounts=accounts,
        lag=lag_of([report.run for report in runs], Policy(), NOW),
        comparisons=comparisons,
    )


def document(*accounts, **members):
    found = dashboard_json(dashboard(*accounts, **members), program="1.2.3")
    assert json.loads(json.dumps(found)) == found
    return found


def verified():
    tale = Tale()
    tale.read("00:45", "100 3x50")
    tale.read("01:45", "100 3x50")
    return tale


def test_a_verified_run():
    named = "e" * 64
    run = verified().run
    run = replace(run, state=replace(run.state, evidence=named))
    found = document(account(run, shown="100 3x50"))
    (run,) = found["runs"]
    texts = found["texts"]
    assert (found["root"], found["keys"], found["models"]) == ("runs", ["key_a"], [MODEL])
    assert run == {
        "framework": "chatdev",
        "run_id": "a",
        "status": "verified",
        "proof": "assumed",
        "group": "verified",
        "reasons": ["stable"],
        "rests": 0,
        "message": 1,
        "start": END_AT - 600,
        "end": END_AT,
        "window": [WINDOW.start, WINDOW.end],
        "figure": [150, 15, 37, 4],
        "exact": True,
        "recorded": [None] * 4,
        "reconciled": END_AT + 45 * 60,
        "verified": END_AT + 105 * 60,
        "keys": [0],
        "by_model": [[0, 150, 15, 37, 4]],
        "observations": [
            [END_AT + 45 * 60, "pending", 150, 15, 37, 4],
            [END_AT + 105 * 60, "verified", 150, 15, 37, 4],
        ],
        "neighbours": [],
        "minutes": [[0, 0, 0, 100, 10, 25, 1], [1, 0, 0, 50, 5, 12, 3]],
        "minutes_each": 1,
        "guard": run["guard"],
        "evidence": named,
    }
    assert run["guard"][1] == 0
    assert texts[1] == "Data stable across 60 minute interval"
    assert "nobody else used the key" in texts[0]


def test_kinds_that_nobody_told_are_null_and_no_zero():
    run = verified().run
    reads = tuple(replace(each, unknown=frozenset({"api_calls"})) for each in run.state.observations)
    state = replace(run.state, unknown=frozenset({"cached_tokens", "api_calls"}), observations=reads)
    (run,) = document(account(replace(run, state=state)))["runs"]
    assert run["figure"] == [150, 15, None, None]
    assert [read[2:] for read in run["observations"]] == [[150, 15, 37, None]] * 2


def test_a_digest_whose_evidence_is_not_there_is_not_shown():
    run = verified().run
    run = replace(run, state=replace(run.state, evidence="e" * 64))
    assert "evidence" not in document(account(run))["runs"][0]


def test_a_run_that_was_never_read_has_its_next_step_and_no_figure():
    (run,) = document(account(Tale().run, selection=Selection.TOO_YOUNG, scope=None, due=after("00:30")))["runs"]
    assert (run["status"], run["group"], run["keys"], run["by_model"]) == ("skipped", "waiting", [], [])
    assert run["unclaimed"]
    assert run["next"] == "ended 3 h ago: due at 12:30Z"
    assert run["due"] == END_AT + 1800
    assert {"figure", "minutes", "rests", "message", "evidence", "verified"} & run.keys() == set()


def test_shared_minutes_have_bounds_and_the_claims_beside():
    beside, lost = neighbour("b", 0, 3), replace(neighbour("c", 1, 2), gone=True)
    tale = Tale(neighbours=[beside, lost])
    tale.read("00:45", "100 3x50")
    one = account(tale.run, neighbours=(beside, lost), shown="100 3x50")
    other = replace(one, report=replace(one.report, run=replace(tale.run, key=beside.run)), neighbours=())
    run = document(one, other)["runs"][0]
    assert (run["bounds"], run["exact"]) == ([[0, 0, 0, 0], [150, 15, 37, 4]], False)
    assert run["neighbours"] == [
        [1, "chatdev/b", FIRST, FIRST + 180, False],
        [None, "chatdev/c", FIRST + 60, FIRST + 120, True],
    ]


def test_a_neighbour_that_claims_the_window_of_its_run_is_a_number():
    """A thousand runs at a time have a million neighbours."""
    beside = neighbour("b", 0, 3)
    one = account(verified().run, neighbours=(beside, replace(beside, run=KEY, gone=True, window=WINDOW)))
    run = replace(verified().run, key=beside.run, window=beside.window)
    other = replace(one, report=replace(one.report, run=run), neighbours=())
    assert document(one, other)["runs"][0]["neighbours"] == [1, [0, "chatdev/a", WINDOW.start, WINDOW.end, True]]


def test_a_run_whose_times_were_changed_is_not_verified_and_has_no_minutes():
    run = replace(verified().run, window=replace(WINDOW, start=WINDOW.start + 60))
    (found,) = document(account(run, shown="100 3x50"))["runs"]
    assert (found["status"], "verified" in found, "minutes" in found) == ("pending", False, False)


def test_a_read_of_more_than_the_run_has_tells_both():
    run = verified().run
    first = replace(run.state.observations[0], figure=usage(100))
    run = replace(run, state=replace(run.state, observations=(first,)))
    assert document(account(run))["runs"][0]["observations"] == [
        [END_AT + 45 * 60, "pending", 100, 10, 25, 1, 150, 15, 37, 4]
    ]


def test_a_cost_is_as_the_file_has_it():
    run = replace(verified().run, cost_usd=0.0126)
    assert document(account(run))["runs"][0]["cost"] == "0.0126"


def test_an_empty_folder():
    found = document()
    assert (found["runs"], found["root"], found["keys"], found["texts"]) == ([], None, [], [])
    assert found["board"]["invalid"] == 0


def test_what_is_not_valid_and_what_went_wrong():
    error = ConfigurationError("no id", code="missing_key_id", remedy="set it")
    found = document(findings=(Finding("runs/a/b/metrics.json", 3, 5, "/steps", "is missing"),), errors=(error,))
    assert found["invalid"] == [
        {"path": "runs/a/b/metrics.json", "line": 3, "column": 5, "pointer": "/steps", "message": "is missing"}
    ]
    assert found["errors"] == [{"code": "missing_key_id", "message": "no id", "remedy": "set it"}]


def test_who_made_it_when_and_under_which_policy():
    found = document()
    assert (found["schema_version"], found["program"], found["generated_at"]) == (1, "1.2.3", END_AT + 3 * HOUR)
    assert found["policy"]["max_age_minutes"] == 1440


@pytest.mark.parametrize("by", ["key", "project"])
def test_no_id_is_left_where_they_are_hashed(by):
    scope = Scope("openai", ("key_a",), ("p-1",))
    saved = ("c.json", {"by": by, "rows": [{"name": "k-77"}, {"name": None}], "breaks": [{"arithmetic": "k-77"}]})
    made = dashboard(account(verified().run, scope=scope, shown="100"), comparisons=(saved,))
    text = json.dumps(with_hashed_keys(dashboard_json(made, program="1"), made))
    assert [name for name in ("key_a", "p-1", "k-77") if f'"{name}"' in text] == []
    assert text.count("key-") >= 3


def test_an_id_that_is_a_word_of_the_page_changes_nothing_but_names_and_sentences():
    """Who writes a run's file chooses its ids."""
    words = ("verified", "stable", "pending", "day", "mismatch", "cost_usd", "0", "2026", "missing_key_id", "under")
    error = ConfigurationError("no id of key_abc123", code="missing_key_id", remedy="set it")
    row = {"name": "2026-01-05", "local": {"cost_usd": "0.5"}, "percent": {"cost_usd": "0"}}
    saved = ("c.json", {"by": "day", "verdict": "mismatch", "outside": ["cost_usd"], "rows": [row]})
    run = replace(verified().run, cost_usd=0.5)
    made = dashboard(account(run, scope=Scope("openai", words)), comparisons=(saved,), errors=(error,))
    plain = dashboard_json(made, program="1")
    found = with_hashed_keys(plain, made)
    assert all(name.startswith("key-") for name in found["keys"])
    changed = {name for name in plain["runs"][0] if found["runs"][0][name] != plain["runs"][0][name]}
    assert (changed, found["board"], found["comparisons"]) == (set(), plain["board"], plain["comparisons"])
    assert [each["code"] for each in found["errors"]] == ["missing_key_id"]
    assert "key_abc123" not in found["errors"][0]["message"]


def test_rows_that_name_no_payer_stay_where_ids_are_hashed():
    saved = ("c.json", {"by": "day", "rows": [{"name": "2026-01-05"}]})
    made = dashboard(comparisons=(saved,))
    plain = dashboard_json(made, program="1")
    assert with_hashed_keys(plain, made) == plain
