"""What is still waited for, and how a folder ends where nothing is."""

import pytest
from support.runs import after, neighbour, run_after

from reconcile.errors import StoreError
from reconcile.passes.selection import Selection
from reconcile.passes.summary import RunReport, Summary, awaited, ending
from reconcile.runs.run import Finding
from reconcile.runs.state import Policy

UNREAD, PENDING, VERIFIED = run_after(), run_after("00:45"), run_after("00:45", "01:45")
WARNED = run_after("00:45", "01:45", shown="100 2x200", neighbours=[neighbour("b", 1, 12)])


def summary(run, selection=Selection.DUE, **members):
    report = RunReport(run=run, selection=selection)
    return Summary(now=after("02:00"), policy=Policy(), discovered=1, runs=(report,), **members)


@pytest.mark.parametrize(
    ("run", "selection", "waits"),
    [
        pytest.param(UNREAD, Selection.TOO_YOUNG, True, id="too young"),
        pytest.param(UNREAD, Selection.DUE, True, id="could not be read"),
        pytest.param(UNREAD, Selection.NOT_ENDED, True, id="not ended"),
        pytest.param(UNREAD, Selection.PAST_CUTOFF, False, id="never read and past the cutoff"),
        pytest.param(PENDING, Selection.DUE, True, id="read once"),
        pytest.param(PENDING, Selection.LAST_READ, True, id="past the cutoff, its last read failed"),
        pytest.param(VERIFIED, Selection.DUE, False, id="verified"),
        pytest.param(WARNED, Selection.DUE, False, id="warning"),
    ],
)
def test_a_run_is_awaited_while_a_pass_may_still_settle_it(run, selection, waits):
    assert bool(awaited(summary(run, selection))) is waits


def test_a_folder_ends_well_where_every_run_is_verified():
    assert ending(summary(VERIFIED)) == 0


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(summary(WARNED), id="a warning"),
        pytest.param(summary(UNREAD, Selection.PAST_CUTOFF), id="a run that was never read"),
        pytest.param(summary(VERIFIED, findings=(Finding("a", 1, 1, "", "is broken"),)), id="a file that is not valid"),
    ],
)
def test_a_folder_ends_badly_with(found):
    assert ending(found) == 1


def test_a_file_that_could_not_be_read_is_told_by_its_own_exit_code():
    error = StoreError("a: cannot be read", code="unreadable_file", remedy="look")
    assert ending(summary(WARNED, errors=(error,))) == 3
