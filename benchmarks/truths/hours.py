"""When passes are made: every hour, up to eight minutes late, under a sky; and which of them can be left out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random

from benchmarks.truths import bills
from benchmarks.truths.cells import Block
from benchmarks.truths.days import Day
from benchmarks.truths.runs import HOUR, MINUTE, NOON

CHANCE = 0.1
"""That of each kind of weather, for a pass."""
PATIENCE = 28
"""Hours after the last run within which every run is settled or given up."""
SLACK = 8 * MINUTE
"""By how many seconds an hourly schedule is late at the most."""
RARELY = 4


def hours(block: Block, today: Day) -> Iterator[tuple[int, str | None]]:
    """Whole seconds, as a workspace has them, and the sky of each pass."""
    dice, world = block.dice("passes"), block.world
    last = int(max(life.run.end for life in today.lives)) + max(0, world.hours) * HOUR
    doubled = NOON + dice.randrange(1, (last - NOON) // HOUR + 4) * HOUR
    for hour in range(NOON, last + PATIENCE * HOUR, HOUR):
        yield hour + dice.randrange(SLACK), _sky(dice, world.skies, twice=hour == doubled)


def _sky(dice: Random, skies: Iterable[str], *, twice: bool) -> str | None:
    return next((sky for sky in skies if (twice if sky == bills.TWICE else dice.random() < CHANCE)), None)


@dataclass(kw_only=True)
class Calm:
    """Leaves out passes that cannot find anything new, but for one in `RARELY`: a verdict may come of age.

    Nothing new shows and no run ends between them, and the last ones wrote nothing. Under skies that change none is.
    """

    changes: tuple[float, ...]
    """When something new shows, or a run ends; in order."""
    skies: bool
    last: float = 0.0
    idle: int = 0
    skipped: int = 0

    def skips(self, now: float) -> bool:
        new = bisect_right(self.changes, now) > bisect_right(self.changes, self.last)
        if new or self.skies or self.idle < RARELY or self.skipped == RARELY - 1:
            self.skipped = 0
            return False
        self.skipped += 1
        return True

    def passed(self, now: float, *, wrote: bool) -> None:
        self.last, self.idle = now, 0 if wrote else self.idle + 1
