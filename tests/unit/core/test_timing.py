"""When a run was complete, as far as its kept reads tell."""

from math import inf

import pytest
from support.runs import Tale, theirs

from reconcile.insight.history import histories, timing_of
from reconcile.runs.state import Policy

CALLS = {"recorded_usage": {"api_calls": 2}}

STORIES = {
    "complete when first read": (["00:31 100", "01:31 100"], {}, (0, 31, 31, 91)),
    "read once": (["00:31 100"], {}, (0, None, 31, 31)),
    "nothing at first": (["00:31 0", "01:31 100", "02:31 100"], {}, (31, 91, 31, 151)),
    "a part at first": (["00:31 100", "01:31 200", "02:31 200"], {}, (31, 91, 31, 151)),
    "risen, and not confirmed": (["00:31 100", "01:31 200"], {}, (31, None, 31, 91)),
    "verified too early": (["00:31 100", "01:31 100", "05:31 200", "06:31 200"], {}, (91, 331, 31, 391)),
    "a dip after the figure": (["00:31 200", "01:31 100", "02:31 200", "03:31 200"], {}, (0, 31, 31, 151)),
    "half a minute more or less": (["00:31:30 0", "01:31:30 100", "02:31:30 100"], {}, (31, 92, 32, 151.5)),
    "twice within a minute": (["00:31:10 0", "00:31:20 100", "01:31:20 100"], {}, (31, 32, 32, 91 + 1 / 3)),
    "calls missing": (["00:31 100", "01:31 100"], CALLS, (91, None, 31, inf)),
    "calls missing, not stable": (["00:31 100"], CALLS, (31, None, 31, 31)),
    "calls missing to the end": (["00:31 100", "01:31 100", "24:31 100"], CALLS, (1471, None, 31, inf)),
    "all calls in": (["00:31 100", "01:31 2x100", "02:31 2x100"], CALLS, (31, 91, 31, 151)),
    "no usage where calls were recorded": (["00:31 0"], CALLS, (31, None, 31, 31)),
    "forced, the same": (["00:31 100", "01:31 100", "05:00 100 forced"], {}, (0, 31, 31, 300)),
    "read before its last minute was over": (["-00:01 100", "01:31 100"], {}, (0, 1, 1, 91)),
}


def told(reads, members):
    tale = Tale(**members)
    for read in reads:
        clock, shown = read.removesuffix(" forced").split(" ", 1)
        clock = clock if clock[0] != "-" else "00:00"
        tale.read(clock, shown, forced=read.endswith("forced"))
    return tale.run


@pytest.mark.parametrize(("reads", "members", "expected"), STORIES.values(), ids=STORIES)
def test_the_interval(reads, members, expected):
    ((history,), _) = histories([told(reads, members)])
    timing = timing_of(history, Policy())
    assert (timing.complete.after, timing.complete.by, timing.first, timing.last) == pytest.approx(expected)
    assert timing.final == (expected[1] is not None)


@pytest.mark.parametrize(
    ("members", "shown", "proven"), [(CALLS, "2x100", True), ({}, "2x100", False)], ids=["recorded", "not recorded"]
)
def test_a_figure_is_proven_by_recorded_calls(members, shown, proven):
    ((history,), _) = histories([told([f"00:31 {shown}", f"01:31 {shown}"], members)])
    assert timing_of(history, Policy()).proven is proven


def test_reads_minutes_apart_make_no_figure_final_though_another_tool_verified_it():
    run = told([], theirs(("00:06", 100), ("00:08", 100), status="verified"))
    ((history,), _) = histories([run])
    assert timing_of(history, Policy()).complete.by is None
