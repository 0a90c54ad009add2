"""`backtest` as text: the present policy and the one that is tried, side by side."""

from __future__ import annotations

import textwrap
from datetime import timedelta

from reconcile.core.backtest import Ending, Unanswerable
from reconcile.core.trial import Backtest, Outcomes, Trial, at_share, described, why_refused
from reconcile.core.wire import plural
from reconcile.reports.curve import TITLES, left_out_text
from reconcile.reports.text import error_text
from reconcile.reports.words import Paint, duration, printable

ENDINGS = {
    Ending.VERIFIED: "verified",
    Ending.WARNING: "warning",
    Ending.FAILED: "failed",
    Ending.OPEN: "still open",
    Ending.NOT_REACHED: "first read past the cutoff",
}
WHY = {
    Unanswerable.INTERVAL: "read at longer intervals",
    Unanswerable.MIN_AGE: "first read at a higher age",
    Unanswerable.NOT_KEPT: "settled before this policy concludes, or with equal reads that are not kept",
    Unanswerable.SHARED: "in shared minutes",
}
NONE = timedelta(0)
SHOWN = 3
"""How many runs are named; the JSON document names all."""


def backtest_text(backtest: Backtest, paint: Paint, width: int) -> str:
    """The policies and what came of the runs under each."""
    policies = f"present  {described(backtest.present)}\ntried    {described(backtest.tried)}"
    sections = [
        policies,
        *(_trial(trial, backtest, paint, width) for trial in backtest.trials),
        "" if backtest.trials else "No run was read yet: nothing can be replayed.",
        left_out_text(backtest.left_out, backtest.invalid, width),
        "\n".join(error_text(error, paint, width) for error in backtest.errors),
    ]
    return "\n\n".join(section for section in sections if section)


def _trial(trial: Trial, backtest: Backtest, paint: Paint, width: int) -> str:
    lines = [paint(TITLES[trial.origin], "bold"), f"  {trial.answered:,} of {plural(trial.runs, 'run')} answered"]
    if trial.refused:
        message, remedy = why_refused(trial, backtest.tried)
        return "\n".join([*lines, _filled(f"Not answered: {message}. {remedy}.", width)])
    rows = [
        ("", "present", "tried"),
        *((word, *(f"{side.count(ending):,}" for side in _sides(trial))) for ending, word in ENDINGS.items()),
        ("time to verify, median", *(_wait(side, 0.5) for side in _sides(trial))),
        ("time to verify, 95th percentile", *(_wait(side, 0.95) for side in _sides(trial))),
        ("verified too early", *(f"{len(side.early):,}" for side in _sides(trial))),
        ("restated", *(f"{side.restated:,}" for side in _sides(trial))),
    ]
    lines += [f"  {label:<32}{present:>14}{tried:>14}" for label, present, tried in rows]
    return "\n".join([*lines, *(_filled(text, width) for text in _remarks(trial))])


def _sides(trial: Trial) -> tuple[Outcomes, Outcomes]:
    return trial.present, trial.tried


def _wait(outcomes: Outcomes, share: float) -> str:
    wait = at_share(outcomes.waits, share)
    return "-" if wait is None else duration(wait)


def _remarks(trial: Trial) -> list[str]:
    remarks = []
    change = at_share(trial.changes, 0.5)
    if change is not None:
        by = f"{duration(abs(change))} {'later' if change > NONE else 'sooner'}" if change else "none"
        remarks.append(f"{plural(len(trial.changes), 'run')} verified under both; the median change is {by}.")
    early = trial.tried.early
    if early:
        names = ", ".join(printable(str(each.key)) for each in early[:SHOWN])
        more = f" and {len(early) - SHOWN:,} more" if len(early) > SHOWN else ""
        remarks.append(f"Verified too early, for a later read is higher: {names}{more}.")
    unanswered = {reason: trial.unanswered.count(reason) for reason in Unanswerable}
    reasons = [f"{plural(count, 'run')} {WHY[reason]}" for reason, count in unanswered.items() if count]
    return remarks + ([f"Not answered: {'; '.join(reasons)}."] if reasons else [])


def _filled(text: str, width: int) -> str:
    return textwrap.fill(text, width, initial_indent="  ", subsequent_indent="  ")
