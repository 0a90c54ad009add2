"""Checks of the runs themselves: those that cannot be told apart, those that were forgotten, and when any was read."""

from __future__ import annotations

from datetime import datetime, timedelta

from reconcile.core.doctor.check import Check, listed, ok, warning
from reconcile.core.doctor.facts import Facts
from reconcile.core.instants import spelled
from reconcile.core.model import MINUTE, Run, Status
from reconcile.core.selection import Selection
from reconcile.core.wire import plural

OVERDUE = timedelta(hours=3)
"""Since a run could have been read: a schedule of one hour would have come round twice."""


def short_runs(facts: Facts) -> Check:
    short = [
        run.key
        for run in _unsettled(facts)
        if (run.ended_at - run.started_at).total_seconds() < MINUTE and run.known.api_calls != 0
    ]
    if short:
        return warning(
            "short_runs",
            f"{plural(len(short), 'run')} shorter than a minute: {listed(short)}; usage is told apart by the minute, "
            "so what else the key did in that minute counts to it",
            "record runs with `reconcile record --wait-minute`, or gather several short ones in one run",
        )
    return ok("short_runs", "no waiting run is shorter than a minute")


def shared_minutes(facts: Facts) -> Check:
    sharing = [run for run in _unverified(facts) if facts.neighbours.get(run.key)]
    if sharing:
        first = sharing[0]
        other = facts.neighbours[first.key][0].run
        return warning(
            "shared_minutes",
            f"{plural(len(sharing), 'run')} of one key in the same minutes as another, {first.key} and {other} for one",
            "give runs that overlap keys of their own, or let them record their calls; `reconcile explain` says what "
            "keeps a run apart",
        )
    return ok("shared_minutes", "no waiting run shares minutes with another of its key")


def past_cutoff(facts: Facts) -> Check:
    late = [each.run for each in facts.selected if each.selection in {Selection.PAST_CUTOFF, Selection.LAST_READ}]
    late += [each.run for each in facts.selected if each.run.state and each.run.state.closed_by_cutoff]
    if late:
        oldest = min(run.ended_at for run in late)
        days = (facts.now - oldest).days + 2
        return warning(
            "past_cutoff",
            f"{plural(len(late), 'run')} past the cutoff and never settled: {listed(run.key for run in late)}",
            f"reconcile run --max-age {days}d",
        )
    return ok("past_cutoff", "no run was given up")


def last_pass(facts: Facts) -> Check:
    """Runs that are due wait for the next pass: how long, tells whether there is one."""
    reads = [read.at for each in facts.selected if each.run.state for read in each.run.state.observations]
    newest = max(reads, default=None)
    said = f"the newest read is of {spelled(newest)}" if newest else "no run was ever read"
    due = [each.run for each in facts.selected if each.selection is Selection.DUE]
    overdue = [run for run in due if facts.now - _readable_since(run, facts) > OVERDUE]
    if overdue:
        return warning(
            "last_pass",
            f"{said}, and {plural(len(overdue), 'run')} could have been read for three hours or more: "
            f"{listed(run.key for run in overdue)}",
            "run `reconcile run` every hour: by cron, or by the Action on a schedule",
        )
    return ok("last_pass", said if newest or due else f"{said}, and none is due")


def _readable_since(run: Run, facts: Facts) -> datetime:
    read = max((each.at for each in run.state.observations), default=None) if run.state else None
    return read or run.ended_at + facts.policy.min_age


def _unsettled(facts: Facts) -> list[Run]:
    return [each.run for each in facts.selected if not each.run.settled]


def _unverified(facts: Facts) -> list[Run]:
    """Without a verdict that somebody can rely on: another tool's does not say who else used the minutes."""
    return [
        each.run
        for each in facts.selected
        if not (each.run.settled and each.run.state and each.run.state.status is Status.VERIFIED)
    ]
