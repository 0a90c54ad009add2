"""What befalls runs: calls that nobody recorded, that were never billed, that outlast the run; and what others call.

A twist changes a run, a stranger adds calls with its key that are no run's. Each draws from dice of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import TypeAlias

from benchmarks.truths.runs import HOUR, MINUTE, SECOND_MODEL, Call, Run, agent, called, moved

Twist: TypeAlias = Callable[[Random, Run], Run]
Stranger: TypeAlias = Callable[[Random, Sequence[Run]], Iterator[Call]]
"""Calls of somebody else beside all the runs of one key, in order of their start."""

RARE, SOME = 0.01, 0.25


# ---------------------------------------------------------------------------------------------- the run's own calls


def retried_unseen(random: Random, run: Run) -> Run:
    """One call in a hundred was tried once before, billed, and is in no record."""
    unseen = [
        replace(call, ended=call.began + (call.ended - call.began) / 2, recorded=False)
        for call in run.calls
        if random.random() < RARE
    ]
    return replace(run, calls=(*run.calls, *unseen))


def never_billed(random: Random, run: Run) -> Run:
    """One recorded call in a hundred is billed to nobody."""
    return replace(run, calls=tuple(replace(call, billed=random.random() >= RARE) for call in run.calls))


def in_background(random: Random, run: Run) -> Run:
    """A call of one run in four is answered only after the run has ended and written its files."""
    if random.random() >= SOME:
        return run
    call = called(random, run.end - random.uniform(0.5, 20), run.key)
    return replace(run, calls=(*run.calls, replace(call, ended=run.end + random.uniform(1, 90), recorded=False)))


def resumed(random: Random, run: Run) -> Run:
    """One run in four stops half way, and goes on two hours later."""
    middle = len(run.calls) // 2
    if random.random() >= SOME or not middle:
        return run
    pause = random.uniform(1.9, 2.1) * HOUR
    first, second = run.calls[:middle], [moved(call, pause) for call in run.calls[middle:]]
    stopped, went_on = first[-1].ended + random.uniform(0.1, 1.5), second[0].began - random.uniform(0.1, 0.2)
    return replace(run, sessions=((run.start, stopped), (went_on, run.end + pause)), calls=(*first, *second))


def of_two_models(random: Random, run: Run) -> Run:
    """Three calls in ten go to a second model."""
    calls = (replace(call, model=SECOND_MODEL) if random.random() < 0.3 else call for call in run.calls)  # noqa: PLR2004
    return replace(run, calls=tuple(calls))


def rotated(random: Random, run: Run) -> Run:
    """The key of one run in four is replaced in the middle of it, by one that the scope does not name."""
    if random.random() >= SOME:
        return run
    middle = random.randrange(len(run.calls))
    later = [replace(call, key=f"{call.key}_rotated") for call in run.calls[middle:]]
    return replace(run, calls=(*run.calls[:middle], *later))


# ------------------------------------------------------------------------------------------------ somebody else's calls


def traffic(random: Random, runs: Sequence[Run]) -> Iterator[Call]:
    """A request in ten minutes, as far around the runs as any pass will look."""
    at, end = runs[0].start - 2 * HOUR, max(run.end for run in runs) + 2 * HOUR
    while (at := at + random.expovariate(0.1 / MINUTE)) < end:
        yield called(random, at, runs[0].key)


def beside(random: Random, runs: Sequence[Run]) -> Iterator[Call]:
    """One call within a minute of a run's start or end."""
    for run in runs:
        call, away = called(random, 0, run.key), random.uniform(0.5, 60)
        yield moved(call, run.end + away) if random.random() < 0.5 else moved(call, run.start - away - call.ended)  # noqa: PLR2004


def next_minute(random: Random, runs: Sequence[Run]) -> Iterator[Call]:
    """One call that ends in the minute before or after those of a run, where nothing of its own can be."""
    for run in runs:
        call = called(random, 0, run.key)
        before, after = run.start // MINUTE * MINUTE - MINUTE, -(-run.end // MINUTE) * MINUTE
        at = (before if random.random() < 0.5 else after) + random.uniform(0, MINUTE)  # noqa: PLR2004
        yield moved(call, at - call.ended)


def unlisted(random: Random, runs: Sequence[Run]) -> Iterator[Call]:
    """A colleague's run, in one of four pauses that are long enough for it."""
    for before, after in pairwise(runs):
        if after.start - before.end > 2.5 * MINUTE and random.random() < SOME:
            yield from agent(random, "unlisted", before.key, before.end + MINUTE / 2, MINUTE).calls


def batched(random: Random, runs: Sequence[Run]) -> Iterator[Call]:
    """A batch job, handed in earlier, that completes while one run in four is going on."""
    for run in runs:
        if random.random() < SOME:
            at = random.uniform(run.start, run.end)
            yield from (replace(called(random, at, run.key), ended=at, batch=True) for _ in range(20))
