"""The truth benchmark on a small scale: whole passes over worlds whose truth is known, cell by cell.

RECONCILE_TEST_SCALE=10 lives through ten times as many runs.
"""

import pytest
from support.worlds import SCALE

from benchmarks.truth import held, of_cell, report, rows
from benchmarks.truths.cells import LOG, NOTHING, STALLS, Cell, blocks, cells
from benchmarks.truths.passes import lived

pytestmark = pytest.mark.no_cover

RUNS = max(4, int(4 * SCALE))
"""Of each cell: one a combination of weather and late calls, or more."""

FLAWLESS = [cell for cell in cells() if cell.flawless]
OTHERS = [cell for cell in cells() if not cell.flawless and cell.sharing == "own key" and cell.lag == STALLS]


def outcomes(*chosen, runs=RUNS, seed=2):
    return [lived(block) for cell in chosen for block in blocks(cell, runs, seed)]


@pytest.fixture(scope="module", params=sorted({cell.sharing for cell in FLAWLESS})[:: 1 if SCALE >= 10 else 3])
def flawless(request):
    return outcomes(*(cell for cell in FLAWLESS if cell.sharing == request.param))


def test_no_figure_is_wrong_and_no_interval_misses_where_nothing_is_assumed_that_is_not_so(flawless):
    flaws = {row.title: row.flaws for row in rows(flawless, lambda block: of_cell(block.cell)) if row.flaws}
    assert flaws == {}
    assert held(flawless)


def test_most_of_these_runs_are_verified(flawless):
    """Who says nothing is never wrong."""
    tracks = [track for outcome in flawless for track in outcome.tracks]
    assert sum(track.verified_after is not None for track in tracks) > len(tracks) / 4


def test_passes_over_these_worlds_end_without_an_error(flawless):
    assert sum(outcome.errors for outcome in flawless) == 0


def test_the_seeds_rule_is_wrong_on_the_same_data(flawless):
    """Else the worlds would be too tame to show anything."""
    assert any(track.seeds_wrong for outcome in flawless for track in outcome.tracks)


def test_a_verdict_that_assumes_something_says_so():
    """Late calls of runs that recorded nothing: some figures are wrong, and every one names what it assumed."""
    found = outcomes(*OTHERS)
    tracks = [track for outcome in found for track in outcome.tracks]
    assert not any(track.hidden for track in tracks)
    assumed = [track for outcome in found if outcome.block.cell.records == NOTHING for track in outcome.tracks]
    assert {track.rested_on for track in assumed if track.verified_after is not None} == {"assumed"}


@pytest.mark.long
def test_a_cell_has_as_many_runs_as_asked_for_and_the_same_ones_each_time():
    cell = Cell(records=LOG, foreign=0.1, sharing="overlap 2", lag="stalls")
    first, again = (outcomes(cell, runs=10, seed=5) for _ in range(2))
    assert sum(len(outcome.tracks) for outcome in first) >= 10
    assert list(report(first)) == list(report(again))
