"""Workflow commands of GitHub Actions: annotations on lines, groups, and values of others made harmless in them."""

from __future__ import annotations

from collections.abc import Iterable

from reconcile.core.model import Finding
from reconcile.core.wire import plural
from reconcile.reports.words import printable

MOST = 9
"""GitHub shows ten annotations of a kind a step and drops the rest without a word; the tenth says how many are left."""


def finding_annotations(findings: Iterable[Finding]) -> str:
    """Errors on the exact lines, at most `MOST` of them, and one that counts the others."""
    found = sorted(findings)
    lines = [
        command("error", f"{each.pointer or '/'}: {each.message}", file=each.path, line=each.line, col=each.column)
        for each in found[:MOST]
    ]
    if len(found) > MOST:
        lines.append(
            command("error", f"and {plural(len(found) - MOST, 'more finding')}: the summary of the job has all")
        )
    return "".join(lines)


def command(name: str, message: str, **properties: str | int) -> str:
    """One workflow command on a line of its own. Nothing in it can end it or begin another."""
    given = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    return f"::{name}{' ' if given else ''}{given}::{_data(message)}\n"


def _data(text: str) -> str:
    return printable(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
