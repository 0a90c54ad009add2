"""What a verdict changes in the text of a file: the least that says it, and nothing else."""

import difflib
import json
import math
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runs import EXAMPLES, FIRST, HOURLY, KEY, PATH, SCOPE, Tale, after, document, neighbour, theirs, usage

from reconcile.attribution.attribute import attribute
from reconcile.attribution.claims import claim_of, record_of
from reconcile.minutes import Clock
from reconcile.providers.base import Scope
from reconcile.runs.edits import amend
from reconcile.runs.metrics import read_run
from reconcile.runs.run import Claim, Generation
from reconcile.runs.state import Policy
from reconcile.usage import Bucket, Usage
from reconcile.verdict.amendment import amendments, in_future
from reconcile.verdict.settlement import settle

B = neighbour("b", 9, 12)
BUSY = "100 . . . . . . . . 50"
CALLS_3 = {"recorded_usage": {"api_calls": 3}}
GUARD = {"minutes": 120, "requests": 0}


def changed(before, after):
    """The lines that went and those that came, but for brackets, without their white space and commas."""
    lines = [(line[0], line[2:].strip(" ,")) for line in difflib.ndiff(before.splitlines(), after.splitlines())]
    return [[text for mark, text in lines if mark == side and text.strip("[]{}")] for side in "-+"]


def verified(**members):
    tale = Tale(**members)
    tale.read("00:30", "100")
    assert tale.read("01:30", "100") == "verified: stable"
    return tale


# ---------------------------------------------------------------------------------------------------- the v2 file

EXAMPLE = {
    "verification_status": "verified",
    "reasons": ["stable"],
    "completeness": "assumed",
    "assumes": ["closed_key", "scope_complete", "usage_complete"],
    "verification_message": "Data stable across 61 minute interval",
    "proof": "assumed",
    "reconciled_at": "2026-01-05T14:17:03Z",
    "verified_at": "2026-01-05T15:18:11Z",
    "total_tokens_in": 84604,
    "total_tokens_out": 23275,
    "total_cached_tokens": 0,
    "total_api_calls": 31,
    "query_window": {"start": 1767620160, "end": 1767620700},
    "attribution": {"exact": True, "basis": ["completions", "api_key_id", "window"], "guard": GUARD},
    "policy": {
        "min_stable_verifications": 2,
        "verification_interval_minutes": 30,
        "min_age_minutes": 30,
        "max_age_minutes": 1440,
    },
    "attempts": [
        {
            "timestamp": "2026-01-05T14:17:03Z",
            "status": "pending",
            "total_tokens_in": 84604,
            "total_tokens_out": 23275,
            "total_cached_tokens": 0,
            "total_api_calls": 31,
        },
        {
            "timestamp": "2026-01-05T15:18:11Z",
            "status": "verified",
            "total_tokens_in": 84604,
            "total_tokens_out": 23275,
            "total_cached_tokens": 0,
            "total_api_calls": 31,
        },
    ],
}
"""A block as docs/metrics-format.md describes it."""

ATTEMPT = [f'"{name}"' for name in EXAMPLE["attempts"][0]]


def test_the_block_is_the_one_that_is_documented():
    text = document(start_timestamp="2026-01-05T13:36:10.5Z", end_timestamp="2026-01-05T13:44:59.5Z")
    for read in ("2026-01-05T14:17:03Z", "2026-01-05T15:18:11Z"):
        run = read_run(KEY, PATH, json.loads(text), Generation.V2)
        row = Bucket(run.window.start, Usage(84604, 23275, 0, 31), "key_a")
        claim = Claim(KEY, SCOPE, run.window)
        attribution = attribute([claim], [row], [run.window.widened(60)]).by_run[KEY]
        verdict = settle(run, attribution, datetime.fromisoformat(read), Policy()).verdict
        text = amend(text, amendments(json.loads(text), run, verdict, Policy()))
    assert json.loads(text)["usage_api_reconciliation"] == EXAMPLE


def test_a_first_read_changes_the_figures_and_adds_the_block():
    tale = Tale()
    before = tale.text
    tale.read("00:30", "3x100")
    went, _ = changed(before, tale.text)
    assert went == ['"TOK_IN": 0', '"TOK_OUT": 0', '"API_CALLS": 0', '"CACHED_TOKENS": 0', '"AEI": 0.0']
    assert list(tale.value)[:-1] == list(json.loads(before))
    assert list(tale.block) == [name for name in EXAMPLE if name not in {"verified_at", "proof"}]


def test_the_read_that_verifies_changes_the_verdict_and_adds_an_attempt():
    tale = Tale()
    tale.read("00:30", "100")
    before = tale.text
    tale.read("01:30", "100")
    went, came = ([line.split(":")[0] for line in lines] for lines in changed(before, tale.text))
    assert went == ['"verification_status"', '"first_read"', '"verification_message"']
    assert came == ['"verification_status"', '"stable"', '"verification_message"', *ATTEMPT, '"proof"', '"verified_at"']


@pytest.mark.parametrize("shown", ["60", "50"], ids=["a dip", "another"])
def test_a_read_that_leaves_the_verdict_only_adds_an_attempt(shown):
    tale = verified()
    tale.policy = HOURLY
    before = tale.text
    tale.read("02:30", shown)
    went, came = ([line.split(":")[0] for line in lines] for lines in changed(before, tale.text))
    assert (went, came) == ([], ATTEMPT)


def test_a_late_read_goes_to_its_place():
    tale = Tale()
    tale.read("00:30", "100")
    tale.read("01:30", "120")
    tale.read("01:00", "120")
    assert [attempt["timestamp"][11:16] for attempt in tale.block["attempts"]] == ["12:30", "13:00", "13:30"]


LAYOUTS = {
    "two spaces": {"indent": 2},
    "four spaces": {"indent": 4},
    "tabs": {"indent": "\t"},
    "one line": {"indent": None},
    "no space at all": {"indent": None, "separators": (",", ":")},
}


@pytest.mark.parametrize("final", ["", "\n"], ids=["", "final newline"])
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_the_file_keeps_its_layout(layout, final):
    tale = Tale(json.dumps(json.loads(document()), **layout) + final)
    tale.read("00:30", "100")
    tale.read("01:30", "100")
    assert tale.text == json.dumps(tale.value, **layout) + final


def test_what_others_wrote_stays_as_it_is_spelled():
    odd = '"note": "caf\\u00e9 \\/ 1", "score": 1.10, "big": 1E5, "extra": {"a":[1,2 ,3]}'
    tale = Tale(document().replace('"steps": []', f'"steps": [], {odd}'))
    tale.read("00:30", "100")
    block = '"usage_api_reconciliation": {'
    tale.text = tale.text.replace(block, block + ' "ours": {"not": 1.0},')
    for clock, shown in (("01:30", "100"), ("02:30", "120"), ("03:30", "120")):
        tale.read(clock, shown)
    assert odd in tale.text
    assert '"ours": {"not": 1.0},' in tale.text


# --------------------------------------------------------------------------------------------------- the figures


def test_the_figures_follow():
    tale = verified()
    assert tale.value["aggregate_metrics"] == {
        "AUTR": 1.0,
        "TOK_IN": 100,
        "TOK_OUT": 10,
        "API_CALLS": 1,
        "CACHED_TOKENS": 25,
        "AEI": 1 / math.log(101),
    }


def test_without_autr_there_is_no_aei_to_compute():
    tale = verified(aggregate_metrics={"TOK_IN": 0, "TOK_OUT": 0, "AEI": 0.5})
    assert tale.value["aggregate_metrics"]["AEI"] == 0.5
    tale = verified(aggregate_metrics={"TOK_IN": 0, "TOK_OUT": 0})
    assert "AEI" not in tale.value["aggregate_metrics"]


OWN = {"TOK_IN": 110, "TOK_OUT": 11, "CACHED_TOKENS": 0, "API_CALLS": 3}


def test_what_the_run_counted_is_kept_before_its_place_is_taken():
    tale = Tale(aggregate_metrics=OWN)
    tale.read("00:30", "3x120")
    assert tale.value["recorded_usage"] == {
        "tokens_in": 110,
        "tokens_out": 11,
        "api_calls": 3,
        "source": "aggregate_metrics",
    }
    assert tale.tokens == 120
    assert tale.read("01:30", "3x120") == "warning: recorded_mismatch"
    assert tale.value["recorded_usage"]["tokens_in"] == 110


def test_a_run_that_counted_right_is_verified_against_its_own_count():
    tale = Tale(aggregate_metrics={"TOK_IN": 100, "TOK_OUT": 10, "CACHED_TOKENS": 25, "API_CALLS": 3})
    before = tale.value["aggregate_metrics"]
    assert [tale.read("00:30", "3x100"), tale.read("01:30", "3x100")] == ["pending: first_read", "verified: stable"]
    assert tale.value["aggregate_metrics"] == before
    assert tale.block["completeness"] == "calls_and_tokens_matched"


def test_what_the_run_counted_among_its_metrics_is_kept_beside_what_it_recorded():
    tale = Tale(aggregate_metrics={"TOK_IN": 5000, "TOK_OUT": 0}, recorded_usage={"api_calls": 3, "source": "sdk"})
    tale.read("00:30", "3x100")
    assert tale.value["recorded_usage"] == {"api_calls": 3, "source": "sdk", "tokens_in": 5000}
    assert tale.tokens == 5000, "a figure that waits is not below what was recorded"
    assert tale.read("01:30", "3x100") == "pending: tokens_missing"


def test_recorded_usage_is_never_written_over():
    tale = Tale(recorded_usage={"api_calls": 1, "source": "sdk"})
    tale.read("00:30", "100")
    assert tale.value["recorded_usage"] == {"api_calls": 1, "source": "sdk"}


FLOORS = {
    "while it is pending": (["00:30 2x100"], 110, 100),
    "while nothing is reported": (["00:30 0"], 110, 0),
    "calls missing at the cutoff": (["00:30 2x100", "01:30 2x100", "24:30 2x100"], 110, 100),
    "given up": (["00:30 2x101", "24:10 2x100"], 110, 101),
    "never anything reported": (["00:30 0", "24:30 0", "25:30 0"], 110, 0),
    "tokens missing": (["00:30 3x100", "01:30 3x100"], 110, 100),
    "tokens missing at the cutoff": (["00:30 3x100", "01:30 3x100", "24:30 3x100"], 110, 100),
    "and not where more is reported": (["00:30 2x120"], 120, 120),
}


@pytest.mark.parametrize(("reads", "tokens", "read"), FLOORS.values(), ids=FLOORS)
def test_a_figure_that_may_lack_usage_is_not_below_what_the_run_recorded(reads, tokens, read):
    tale = Tale(aggregate_metrics=OWN)
    for each in reads:
        tale.read(*each.split(" "))
    assert (tale.tokens, tale.block["total_tokens_in"]) == (tokens, read)


def test_recorded_cached_tokens_are_input_too():
    tale = Tale(recorded_usage={"cached_tokens": 200})
    tale.read("00:30", "100")
    assert (tale.tokens, tale.value["aggregate_metrics"]["CACHED_TOKENS"]) == (200, 200)


# ---------------------------------------------------------------------------------------------------- the verdict


def test_a_status_beside_the_block_follows_where_the_file_has_one():
    tale = verified(verification_status="pending")
    assert tale.value["verification_status"] == "verified"
    assert "verification_status" not in verified().value


def test_verified_at_is_there_only_while_it_is_verified():
    tale = verified()
    assert tale.block["verified_at"] == "2026-01-06T13:30:00Z"
    tale.read("02:30", "120")
    assert tale.block["verified_at"] == "2026-01-06T13:30:00Z"
    tale.read("03:30", "120")
    assert "verified_at" not in tale.block


def test_reconciled_at_is_the_read_that_gave_the_figure():
    tale = Tale()
    tale.read("00:30", "100")
    assert tale.run.state.reconciled_at == after("00:30")
    tale.read("01:30", "120")
    tale.read("02:30", "120")
    assert tale.run.state.reconciled_at == after("01:30")


def test_both_figures_of_a_restatement():
    tale = verified()
    tale.read("02:30", "60")
    tale.read("03:30", "60")
    assert tale.block["restatement"] == {
        "from": {"tokens_in": 100, "tokens_out": 10, "cached_tokens": 25, "api_calls": 1},
        "to": {"tokens_in": 60, "tokens_out": 6, "cached_tokens": 15, "api_calls": 1},
    }
    assert (tale.tokens, tale.block["total_tokens_in"]) == (100, 100)


def test_a_figure_that_is_not_exact_has_its_bounds():
    tale = Tale(neighbours=[B])
    tale.read("00:30", BUSY)
    tale.read("01:30", BUSY)
    assert tale.block["attribution"] == {
        "exact": False,
        "basis": ["completions", "api_key_id", "window"],
        "shared_minutes": 1,
        "bounds": {"tokens_in": [100, 150], "tokens_out": [10, 15], "cached_tokens": [25, 37], "api_calls": [1, 2]},
        "guard": GUARD,
        "neighbours": [{"run": "chatdev/b", "start": FIRST + 540, "end": FIRST + 720, "record": record_of(B)}],
    }
    assert all(attempt["bounds"]["tokens_in"] == [100, 150] for attempt in tale.block["attempts"])


def test_neighbours_are_named_from_the_first_read_on():
    tale = Tale(neighbours=[B])
    for clock in ("00:30", "01:30"):
        tale.read(clock, "100")
        assert [each["run"] for each in tale.block["attribution"]["neighbours"]] == ["chatdev/b"]


def test_a_neighbour_whose_file_is_gone_is_named_as_such():
    tale = Tale(neighbours=[replace(B, gone=True)])
    tale.read("00:30", "100")
    assert tale.block["attribution"]["neighbours"] == [
        {"run": "chatdev/b", "start": FIRST + 540, "end": FIRST + 720, "gone": True}
    ]
    assert tale.run.state.neighbours[0].gone


def test_where_calls_are_missing_there_are_no_bounds():
    tale = Tale(**CALLS_3)
    tale.read("00:30", "2x100")
    basis = ["completions", "api_key_id", "window"]
    assert tale.block["attribution"] == {"exact": False, "basis": basis, "guard": GUARD}


def test_a_claim_that_cannot_be_read_only_widens_the_bounds():
    tale = Tale(neighbours=[B])
    tale.read("00:30", "100")
    tale.read("01:30", "100")
    tale.neighbours = [B, neighbour("late", 0, 10)]
    tale.claimed_late()
    assert tale.block["attribution"]["bounds"]["tokens_in"] == [0, 100]
    assert not tale.block["attribution"]["exact"]
    assert "completeness" not in tale.block
    assert "assumes" not in tale.block
    (named,) = tale.block["attribution"]["neighbours"]
    assert named == {"run": "chatdev/b", "start": FIRST + 540, "end": FIRST + 720, "record": record_of(B)}
    assert tale.tokens == 100


def test_an_exact_share_of_a_minute_has_neither_bounds_nor_shared_minutes():
    tale = Tale(neighbours=[neighbour("b", 9, 12, calls=2)], **CALLS_3)
    tale.read("00:30", "3x100 . . . . . . . . 50 20")
    assert tale.read("01:30", "3x100 . . . . . . . . 50 20") == "verified: stable"
    assert set(tale.block["attribution"]) == {"exact", "basis", "guard", "neighbours"}


def test_a_run_closed_by_a_lower_read_remembers_who_was_beside_it():
    tale = Tale(neighbours=[B], **CALLS_3)
    tale.read("00:30", "2x100")
    tale.read("01:30", "2x100")
    assert tale.read("24:30", "2x60") == "warning: calls_missing"
    assert [each.run for each in tale.run.state.neighbours] == ["chatdev/b"]
    assert tale.read("24:40", "2x60") == "-"


def test_the_basis_names_what_told_the_usage_apart():
    scope = Scope("openai", (), ("proj_1",), ("gpt-4o",))
    run = Tale().run
    row = Bucket(run.window.start, usage(100), None, "gpt-4o", "proj_1")
    attribution = attribute([Claim(KEY, scope, run.window)], [row], [run.window.widened(60)]).by_run[KEY]
    verdict = settle(run, attribution, after("00:30"), Policy()).verdict
    value = json.loads(amend(document(), amendments(json.loads(document()), run, verdict, Policy())))
    assert value["usage_api_reconciliation"]["attribution"]["basis"] == [
        "completions",
        "project_id",
        "model",
        "window",
    ]


# ------------------------------------------------------------------------------------------- another tool's block


def test_a_block_of_another_tool_becomes_ours_and_keeps_its_reads():
    tale = Tale(**theirs(("00:30", 100)))
    (attempt,) = tale.block["attempts"]
    tale.read("01:30", "100")
    assert tale.block["attempts"][0] == attempt
    assert len(tale.block["attempts"]) == 2
    assert tale.run.state.ours


def test_a_block_without_reads_gets_its_first():
    tale = Tale(usage_api_reconciliation={"verification_status": "pending"})
    tale.read("00:30", "100")
    assert [attempt["status"] for attempt in tale.block["attempts"]] == ["pending"]


def test_a_forced_verdict_of_another_tool_is_a_whole_block_with_the_old_figure():
    tale = Tale(**theirs(("00:30", 100), ("01:30", 100), status="verified"))
    tale.read("02:30", "60", forced=True)
    assert (tale.tokens, tale.block["total_tokens_in"]) == (100, 100)
    assert not tale.run.edited


# -------------------------------------------------------------------------------------------------------- v1 steps


def v1(*steps, **members):
    """A v1 file; a step is its first and last second, counted from the run's first minute, and what else it has."""
    written = [
        {
            "step_number": number,
            "start_timestamp": None if start is None else float(FIRST + start),
            "end_timestamp": None if start is None else float(FIRST + end),
            "tokens_in": 0,
            "tokens_out": 0,
            **others,
        }
        for number, (start, end, others) in enumerate(steps, start=1)
    ]
    return Tale(steps=written, **members)


def test_steps_get_their_tokens_and_say_how():
    tale = v1((0, 60, {}), (60, 90, {}), (90, 120, {}), (None, None, {}), (300, 360, {}))
    tale.read("00:30", "100 40")
    assert [step["tokens_in"] for step in tale.value["steps"]] == [100, 20, 20, 0, 0]
    assert tale.block["steps_updated"] == [
        {"step": 1, "status": "success", "tokens_in": 100, "tokens_out": 10},
        {"step": 2, "status": "estimated", "tokens_in": 20, "tokens_out": 2},
        {"step": 3, "status": "estimated", "tokens_in": 20, "tokens_out": 2},
        {"step": 4, "status": "missing_timestamps", "tokens_in": 0, "tokens_out": 0},
        {"step": 5, "status": "success", "tokens_in": 0, "tokens_out": 0},
    ]
    assert (tale.block["steps_with_tokens"], tale.block["total_steps"]) == (3, 5)


def test_steps_without_tokens_get_them():
    tale = Tale(steps=[{"step_number": 1, "start_timestamp": float(FIRST), "end_timestamp": FIRST + 60.0}])
    tale.read("00:30", "100")
    assert tale.value["steps"][0] | {"tokens_in": 100, "tokens_out": 10} == tale.value["steps"][0]


def test_steps_get_calls_and_cached_tokens_only_where_they_had_them():
    tale = v1((0, 60, {"api_calls": 0}), (60, 120, {"cached_tokens": 0}))
    tale.read("00:30", "3x100 2x40")
    assert [list(step)[5:] for step in tale.value["steps"]] == [["api_calls"], ["cached_tokens"]]
    assert [tale.value["steps"][0]["api_calls"], tale.value["steps"][1]["cached_tokens"]] == [3, 10]


def test_steps_without_times_keep_what_they_say():
    tale = v1((0, 60, {}), (None, None, {"tokens_in": 7, "tokens_out": 1}))
    tale.read("00:30", "100")
    assert [step["tokens_in"] for step in tale.value["steps"]] == [100, 7]


def test_a_zero_that_proves_nothing_leaves_the_steps():
    tale = v1((0, 600, {"tokens_in": 7}))
    assert tale.read("00:30", "0") == "data_not_available: no_usage_yet"
    assert tale.value["steps"][0]["tokens_in"] == 7


def test_a_stable_zero_is_written_to_the_steps():
    tale = v1((0, 600, {"tokens_in": 7}), recorded_usage={"api_calls": 0})
    tale.read("00:30", "0")
    assert tale.read("04:30", "0") == "verified: no_api_calls"
    assert tale.value["steps"][0]["tokens_in"] == 0


def test_v2_files_say_nothing_of_steps():
    assert not [name for name in verified().block if "steps" in name]


SECOND = st.integers(0, 599)


@given(
    st.lists(st.tuples(SECOND, SECOND).map(sorted), min_size=1, max_size=6),
    st.lists(st.sampled_from([".", "100", "3x250", "2x7"]), min_size=1, max_size=10).map(" ".join),
)
@EXAMPLES
def test_the_steps_of_a_file_add_up_to_its_figures(spans, shown):
    tale = v1(*((start, end, {"api_calls": 0, "cached_tokens": 0}) for start, end in spans))
    tale.read("00:30", shown)
    steps, figures = tale.value["steps"], tale.value["aggregate_metrics"]
    for name, whole in (
        ("tokens_in", "TOK_IN"),
        ("tokens_out", "TOK_OUT"),
        ("cached_tokens", "CACHED_TOKENS"),
        ("api_calls", "API_CALLS"),
    ):
        assert sum(step[name] for step in steps) == figures[whole]
    assert all(step["cached_tokens"] <= step["tokens_in"] for step in steps)


# -------------------------------------------------------------------------------------- what a clock that is off adds


def test_minutes_outside_its_own_that_the_figure_holds_are_counted():
    tale = Tale(recorded_usage={"tokens_in": 100, "tokens_out": 10, "cached_tokens": 25, "api_calls": 1})
    run = tale.run
    claim = claim_of(run, SCOPE, Clock(0.0, 60.0))
    row = Bucket(run.window.end, usage(100), "key_a")
    attribution = attribute([claim], [row], [run.window.widened(90)]).by_run[KEY]
    verdict = settle(run, attribution, after("00:30"), Policy()).verdict
    block = json.loads(amend(tale.text, amendments(tale.value, run, verdict, Policy())))["usage_api_reconciliation"]
    assert (block["reach_seconds"], block["attribution"]["beyond_window"]) == (60, 1)
    assert block["query_window"] == {"start": run.window.start, "end": run.window.end}


def test_a_run_seen_before_its_end_says_so_beside_the_block_too_where_the_file_has_a_status():
    tale = Tale(verification_status="verified")
    changes = in_future(tale.run, after("00:00"), Policy(), tale.value)
    value = json.loads(amend(tale.text, changes))
    assert value["verification_status"] == value["usage_api_reconciliation"]["verification_status"] == "pending"
    assert value["usage_api_reconciliation"]["reasons"] == ["ends_in_future"]
