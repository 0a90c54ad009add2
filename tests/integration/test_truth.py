"""The truth benchmark on a small scale: whole passes over worlds whose truth is known, a handful of its cells.

RECONCILE_TEST_SCALE=10 lives through ten times as many runs.
"""

import json

import pytest
from support.worlds import SCALE

from benchmarks.truth import resumed
from benchmarks.truths.bills import summed
from benchmarks.truths.cells import Block, Cell, blocks, cells, matching
from benchmarks.truths.days import day
from benchmarks.truths.fates import Fate, Grade, Track, faults, grade_of
from benchmarks.truths.passes import lived
from benchmarks.truths.tables import Row, held, report
from benchmarks.truths.worlds import WORLDS, Assumption

RUNS = int(24 * SCALE)
"""Of each cell, at least."""

SOUND = (
    "calm/nothing/own key",
    "calm/counts/gap",
    "calm/complete log/chain",
    "skew 5/totals/gap",
    "skew 30/complete log/own key",
    "foreign in the next minute/nothing/alone",
    "foreign beside/counts/alone",
    "foreign 0.1/totals/own key",
    "ghost calls/complete log/own key",
    "over-reads/totals/sparse",
    "lag: stalls, weather, late calls/counts/alone",
    "lag: stalls, foreign, weather, late calls/complete log/overlap 1",
    "skew 30/nothing/own key",
    "skew 30/nothing/gap",
    "skew 30/counts/gap",
    "foreign batch/nothing/alone",
    "tokens late/totals/own key",
    "over-reads/nothing/sparse",
    "local time, UTC+2/nothing/alone",
    "skew 60/totals/chain",
)
"""Where nothing may be at fault."""


def outcomes(*patterns, runs=RUNS, seed=2):
    return [lived(block) for pattern in patterns for cell in matching(pattern) for block in blocks([cell], runs, seed)]


@pytest.fixture(scope="module")
def sound():
    return outcomes(*SOUND)


def test_nothing_is_wrong_or_misses_where_what_it_rests_on_is_so(sound):
    flaws = {outcome.block.name: Row(title=(), outcomes=(outcome,)).faults for outcome in sound}
    assert {name: count for name, count in flaws.items() if count} == {}
    assert held(sound)


def test_most_of_these_runs_are_verified(sound):
    """Who says nothing is never wrong."""
    row = Row(title=(), outcomes=tuple(sound))
    assert row.verified > len(row.fates) / 2
    assert {fate.grade for fate in row.fates if fate.grade} == {"proven", "supported", "assumed"}


def test_passes_over_these_worlds_end_without_an_error(sound):
    assert sum(outcome.errors for outcome in sound) == 0


def test_the_seeds_rule_is_wrong_on_the_same_data(sound):
    """Else the worlds would be too tame to show anything."""
    assert any(fate.seeds == "wrong" for outcome in sound for fate in outcome.fates)


def test_a_figure_that_rests_on_nothing_recorded_is_wrong_where_the_key_is_not_closed_and_says_so():
    fates = [fate for outcome in outcomes("unlisted run/nothing/own key", runs=36) for fate in outcome.fates]
    assert not any(fate.hidden for fate in fates)
    wrong = [fate for fate in fates if fate.wrong]
    assert {fate.wrong for fate in wrong} <= {"assumed"}
    assert all("closed_key" in fate.stated for fate in wrong)


def test_the_truth_is_what_a_runs_own_calls_are_billed_at():
    """Late, raised or unrecorded, and of however many sessions; nobody else's, and nothing that was never billed."""
    for name in WORLDS:
        today = day(Block(cell=Cell(world=name, records="counts", sharing="gap"), runs=2, seed=3, number=0))
        for life in today.lives:
            billed = [call for call in life.run.calls if call.billed]
            assert life.truth[3] == len(billed)
            assert life.truth[0] >= sum(call.tokens[0] for call in billed)


def test_all_that_was_billed_shows_in_the_end_and_nothing_before_it_was_booked():
    today = day(Block(cell=Cell(world="calm", records="counts", sharing="chain"), runs=12, seed=3, number=0))
    first, last = min(life.run.start for life in today.lives), max(life.run.end for life in today.lives)
    shown = today.bill.shown(int(first) - 60, int(last) + 120, max(today.changes))
    assert summed(each.amount for each in shown) == summed(life.truth for life in today.lives)
    assert list(today.bill.shown(0, int(last) + 120, first)) == []


def test_a_machine_whose_clock_is_off_writes_its_own_time_and_may_say_how_far():
    written = {}
    for world in ("calm", "skew 30"):
        cell = Cell(world=world, records="complete log", sharing="gap", clock=True)
        lives = day(Block(cell=cell, runs=3, seed=1, number=0)).lives
        written[world] = [json.loads(life.metrics) for life in lives]
    ahead = [
        off["end_timestamp"] - right["end_timestamp"]
        for off, right in zip(written["skew 30"], written["calm"], strict=True)
    ]
    assert {round(abs(seconds)) for seconds in ahead} == {30}
    assert len({round(seconds) for seconds in ahead}) == 1
    stated = [off["clock"]["offset_seconds"] for off in written["skew 30"]]
    assert all(abs(seconds + by) <= 1.001 for seconds, by in zip(ahead, stated, strict=True))


@pytest.mark.parametrize(
    ("block", "grade"),
    [
        ({"proof": "supported", "completeness": "calls_and_tokens_matched"}, Grade.SUPPORTED),
        ({"completeness": "calls_and_tokens_matched"}, Grade.PROVEN),
        ({"completeness": "calls_matched"}, Grade.SUPPORTED),
        ({"completeness": "assumed"}, Grade.ASSUMED),
        ({}, Grade.ASSUMED),
    ],
)
def test_a_grade_is_the_blocks_own_or_follows_from_its_completeness(block, grade):
    assert grade_of(block) is grade


CLOSED, LATE = Assumption.CLOSED_KEY, Assumption.USAGE_COMPLETE


@pytest.mark.parametrize(
    ("breaks", "fate", "count"),
    [
        ((), Fate(grade="assumed", wrong="assumed"), 1),
        ((CLOSED,), Fate(grade="assumed", wrong="assumed"), 0),
        ((CLOSED,), Fate(grade="supported", wrong="supported"), 1),
        ((CLOSED, LATE), Fate(grade="supported", wrong="supported"), 0),
        ((CLOSED, LATE), Fate(grade="proven", wrong="proven"), 1),
        ((CLOSED,), Fate(grade="proven", wrong="proven", stated=("closed_key",)), 0),
        ((CLOSED, LATE), Fate(missed=True), 0),
        ((), Fate(missed=True), 1),
        ((), Fate(grade="proven", hidden=True), 1),
        ((), Fate(grade="proven"), 0),
    ],
)
def test_a_verdict_is_at_fault_unless_something_that_it_rests_on_is_broken(breaks, fate, count):
    assert faults("counts", frozenset(breaks), [fate]) == count


def test_a_file_is_held_against_the_truth_after_every_pass():
    track = Track(truth=(10, 2, 0, 1), end=0)
    figure = {"total_tokens_in": 10, "total_tokens_out": 2, "total_cached_tokens": 0, "total_api_calls": 1}
    verified = {"verification_status": "verified", "reasons": ["stable"], "completeness": "calls_matched"}
    exact = {"attribution": {"exact": True}}
    track.look(_file({**verified, **exact, **figure}), 7200)
    track.look(_file({**exact, **figure, "total_tokens_in": 20, "verification_status": "failed", "reasons": []}), 9000)
    fate = track.fate()
    assert (fate.grade, fate.hours, fate.wrong, fate.missed, fate.lost) == ("supported", 2.0, "", True, True)


def _file(block):
    return json.dumps({"usage_api_reconciliation": block}).encode()


def test_a_count_that_was_broken_off_goes_on_where_it_was(tmp_path):
    work = blocks(matching("calm/counts/*"), 8, 1)
    state = tmp_path / "state.ndjson"
    first = resumed(work[:2], 1, state)
    state.write_text(state.read_text() + '{"block": "torn')
    written = state.read_text()
    again = resumed(work, 1, state)
    assert again[:2] == first
    assert state.read_text().startswith(written)
    assert len(again) == len(work)
    assert list(report(again)) == list(report(resumed(work, 1, None)))


def test_every_world_has_cells_and_their_names_are_their_own():
    every = list(cells())
    assert {cell.world for cell in every} == set(WORLDS)
    assert len({cell.name for cell in every}) == len(every)


def test_recorded_totals_and_logs_verify_whatever_the_clock_and_the_sharing():
    """Up to a minute off, with nothing foreign: those that follow each other without a pause, too."""
    fates = [
        fate
        for outcome in outcomes("skew 60/totals/gap", "skew 60/complete log/chain", "skew 30/totals/overlap 1", runs=24)
        for fate in outcome.fates
    ]
    assert {fate.grade for fate in fates} == {"proven"}
    assert not any(fate.wrong or fate.missed for fate in fates)
