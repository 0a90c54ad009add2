"""The one comment on a pull request: how it is found again, and whether it has to change.

Its first line is a hidden marker with a key, so that several jobs can each have their own, and a digest of what it
shows: figures, statuses, findings, a comparison. Times and links are not in the digest, nor is how much was read, so a
pass that learnt nothing edits nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

from reconcile.core.comparing.comparison import Comparison
from reconcile.core.comparing.wire import comparison_json
from reconcile.core.model import Json
from reconcile.core.summary import RunReport, Summary, error_json, finding_json, graded, standing
from reconcile.core.wire import bounds_json, usage_json

MARKER = re.compile(r"<!-- llm-usage-reconcile key=([A-Za-z0-9_.-]{1,64}) digest=([0-9a-f]{16}) -->(?:\r?\n|\Z)")


class Step(Enum):
    """What is to be done."""

    CREATE = auto()
    UPDATE = auto()
    KEEP = auto()


@dataclass(frozen=True, slots=True)
class Found:
    """A comment by one of ours, with the number it has."""

    number: int
    digest: str


def marker(key: str, digest: str) -> str:
    return f"<!-- llm-usage-reconcile key={key} digest={digest} -->\n"


def find(comments: Iterable[tuple[int, str]], key: str) -> Found | None:
    """The oldest of the comments (number and body, by a bot) whose very first line is the marker of this key."""
    for number, body in comments:
        match = MARKER.match(body)
        if match and match[1] == key:
            return Found(number, match[2])
    return None


def next_step(found: Found | None, digest: str) -> Step:
    if found is None:
        return Step.CREATE
    return Step.KEEP if found.digest == digest else Step.UPDATE


def digest(summary: Summary, comparison: Comparison | None = None) -> str:
    """Of what the comment shows, without the times it was shown at."""
    shown: dict[str, Json] = {
        "runs": [_run(report) for report in summary.runs],
        "invalid": [finding_json(finding) for finding in sorted(summary.findings)],
        "errors": [error_json(error) for error in summary.errors],
    }
    if comparison:
        shown["comparison"] = _compared(comparison)
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:16]


def _run(report: RunReport) -> Json:
    state = report.run.state
    return {
        "run": str(report.run.key),
        "status": standing(report.run),
        "proof": graded(report.run),
        "reasons": list(state.reasons) if state else [],
        "completeness": state.completeness if state else None,
        "assumes": list(state.assumes) if state else [],
        "figure": usage_json(state.figure, state.unknown) if state else None,
        "bounds": bounds_json(state.bounds) if state and state.bounds else None,
    }


READING = ("log", "api")
"""Of a comparison, what grows from hour to hour and is no figure: lines that were read, requests that were made."""


def _compared(comparison: Comparison) -> Json:
    return {name: value for name, value in comparison_json(comparison).items() if name not in READING}
