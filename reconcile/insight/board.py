"""How a folder of runs stands, counted: by group and age as open items are aged in accounts, and by framework.

Counts what a `Summary` has, and computes no standing of its own. Knows no words but the names of groups and bands.
What an analysis asks before it begins is counted from it too: whether every run is verified, with a grade or better.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from reconcile.passes.selection import Selection
from reconcile.passes.summary import RunReport, Summary, graded, is_awaited, standing
from reconcile.runs.run import Json, Run
from reconcile.runs.state import Proof


class Group(StrEnum):
    """Every valid run is in just one."""

    VERIFIED = "verified"
    """Here or by another tool."""
    WAITING = "waiting"
    """A later pass may still settle it."""
    MISSED = "missed"
    """Not settled by the cutoff, and no pass reads it any more without a later one."""
    BROKEN = "broken"
    """Settled otherwise than verified: a person should look."""


LIMITS = (
    ("under 1 h", timedelta(hours=1)),
    ("1 to 4 h", timedelta(hours=4)),
    ("4 to 24 h", timedelta(hours=24)),
    ("1 to 7 d", timedelta(days=7)),
    ("7 to 30 d", timedelta(days=30)),
)
BANDS = (*(name for name, _ in LIMITS), "over 30 d")
"""Of the age since a run's end. One that ends in the future is in the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aged:
    """How many runs of a group there are in each of `BANDS`."""

    group: Group
    by_age: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.by_age)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameworkTally:
    """How the runs of one framework stand."""

    framework: str
    groups: Mapping[Group, int]
    invalid: int
    """Files that could not become a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """All that was asked for, and what it was counted from."""

    summary: Summary
    framework: str | None
    """None where all were asked for."""
    groups: tuple[Aged, ...]
    """One for each group, in their order."""
    frameworks: tuple[FrameworkTally, ...]
    grades: Mapping[str, int]
    """The runs verified here, by how that is held."""
    inherited: int
    """Of the verified runs those that another tool verified."""
    invalid: int
    """Files and folders that could not become a run. They have no age; a folder that is a link has no framework."""

    @property
    def next_due(self) -> datetime | None:
        """When the next run that waits becomes due; None where none waits, or those that do are due already."""
        reports = (report for report in self.summary.runs if is_shown(report))
        return min((report.due_at for report in reports if report.due_at), default=None)


def board_of(summary: Summary, framework: str | None = None) -> Board:
    """The board of what a look was limited to: `framework`, or everything."""
    shown = [report for report in summary.runs if is_shown(report)]
    cells = Counter((group_of(report), _band(summary.now - report.run.ended_at)) for report in shown)
    tallies = Counter((report.run.key.framework, group_of(report)) for report in shown)
    grades = Counter(graded(report.run) for report in shown)
    invalid = {name: count for name, count in summary.unreadable.items() if framework in {None, name}}
    return Board(
        summary=summary,
        framework=framework,
        groups=tuple(
            Aged(group=group, by_age=tuple(cells[group, band] for band in range(len(BANDS)))) for group in Group
        ),
        frameworks=tuple(
            FrameworkTally(
                framework=name, groups={group: tallies[name, group] for group in Group}, invalid=invalid.get(name, 0)
            )
            for name in sorted({report.run.key.framework for report in shown} | invalid.keys())
        ),
        grades={grade.value: grades[grade] for grade in Proof},
        inherited=sum(standing(report.run) == "inherited" for report in shown),
        invalid=summary.counts["invalid"] if framework is None else sum(invalid.values()),
    )


def is_shown(report: RunReport) -> bool:
    """Whether the run is on the board: it was asked for."""
    return report.selection is not Selection.NOT_ASKED


def group_of(report: RunReport) -> Group:
    """Where the run is on the board."""
    if standing(report.run) in {"verified", "inherited"}:
        return Group.VERIFIED
    if standing(report.run) in {"warning", "failed"}:
        return Group.BROKEN
    return Group.WAITING if is_awaited(report) else Group.MISSED


def _band(age: timedelta) -> int:
    return sum(age >= limit for _, limit in LIMITS)


# ------------------------------------------------------------------------------------------- as JSON


def board_json(board: Board) -> dict[str, Json]:
    """The counts as schemas/status.schema.json describes them."""
    return {
        "bands": list(BANDS),
        "groups": [
            {"group": each.group.value, "total": each.total, "by_age": list(each.by_age)} for each in board.groups
        ],
        "frameworks": [
            {
                "framework": each.framework,
                **{group.value: each.groups[group] for group in Group},
                "invalid": each.invalid,
            }
            for each in board.frameworks
        ],
        **board.grades,
        "inherited": board.inherited,
        "invalid": board.invalid,
    }


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
