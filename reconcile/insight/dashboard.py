"""What the dashboard shows, as a value: every run with what explains it, how all stand, and saved comparisons.

In a document for others, ids of keys and projects are replaced by hashes: equal ones stay equal, and name nothing. An
id is no secret, and a hash of one is no lock: who has a list of ids can tell which is which.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Set
from dataclasses import dataclass

from reconcile.insight.account import Account
from reconcile.insight.lag import Lag
from reconcile.insight.situation import by_model
from reconcile.minutes import Window
from reconcile.passes.summary import Summary
from reconcile.runs.run import Finding, Json, Run
from reconcile.usage import Bucket, Usage

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


LENGTH = 12
"""Hexadecimal digits: among a million ids, two are alike once in five hundred such documents."""
SHAPES = r"(?:key|proj)_(?:[A-Za-z0-9]{8,}|(?=[A-Za-z]*[0-9])[A-Za-z0-9]{4,})"
"""What the provider's ids look like, and made-up ones, for those that stand in a message only."""
LONG = 12
"""Characters of an id that no other word holds by chance: it is replaced within words too, as in the name of a run."""
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def hashed(document: Json, ids: Iterable[str], codes: Set[str] = frozenset()) -> Json:
    """The document with these ids, and all that look like one, replaced wherever they stand in a text.

    An id may be any word, and who writes a run's file chooses it. So what is told by a code, an amount or a day stays
    as it is: the members named in `codes`, and texts that are a day.
    """
    known = sorted(filter(None, set(ids)), key=len, reverse=True)
    within = [re.escape(each) for each in known if len(each) >= LONG]
    alone = [*(re.escape(each) for each in known if len(each) < LONG), SHAPES]
    pattern = re.compile("|".join([*within, rf"(?<![A-Za-z0-9_])(?:{'|'.join(alone)})(?![A-Za-z0-9_])"]))
    return _replaced(document, pattern, codes)


def _replaced(value: Json, pattern: re.Pattern[str], codes: Set[str]) -> Json:
    match value:
        case str():
            return value if DAY.fullmatch(value) else pattern.sub(lambda match: pseudonym(match[0]), value)
        case list():
            return [_replaced(each, pattern, codes) for each in value]
        case dict():
            return {name: each if name in codes else _replaced(each, pattern, codes) for name, each in value.items()}
        case _:
            return value


def pseudonym(name: str) -> str:
    """`key-3f9a0c1b2d4e`."""
    kind = "project" if name.startswith("proj_") else "key"
    return f"{kind}-{hashlib.sha256(name.encode()).hexdigest()[:LENGTH]}"
