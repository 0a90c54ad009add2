"""Every file named metrics.json is counted once: as a run's, as one at another depth, or as one that git ignores."""

import pytest

from reconcile.runs.census import Census, census_json, census_of

RUN, DEEP, LOST = "runs/a/1/metrics.json", "runs/a/1/2/metrics.json", "runs/metrics.json"


@pytest.mark.parametrize(
    ("placed", "elsewhere", "ignored", "said"),
    [
        ([RUN] * 11, [DEEP, LOST], [], "13 files named metrics.json: 11 runs, 2 at another depth"),
        ([RUN, "x"], [], ["x"], "2 files named metrics.json: 1 run, 1 ignored by git"),
        ([RUN], [DEEP, LOST], [LOST], "3 files named metrics.json: 1 run, 1 at another depth, 1 ignored by git"),
        ([], [DEEP], [], "1 file named metrics.json: 0 runs, 1 at another depth"),
    ],
    ids=["at another depth", "ignored", "ignored at another depth counts once", "no run at all"],
)
def test_the_line_adds_up(placed, elsewhere, ignored, said):
    line = census_of(placed, elsewhere, ignored).line
    assert line.split("; ")[0] == said
    assert all(path in line for path in [*elsewhere, *ignored])


def test_where_every_file_is_a_runs_there_is_nothing_to_say():
    assert census_of([RUN], []).line is None


def test_of_many_places_three_are_shown_and_none_can_steer_a_terminal():
    line = Census(elsewhere=("runs/\x1b[31m/metrics.json", *(f"runs/{n}/metrics.json" for n in range(9)))).line
    assert "\x1b" not in line
    assert line.endswith("runs/1/metrics.json and 7 more")


def test_the_census_as_json():
    assert census_json(census_of([RUN], [DEEP, LOST], [LOST])) == {"runs": 1, "elsewhere": 1, "ignored": 1}
