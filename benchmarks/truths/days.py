"""A world of a block: runs, the calls they really made and when these show, and the files that each run leaves behind.

The truth is what the calls add up to. No file holds it unless the run is one that counts everything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random

from benchmarks.truths.cells import CALLS, COUNTED, LINES_MISSING, LOG, SHARING, TORN, TOTALS, Block
from reconcile.core.model import KINDS, MINUTE, RunKey, Scope, Usage, Window, total
from reconcile.simulator.ledger import Call, Ledger
from reconcile.simulator.scenarios import HOUR, MODEL, Plan, SimulatedRun, world

NOON = 1_767_614_400  # 2026-01-05T12:00:00Z
LATE, LATEST = 1 / 200, 30
"""The share of calls that show late, and after how many hours the last of them does."""


@dataclass(frozen=True)
class Life:
    """A run as it really was, and how its file calls it."""

    run: SimulatedRun
    log: tuple[tuple[float, float], ...]
    """When its calls began and ended, by its own clock."""

    @cached_property
    def key(self) -> RunKey:
        """A framework for each API key."""
        return RunKey(self.run.api_key_id, self.run.name)

    @cached_property
    def truth(self) -> Usage:
        return total(call.usage for call in self.run.calls)

    @cached_property
    def window(self) -> Window:
        return Window.around(self.run.start, self.run.end)

    def metrics(self, records: str) -> bytes:
        """The file as the run leaves it."""
        parts = dict(zip(KINDS, self.truth.parts, strict=True))
        counts = {CALLS: {"api_calls": len(self.run.calls)}, COUNTED: {"api_calls": len(self.run.calls)}, TOTALS: parts}
        value = {
            "run_id": self.run.name,
            "start_timestamp": self.run.start,
            "end_timestamp": self.run.end,
            "steps": [],
            "aggregate_metrics": {"TOK_IN": 0, "TOK_OUT": 0},
            **({"recorded_usage": counts[records]} if records in counts else {}),
        }
        return json.dumps(value, indent=2).encode()

    def calls(self, records: str) -> bytes | None:
        """Its call log, where it keeps one."""
        if records not in {LOG, TORN, COUNTED}:
            return None
        random = Random(f"{self.run.name}/lines")  # noqa: S311  a benchmark's dice
        rows = [row for row in self._rows() if records == LOG or random.random() >= LINES_MISSING]
        lines = [{"complete": records == LOG}, *rows]
        return "".join(f"{json.dumps(line)}\n" for line in lines).encode()

    def _rows(self) -> Iterator[dict[str, float | str]]:
        for number, (call, (began, ended)) in enumerate(zip(self.run.calls, self.log, strict=True)):
            yield {
                "started_at": began,
                "ended_at": ended,
                "model": call.model,
                "input_tokens": call.tokens_in,
                "output_tokens": call.tokens_out,
                "cached_tokens": call.cached_tokens,
                "response_id": f"response-{number}",
            }


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """The runs of a block and the ledger of all that was called with their keys."""

    lives: tuple[Life, ...]
    ledger: Ledger

    @property
    def scopes(self) -> dict[str, Scope]:
        return {life.key.framework: Scope("openai", (life.run.api_key_id,)) for life in self.lives}


def day(block: Block) -> Day:
    """The same for the same block, on every machine."""
    timetable, runs_per_key = SHARING[block.cell.sharing]
    plan = Plan(runs=block.runs, start=NOON, timetable=timetable, runs_per_key=runs_per_key, feed=block.feed)
    random = block.dice("late")
    runs = world(block.number, plan)
    if block.late:
        runs = tuple(replace(run, calls=tuple(_some_late(random, run.calls))) for run in runs)
    lives = tuple(Life(run, tuple(_logged(run, block))) for run in runs)
    calls = [call for run in runs for call in run.calls]
    return Day(lives=lives, ledger=Ledger([*calls, *_foreign(runs, block)]))


def _some_late(random: Random, calls: tuple[Call, ...]) -> Iterator[Call]:
    for call in calls:
        late = random.random() < LATE
        yield replace(call, visible_at=call.at + random.uniform(1, LATEST) * HOUR) if late else call


def _logged(run: SimulatedRun, block: Block) -> Iterator[tuple[float, float]]:
    """Calls of 2 to 30 seconds, reported in the minute in which they began; in another world, in which they ended."""
    random = block.dice(run.name)
    by_end = block.dice("booked").random() < 0.5  # noqa: PLR2004  either is as likely
    for call in run.calls:
        took = random.uniform(2, 30)
        yield (max(call.at - took, run.start), call.at) if by_end else (call.at, min(call.at + took, run.end))


def _foreign(runs: tuple[SimulatedRun, ...], block: Block) -> Iterator[Call]:
    """Requests that nobody recorded: around the runs of each key, as far as any pass will look."""
    if not block.cell.foreign:
        return
    random, feed = block.dice("foreign"), block.feed
    by_key = {run.api_key_id: [each for each in runs if each.api_key_id == run.api_key_id] for run in runs}
    for key, own in by_key.items():
        at, end = own[0].start - 2 * HOUR, max(run.end for run in own) + 2 * HOUR
        while (at := at + random.expovariate(block.cell.foreign / MINUTE)) < end:
            yield Call(
                at=at,
                tokens_in=int(random.lognormvariate(7.3, 0.6)),
                tokens_out=int(random.lognormvariate(6.0, 0.5)),
                api_key_id=key,
                model=MODEL,
                visible_at=feed(random, at),
            )
