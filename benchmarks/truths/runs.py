"""What happened: runs of sequential agents and the calls they made, in the provider's time.

An agent calls within a second or so of its start, and ends within a second or so of its last answer: edges are dense.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import TypeAlias

MINUTE, HOUR = 60, 3600
NOON = 1_767_614_400  # 2026-01-05T12:00:00Z
MODEL, SECOND_MODEL = "gpt-4o-mini-2024-07-18", "gpt-4.1-2025-04-14"
MEAN_DURATION = 5 * MINUTE
EDGE = (0.1, 1.5)
"""Seconds between the start and the first call, and between the last answer and the end."""
CACHED = 0.3
"""The share of calls that find a part of their prompt cached."""

Span: TypeAlias = tuple[float, float]
Tokens: TypeAlias = tuple[int, int, int]
"""Input, output, cached input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request as it really was."""

    began: float
    ended: float
    key: str
    tokens: Tokens
    model: str = MODEL
    batch: bool = False
    recorded: bool = True
    """Whether the run's files tell of it."""
    billed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run as it really was: one session, or several where it was resumed."""

    name: str
    key: str
    sessions: tuple[Span, ...]
    calls: tuple[Call, ...]

    @property
    def start(self) -> float:
        return self.sessions[0][0]

    @property
    def end(self) -> float:
        return self.sessions[-1][1]

    @property
    def recorded(self) -> tuple[Call, ...]:
        return tuple(call for call in self.calls if call.recorded)


# -------------------------------------------------------------------------------- sharing: when the next run starts

Pause: TypeAlias = Callable[[Random, Span], float]
"""When a key's next run starts, from the span of the one before."""


def sparse(random: Random, span: Span) -> float:
    """A few in a day: those that are settled are looked at again when the next is read."""
    return span[1] + random.uniform(0.5, 2) * HOUR


def hourly(random: Random, span: Span) -> float:
    """As a schedule starts them."""
    return span[0] + HOUR + random.uniform(-2, 2)


def apart(random: Random, span: Span) -> float:
    return span[1] + random.uniform(3, 10) * MINUTE


def gap(random: Random, span: Span) -> float:
    return span[1] + random.uniform(5, 60)


def chained(random: Random, span: Span) -> float:
    return span[1] + random.uniform(0, 5)


def overlap_1(random: Random, span: Span) -> float:
    return _independent(random, span, 1)


def overlap_2(random: Random, span: Span) -> float:
    return _independent(random, span, 2)


def overlap_4(random: Random, span: Span) -> float:
    return _independent(random, span, 4)


def _independent(random: Random, span: Span, mean: float) -> float:
    """Runs started independently of each other, so many of them going on at a time."""
    return span[0] + random.expovariate(mean / MEAN_DURATION)


ALONE, OWN, SPARSE, HOURLY = "alone", "own key", "sparse", "hourly"
GAP, CHAIN, OVERLAP = "gap", "chain", "overlap 1"
SHARING: dict[str, tuple[Pause, int]] = {
    ALONE: (apart, 1),
    OWN: (apart, 12),
    SPARSE: (sparse, 8),
    HOURLY: (hourly, 8),
    GAP: (gap, 12),
    CHAIN: (chained, 12),
    OVERLAP: (overlap_1, 12),
    "overlap 2": (overlap_2, 12),
    "overlap 4": (overlap_4, 12),
}
"""The pauses between the runs of a key, and how many runs it has."""


def happened(random: Random, runs: int, sharing: str) -> Iterator[Run]:
    """So many runs, key by key, each key's in order of their start. The keys' first ones start within an hour."""
    pause, runs_per_key = SHARING[sharing]
    span: Span = (0.0, 0.0)
    for number in range(runs):
        fresh = number % runs_per_key == 0
        start = NOON + random.uniform(0, HOUR) if fresh else pause(random, span)
        run = agent(random, f"run-{number:04}", f"key_{number // runs_per_key:03}", start)
        span = run.sessions[0]
        yield run


def agent(random: Random, name: str, key: str, start: float, duration: float = MEAN_DURATION) -> Run:
    """One call after the other for about so long."""
    stop = start + duration * random.uniform(0.5, 1.5)
    at = start + random.uniform(*EDGE)
    calls: list[Call] = []
    while not calls or at < stop:
        calls.append(called(random, at, key))
        at = calls[-1].ended + random.uniform(0.2, 4)
    return Run(name=name, key=key, sessions=((start, calls[-1].ended + random.uniform(*EDGE)),), calls=tuple(calls))


def called(random: Random, at: float, key: str) -> Call:
    """A call that begins at that instant and takes some seconds."""
    tokens_in = int(random.lognormvariate(7.3, 0.6))
    reused = tokens_in // 256 * 128 if random.random() < CACHED else 0  # a cache holds prompts in steps of 128 tokens
    took = min(30.0, random.lognormvariate(1.5, 0.6))
    return Call(began=at, ended=at + took, key=key, tokens=(tokens_in, int(random.lognormvariate(6.0, 0.5)), reused))


def moved(call: Call, seconds: float) -> Call:
    return replace(call, began=call.began + seconds, ended=call.ended + seconds)
