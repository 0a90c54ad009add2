"""What a log reads of a job or a watch: workflow commands of GitHub Actions, and a pass as one line.

Workflow commands are annotations on lines and groups, with values of others made harmless in them. The line of a pass
says when it was, how the runs stand, and what went wrong, in ASCII, whatever the log's encoding is. A log is read by
people and by `grep`, and text of others in it must not look like another line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from reconcile.errors import ReconcileError
from reconcile.ledger.comparison import Comparison, ComparisonVerdict
from reconcile.minutes import spelled
from reconcile.passes.summary import Summary
from reconcile.report.compared import headline, verdict_text
from reconcile.report.phrases import printable
from reconcile.report.terminal import totals_text
from reconcile.runs.run import Finding
from reconcile.words import plural

MOST = 9
"""GitHub shows ten annotations of a kind a step and drops the rest without a word; the tenth says how many are left."""

LONGEST = 2000
"""Characters of a message that are shown: GitHub cuts off what is above a few thousand."""


def job_annotations(findings: Iterable[Finding], errors: Iterable[ReconcileError], notices: Sequence[str]) -> str:
    """What a job has to say on the page of its workflow: its errors, then the findings on their lines; and notices."""
    wrong = [error_annotation(error) for error in errors] + [_on_line(finding) for finding in sorted(findings)]
    said = [command("notice", notice) for notice in notices]
    return _most("error", wrong, "the summary of the job") + _most("notice", said, "the log")


def surplus(notices: Sequence[str]) -> str:
    """The notices that are only counted among the annotations, for the log."""
    return "".join(f"{printable(notice)}\n" for notice in notices[MOST:])


def error_annotation(error: ReconcileError) -> str:
    """An error that no line of a file is to blame for."""
    return command("error", f"{error.code}: {error.message}. {error.remedy}")


def comparison_annotation(comparison: Comparison | None) -> str:
    """What a comparison has to say there: nothing where both sides agree."""
    levels = {ComparisonVerdict.MISMATCH: "error", ComparisonVerdict.NO_DATA: "warning"}
    if comparison is None or comparison.verdict not in levels:
        return ""
    return command(levels[comparison.verdict], f"{headline(comparison)}: {verdict_text(comparison)}")


def gate_annotation(lines: Sequence[str]) -> str:
    """What a gate that stays shut has to say there."""
    return command("error", " ".join(lines)) if lines else ""


def command(name: str, message: str, **properties: str | int) -> str:
    """One workflow command on a line of its own. Nothing in it can end it or begin another."""
    given = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    return f"::{name}{' ' if given else ''}{given}::{_data(message[:LONGEST])}\n"


def _on_line(finding: Finding) -> str:
    message = f"{finding.pointer or '/'}: {finding.message}"
    return command("error", message, file=finding.path, line=finding.line, col=finding.column)


def _most(name: str, lines: Sequence[str], where: str) -> str:
    """At most `MOST` of them, and one that counts the others."""
    left = len(lines) - MOST
    more = [command(name, f"and {plural(left, f'more {name}')}: {where} has all of them")] if left > 0 else []
    return "".join([*lines[:MOST], *more])


def _data(text: str) -> str:
    return printable(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


SHOWN = 3
"""Errors of a line; the others are counted."""
LONGEST_LINE = 200
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
    return text if len(text) <= LONGEST_LINE else f"{text[: LONGEST_LINE - 3]}..."
