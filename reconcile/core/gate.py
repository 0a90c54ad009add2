"""Whether every run is verified, with a grade or better: what an analysis asks before it begins."""

from __future__ import annotations

from reconcile.core.model import Proof, Run
from reconcile.core.selection import Selection
from reconcile.core.summary import RunReport, Summary, graded

GRADES = tuple(Proof)
"""Strongest first."""


def asked_for(summary: Summary) -> tuple[RunReport, ...]:
    """The runs that the gate is about."""
    return tuple(report for report in summary.runs if report.selection is not Selection.NOT_ASKED)


def lacking(summary: Summary, least: Proof) -> tuple[RunReport, ...]:
    """Of these, the ones that are not verified with at least this grade. What another tool verified has none."""
    return tuple(report for report in asked_for(summary) if not reaches(report.run, least))


def reaches(run: Run, least: Proof) -> bool:
    """Whether the run is verified with at least this grade."""
    return graded(run) in GRADES[: GRADES.index(least) + 1]
