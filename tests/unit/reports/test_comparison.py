"""`backtest` as text, compared whole."""

from dataclasses import replace
from datetime import timedelta
from textwrap import dedent

from support.runs import Tale, after, neighbour, theirs

from reconcile.errors import StoreError
from reconcile.insight.trial import backtest_of
from reconcile.report.lag_text import backtest_text
from reconcile.report.phrases import painter
from reconcile.runs.run import RunKey
from reconcile.runs.state import Policy

PLAIN = painter(colour=False)
ONE_READ = Policy(min_stable_verifications=1)


def run(*reads, name="a", **members):
    tale = Tale(**members)
    for read in reads:
        tale.read(*read.split(" ", 1))
    return replace(tale.run, key=RunKey("chatdev", name))


def told(*runs, tried=ONE_READ, **facts):
    return backtest_text(replace(backtest_of(runs, Policy(), tried, after("30:00")), **facts), PLAIN, 100)


def text(value):
    return dedent(value).strip("\n")


def risen(name):
    return run("00:31 100", "01:31 200", "02:31 200", name=name)


def test_two_policies():
    shared = run("00:31 100", "01:31 100", name="d", neighbours=[neighbour("x", 1, 12)])
    said = told(run("00:31 100", "01:31 100"), risen("b"), risen("c\x1b"), risen("d"), risen("e"), shared, run())
    assert said == text("""
        present  2 equal reads 30 min apart, from 30 min to 1,440 min
        tried    1 read, from 30 min to 1,440 min

        Reads of our own
          5 of 6 runs answered
                                                 present         tried
          verified                                     5             1
          warning                                      0             4
          failed                                       0             0
          still open                                   0             0
          first read past the cutoff                   0             0
          time to verify, median              2 h 31 min        31 min
          time to verify, 95th percentile     2 h 31 min        31 min
          verified too early                           0             4
          restated                                     0             4
          5 runs verified under both; the median change is 2 h sooner.
          Verified too early, for a later read is higher: chatdev/b, chatdev/c\\x1b, chatdev/d and 1 more.
          Not answered: 1 run in shared minutes.

        Left out: 1 run never read.
    """)


def test_the_same_policy_changes_nothing():
    assert "1 run verified under both; the median change is none." in told(
        run("00:31 100", "01:31 100"), tried=Policy()
    )


def test_a_stricter_policy_is_later():
    slow = run("00:31 100", "02:31 100", "03:31 200", "05:31 200", "07:31 200")
    longer = Policy(verification_interval=timedelta(minutes=120))
    assert "0 runs" not in told(slow, tried=longer)


def test_an_origin_that_cannot_answer_says_why():
    often = run(name="g", **theirs(("00:31", 100), ("00:41", 100), ("01:41", 100), status="verified"))
    said = told(run("00:31 100", "01:31 100"), often, tried=Policy(verification_interval=timedelta(minutes=10)))
    assert "  Not answered: verification-interval 10 min: equal reads of 1 of 1 runs were made or kept only" in said
    assert "the median change is 1 h sooner." in said


def test_open_runs_only_and_what_could_not_be_read():
    error = StoreError("runs/a: no permission", code="unreadable_file", remedy="grant it")
    said = told(run("00:31 100"), tried=Policy(), errors=(error,), invalid=2)
    assert said.count(" -") >= 4
    assert said.endswith("Left out: 2 invalid files.\n\nunreadable_file: runs/a: no permission\n  grant it")


def test_no_runs():
    assert told().endswith("No run was read yet: nothing can be replayed.")
