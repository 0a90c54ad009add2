"""For any run: why it stands where it stands, and what happens next."""

from __future__ import annotations

import math
import shlex
from datetime import datetime
from typing import assert_never

from reconcile.core.model import Policy, Run
from reconcile.core.selection import Selection
from reconcile.core.summary import RunReport
from reconcile.reports.words import clock, duration, printable


def next_step(report: RunReport, policy: Policy, now: datetime) -> str:
    """One sentence, its times in UTC."""
    run = report.run
    said = printable(run.state.message) if run.state else ""
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
            return (
                f"past the cutoff of {duration(policy.max_age)}: the next pass reads it once more and closes it. {said}"
            )
        case Selection.INHERITED:
            return f"verified by another tool, not by this one: {_command(run, '--force')} reads it again"
        case Selection.DUE:
            return _due(run, said, age)
        case Selection.SETTLED | Selection.OBSERVED | Selection.NOT_ASKED:
            return said or f"ended {age} ago"
        case _:
            assert_never(report.selection)


def _due(run: Run, said: str, age: str) -> str:
    if run.edited:
        return f"ended {age} ago, and its times were changed since it was read: the next pass starts anew"
    return f"{said}. Due now" if said else f"ended {age} ago: due now"


def _reach(run: Run, now: datetime) -> str:
    days = math.ceil((now - run.ended_at).total_seconds() / 86400) + 1
    return f"{_command(run, f'--max-age {days}d')} reaches it"


def _command(run: Run, flags: str) -> str:
    return f"reconcile run {shlex.quote(printable(run.key.framework))} {shlex.quote(printable(run.key.run_id))} {flags}"
