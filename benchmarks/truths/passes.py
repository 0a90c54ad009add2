"""Passes over a block's day, hour after hour, through the code of a job; and the seeds' rule on the same data.

A pass reads the runs' files from memory, asks the bill, attributes, settles, and writes. What is kept of a run is
what its file said after each pass, held against the truth.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import PurePosixPath
from typing import cast

from benchmarks.truths.bills import Reader
from benchmarks.truths.cells import Block
from benchmarks.truths.days import Life, day
from benchmarks.truths.fates import Fate, Track
from benchmarks.truths.hours import Calm, hours
from benchmarks.truths.seeds import Seeds
from benchmarks.truths.worlds import LAG
from reconcile.minutes import instant
from reconcile.passes.apply import run_pass
from reconcile.passes.tree import Workspace
from reconcile.providers.base import Scope
from reconcile.runs.call_log import LogChecker
from reconcile.runs.state import Policy
from reconcile.runs.tree_store import TreeStore
from reconcile.runs.validation import Checker
from reconcile.workspace import open_workspace

ROOT = PurePosixPath("runs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of the runs of a block, and what it took."""

    block: Block
    fates: tuple[Fate, ...]
    requests: int
    errors: int


def lived(block: Block) -> Outcome:
    """Hourly passes until every run is settled, by these rules and, of the worlds that lag, by those of the seeds."""
    today = day(block)
    branch, calm = Branch(template=_workspace(today.lives)), Calm(changes=today.changes, skies=bool(block.world.skies))
    tracks = {life.folder: Track(truth=life.truth, end=life.run.end) for life in today.lives}
    seeds = {life.folder: Seeds(life=life) for life in today.lives if block.world.name.startswith(LAG)}
    for now, sky in hours(block, today):
        if calm.skips(now):
            continue
        branch.commit(today.lives, now)
        written = branch.passed(Reader(bill=today.bill, now=now, sky=sky))
        calm.passed(now, wrote=bool(written))
        for folder, data in written.items():
            tracks[folder].look(data, now)
        for rule in seeds.values():
            rule.read(Reader(bill=today.bill, now=now, sky=sky))
        if branch.settled == len(tracks) and all(rule.verdict for rule in seeds.values()):
            break
    fates = (
        replace(track.fate(), seeds=seeds[folder].verdict, seeds_reads=seeds[folder].reads) if seeds else track.fate()
        for folder, track in tracks.items()
    )
    return Outcome(block=block, fates=tuple(fates), requests=branch.requests, errors=branch.errors)


@dataclass(kw_only=True)
class Branch:
    """The files of the runs, as runs and passes leave them."""

    template: Workspace
    files: dict[str, bytes] = field(default_factory=dict)
    settled: int = 0
    """How many runs were settled after the last pass."""
    requests: int = 0
    errors: int = 0
    """Errors and findings of all passes."""

    def commit(self, lives: Iterable[Life], now: float) -> None:
        """The files of the runs that have ended since: a run commits them when it ends."""
        for life in lives:
            metrics = str(ROOT / life.folder / "metrics.json")
            if life.run.end > now or metrics in self.files:
                continue
            self.files[metrics] = life.metrics
            if life.log is not None:
                self.files[str(ROOT / life.folder / "calls.ndjson")] = life.log

    def passed(self, reader: Reader) -> Mapping[str, bytes]:
        """One pass; the run files that it wrote, by their folder."""
        store = TreeStore(ROOT, {path: ("100644", len(data)) for path, data in self.files.items()}, self.files)
        summary = run_pass(replace(self.template, store=store, now=instant(reader.now), clock=None), reader)
        self.files |= store.changed
        self.settled = sum(report.run.settled for report in summary.runs)
        self.requests += summary.api.requests
        self.errors += len(summary.errors) + len(summary.findings)
        changed = ((PurePosixPath(path), data) for path, data in store.changed.items())
        return {str(path.parent.relative_to(ROOT)): data for path, data in changed if path.name == "metrics.json"}


def _workspace(lives: Iterable[Life]) -> Workspace:
    """With the scopes of all keys, where a file that has not changed is not validated again."""
    fresh = open_workspace(
        ROOT, scopes={life.run.key: Scope("openai", (life.run.key,)) for life in lives}, policy=Policy()
    )
    return replace(
        fresh,
        checker=cast("Checker", Remembering(fresh.checker)),
        log_checker=cast("LogChecker", Remembering(fresh.log_checker)),
    )


class Remembering:
    """A checker that tells of the same bytes what it told before: it looks at nothing else."""

    def __init__(self, checker: Checker | LogChecker) -> None:
        self.check = cache(checker.check)
