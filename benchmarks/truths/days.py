"""A block's day: the runs of its keys, who else called, the bill of it all, and the truth of each run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from benchmarks.truths.bills import Amount, Bill, Posting, posting, summed
from benchmarks.truths.cells import Block
from benchmarks.truths.files import CLOCK_ERROR, Machine
from benchmarks.truths.runs import Call, Run, happened


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A run, what it really used, and what it leaves behind. A framework for each key."""

    run: Run
    truth: Amount
    metrics: bytes
    log: bytes | None

    @property
    def folder(self) -> str:
        return f"{self.run.key}/{self.run.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    lives: tuple[Life, ...]
    bill: Bill

    @property
    def changes(self) -> tuple[float, ...]:
        """When a run ends, or something new shows; in order."""
        return tuple(sorted({*self.bill.changes, *(life.run.end for life in self.lives)}))


def day(block: Block) -> Day:
    """The same for the same block, on every machine."""
    world = block.world
    runs = tuple(_befallen(block, run) for run in happened(block.dice("runs"), block.runs, block.cell.sharing))
    by_key: defaultdict[str, list[Run]] = defaultdict(list)
    for run in runs:
        by_key[run.key].append(run)
    machines = {key: _machine(block, key) for key in by_key}
    postings = {run.name: list(_postings(block, run.name, run.calls)) for run in runs}
    lives = [
        Life(
            run=run,
            truth=summed(each.amount for each in postings[run.name]),
            metrics=machines[run.key].metrics(run),
            log=machines[run.key].log(run, block.dice(f"lines of {run.name}")),
        )
        for run in runs
    ]
    others = [
        each
        for number, stranger in enumerate(world.strangers)
        for key, own in by_key.items()
        for each in _postings(block, f"stranger {number} of {key}", stranger(block.dice(f"{number} at {key}"), own))
    ]
    return Day(lives=tuple(lives), bill=Bill([*others, *(each for own in postings.values() for each in own)]))


def _befallen(block: Block, run: Run) -> Run:
    for number, twist in enumerate(block.world.befalls):
        run = twist(block.dice(f"twist {number} of {run.name}"), run)
    return run


def _machine(block: Block, key: str) -> Machine:
    """One for each key, with a clock of its own."""
    world, dice = block.world, block.dice(f"clock of {key}")
    offset = world.skew * dice.choice((-1, 1))
    return Machine(
        records=block.cell.records,
        offset=offset,
        stated=round(dice.uniform(-CLOCK_ERROR, CLOCK_ERROR) - offset, 3) if block.cell.clock else None,
        hours=world.hours,
        pen=world.pen,
    )


def _postings(block: Block, whose: str, calls: Iterable[Call]) -> Iterator[Posting]:
    world, dice = block.world, block.dice(f"feed of {whose}")
    for call in calls:
        if call.billed:
            at = world.booked(call)
            yield from world.posted(dice, posting(call, at, world.feed(block.root, dice, call, at)))
