"""The reporting lag, held against worlds whose lag is known."""

from collections import Counter
from dataclasses import replace
from math import inf

import jsonschema
import pytest
from support.lags import LAGS, world
from support.runs import END, Tale, after, theirs
from support.worlds import seeds

from reconcile import schemas
from reconcile.insight.history import LeftOut, Origin, Timing, histories, timing_of
from reconcile.insight.lag import AGES, CONFIDENCE, SHARES, band, lag_json, lag_of
from reconcile.insight.turnbull import Interval, estimate, share_by
from reconcile.runs.state import Policy

NOW = after("30:00")


def told(runs):
    return lag_of(runs, Policy(), NOW)


def held(curve, lag):
    """Whether the truth lies inside the whole band, and every quantile's."""
    points = all(
        point.low <= lag.complete_by(point.age) <= point.high for point in curve.points if point.low is not None
    )
    low = all(each.low is None or lag.complete_by(each.low) < each.share for each in curve.quantiles)
    high = all(each.high is None or lag.complete_by(each.high) >= each.share for each in curve.quantiles)
    return points and low and high


@pytest.mark.parametrize("counts", [True, False], ids=["calls recorded", "nothing recorded"])
@pytest.mark.parametrize("lag", LAGS.values(), ids=LAGS)
def test_the_truth_lies_inside_the_band_at_the_stated_rate(lag, counts):
    """Settled runs are read on for a day here: what comes after the last read of a run, its file cannot tell."""
    worlds = list(seeds(20))
    outside = [seed for seed in worlds if not held(told(world(seed, lag, 30, counts=counts)).curves[0], lag)]
    assert len(outside) <= len(worlds) * (1 - CONFIDENCE), f"outside in worlds {outside}"


def test_frequent_passes_keep_few_of_their_reads_and_the_band_still_holds():
    """Every ten minutes: most reads that lacked something are equal ones and not kept, so intervals are too wide."""
    lag = LAGS["stalls"]
    worlds = list(seeds(10))
    outside = [seed for seed in worlds if not held(told(world(seed, lag, 30, counts=True, interval=10)).curves[0], lag)]
    assert outside == []


def test_a_clean_feed_read_often_enough_is_known_well():
    (curve,) = told(world(1, LAGS["clean"], 200, counts=True)).curves
    by_share = {each.share: each for each in curve.quantiles}
    assert (by_share[0.9].age, by_share[0.9].high) == (curve.youngest, 60)
    assert by_share[0.95].high <= 75
    assert by_share[0.99].age is None
    assert by_share[0.99].runs_needed == 649


@pytest.mark.parametrize("counts", [True, False], ids=["calls recorded", "nothing recorded"])
@pytest.mark.parametrize("interval", [60, 20, 10], ids=["hourly passes", "every 20 minutes", "every 10 minutes"])
def test_the_estimate_comes_close_where_many_runs_tell(interval, counts):
    """Where equal reads are no longer kept it ends, and does not run ahead of the truth."""
    lag = LAGS["slower than the first read"]
    runs = [timing_of(each, Policy()) for each in histories(world(1, lag, 300, counts=counts, interval=interval))[0]]
    masses = estimate(Counter(each.independent for each in runs))
    ahead = {age: share_by(masses, age) - lag.complete_by(age) for age in (45, 60, 90, 120, 150, 180)}
    assert [ahead[45], ahead[60]] == pytest.approx([0, 0], abs=0.1)
    assert max(ahead.values()) < 0.1


def test_where_the_estimate_has_ended_the_band_stands_alone():
    (curve,) = told(world(1, LAGS["slower than the first read"], 100, counts=True, interval=10)).curves
    by_age = {point.age: point for point in curve.points}
    assert by_age[45].share is not None
    assert by_age[120].share is None
    assert 0 < by_age[120].low < by_age[120].high
    assert curve.quantiles[SHARES.index(0.5)].age is None


def timing(after_age, by, first, last):
    interval = Interval(after_age, by)
    return Timing(complete=interval, independent=interval, first=first, last=last)


def test_nothing_is_claimed_below_the_youngest_read_nor_where_no_run_tells():
    points = band([timing(0, 31, 31, 91)] * 5 + [timing(0, 300, 300, 400)], ())
    known = {point.age for point in points if point.share is not None}
    assert known == {45, 60, 75, 90, 360}
    assert {point.age for point in points} == set(AGES)
    assert all((point.low, point.high, point.runs) == (None, None, 0) for point in points if point.age not in known)


def test_the_band_never_turns_back():
    points = band([timing(0, 31, 31, 91)] * 50 + [timing(200, 300, 31, 400)] * 20 + [timing(0, None, 31, inf)], ())
    lows = [point.low for point in points if point.low is not None]
    highs = [point.high for point in points if point.high is not None]
    assert (lows, highs) == (sorted(lows), sorted(highs))
    assert all(point.low <= point.share <= point.high for point in points if point.share is not None)


def test_a_run_that_still_waits_counts_against_completeness():
    done = [timing(0, 31, 31, 91)] * 50
    without = band(done, ())[8].low
    assert band([*done, timing(91, None, 31, inf)], ())[8].low < without


def test_slow_runs_raise_the_lower_end_of_the_quantile():
    (curve,) = told(world(1, LAGS["slower than the first read"], 300, counts=True)).curves
    half = curve.quantiles[SHARES.index(0.5)]
    assert (half.low, half.high) == (60, 240)


def test_reads_of_another_tool_are_told_apart():
    mine, others = Tale(), Tale(**theirs(("00:30", 100), ("01:30", 100)))
    mine.read("00:40", "100")
    found = told([mine.run, others.run])
    assert [(curve.origin, len(curve.timings), curve.reads) for curve in found.curves] == [
        (Origin.OURS, 1, 1),
        (Origin.ANOTHER_TOOL, 1, 2),
    ]


def test_no_run_no_curve():
    assert told([]).curves == ()
    assert told([Tale().run]).left_out[LeftOut.UNREAD] == 1


def test_runs_that_tell_nothing_of_completeness_make_no_quantile():
    tale = Tale()
    tale.read("00:31", "100")
    (curve,) = told([tale.run]).curves
    assert {(each.age, each.low, each.high) for each in curve.quantiles} == {(None, None, None)}
    assert (curve.final, curve.youngest, curve.days) == (0, 31, 1)


def test_days_are_those_on_which_runs_ended():
    tale = Tale()
    tale.read("00:31", "100")
    later = replace(tale.run, ended_at=END.replace(day=9))
    assert told([tale.run, tale.run, later]).curves[0].days == 2


def test_the_document_is_as_its_schema_says():
    document = lag_json(told(world(1, LAGS["slow tail"], 20, counts=True)))
    jsonschema.validate(document, schemas.load("lag"))
    (curve,) = document["curves"]
    assert (curve["runs"], curve["final"], curve["proven"]) == (20, 20, 20)
    assert [each["share"] for each in curve["quantiles"]] == list(SHARES)
