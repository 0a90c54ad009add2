"""For any run, what happens next and when. Why it stands where it stands is in its file's own message."""

from __future__ import annotations

import math
import shlex
from datetime import datetime
from typing import assert_never

from reconcile.passes.selection import Selection
from reconcile.passes.summary import RunReport
from reconcile.report.held import contested
from reconcile.report.phrases import clock, duration, printable
from reconcile.runs.run import Run
from reconcile.runs.state import Policy


def at_rest(report: RunReport) -> bool:
    """Whether nothing is to happen to the run."""
    return report.selection in {Selection.SETTLED, Selection.OBSERVED} and not report.contests


def next_step(report: RunReport, policy: Policy, now: datetime) -> str:
    """One sentence, its times in UTC."""
    return contested(report.contests) if report.contests else _step(report, policy, now)


def _step(report: RunReport, policy: Policy, now: datetime) -> str:
    run = report.run
    age = duration(now - run.ended_at)
    match report.selection:
        case Selection.TOO_YOUNG:
            return f"ended {age} ago: due at {clock(report.due_at or now, now)}"
        case Selection.NOT_ENDED:
            return f"ends in the future, at {clock(run.ended_at, now)}: check the clock that wrote its file"
        case Selection.PAST_CUTOFF:
            return (
                f"ended {age} ago, past the cutoff of {duration(policy.max_age)}, and was not read: {_reach(run, now)}"
            )
        case Selection.LAST_READ:
            return f"past the cutoff of {duration(policy.max_age)}: the next pass reads it once more and closes it"
        case Selection.INHERITED:
            return f"verified by another tool, not by this one: {command(run, '--force')} reads it again"
        case Selection.DUE:
            return _due(run, age)
        case Selection.OBSERVED | Selection.SETTLED:
            reach = "" if report.selection is Selection.OBSERVED else f" --max-age {_days(run, now)}d"
            return f"nothing: it is settled; {command(run, f'--force{reach}')} reads it again"
        case Selection.NOT_ASKED:
            return f"ended {age} ago, and was not asked for"
        case _:
            assert_never(report.selection)


def _due(run: Run, age: str) -> str:
    if run.edited:
        return f"ended {age} ago, and its times were changed since it was read: the next pass starts anew"
    return f"ended {age} ago: {'due now' if run.state is None else 'the next pass reads it again'}"


def _reach(run: Run, now: datetime) -> str:
    return f"{command(run, f'--max-age {_days(run, now)}d')} reaches it"


def _days(run: Run, now: datetime) -> int:
    return math.ceil((now - run.ended_at).total_seconds() / 86400) + 1


def command(run: Run, *flags: str, verb: str = "run") -> str:
    """The command line that does something with just this run."""
    names = (shlex.quote(printable(name)) for name in (run.key.framework, run.key.run_id))
    return " ".join(("reconcile", verb, *names, *flags))
