"""How far the provider's figures are for one run, beside how far they are for others."""

from dataclasses import replace

import pytest
from support.runs import KEY, SCOPE, WIDE, WINDOW, Tale, after, buckets

from reconcile.attribution.attribute import attribute
from reconcile.attribution.guard import Feed, Feeds
from reconcile.minutes import MINUTE
from reconcile.runs.run import Claim, OwnScope
from reconcile.runs.state import Policy
from reconcile.usage import Bucket, Usage
from reconcile.verdict.settlement import settle

CLAIM = Claim(KEY, SCOPE, WINDOW)
NEWER = Bucket(WINDOW.end + 30 * MINUTE, Usage(7, 7, 0, 1), "key_other", "o3-2025-04-16")
"""Another key's usage from after the run."""


def row(minute, *, model="gpt-4o-mini-2024-07-18", key="key_a", usage=Usage(7, 7, 0, 1)):  # noqa: B008  a frozen value
    return Bucket(WINDOW.start + minute * MINUTE, usage, key, model)


@pytest.mark.parametrize(
    ("newest", "own", "stalled"),
    [
        pytest.param(10, 8, False, id="its own reach its last two minutes"),
        pytest.param(10, 7, True, id="its own end before that, and others are further"),
        pytest.param(9, 7, False, id="nobody is further than its end"),
        pytest.param(10, None, False, id="nothing of its own"),
        pytest.param(None, None, False, id="nothing at all"),
    ],
)
def test_a_feed_is_stalled_where_others_have_left_it_behind(newest, own, stalled):
    at = [None if minute is None else WINDOW.start + minute * MINUTE for minute in (newest, own)]
    assert Feed(newest=at[0], own=at[1]).stalled(CLAIM) is stalled


@pytest.mark.parametrize(
    ("rows", "newest", "expected"),
    [
        pytest.param([row(3)], 12, (3, ()), id="its newest minute"),
        pytest.param([row(3), row(5, key="key_b")], 12, (3, ()), id="of its own traffic"),
        pytest.param([row(3), row(5, usage=Usage())], 12, (3, ()), id="that holds usage"),
        pytest.param([row(3), row(-9, model="o3")], 12, (3, ("o3",)), id="a model that was used before it only"),
        pytest.param([row(3), row(-9, model="o3")], 9, (3, ()), id="which says nothing while nobody is further"),
        pytest.param([row(3), row(-9, model=None)], 12, (3, ()), id="nor where no model is named"),
        pytest.param([row(-9, model="o3"), row(2, model="o3")], 12, (2, ()), id="nor once it is used again"),
        pytest.param([], 12, (None, ()), id="nothing"),
    ],
)
def test_what_is_seen_of_a_run_s_traffic(rows, newest, expected):
    feed = Feeds(rows, WINDOW.start + newest * MINUTE).of(CLAIM)
    own = None if expected[0] is None else WINDOW.start + expected[0] * MINUTE
    assert (feed.own, feed.silent) == (own, expected[1])


OLDER = row(-90, model="o3-2025-04-16")
"""Usage of another model with the run's key, from further before it than is watched."""


# ----------------------------------------------------------------------------------------------------- its verdict


class Fed(Tale):
    """The run's tale, told while other keys' usage is there as well."""

    def fed(self, clock, shown, *others, models=None):
        run = self.run
        run = replace(run, own_scope=OwnScope(models=models)) if models else run
        claim = Claim(KEY, SCOPE, run.window, run.recorded)
        read = attribute([claim], [*buckets(shown), *others], [WIDE]).by_run[KEY]
        return self._write(run, settle(run, read, after(clock), Policy()).verdict)


LAST = "100 . . . . . . . . 50"


@pytest.mark.parametrize(
    ("shown", "others", "models", "expected"),
    [
        pytest.param("100", [NEWER], None, "pending: stalled_feed", id="its key lags behind"),
        pytest.param(LAST, [NEWER], None, "verified: stable", id="its key is up to date"),
        pytest.param("100", [], None, "verified: stable", id="nobody is further"),
        pytest.param(LAST, [NEWER, OLDER], None, "pending: stalled_feed", id="a model of its key is silent"),
        pytest.param(LAST, [OLDER], None, "verified: stable", id="which says nothing while nobody is further"),
        pytest.param(LAST, [], ("gpt-4o-mini", "o3"), "pending: stalled_feed", id="a model that it names is not there"),
        pytest.param(LAST, [], ("gpt-4o-mini",), "verified: stable", id="all that it names are"),
    ],
)
def test_an_assumed_verdict_waits_for_a_feed_that_lags_until_the_run_is_four_hours_old(shown, others, models, expected):
    tale = Fed()
    told = [tale.fed(clock, shown, *others, models=models) for clock in ("00:30", "01:30", "04:00")]
    assert told == ["pending: first_read", expected, "-" if expected == "verified: stable" else "verified: stable"]


def test_counts_that_agree_wait_for_a_model_that_is_silent_and_not_for_the_key():
    tale, other = Fed(recorded_usage={"api_calls": 1}), Fed(recorded_usage={"api_calls": 1})
    assert [tale.fed(clock, "100", NEWER) for clock in ("00:30", "01:30")][-1] == "verified: stable"
    assert [other.fed(clock, "100", NEWER, OLDER) for clock in ("00:30", "01:30")][-1] == "pending: stalled_feed"


def test_a_run_whose_calls_and_tokens_are_there_waits_for_nothing():
    record = {"tokens_in": 100, "tokens_out": 10, "cached_tokens": 25, "api_calls": 1}
    tale = Fed(recorded_usage=record)
    assert [tale.fed(clock, "100", NEWER, OLDER) for clock in ("00:30", "01:30")][-1] == "verified: stable"
