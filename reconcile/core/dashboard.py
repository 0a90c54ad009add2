"""What the dashboard shows, as a value: every run with what explains it, how all stand, and saved comparisons."""

from __future__ import annotations

from dataclasses import dataclass

from reconcile.core.account import Account
from reconcile.core.lag import Lag
from reconcile.core.model import Bucket, Finding, Json, Run, Usage, Window
from reconcile.core.situation import by_model
from reconcile.core.summary import Summary

WIDTHS = (1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 720, 1440)
"""Minutes that a part of a timeline may have."""
MOST_PARTS = 240
LEAST_PARTS = 12
ALL_PARTS = 12_000
"""Of all timelines together: a page of a thousand runs is still one that loads at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """All runs as their files are now."""

    summary: Summary
    accounts: tuple[Account, ...]
    """One for each run of the summary, in its order."""
    lag: Lag
    differences: tuple[Finding, ...] = ()
    """Of files of runs that do not follow from the evidence beside them, as an audit finds them."""
    comparisons: tuple[tuple[str, Json], ...] = ()
    """Names, and documents as `compare --json` prints them."""


def whole_by_model(account: Account) -> tuple[tuple[str | None, Usage], ...]:
    """The run's figure by model, all of it: of no model where nothing tells which it is of."""
    state = account.report.run.state
    return by_model(account) or (((None, state.figure),) if state else ())


def part_width(window: Window, runs: int) -> int:
    """Minutes that a part of a run's timeline has, beside so many others."""
    most = min(MOST_PARTS, max(LEAST_PARTS, ALL_PARTS // max(runs, 1)))
    minutes = (window.end - window.start) // 60
    return next((width for width in WIDTHS if minutes <= width * most), WIDTHS[-1])


def timeline(run: Run, rows: tuple[Bucket, ...], width: int) -> list[Bucket]:
    """Minute rows of a run's window in parts of `width` minutes, by key and model, each at its first minute."""
    parts: dict[tuple[int, str | None, str | None], Usage] = {}
    for row in rows:
        start = row.minute - (row.minute - run.window.start) % (60 * width)
        cell = (start, row.api_key_id, row.model)
        parts[cell] = parts.get(cell, Usage()) + row.usage
    return [Bucket(start, usage, key, model) for (start, key, model), usage in parts.items()]
