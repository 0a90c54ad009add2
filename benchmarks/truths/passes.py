"""Passes over a block's day, hour after hour, through the code of a job; and the seeds' rule on the same data.

A pass reads the runs' files from memory, asks the bill, attributes, settles, and writes. What is kept of a run is
what its file said after each pass, held against the truth.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import PurePosixPath
from random import Random
from typing import cast

from benchmarks.truths import bills
from benchmarks.truths.bills import Amount, Reader, summed
from benchmarks.truths.cells import Block
from benchmarks.truths.days import Day, Life, day
from benchmarks.truths.fates import Fate, Track
from benchmarks.truths.runs import HOUR, MINUTE, NOON
from benchmarks.truths.worlds import LAG
from reconcile.adapters.tree_store import TreeStore
from reconcile.core.calls import LogChecker
from reconcile.core.model import Policy, Scope, instant
from reconcile.core.validation import Checker
from reconcile.workflow import Workspace, open_workspace, run_pass

ROOT = PurePosixPath("runs")
CHANCE = 0.1
"""That of each sky, for a pass."""
PATIENCE = 28
"""Hours after the last run within which every run is settled or given up."""
SLACK = 8 * MINUTE
"""By how many seconds an hourly schedule is late at the most."""
RARELY = 4
READ_BY_THE_SEEDS = (0.5 * HOUR, 24 * HOUR)
"""Ages at which the seeds read a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of the runs of a block, and the requests it took."""

    block: Block
    fates: tuple[Fate, ...]
    requests: int
    errors: int


@dataclass(kw_only=True)
class Seeds:
    """The seeds' rule: the sum of the window is verified once two reads of it, one after the other, are equal."""

    life: Life
    reads: int = 0
    verdict: str = ""
    _last: Amount = field(default=(0, 0, 0, 0))

    def read(self, reader: Reader) -> None:
        """A read of the run's own window and key, while it is of the age to be read and not verified."""
        run = self.life.run
        if self.verdict or not READ_BY_THE_SEEDS[0] <= reader.now - run.end <= READ_BY_THE_SEEDS[1]:
            return
        self.reads += 1
        start, end = int(run.start // MINUTE) * MINUTE, int(-(-run.end // MINUTE)) * MINUTE
        shown = summed(row.usage.parts for row in reader.rows(start, end) if row.api_key_id == run.key)
        if any(shown) and shown == self._last:
            self.verdict = "right" if shown == self.life.truth else "wrong"
        self._last = shown


@dataclass(kw_only=True)
class Calm:
    """Leaves out passes that cannot find anything new, but for one in `RARELY`: a verdict may come of age.

    Nothing new shows and no run ends between them, no sky is over them, and the last ones wrote nothing.
    """

    changes: tuple[float, ...]
    """When something new shows, or a run ends; in order."""
    last: float = 0.0
    idle: int = 0
    skipped: int = 0

    def skips(self, now: float, sky: str | None) -> bool:
        new = bisect_right(self.changes, now) > bisect_right(self.changes, self.last)
        if new or sky or self.idle < RARELY or self.skipped == RARELY - 1:
            self.skipped = 0
            return False
        self.skipped += 1
        return True

    def passed(self, now: float, *, wrote: bool) -> None:
        self.last, self.idle = now, 0 if wrote else self.idle + 1


def lived(block: Block) -> Outcome:
    """Hourly passes until every run is settled, by these rules and, of the worlds that lag, by those of the seeds."""
    today = day(block)
    template = _workspace(today)
    tracks = {life.folder: Track(truth=life.truth, end=life.run.end) for life in today.lives}
    seeds = [Seeds(life=life) for life in today.lives if block.world.name.startswith(LAG)]
    files: dict[str, bytes] = {}
    requests = errors = 0
    calm = Calm(changes=today.changes)
    for now, sky in _schedule(block, today):
        if calm.skips(now, sky):
            continue
        files |= _left_behind(today.lives, now, files)
        store = TreeStore(ROOT, {path: ("100644", len(data)) for path, data in files.items()}, files)
        workspace = replace(template, store=store, now=instant(now), clock=None)
        summary = run_pass(workspace, Reader(bill=today.bill, now=now, sky=sky))
        requests += summary.api.requests
        errors += len(summary.errors) + len(summary.findings)
        files |= store.changed
        calm.passed(now, wrote=bool(store.changed))
        for path, data in store.changed.items():
            if path.endswith("metrics.json"):
                tracks[_folder(path)].look(data, now)
        for each in seeds:
            each.read(Reader(bill=today.bill, now=now, sky=sky))
        settled = len(summary.runs) == len(tracks) and all(report.run.settled for report in summary.runs)
        if settled and all(each.verdict for each in seeds):
            break
    read = {each.life.folder: each for each in seeds}
    fates = [
        track.fate(read[folder].verdict, read[folder].reads) if folder in read else track.fate()
        for folder, track in tracks.items()
    ]
    return Outcome(block=block, fates=tuple(fates), requests=requests, errors=errors)


def _workspace(today: Day) -> Workspace:
    """With the scopes of all keys, where a file that has not changed is not validated again."""
    scopes = {life.run.key: Scope("openai", (life.run.key,)) for life in today.lives}
    fresh = open_workspace(ROOT, scopes=scopes, policy=Policy())
    checker, log_checker = (
        cast("Checker", Remembering(fresh.checker)),
        cast("LogChecker", Remembering(fresh.log_checker)),
    )
    return replace(fresh, checker=checker, log_checker=log_checker)


class Remembering:
    """A checker that tells of the same bytes what it told before: it looks at nothing else."""

    def __init__(self, checker: Checker | LogChecker) -> None:
        self.check = cache(checker.check)


def _schedule(block: Block, today: Day) -> Iterator[tuple[int, str | None]]:
    """Whole seconds, as a workspace has them, and the sky of each pass."""
    dice, skies = block.dice("passes"), block.world.skies
    last = int(max(life.run.end for life in today.lives))
    doubled = NOON + dice.randrange(1, (last - NOON) // HOUR + 4) * HOUR
    for hour in range(NOON, last + PATIENCE * HOUR, HOUR):
        yield hour + dice.randrange(SLACK), _sky(dice, skies, twice=hour == doubled)


def _sky(dice: Random, skies: Iterable[str], *, twice: bool) -> str | None:
    return next((sky for sky in skies if (twice if sky == bills.TWICE else dice.random() < CHANCE)), None)


def _left_behind(lives: Iterable[Life], now: float, files: dict[str, bytes]) -> dict[str, bytes]:
    """The files of the runs that have ended since: a run commits them when it ends."""
    new: dict[str, bytes] = {}
    for life in lives:
        folder = ROOT / life.folder
        if life.run.end > now or str(folder / "metrics.json") in files:
            continue
        new[str(folder / "metrics.json")] = life.metrics
        if life.log is not None:
            new[str(folder / "calls.ndjson")] = life.log
    return new


def _folder(path: str) -> str:
    return str(PurePosixPath(path).parent.relative_to(ROOT))
