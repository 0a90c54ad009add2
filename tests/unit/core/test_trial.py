"""A back-test of many runs: counts, waits, and policies that the kept reads cannot answer."""

from dataclasses import replace
from datetime import timedelta

import jsonschema
import pytest
from support.runs import Tale, after, neighbour, theirs

from reconcile import schemas
from reconcile.errors import UsageError
from reconcile.insight.history import LeftOut, Origin
from reconcile.insight.replay import ReplayEnding, Unanswerable
from reconcile.insight.trial import at_share, backtest_json, backtest_of, described
from reconcile.runs.run import RunKey
from reconcile.runs.state import Policy

NOW = after("30:00")
PRESENT = Policy()
ONE_READ = Policy(min_stable_verifications=1)


def told(*reads, name="a", **members):
    tale = Tale(**members)
    for read in reads:
        tale.read(*read.split(" ", 1))
    return replace(tale.run, key=RunKey("chatdev", name))


VERIFIED = told("00:31 100", "01:31 100")
SLOWER = told("00:41 100", "02:41 100", name="b")
RISEN = told("00:31 100", "01:31 200", "02:31 200", name="c")
SHARED = told("00:31 100", "01:31 100", name="d", neighbours=[neighbour("x", 1, 12)])
OPEN = told("00:31 100", name="e")
UNREAD = told(name="f")
ANOTHER = told(name="g", **theirs(("00:31", 100), ("01:31", 100), status="verified"))


def test_two_policies_stand_side_by_side():
    found = backtest_of([VERIFIED, SLOWER, RISEN, SHARED, OPEN, UNREAD], PRESENT, ONE_READ, NOW)
    (trial,) = found.trials
    assert (trial.origin, trial.runs, trial.answered, trial.refused) == (Origin.OURS, 5, 4, None)
    assert trial.unanswered.count(Unanswerable.SHARED) == 1
    assert (trial.present.count(ReplayEnding.VERIFIED), trial.present.count(ReplayEnding.OPEN)) == (3, 1)
    assert (trial.tried.count(ReplayEnding.VERIFIED), trial.tried.count(ReplayEnding.WARNING)) == (3, 1)
    assert ([str(each.key) for each in trial.tried.early], trial.tried.restated) == (["chatdev/c"], 1)
    assert trial.present.early == ()
    assert [wait.total_seconds() / 60 for wait in trial.present.waits] == [91, 151, 161]
    assert [change.total_seconds() / 60 for change in trial.changes] == [-120, -120, -60]
    assert found.left_out[LeftOut.UNREAD] == 1


def test_the_document_is_as_its_schema_says():
    for runs in ([VERIFIED, RISEN, ANOTHER, OPEN], [OPEN], []):
        document = backtest_json(backtest_of(runs, PRESENT, ONE_READ, NOW))
        jsonschema.validate(document, schemas.load("backtest"))
        assert len(document["trials"]) == (2 if ANOTHER in runs else 1 if runs else 0)


SPANS = [timedelta(minutes=number) for number in (1, 2, 3, 4)]


@pytest.mark.parametrize(("share", "minutes"), [(0.5, 2), (0.51, 3), (0.95, 4), (0, 1)])
def test_a_share_is_reached_at_a_span_that_occurred(share, minutes):
    assert at_share(SPANS, share) == timedelta(minutes=minutes)
    assert at_share([], share) is None


REFUSED = {
    "a shorter interval": (
        Policy(verification_interval=timedelta(minutes=10)),
        "verification-interval 10 min: equal reads of 2 of 2 runs were made or kept only 30 min apart or more",
        "try 30 min or longer",
    ),
    "a lower min age": (
        Policy(min_age=timedelta(minutes=10)),
        "min-age 10 min: 2 of 2 runs were not read before an age of 30 min",
        "try 30 min or more",
    ),
    "more reads": (
        Policy(min_stable_verifications=3),
        "3 equal reads 30 min apart, from 30 min to 1,440 min: the kept reads of 2 of 2 runs end",
        "try a policy that concludes no later",
    ),
    "a cutoff below the min age": (
        Policy(min_age=timedelta(minutes=60), max_age=timedelta(minutes=45)),
        "max-age 45 min is below min-age 60 min",
        "give a --max-age above --min-age",
    ),
}


@pytest.mark.parametrize(("policy", "message", "remedy"), REFUSED.values(), ids=REFUSED)
def test_a_policy_that_the_reads_cannot_answer_is_refused(policy, message, remedy):
    with pytest.raises(UsageError) as caught:
        backtest_of([VERIFIED, RISEN], PRESENT, policy, NOW)
    assert caught.value.message.startswith(message)
    assert caught.value.remedy.startswith(remedy)


def test_a_minority_that_the_policy_picked_does_not_answer_for_the_others():
    """Under three reads only what was read often is answered: two of the three runs are not."""
    often = told("00:31 100", "01:31 200", "02:31 300", name="h")
    three = Policy(min_stable_verifications=3)
    with pytest.raises(UsageError, match="of 2 of 3 runs end"):
        backtest_of([VERIFIED, SLOWER, often], PRESENT, three, NOW)


def test_one_origin_that_cannot_answer_does_not_keep_the_other_from_it():
    often = told(name="i", **theirs(("00:31", 100), ("00:41", 100), ("01:41", 100), status="verified"))
    found = backtest_of([VERIFIED, often], PRESENT, Policy(verification_interval=timedelta(minutes=10)), NOW)
    assert [trial.refused for trial in found.trials] == [Unanswerable.INTERVAL, None]


def test_runs_that_the_present_policy_cannot_answer_are_compared_with_nothing():
    """They were read under a longer interval than today's."""
    rarely = told("00:31 100", "02:31 100", policy=Policy(verification_interval=timedelta(minutes=90)), name="j")
    (trial,) = backtest_of([VERIFIED, rarely], PRESENT, ONE_READ, NOW).trials
    assert (trial.answered, trial.unanswered.count(Unanswerable.INTERVAL)) == (1, 1)


def test_a_policy_in_words():
    assert described(PRESENT) == "2 equal reads 30 min apart, from 30 min to 1,440 min"
    assert described(ONE_READ) == "1 read, from 30 min to 1,440 min"
