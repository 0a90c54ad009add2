"""Passes over a block's world, hour after hour, through the code of a job; and the seeds' rule on the same data.

A pass reads the runs' files from memory, asks the ledger, attributes, settles, and writes. What is kept of a run is
what its file said after each pass, held against the truth.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import PurePosixPath
from random import Random
from typing import Any

from benchmarks.truths.cells import Block
from benchmarks.truths.days import NOON, Day, Life, day
from reconcile.adapters.tree_store import TreeStore
from reconcile.core.model import KINDS, MINUTE, Bucket, Fetched, Policy, Query, Usage, instant, total
from reconcile.core.reading import BLOCK
from reconcile.simulator.ledger import Ledger
from reconcile.simulator.scenarios import HOUR
from reconcile.workflow import open_workspace, run_pass

ROOT = PurePosixPath("runs")
SKY = ("nothing", "half", "half at first")
"""What may come over a pass: every answer is empty; every other minute of it is; that of its first answer only."""
CHANCE = 0.1
"""That of each of them, for a pass."""
PATIENCE = 28
"""Hours after the last run within which every run is settled or given up."""
SLACK = 8 * MINUTE
"""By how many seconds an hourly schedule is late at the most."""


@dataclass(kw_only=True)
class Track:
    """What the files of one run said, from pass to pass."""

    life: Life
    verified_after: float | None = None
    """Seconds from its end to the first verdict `verified`."""
    wrong: bool = False
    """Whether its file ever said `verified` beside another figure than the truth."""
    rested_on: str = ""
    """The completeness of its first `verified`."""
    hidden: bool = False
    """Whether it was ever `verified` without saying on what that rests."""
    missed_settled: bool = False
    """Whether its file ever had a warning with an interval, or an exact figure, that is not the truth."""
    missed_pending: bool = False
    exact: bool = False
    """Whether the figure is exact in the end."""
    ended: str = ""
    seeds_verified: bool = False
    seeds_wrong: bool = False
    seeds_reads: int = 0
    _seeds_last: Usage = field(default_factory=Usage)

    def look(self, data: bytes, now: float) -> None:
        """Hold what the file says now against the truth."""
        block = json.loads(data).get(BLOCK)
        if block is None:
            return
        status, truth = block["verification_status"], self.life.truth
        interval = _interval(block)
        missed = interval is not None and not all(
            low <= part <= high for (low, high), part in zip(interval, truth.parts, strict=True)
        )
        self.exact = bool(block["attribution"]["exact"])
        self.ended = f"{status}: {', '.join(block['reasons'])}"
        if status == "verified":
            if self.verified_after is None:
                self.verified_after = now - self.life.run.end
                self.rested_on = block.get("completeness", "")
            self.wrong |= _figure(block) != truth
            self.hidden |= not _says_what_it_rests_on(block)
        elif status == "warning":
            self.missed_settled |= missed
        else:
            self.missed_pending |= missed

    def seeds(self, shown: Usage) -> None:
        """The seeds' rule: the sum of the window is verified once two reads of it, one after the other, are equal."""
        self.seeds_reads += 1
        if not shown.is_zero and shown == self._seeds_last:
            self.seeds_verified, self.seeds_wrong = True, shown != self.life.truth
        self._seeds_last = shown


def _figure(block: Mapping[str, Any]) -> Usage:
    return Usage(*(block[f"total_{kind}"] for kind in KINDS))


def _interval(block: Mapping[str, Any]) -> list[tuple[int, int]] | None:
    """What the file says of each kind; None where calls are missing, and it says that nothing is known."""
    attribution = block["attribution"]
    if attribution["exact"]:
        return [(part, part) for part in _figure(block).parts]
    bounds = attribution.get("bounds")
    return [tuple(bounds[kind]) for kind in KINDS] if bounds else None


def _says_what_it_rests_on(block: Mapping[str, Any]) -> bool:
    completeness = block.get("completeness")
    return bool(completeness) and (completeness != "assumed" or "closed_key" in block.get("assumes", ()))


@dataclass(kw_only=True)
class LedgerUsage:
    """The usage API without HTTP: what the ledger shows at an instant, under the sky of a pass."""

    ledger: Ledger
    now: float
    sky: str | None
    answers: int = 0

    def fetch(self, query: Query) -> Fetched:
        self.answers += 1
        window, keys = query.window, query.api_key_ids
        rows = [row for row in self.shown(window.start, window.end) if not keys or row.api_key_id in keys]
        return Fetched(query, tuple(rows if query.grouped else _by_minute(rows)))

    def shown(self, start: int, end: int) -> list[Bucket]:
        clear = self.sky is None or (self.sky == "half at first" and self.answers > 1)
        rows = self.ledger.reported(start, end, self.now)
        return rows if clear else _dimmed(rows, self.sky)


def _dimmed(rows: list[Bucket], sky: str | None) -> list[Bucket]:
    gone = set(sorted({row.minute for row in rows})[:: 1 if sky == "nothing" else 2])
    return [row for row in rows if row.minute not in gone]


def _by_minute(rows: list[Bucket]) -> Iterator[Bucket]:
    minutes: defaultdict[int, list[Usage]] = defaultdict(list)
    for row in rows:
        minutes[row.minute].append(row.usage)
    return (Bucket(minute, total(usages)) for minute, usages in minutes.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of the runs of a block, and the requests it took."""

    block: Block
    tracks: tuple[Track, ...]
    requests: int
    errors: int


def lived(block: Block, policy: Policy | None = None) -> Outcome:
    """Hourly passes until every run is settled, by these rules and by those of the seeds."""
    world, dice = day(block), block.dice("passes")
    template = open_workspace(ROOT, scopes=world.scopes, policy=policy or Policy())
    tracks = {life.key: Track(life=life) for life in world.lives}
    files: dict[str, bytes] = {}
    requests = errors = 0
    for now in _schedule(world, dice):
        sky = _sky(dice) if block.weather else None
        files |= _left_behind(block, world, now, files)
        store = TreeStore(ROOT, {path: ("100644", len(data)) for path, data in files.items()}, files)
        workspace = replace(template, store=store, now=instant(now), clock=None)
        summary = run_pass(workspace, LedgerUsage(ledger=world.ledger, now=now, sky=sky))
        requests += summary.api.requests
        errors += len(summary.errors) + len(summary.findings)
        files |= store.changed
        for report in summary.runs:
            if report.written:
                tracks[report.run.key].look(files[report.run.path], now)
        for track in tracks.values():
            _read_like_the_seeds(track, LedgerUsage(ledger=world.ledger, now=now, sky=sky), template.policy)
        settled = all(report.run.settled for report in summary.runs) and len(summary.runs) == len(tracks)
        if settled and all(track.seeds_verified for track in tracks.values()):
            break
    return Outcome(block=block, tracks=tuple(tracks.values()), requests=requests, errors=errors)


def _schedule(world: Day, dice: Random) -> Iterator[int]:
    """Whole seconds, as a workspace has them."""
    last = max(life.run.end for life in world.lives) + PATIENCE * HOUR
    return (hour + dice.randrange(SLACK) for hour in range(NOON, int(last), HOUR))


def _sky(dice: Random) -> str | None:
    return next((sky for sky in SKY if dice.random() < CHANCE), None)


def _left_behind(block: Block, world: Day, now: float, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of the runs that have ended since: a run commits them when it ends."""
    new: dict[str, bytes] = {}
    for life in world.lives:
        folder = f"{ROOT}/{life.key}"
        if life.run.end > now or f"{folder}/metrics.json" in files:
            continue
        new[f"{folder}/metrics.json"] = life.metrics(block.cell.records)
        log = life.calls(block.cell.records)
        if log is not None:
            new[f"{folder}/calls.ndjson"] = log
    return new


def _read_like_the_seeds(track: Track, usage: LedgerUsage, policy: Policy) -> None:
    """A read of the run's own window and key, while it is of the age to be read and not verified."""
    age, window = timedelta(seconds=usage.now - track.life.run.end), track.life.window
    if track.seeds_verified or not policy.min_age <= age <= policy.max_age:
        return
    answer = usage.fetch(Query("openai", window, (track.life.run.api_key_id,)))
    track.seeds(total(row.usage for row in answer.buckets))
