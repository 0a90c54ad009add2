"""Seconds and bytes of the dashboard of 1,000 simulated runs.

    python benchmarks/dashboard.py

Runs of ten days, of three frameworks with a key each, that touch and overlap, record nothing, their calls or all, and
were read twice, on the day after.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path, PurePosixPath

from reconcile.minutes import instant, spelled
from reconcile.passes.apply import run_pass
from reconcile.passes.tree import Workspace
from reconcile.providers.base import Fetched, Query, Scope
from reconcile.report.exports import report
from reconcile.runs.state import Policy
from reconcile.runs.tree_store import TreeStore
from reconcile.simulator.calls import BilledCall, Ledger
from reconcile.usage import Bucket, Usage, total
from reconcile.workspace import open_workspace

RUNS, DAYS = 1_000, 10
START = 1_767_571_200
FRAMEWORKS = ("baes", "chatdev", "ghspec")
MODELS = ("gpt-4o-mini-2024-07-18", "gpt-4.1-2025-04-14")
ROOT = PurePosixPath("runs")
READS = (timedelta(hours=12), timedelta(hours=14))
"""After the end of each day."""


def main() -> None:
    workspace = lived(RUNS)
    with tempfile.TemporaryDirectory() as folder:
        started = time.process_time()
        made = report(workspace, Path(folder))
        seconds = time.process_time() - started
    counts = ", ".join(f"{count:,} {name}" for name, count in made.dashboard.summary.counts.items() if count)
    sys.stdout.write(f"{counts}: {seconds:.2f} s of CPU, {made.size:,} bytes\n")


def lived(count: int, days: Sequence[int] = range(1, DAYS + 1)) -> Workspace:
    """The folder of so many runs, in memory, after the passes of these days, which come to all of the runs."""
    dice = random.Random(1)  # noqa: S311  the same runs each time
    calls: list[BilledCall] = []
    files = {f"{ROOT}/{name}/metrics.json": text.encode() for name, text in _runs(count, dice, calls)}
    ledger = Ledger(calls)
    scopes = {name: Scope("openai", (f"key_{name}",)) for name in FRAMEWORKS}
    workspace = open_workspace(ROOT, scopes=scopes, policy=Policy(max_age=timedelta(days=days[0] + 1)))
    for day in days:
        for after in READS:
            now = instant(START + day * 86_400) + after
            workspace = replace(workspace, store=_store(files), now=now, clock=None)
            run_pass(workspace, LedgerUsage(ledger, now.timestamp()))
            files |= workspace.store.changed  # type: ignore[attr-defined]
    return replace(workspace, store=_store(files))


@dataclass(frozen=True, slots=True)
class LedgerUsage:
    """The usage API without HTTP: what the ledger shows at an instant."""

    ledger: Ledger
    now: float

    def fetch(self, query: Query) -> Fetched:
        rows = self.ledger.reported(query.window.start, query.window.end, self.now)
        kept = [row for row in rows if not query.api_key_ids or row.api_key_id in query.api_key_ids]
        return Fetched(query, tuple(kept if query.grouped else _by_minute(kept)))


def _by_minute(rows: Sequence[Bucket]) -> Iterator[Bucket]:
    minutes: defaultdict[int, list[Usage]] = defaultdict(list)
    for row in rows:
        minutes[row.minute].append(row.usage)
    return (Bucket(minute, total(usages)) for minute, usages in minutes.items())


def _store(files: dict[str, bytes]) -> TreeStore:
    return TreeStore(ROOT, {path: ("100644", len(data)) for path, data in files.items()}, files)


def _runs(count: int, dice: random.Random, made: list[BilledCall]) -> Iterator[tuple[str, str]]:
    for number in range(count):
        name = FRAMEWORKS[number % len(FRAMEWORKS)]
        start = START + number * DAYS * 86_400 / count + dice.uniform(0, 2_400)
        end = start + dice.uniform(120, 900)
        calls = [_call(dice, dice.uniform(start, end), f"key_{name}") for _ in range(dice.randint(4, 30))]
        made += calls
        value = {
            "run_id": f"{dice.getrandbits(64):016x}",
            "start_timestamp": spelled(instant(start)),
            "end_timestamp": spelled(instant(end + 1)),
            "steps": [],
            "aggregate_metrics": {"TOK_IN": 0, "TOK_OUT": 0},
            **dice.choice(({}, {"recorded_usage": _calls(calls)}, {"recorded_usage": _calls(calls) | _tokens(calls)})),
        }
        yield f"{name}/{value['run_id']}", json.dumps(value, indent=2)


def _call(dice: random.Random, at: float, key: str) -> BilledCall:
    tokens_in = dice.randint(300, 4_000)
    return BilledCall(
        at=at,
        tokens_in=tokens_in,
        tokens_out=dice.randint(50, 900),
        cached_tokens=dice.choice((0, 0, tokens_in // 2)),
        api_key_id=key,
        model=dice.choice(MODELS),
        visible_at=at,
    )


def _calls(calls: list[BilledCall]) -> dict[str, int]:
    return {"api_calls": len(calls)}


def _tokens(calls: list[BilledCall]) -> dict[str, int]:
    return {
        "tokens_in": sum(call.tokens_in for call in calls),
        "tokens_out": sum(call.tokens_out for call in calls),
        "cached_tokens": sum(call.cached_tokens for call in calls),
    }


if __name__ == "__main__":
    main()
