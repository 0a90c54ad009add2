"""What a file says, as a run: both generations, other tools' blocks, every spelling of what is missing."""

import json
from datetime import timedelta

import pytest
from support.runs import END, FIRST, KEY, PATH, WINDOW, Tale, after, document, neighbour, usage, valid

from reconcile.attribution.claims import record_of
from reconcile.minutes import Clock, Window, spelled
from reconcile.runs.metrics import read_run
from reconcile.runs.run import Generation, OwnScope, Step
from reconcile.runs.state import Neighbour, Status
from reconcile.usage import Bounds, Recorded, Usage

ENDED = int(END.timestamp())
NO_TIMES = {"start_timestamp": None, "end_timestamp": None}


def read(**members):
    found = valid(document(**members))
    return read_run(KEY, PATH, found.value, found.generation)


def step(number, start, end, name="step"):
    return {name: number, "start_timestamp": start, "end_timestamp": end}


WINDOWS = {
    "the run's own times": ({}, (FIRST, ENDED)),
    "whole seconds count to their end": ({"end_timestamp": "2026-01-06T12:00:00Z"}, (FIRST, ENDED + 60)),
    "Unix seconds": ({"start_timestamp": FIRST + 1, "end_timestamp": ENDED - 1}, (FIRST, ENDED)),
    "Unix seconds with fractions": ({"start_timestamp": FIRST + 0.5, "end_timestamp": ENDED - 0.5}, (FIRST, ENDED)),
    "its steps, where it has no times": (
        {**NO_TIMES, "steps": [step(2, FIRST + 65, FIRST + 70.5), step(1, FIRST + 5, FIRST + 60.0)]},
        (FIRST, FIRST + 120),
    ),
    "its steps, where one has none": (
        {**NO_TIMES, "steps": [step(1, FIRST + 5.0, FIRST + 60.0), step(2, None, None)]},
        (FIRST, FIRST + 60),
    ),
    "its own start and the last step's end": (
        {"end_timestamp": None, "steps": [step(1, FIRST + 65.0, FIRST + 70.0)]},
        (FIRST, FIRST + 120),
    ),
    "its own times, whatever its steps say": (
        {"steps": [step(1, FIRST + 65.0, FIRST + 70.0)]},
        (FIRST, ENDED),
    ),
}


@pytest.mark.parametrize(("members", "window"), WINDOWS.values(), ids=WINDOWS)
def test_the_window(members, window):
    assert read(**members).window == Window(*window)


def test_it_ended_when_the_last_second_was_over():
    assert read(end_timestamp="2026-01-06T12:00:00Z").ended_at == after("00:00:01")
    assert read().ended_at == END


def test_the_run_is_named_by_its_place():
    run = read()
    assert (run.key, run.path, run.generation, run.state, run.own_scope) == (KEY, PATH, Generation.V2, None, None)


def test_steps_matter_in_v1_only():
    spans = [(FIRST, FIRST + 30), (None, None), (FIRST, None), (None, FIRST + 30)]
    run = read(steps=[step(number, *span, "step_number") for number, span in enumerate(spans)])
    assert run.generation is Generation.V1
    assert [each.span for each in run.steps] == [(FIRST, FIRST + 31), None, None, None]
    assert run.steps[1] == Step(number=1, span=None)
    assert read(steps=[step(1, FIRST, FIRST + 30)]).steps == ()


# ------------------------------------------------------------------------------------------------ what it recorded

FIGURES = {"TOK_IN": 100, "TOK_OUT": 10, "CACHED_TOKENS": 0, "API_CALLS": 3}
THEIR_READ = {"timestamp": "2026-01-06T12:30:00+00:00", "total_tokens_in": 100, "total_tokens_out": 10}

RECORDED = {
    "nothing": ({}, Recorded()),
    "zeros are unknown": ({"aggregate_metrics": {"TOK_IN": 0, "TOK_OUT": 0, "API_CALLS": 0}}, Recorded()),
    "figures of a file that was never reconciled": (
        {"aggregate_metrics": FIGURES},
        Recorded(100, 10, None, 3, "aggregate_metrics"),
    ),
    "figures of a file that says it waits": (
        {"aggregate_metrics": FIGURES, "usage_api_reconciliation": {"verification_status": "pending"}},
        Recorded(100, 10, None, 3, "aggregate_metrics"),
    ),
    "figures that another tool read": (
        {"aggregate_metrics": FIGURES, "usage_api_reconciliation": {"attempts": [THEIR_READ]}},
        Recorded(),
    ),
    "figures that another tool verified": (
        {"aggregate_metrics": FIGURES, "usage_api_reconciliation": {"verification_status": "verified"}},
        Recorded(),
    ),
    "what it says it recorded": (
        {"aggregate_metrics": FIGURES, "recorded_usage": {"api_calls": 0, "tokens_in": 7, "source": "sdk"}},
        Recorded(7, 10, None, 0, "sdk"),
    ),
    "what it says it recorded, beside figures that another tool read": (
        {
            "aggregate_metrics": FIGURES,
            "recorded_usage": {"api_calls": 0, "source": "sdk"},
            "usage_api_reconciliation": {"attempts": [THEIR_READ]},
        },
        Recorded(None, None, None, 0, "sdk"),
    ),
    "figures with more cached input than it says was input": (
        {"aggregate_metrics": {**FIGURES, "CACHED_TOKENS": 20}, "recorded_usage": {"tokens_in": 7}},
        Recorded(7, 10, None, 3),
    ),
    "figures with less input than it says was cached": (
        {"aggregate_metrics": FIGURES, "recorded_usage": {"cached_tokens": 101}},
        Recorded(None, 10, 101, 3),
    ),
    "what it recorded, after a reconciliation": (
        {"recorded_usage": {"cached_tokens": 2}, "usage_api_reconciliation": {"attempts": [THEIR_READ]}},
        Recorded(cached_tokens=2),
    ),
}


def test_what_a_run_saw_beside_the_calls_that_it_counted():
    stated = {"aborted_calls": 2, "unknown_calls": 1.0, "other_calls": {"images": 1, "audio": 0, "embeddings": 3}}
    recorded = read(recorded_usage={**stated, "every_attempt": True}).recorded
    assert (recorded.aborted, recorded.unknown, recorded.every_attempt) == (2, 1, True)
    assert recorded.others == (("embeddings", 3), ("images", 1))


def test_the_clock_that_was_measured():
    measured = {"offset_seconds": -2.5, "uncertainty_seconds": 0.4, "source": "Date of responses"}
    assert (read(clock=measured).clock, read().clock) == (Clock(-2.5, 0.4, "Date of responses"), None)


@pytest.mark.parametrize(("members", "recorded"), RECORDED.values(), ids=RECORDED)
def test_what_a_run_recorded_itself(members, recorded):
    assert read(**members).recorded == recorded


SCOPES = {
    "nothing of its own": ({}, OwnScope()),
    "a provider": ({"provider": "openai"}, OwnScope(provider="openai")),
    "keys": ({"api_key_ids": ["key_a", "key_b"]}, OwnScope(api_key_ids=("key_a", "key_b"))),
    "projects and models": (
        {"project_ids": ["proj_1"], "models": ["gpt-4o"]},
        OwnScope(project_ids=("proj_1",), models=("gpt-4o",)),
    ),
}


@pytest.mark.parametrize(("scope", "expected"), SCOPES.values(), ids=SCOPES)
def test_a_scope_of_its_own(scope, expected):
    assert read(usage_scope=scope).own_scope == expected


# ------------------------------------------------------------------------------------------- what was read before


def test_what_was_written_is_read_again():
    tale = Tale(neighbours=[neighbour("b", 9, 12)])
    tale.read("00:30", "100 . . . . . . . . 50")
    tale.read("01:30", "100 . . . . . . . . 50")
    state = tale.run.state
    assert (state.status, state.reasons, state.ours, state.inherited) == (
        Status.WARNING,
        ("shared_minutes",),
        True,
        False,
    )
    assert (state.figure, state.exact, state.shared_minutes) == (usage(100) + usage(50), False, 1)
    assert state.bounds == Bounds(usage(100), usage(100) + usage(50))
    record = record_of(tale.neighbours[0])
    assert state.neighbours == (Neighbour(run="chatdev/b", window=Window(ENDED - 60, ENDED + 120), record=record),)
    assert (state.window, state.reconciled_at, state.verified_at) == (WINDOW, after("00:30"), None)
    assert [(each.at, each.status) for each in state.observations] == [
        (after("00:30"), "pending"),
        (after("01:30"), "warning"),
    ]
    assert state.observations[1].bounds == state.bounds
    assert state.message == tale.block["verification_message"]


def test_all_that_was_reported_is_kept_beside_the_figure():
    tale = Tale(neighbours=[neighbour("b", 9, 12, calls=2)], recorded_usage={"api_calls": 3})
    tale.read("00:30", "3x100 . . . . . . . . 50 20")
    (observation,) = tale.run.state.observations
    assert (observation.figure.tokens_in, observation.reported.tokens_in) == (100, 150)


def test_reads_are_taken_in_order_of_time():
    attempts = [THEIR_READ, {**THEIR_READ, "timestamp": "2026-01-06T12:10:00+00:00"}]
    state = read(usage_api_reconciliation={"attempts": attempts}).state
    assert [each.at for each in state.observations] == [after("00:10"), after("00:30")]


STATUSES = {
    "verified": (Status.VERIFIED, True),
    "pending": (Status.PENDING, False),
    "data_not_available": (Status.PENDING, False),
    "warning": (Status.PENDING, False),
    "failed": (Status.PENDING, False),
    "a word of its own": (Status.PENDING, False),
}


@pytest.mark.parametrize(("word", "expected"), STATUSES.items(), ids=STATUSES)
def test_of_another_tools_words_only_verified_settles_a_run(word, expected):
    state = read(usage_api_reconciliation={"verification_status": word, "attempts": [THEIR_READ]}).state
    assert (state.status, state.inherited) == expected
    assert not state.ours


def test_another_tools_figure_is_that_of_the_run():
    state = read(aggregate_metrics=FIGURES, usage_api_reconciliation={"attempts": [THEIR_READ]}).state
    assert (state.figure, state.window) == (Usage(100, 10, 0, 3), None)
    assert (state.exact, state.shared_minutes) == (False, 0)
    assert [(each.figure, each.status) for each in state.observations] == [(Usage(100, 10), None)]


def test_the_oldest_tool_kept_one_read_in_the_block_itself():
    block = {
        "status": "success",
        "reconciled_at": spelled(after("00:30")),
        "total_tokens_in": 100,
        "total_tokens_out": 10,
    }
    state = read(usage_api_reconciliation=block).state
    assert [(each.at, each.figure, each.status) for each in state.observations] == [
        (after("00:30"), Usage(100, 10), None)
    ]


def test_an_empty_block_says_nothing():
    state = read(usage_api_reconciliation={}).state
    assert (state.status, state.observations, state.ours) == (Status.PENDING, (), False)


@pytest.mark.parametrize("named", [{}, {"evidence": {"sha256": "a" * 64, "seal": "b" * 64}}], ids=["none", "one"])
def test_the_evidence_is_known_by_the_digest_that_the_file_names(named):
    assert read(usage_api_reconciliation=named).state.evidence == ("a" * 64 if named else None)


def test_our_figure_is_the_one_that_was_read_whatever_the_file_shows():
    tale = Tale(aggregate_metrics={"TOK_IN": 110, "TOK_OUT": 11, "API_CALLS": 3})
    tale.read("00:30", "2x100")
    assert (tale.tokens, tale.run.state.figure.tokens_in) == (110, 100)


def test_marks_of_a_read_are_read():
    tale = Tale()
    for clock in ("00:30", "01:30"):
        tale.read(clock, "100")
    tale.read("02:30", "100", forced=True)
    value = tale.value
    value["usage_api_reconciliation"]["attempts"][0]["window_changed"] = True
    marks = [(each.forced, each.window_changed) for each in Tale(json.dumps(value)).run.state.observations]
    assert marks == [(False, True), (False, False), (True, False)]


@pytest.mark.parametrize(
    ("policy", "minutes"),
    [
        ({"verification_interval_minutes": 45, "min_stable_verifications": 3}, (45, 30, 3)),
        ({}, (30, 30, 2)),
        ({"verification_interval_minutes": 1_000_000_000_000_000}, (1_000_000_000, 30, 2)),
    ],
    ids=["as it says", "the default where it says nothing", "longer than any span of time"],
)
def test_the_policy_that_reads_were_kept_under(policy, minutes):
    tale = Tale()
    tale.read("00:31", "100")
    tale.put("usage_api_reconciliation", tale.block | {"policy": policy})
    found = tale.run.state.policy
    spans = (found.verification_interval / timedelta(minutes=1), found.min_age / timedelta(minutes=1))
    assert (*spans, found.min_stable_verifications) == minutes


@pytest.mark.parametrize("name", ["verified_at", "reconciled_at"])
def test_null_is_what_another_tool_writes_for_not_yet(name):
    block = {"verification_status": "pending", "attempts": [], "last_attempt_timestamp": None, name: None}
    state = read(usage_api_reconciliation=block).state
    assert (state.verified_at, state.reconciled_at, state.observations) == (None, None, ())


PARTIAL_READ = {"timestamp": "2026-01-05T15:00:00Z", "total_tokens_in": 50, "total_tokens_out": 5}
WHOLE_READ = PARTIAL_READ | {"timestamp": "2026-01-05T16:00:00Z", "total_cached_tokens": 12, "total_api_calls": 3}


@pytest.mark.parametrize(
    ("attempts", "figure", "unknown"),
    [
        ([PARTIAL_READ], Usage(50, 5, 0, 0), {"cached_tokens", "api_calls"}),
        ([PARTIAL_READ, WHOLE_READ], Usage(50, 5, 12, 3), set()),
        ([PARTIAL_READ, WHOLE_READ | {"total_tokens_in": 60}], Usage(50, 5, 0, 0), {"cached_tokens", "api_calls"}),
        ([PARTIAL_READ, WHOLE_READ | {"total_api_calls": None}], Usage(50, 5, 0, 0), {"cached_tokens", "api_calls"}),
    ],
    ids=["alone", "before a whole read of the same", "before one of more", "before one that lacks calls"],
)
def test_what_another_tool_left_out_is_unknown_until_a_whole_read_of_the_same_tells(attempts, figure, unknown):
    block = {"verification_status": "verified", "attempts": attempts}
    state = read(usage_api_reconciliation=block, aggregate_metrics={"TOK_IN": 50, "TOK_OUT": 5}).state
    first = state.observations[0]
    assert (first.figure, set(first.unknown)) == (figure, unknown)
    assert (state.figure, set(state.unknown)) == (figure, unknown)


def test_the_oldest_tools_block_brings_nothing_but_its_figures():
    block = {"reconciled_at": "2026-01-05T15:00:00Z", "total_tokens_in": 50, "bounds": "wide", "reported": 7}
    (only,) = read(usage_api_reconciliation=block).state.observations
    assert (only.figure.tokens_in, only.bounds, only.reported) == (50, None, only.figure)
