"""Claims over minutes of a settled run that wait to be read."""

from dataclasses import replace

import pytest
from support.runs import WINDOW, Tale, neighbour, run_after, theirs

from reconcile.minutes import Window
from reconcile.runs.run import RunKey
from reconcile.verdict.judgement import Contest, contests

SETTLED = run_after("00:45", "01:45")
KNOWN = run_after("00:45", "01:45", neighbours=[neighbour("b", 9, 12)])
LATE = neighbour("b", 9, 12)
B = RunKey("chatdev", "b")


def minutes(*spans):
    return tuple(Window(WINDOW.start + 60 * first, WINDOW.start + 60 * end) for first, end in spans)


IN_TWO_SESSIONS = replace(neighbour("b", 0, 9), sessions=minutes((0, 2), (8, 9)))
WIDE = replace(SETTLED.state, reach_seconds=60.0, beyond_window=1)


@pytest.mark.parametrize(
    ("run", "claims", "found"),
    [
        pytest.param(SETTLED, [], (), id="nobody beside it"),
        pytest.param(SETTLED, [LATE], (Contest(B, minutes((9, 10))),), id="a claim that came late"),
        pytest.param(SETTLED, [neighbour("b", 10, 12)], (), id="a claim beside its minutes"),
        pytest.param(SETTLED, [IN_TWO_SESSIONS], (Contest(B, minutes((0, 2), (8, 9))),), id="in two sessions"),
        pytest.param(
            replace(SETTLED, state=WIDE),
            [neighbour("b", 10, 12)],
            (Contest(B, minutes((10, 11))),),
            id="a minute outside its window that the figure holds",
        ),
        pytest.param(KNOWN, [LATE], (), id="a claim that it was judged with"),
        pytest.param(run_after("00:45"), [LATE], (), id="not settled"),
        pytest.param(run_after(), [LATE], (), id="never read"),
        pytest.param(Tale(**theirs(("00:05", 50), status="verified")).run, [LATE], (), id="of another tool"),
    ],
)
def test_contests(run, claims, found):
    assert contests(run, claims) == found
