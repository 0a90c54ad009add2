"""`lag` as text, compared whole."""

from dataclasses import replace
from textwrap import dedent

from support.runs import Tale, after, theirs

from reconcile.errors import StoreError
from reconcile.insight.lag import lag_of
from reconcile.report.lag_text import lag_text
from reconcile.report.phrases import painter
from reconcile.runs.state import Policy

PLAIN = painter(colour=False)


def told(*runs, width=100, **facts):
    return lag_text(replace(lag_of(runs, Policy(), after("30:00")), **facts), PLAIN, width)


def run(*reads, **members):
    tale = Tale(**members)
    for read in reads:
        tale.read(*read.split(" ", 1))
    return tale.run


def text(value):
    return dedent(value).strip("\n")


def test_a_curve_on_eighty_columns():
    runs = [run("00:31 100", "01:31 100")] * 150 + [run("00:31 0", "01:31 100", "02:31 100")] * 30
    said = told(*runs, width=80)
    assert said == text("""
        Reads of our own
          180 runs of 1 day, 390 kept reads. 180 figures final, 0 of them proven by
          recorded calls; 30 read before they were complete. Ages count from the end of
          a run's window; below the youngest read, at 31 min, nothing is known.

          25 % complete  at most 31 min    band up to 45 min
          50 % complete  at most 31 min    band up to 45 min
          75 % complete  at most 31 min    band up to 120 min
          90 % complete  not known: too few runs were complete when they were read
          95 % complete  not known: too few runs were complete when they were read
          99 % complete  not known: it takes 649 runs or more, and 180 are final

                age  complete            95% band    runs   0 %                   100 %
             45 min    83.3 %   73.6 % to 100.0 %     180  |                   ---o----|
             60 min    83.3 %   73.6 % to 100.0 %     180  |                   ---o----|
             75 min    83.3 %   73.6 % to 100.0 %     180  |                   ---o----|
             90 min    83.3 %   73.6 % to 100.0 %     180  |                   ---o----|
            120 min   100.0 %   80.4 % to 100.0 %      30  |                     -----o|
            150 min   100.0 %   80.4 % to 100.0 %      30  |                     -----o|
          After 150 min no run was read.
    """)
    assert max(map(len, said.splitlines())) <= 80


def test_slow_runs_end_the_estimate():
    """Most are read twice while they lack something, and no equal read is kept after that."""
    said = told(*[run("00:31 100", "01:31 100")] * 20, *[run("00:31 0", "01:31 0", "06:31 100", "07:31 100")] * 80)
    assert "    360 min         -    9.7 % to 100.0 %      80  |    ---" in said
    assert "  50 % complete  not known: too few runs were complete when they were read\n" in said


def test_a_share_that_the_estimate_does_not_reach_has_a_band_alone():
    said = told(*[run("00:31 100", "01:31 100")] * 60, *[run("00:31 100", recorded_usage={"api_calls": 2})] * 60)
    assert "  75 % complete  no estimate       band up to 45 min\n" in said


def test_an_age_at_which_no_run_was_read_lies_between_others():
    said = told(*[run("00:31 100", "01:01 100")] * 9, run("11:31 100", "12:31 100"))
    assert "    120 min         -        no run tells       0\n" in said


def test_runs_read_between_the_ages_make_no_row():
    said = told(*[run("12:31 100", "13:31 100")] * 9)
    assert said.splitlines()[-1] == "  After 0 min no run was read."


def test_an_estimate_above_the_youngest_read():
    slow = [run("00:31 0", "01:31 100", "02:31 100")] * 60
    assert "  50 % complete  by 91 min         band up to 120 min\n" in told(run("00:31 100", "01:31 100"), *slow)


def test_reads_that_lacked_something_give_the_band_a_lower_end():
    slow = [run("00:31 0", "01:31 0", "02:31 100", "03:31 100")] * 60
    assert "  50 % complete  no estimate       band 90 to 180 min\n" in told(run("00:31 100", "01:31 100"), *slow)


def test_few_runs_and_what_is_left_out():
    said = told(
        run("00:31 100"),
        run(),
        run("00:31 0", "01:31 0"),
        run(**theirs(("00:31", 100), ("01:31", 100))),
        invalid=1,
        errors=(StoreError("runs/a: no permission", code="unreadable_file", remedy="grant it"),),
    )
    assert said == text("""
        Reads of our own
          1 run of 1 day, 1 kept read. 0 figures final, 0 of them proven by recorded calls; 0 read before
          they were complete. Ages count from the end of a run's window; below the youngest read, at 31 min,
          nothing is known.

          Too few to tell the delay: it takes 5 final figures or more.

        Reads of another tool, kept apart: its windows began and ended between minutes
          1 run of 1 day, 2 kept reads. 1 figure final, 0 of them proven by recorded calls; 0 read before
          they were complete. Ages count from the end of a run's window; below the youngest read, at 31 min,
          nothing is known.

          Too few to tell the delay: it takes 5 final figures or more.

        Left out: 1 run never read; 1 run without any usage, which may be late or may never have been; 1
        invalid file.

        unreadable_file: runs/a: no permission
          grant it
    """)


def test_no_runs():
    assert told() == "No run was read yet: nothing is known of the delay."
