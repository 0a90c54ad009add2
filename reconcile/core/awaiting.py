"""What a folder of runs still waits for, and how it ended where that is nothing. Says nothing of when to look again."""

from __future__ import annotations

from reconcile.core.selection import Selection
from reconcile.core.summary import RunReport, Summary, standing

OPEN = {"skipped", "pending", "data_not_available"}


def awaited(summary: Summary) -> tuple[RunReport, ...]:
    """The runs that a later pass may still settle. One that was never read before the cutoff no pass reads any more."""
    return tuple(filter(is_awaited, summary.runs))


def is_awaited(report: RunReport) -> bool:
    """Whether a later pass may still settle the run."""
    return standing(report.run) in OPEN and report.selection is not Selection.PAST_CUTOFF


def ending(summary: Summary) -> int:
    """The exit code where nothing is awaited: 0 if every run is verified, here or by another tool."""
    unsound = any(standing(report.run) not in {"verified", "inherited"} for report in summary.runs)
    worst = max((error.exit_code for error in summary.errors), default=0)
    return max(worst, int(unsound or bool(summary.findings)))
