"""A pass as one value: where every run stands, what the exit code says, and the document that scripts read."""

from dataclasses import replace
from datetime import timedelta

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runs import EXAMPLES, FIRST, MODEL, Tale, after, neighbour, theirs, usage

from reconcile import schemas
from reconcile.errors import ConfigurationError, ProviderError, StoreError
from reconcile.passes.selection import Selection
from reconcile.passes.summary import (
    STANDINGS,
    ApiUse,
    RunReport,
    Summary,
    as_json,
    gathered,
    narrowed,
    reported,
    standing,
)
from reconcile.runs.run import Finding, RunKey
from reconcile.runs.state import Policy, Proof
from reconcile.usage import Bucket, total

NOW = after("02:30")


def told(*reads, **members):
    """The run after these reads, each a clock and what was shown."""
    tale = Tale(**members)
    for read in reads:
        tale.read(*read.split(" ", 1))
    return tale.run


VERIFIED = told("00:30 100", "01:30 100")
ASSUMED = ["closed_key", "scope_complete", "usage_complete"]
SHARED = told("00:30 100 . . . . . . . . 50", "01:30 100 . . . . . . . . 50", neighbours=[neighbour("b", 9, 12)])

RUNS = {
    "verified": VERIFIED,
    "inherited": told(**theirs(("00:30", 100), status="verified")),
    "pending": told("00:30 100"),
    "data_not_available": told("00:30 0"),
    "warning": SHARED,
    "failed": told("00:30 0", "24:30 0", "25:30 0", recorded_usage={"api_calls": 1}),
    "skipped": told(),
}


def report(run, selection=Selection.OBSERVED, **facts):
    return RunReport(run=run, selection=selection, **facts)


def summary(*reports, **facts):
    return Summary(now=NOW, policy=Policy(), discovered=len(reports), runs=reports, **facts)


@pytest.mark.parametrize(("expected", "run"), RUNS.items(), ids=RUNS)
def test_where_a_run_stands(expected, run):
    assert standing(run) == expected


def test_every_standing_is_in_the_table():
    assert set(RUNS) == set(STANDINGS)


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(replace(VERIFIED, window=VERIFIED.window.widened(1)), id="edited after it was verified"),
        pytest.param(told(**theirs(("00:30", 100), status="warning")), id="another tool's warning"),
    ],
)
def test_what_is_not_settled_any_more_or_not_by_us_is_pending(run):
    assert standing(run) == "pending"


def test_every_run_is_counted_once_where_it_stands():
    reports = [report(run) for run in RUNS.values()]
    counts = summary(*reports).counts
    assert counts == {
        "discovered": 7,
        "invalid": 0,
        "due": 0,
        **dict.fromkeys(STANDINGS, 1),
        "proven": 0,
        "supported": 0,
        "assumed": 1,
        "written": 0,
    }


def test_what_this_pass_did_is_counted_beside_it():
    found = Summary(
        now=NOW,
        policy=Policy(),
        discovered=5,
        runs=(
            report(VERIFIED, Selection.DUE, written=True),
            report(VERIFIED, Selection.LAST_READ),
            report(VERIFIED, written=True),
        ),
    )
    counted = {name: found.counts[name] for name in ("discovered", "invalid", "due", "written", "verified")}
    assert counted == {"discovered": 5, "invalid": 2, "due": 2, "written": 2, "verified": 3}


FINDING = Finding("runs/chatdev/a/metrics.json", 3, 5, "/steps", "steps is missing; add it")
MENDABLE = ConfigurationError("no key", code="missing_key", remedy="set it")
UNREACHED = ProviderError("no answer", code="unreachable", remedy="wait")

EXITS = {
    "nothing to do": ({}, [], 0),
    "waiting is not wrong": ({}, [report(RUNS["pending"], Selection.DUE, moved=True)], 0),
    "verified": ({}, [report(VERIFIED, Selection.DUE, moved=True)], 0),
    "a warning of an earlier pass": ({}, [report(SHARED)], 0),
    "a warning of this pass": ({}, [report(SHARED, moved=True)], 1),
    "a failure of this pass": ({}, [report(RUNS["failed"], moved=True)], 1),
    "a finding": ({"findings": (FINDING,)}, [], 1),
    "something to set": ({"errors": (MENDABLE,)}, [], 1),
    "a provider that did not answer": ({"errors": (UNREACHED,)}, [], 3),
    "a file that could not be written": ({"errors": (StoreError("x", code="y", remedy="z"),)}, [], 3),
    "3 wins over 1": ({"errors": (UNREACHED, MENDABLE), "findings": (FINDING,)}, [report(SHARED, moved=True)], 3),
}


@pytest.mark.parametrize(("facts", "reports", "code"), EXITS.values(), ids=EXITS)
def test_the_exit_code(facts, reports, code):
    assert summary(*reports, **facts).exit_code == code


WORTH = {
    "due": (report(VERIFIED, Selection.DUE), True),
    "read for the last time": (report(VERIFIED, Selection.LAST_READ), True),
    "written although it was only observed": (report(VERIFIED, written=True), True),
    "noted": (report(VERIFIED, note="a transient zero"), True),
    "a warning of an earlier pass": (report(SHARED), True),
    "a failure of an earlier pass": (report(RUNS["failed"], Selection.SETTLED), True),
    "verified earlier": (report(VERIFIED), False),
    "too young": (report(RUNS["skipped"], Selection.TOO_YOUNG), False),
}


@pytest.mark.parametrize(("run", "expected"), WORTH.values(), ids=WORTH)
def test_which_runs_are_worth_a_line(run, expected):
    assert reported(run) is expected


def test_a_pass_narrowed_to_some_runs_counts_and_finds_nothing_of_others():
    other = report(replace(VERIFIED, key=RunKey("chatdev", "b")), written=True)
    found = summary(report(VERIFIED), other, findings=(FINDING, replace(FINDING, path="runs/chatdev/b/metrics.json")))
    near = narrowed(replace(found, errors=(MENDABLE,)), {VERIFIED.key})
    assert [each.run.key for each in near.runs] == [VERIFIED.key]
    assert (near.findings, near.errors) == ((FINDING,), (MENDABLE,))
    assert (near.counts["discovered"], near.counts["invalid"], near.counts["written"]) == (2, 1, 0)


# ------------------------------------------------------------------------------------------------ unattributed usage


def row(minute, *, key="key_a", model=MODEL, project=None, tokens=10):
    return Bucket(FIRST + 60 * minute, usage(tokens), key, model, project)


GATHERED = {
    "nothing": ([], []),
    "one minute": ([row(0)], [("key_a", 0, 1, 10)]),
    "consecutive minutes": ([row(1), row(0), row(2)], [("key_a", 0, 3, 30)]),
    "a quiet minute between": ([row(0), row(2)], [("key_a", 0, 1, 10), ("key_a", 2, 3, 10)]),
    "two projects of one minute": ([row(0, project="p"), row(0, project="q")], [("key_a", 0, 1, 20)]),
    "two keys": ([row(0), row(1, key="key_b")], [("key_a", 0, 1, 10), ("key_b", 1, 2, 10)]),
    "two models": ([row(0), row(1, model="o")], [("key_a", 0, 1, 10), ("key_a", 1, 2, 10)]),
    "no key": ([row(0, key=None)], [(None, 0, 1, 10)]),
    "two keys at once": (
        [row(0), row(0, key="key_b"), row(1), row(1, key=None)],
        [(None, 1, 2, 10), ("key_a", 0, 2, 20), ("key_b", 0, 1, 10)],
    ),
    "two models at once": (
        [row(0), row(0, model="o"), row(1), row(1, model=None)],
        [("key_a", 1, 2, 10), ("key_a", 0, 2, 20), ("key_a", 0, 1, 10)],
    ),
}


@pytest.mark.parametrize(("rows", "expected"), GATHERED.values(), ids=GATHERED)
def test_unattributed_usage_is_told_by_key_model_and_stretch(rows, expected):
    found = [
        (each.api_key_id, (each.start - FIRST) // 60, (each.end - FIRST) // 60, each.usage.tokens_in)
        for each in gathered(rows)
    ]
    assert found == expected


ROWS = st.lists(
    st.builds(
        row,
        st.integers(0, 9),
        key=st.sampled_from([None, "key_a", "key_b"]),
        model=st.sampled_from([None, "m", "n"]),
        tokens=st.integers(0, 50),
    ),
    max_size=12,
)


@given(ROWS)
@EXAMPLES
def test_gathering_loses_nothing(rows):
    found = gathered(rows)
    assert total(each.usage for each in found) == total(each.usage for each in rows)
    assert {(each.api_key_id, each.model) for each in found} == {(each.api_key_id, each.model) for each in rows}


# --------------------------------------------------------------------------------------------------------- as JSON


def test_an_empty_pass():
    assert as_json(summary()) == {
        "schema_version": 1,
        "now": "2026-01-06T14:30:00Z",
        "dry_run": False,
        "policy": {
            "min_stable_verifications": 2,
            "verification_interval_minutes": 30,
            "min_age_minutes": 30,
            "max_age_minutes": 1440,
        },
        "counts": {"discovered": 0, "invalid": 0, "due": 0, **dict.fromkeys([*STANDINGS, *Proof], 0), "written": 0},
        "files": {"runs": 0, "elsewhere": 0, "ignored": 0},
        "api": {"requests": 0, "pages": 0, "retries": 0},
        "runs": [],
        "invalid": [],
        "unattributed": [],
        "errors": [],
    }


def test_a_run_that_was_never_read_has_no_figures():
    value = as_json(summary(report(RUNS["skipped"], Selection.DUE)))
    assert value["runs"] == [
        {
            "framework": "chatdev",
            "run_id": "a",
            "path": "runs/chatdev/a/metrics.json",
            "status": "skipped",
            "proof": None,
            "selection": "due",
            "reasons": [],
            "completeness": None,
            "assumes": [],
            "message": None,
            "tokens_in": None,
            "tokens_out": None,
            "cached_tokens": None,
            "api_calls": None,
            "bounds": None,
            "exact": None,
            "age_minutes": 150,
            "due": None,
            "written": False,
            "note": None,
            "contests": [],
        }
    ]


def test_a_verified_run_says_what_its_verdict_rests_on():
    (run,) = as_json(summary(report(VERIFIED, Selection.DUE)))["runs"]
    assert (run["completeness"], run["assumes"], run["exact"], run["bounds"]) == ("assumed", ASSUMED, True, None)
    assert run["message"] == "Data stable across 60 minute interval"


def test_a_verified_run_says_how_its_verdict_is_held():
    runs = as_json(summary(report(VERIFIED, Selection.DUE), report(SHARED, Selection.DUE)))["runs"]
    assert [(run["status"], run["proof"]) for run in runs] == [("verified", "assumed"), ("warning", None)]


def test_minutes_that_are_not_whole_stay_so():
    policy = Policy(verification_interval=timedelta(seconds=90), min_age=timedelta(minutes=2))
    written = as_json(Summary(now=NOW, policy=policy, discovered=0, runs=()))["policy"]
    assert written["verification_interval_minutes"] == 1.5
    assert str(written["min_age_minutes"]) == "2"


def test_a_run_whose_figure_is_not_exact_has_its_bounds():
    (run,) = as_json(summary(report(SHARED)))["runs"]
    assert (run["status"], run["reasons"], run["exact"]) == ("warning", ["shared_minutes"], False)
    assert (run["tokens_in"], run["bounds"]["tokens_in"]) == (150, [100, 150])


def test_an_inherited_run_has_the_figure_of_its_file():
    (run,) = as_json(summary(report(RUNS["inherited"], Selection.INHERITED)), shown=[report(RUNS["inherited"])])["runs"]
    assert (run["status"], run["tokens_in"]) == ("inherited", 100)


def test_the_runs_that_are_shown_can_be_chosen():
    young = report(RUNS["skipped"], Selection.TOO_YOUNG, due_at=after("02:40"))
    found = summary(young, report(VERIFIED))
    assert as_json(found)["runs"] == []
    assert [run["due"] for run in as_json(found, found.runs)["runs"]] == ["2026-01-06T14:40:00Z", None]


def test_everything_at_once_is_what_the_schema_describes():
    reports = [report(replace(run, key=RunKey("chatdev", name)), note="noted") for name, run in RUNS.items()]
    value = as_json(
        summary(
            *reports,
            findings=(FINDING,),
            errors=(MENDABLE, UNREACHED),
            unattributed=gathered([row(0), row(1, key=None, model=None)]),
            api=ApiUse(requests=3, pages=2, retries=1),
            dry_run=True,
        )
    )
    jsonschema.Draft202012Validator(schemas.load("summary")).validate(value)
    assert len(value["runs"]) == len(RUNS)
    assert value["invalid"] == [
        {"path": FINDING.path, "line": 3, "column": 5, "pointer": "/steps", "message": FINDING.message}
    ]
    assert value["errors"][0] == {"code": "missing_key", "message": "no key", "remedy": "set it"}
    assert value["unattributed"][1] == {
        "api_key_id": "key_a",
        "model": MODEL,
        "start": FIRST,
        "end": FIRST + 60,
        "tokens_in": 10,
        "tokens_out": 1,
        "requests": 1,
    }
