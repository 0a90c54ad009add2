"""Worlds crossed with what runs record and how they share keys, and the blocks of runs that live through them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from itertools import product
from random import Random

from benchmarks.truths.runs import ALONE, CHAIN, GAP, HOURLY, OVERLAP, OWN, SHARING, SPARSE
from benchmarks.truths.worlds import LAG, TRUSTED, WORLDS, Assumption, World

NOTHING, CALLS, TOTALS = "nothing", "counts", "totals"
LOG, TORN, COUNTED = "complete log", "torn log", "counts and torn log"
"""A torn log lacks one line in twenty, and does not say that it is complete."""
RECORDS = (NOTHING, CALLS, TOTALS, LOG)
ALL_RECORDS = (*RECORDS, TORN, COUNTED)

SHARED = (ALONE, OWN, GAP, CHAIN, OVERLAP)
LAGGED = (ALONE, CHAIN, OVERLAP, "overlap 2", "overlap 4")
BLOCK = 24
"""Runs that are read together at the most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Runs of one kind."""

    world: str
    records: str
    sharing: str
    clock: bool = False
    """Whether the file states how far its clock is off."""

    @property
    def name(self) -> str:
        return "/".join((self.world, self.records, self.sharing, *(("clock stated",) if self.clock else ())))

    @property
    def weight(self) -> int:
        """How many runs it has beside others: a lag comes with weather and late calls or without, in four worlds."""
        return 1 if self.world.startswith(LAG) else 4


@dataclass(frozen=True, kw_only=True)
class Block:
    """Runs of one cell, in one world."""

    cell: Cell
    runs: int
    seed: int
    number: int

    @property
    def name(self) -> str:
        return f"{self.cell.name}#{self.seed}.{self.number}x{self.runs}"

    @property
    def world(self) -> World:
        return WORLDS[self.cell.world]

    @property
    def breaks(self) -> frozenset[Assumption]:
        """What is not so that a verdict may take to be so."""
        off = self.world.skew > TRUSTED and not self.cell.clock
        return self.world.breaks | ({Assumption.CLOCK} if off else frozenset())

    @cached_property
    def root(self) -> str:
        """The seed of all dice: the same in each world of a family, with whatever is stated of the clock."""
        return "/".join(map(str, (self.seed, self.number, self.world.family, self.cell.records, self.cell.sharing)))

    def dice(self, what: str) -> Random:
        """The dice of one part of the world, which no other part moves."""
        return Random(f"{self.root}/{what}")  # noqa: S311  a benchmark's dice


def cells() -> Iterator[Cell]:
    """Every cell, world by world."""
    for name, world in WORLDS.items():
        lag = name.startswith(LAG)
        for records, sharing in product(ALL_RECORDS if lag else RECORDS, LAGGED if lag else _shared(world)):
            yield Cell(world=name, records=records, sharing=sharing)
            if world.family == "skew":
                yield Cell(world=name, records=records, sharing=sharing, clock=True)


def _shared(world: World) -> tuple[str, ...]:
    """Runs far apart where something comes over settled ones; one alone on its key where others come near."""
    return {
        "foreign": (ALONE, OWN, GAP),
        "next": (ALONE, OWN),
        "unlisted": (OWN,),
        "hours": (ALONE, OWN, HOURLY),
        "resumed": (ALONE, OWN, GAP),
        "over": (ALONE, SPARSE, GAP),
        "restated": (ALONE, SPARSE, GAP),
    }.get(world.family, (SHARED if world.family == "skew" else (ALONE, OWN, GAP)))


def matching(pattern: str) -> list[Cell]:
    """The cells whose name fits: `skew*/counts/*`."""
    return [cell for cell in cells() if fnmatchcase(cell.name, pattern)]


def blocks(chosen: Iterable[Cell], runs: int, seed: int) -> list[Block]:
    """At least so many runs in all, shared among the cells by their weight."""
    chosen = list(chosen)
    whole = sum(cell.weight for cell in chosen)
    return [
        Block(cell=cell, runs=size, seed=seed, number=number)
        for cell in chosen
        for number, size in enumerate(_sizes(-(-runs * cell.weight // whole), max(BLOCK, SHARING[cell.sharing][1])))
    ]


def _sizes(runs: int, most: int) -> Iterator[int]:
    while runs > 0:
        yield min(runs, most)
        runs -= most
