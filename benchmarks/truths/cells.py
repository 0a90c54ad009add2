"""The cells of the truth benchmark: what kinds of worlds there are, and in which of them no figure may be wrong."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from random import Random

from reconcile.simulator.scenarios import Feed, Timetable, apart, back_to_back, clean, overlapping, slow_tail, stalling

OWN_KEY, CHAIN = "own key", "back to back"
SHARING: dict[str, tuple[Timetable, int]] = {
    OWN_KEY: (apart, 1),
    CHAIN: (back_to_back, 10),
    "overlap 1": (overlapping(1), 10),
    "overlap 2": (overlapping(2), 10),
    "overlap 4": (overlapping(4), 10),
}
"""When the next run of a key starts, and how many runs a key has."""

CLEAN, TAIL, STALLS = "clean", "slow tail", "stalls"
LAGS = (CLEAN, TAIL, STALLS)
STALL_CHANCE = 0.3
"""That an hour begins a freeze of the feed: often enough that every cell has some."""

NOTHING, CALLS, TOTALS = "nothing", "counts", "counts and tokens"
LOG, TORN, COUNTED = "complete log", "log, 5 % missing", "counts and log, 5 % missing"
RECORDS = (NOTHING, CALLS, TOTALS, LOG, TORN, COUNTED)
LINES_MISSING = 0.05

FOREIGN = 0.1
"""Requests a minute that somebody else makes with each key, where there is foreign traffic."""

BLOCKS = tuple(product((False, True), (False, True)))
"""Transient zeros and dips off or on, late calls off or on: every cell holds as many runs of each of the four."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Runs of one kind. `foreign` is in requests a minute."""

    records: str
    foreign: float
    sharing: str
    lag: str

    @property
    def flawless(self) -> bool:
        """Whether no figure may be wrong and no interval may miss: then nothing is assumed that the world breaks."""
        counts = self.records in {CALLS, TOTALS, COUNTED}
        return self.records == LOG or (counts and not self.foreign)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Runs of one cell, in one world. The name is the seed of all its dice."""

    cell: Cell
    weather: bool
    """Whether one pass in ten reads nothing, one half of the minutes, and one half of them in its first reply."""
    late: bool
    """Whether one call in 200 shows only 1 to 30 hours after it was made."""
    runs: int
    seed: int

    @property
    def name(self) -> str:
        cell = self.cell
        kind = (cell.records, cell.foreign, cell.sharing, cell.lag, self.weather, self.late)
        return "/".join(map(str, (self.seed, *kind)))

    def dice(self, what: str) -> Random:
        """The dice of one part of the world, which no other part moves."""
        return Random(f"{self.name}/{what}")  # noqa: S311  a benchmark's dice

    @property
    def number(self) -> int:
        return self.dice("world").getrandbits(40)

    @property
    def feed(self) -> Feed:
        return {CLEAN: clean, TAIL: slow_tail, STALLS: stalling(self.number, STALL_CHANCE)}[self.cell.lag]


def cells() -> list[Cell]:
    """Every combination of what was recorded, foreign traffic, sharing and lag."""
    every = product(RECORDS, (0.0, FOREIGN), SHARING, LAGS)
    return [
        Cell(records=records, foreign=foreign, sharing=sharing, lag=lag) for records, foreign, sharing, lag in every
    ]


def blocks(cell: Cell, runs: int, seed: int) -> list[Block]:
    """The worlds of a cell: at least so many runs in all."""
    each = -(-runs // len(BLOCKS))
    return [Block(cell=cell, weather=weather, late=late, runs=each, seed=seed) for weather, late in BLOCKS]
