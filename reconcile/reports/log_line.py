"""A pass as one line of a log: when, how the runs stand, and what went wrong. In ASCII, whatever the log's encoding is.

A log is read by people and by `grep`, and text of others in it must not look like another line.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from reconcile.core.instants import spelled
from reconcile.core.summary import Summary
from reconcile.errors import ReconcileError
from reconcile.reports.text import totals_text
from reconcile.reports.words import printable

SHOWN = 3
"""Errors of a line; the others are counted."""
LONGEST = 200
"""Characters of an error."""


def pass_line(at: datetime, summary: Summary) -> str:
    """A pass that was made, whatever it could not do."""
    files = f" {summary.census.counts}." if summary.census.counts else ""
    return _line(at, totals_text(summary) + files, summary.errors)


def failed_line(at: datetime, error: ReconcileError) -> str:
    """A pass that could not begin."""
    return _line(at, "no pass was made.", [error])


def _line(at: datetime, told: str, errors: Sequence[ReconcileError]) -> str:
    shown = [f" error: {_short(error)}" for error in errors[:SHOWN]]
    more = [f" and {len(errors) - SHOWN:,} more errors"] if len(errors) > SHOWN else []
    line = f"{spelled(at.replace(microsecond=0))} {told}{';'.join([*shown, *more])}"
    return line.encode("ascii", "backslashreplace").decode()


def _short(error: ReconcileError) -> str:
    text = f"{error.code}: {printable(error.message)}"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
