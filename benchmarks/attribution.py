"""CPU seconds of `attribute` for 10,000 runs in a day on 20 keys. Run it as `python benchmarks/attribution.py`.

Two shapes: runs back to back on their key, and runs of which four are going at any time. Every run records its calls,
or keeps a complete log of 33 calls or so, a quarter of which may have been reported in two minutes; with `foreign`,
a request in fifty is nobody's. The target is two seconds each on one core.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from reconcile.attribution.attribute import attribute
from reconcile.minutes import MINUTE, Clock, Window
from reconcile.providers.base import Scope
from reconcile.runs.run import CallLog, Claim, LoggedCall, RunKey
from reconcile.usage import Bucket, Recorded, Usage

RUNS, KEYS, DAY = 10_000, 20, 1440
CALLS, STRADDLING = 33, 0.25
MIDNIGHT = 1_767_571_200
MODELS = ("gpt-4o-mini-2024-07-18", "gpt-4o-2024-08-06")


def day(overlap: int, seed: int = 7) -> tuple[list[Claim], list[Bucket]]:
    """Claims and buckets of a day in which `overlap` runs of each key are going at once, four calls a minute."""
    rng = random.Random(seed)  # noqa: S311  a benchmark's dice
    claims, buckets = [], []
    for key in range(KEYS):
        name = f"key_{key}"
        windows = list(_windows(RUNS // KEYS, overlap, rng))
        calls = [_calls(window, rng) for window in windows]
        for number, (window, made) in enumerate(zip(windows, calls, strict=True)):
            scope, run = Scope("openai", (name,)), RunKey(f"framework{key}", f"{number:04}")
            claims.append(reaching(Claim(run, scope, window, Recorded(api_calls=len(made)))))
        buckets += _buckets(name, [call for made in calls for call in made])
    return claims, buckets


def _windows(count: int, overlap: int, rng: random.Random) -> Iterator[Window]:
    """Windows of equal mean length, each starting where one of `overlap` lanes becomes free."""
    length = DAY * overlap / count
    for lane in range(overlap):
        at = lane * length / overlap
        for _ in range(count // overlap):
            minutes = length * rng.uniform(0.5, 1.5)
            yield Window.around(MIDNIGHT + at * MINUTE, MIDNIGHT + (at + minutes) * MINUTE)
            at += minutes


def _calls(window: Window, rng: random.Random) -> list[tuple[int, str]]:
    return [
        (rng.randrange(window.start, window.end, MINUTE), rng.choice(MODELS))
        for _ in range(rng.randint(0, 2 * window.minutes))
    ]


def _buckets(key: str, calls: list[tuple[int, str]]) -> list[Bucket]:
    return [
        Bucket(minute, Usage(1000 * count, 250 * count, 100 * count, count), key, model)
        for (minute, model), count in sorted(Counter(calls).items())
    ]


def reaching(claim: Claim) -> Claim:
    """The claim, with a clock that may be off by a minute."""
    return replace(claim, clock=Clock(0.0, 60.0), reached=(claim.window.widened(1),))


def logged_day(overlap: int, *, foreign: float = 0, seed: int = 7) -> tuple[list[Claim], list[Bucket], int]:
    """The same day with a complete call log beside every run; and how many calls are in them."""
    rng = random.Random(seed)  # noqa: S311  a benchmark's dice
    claims, buckets, logged = [], [], 0
    for key in range(KEYS):
        name = f"key_{key}"
        made: list[tuple[int, str]] = []
        for number, window in enumerate(_windows(RUNS // KEYS, overlap, rng)):
            calls = [(rng.randrange(window.start, window.end, MINUTE), rng.choice(MODELS)) for _ in range(CALLS)]
            scope, run = Scope("openai", (name,)), RunKey(f"framework{key}", f"{number:04}")
            claims.append(reaching(Claim(run, scope, window, Recorded(), _log(calls, window, rng))))
            logged += len(calls)
            made += calls
            made += [call for call in calls if rng.random() < foreign]
        buckets += _buckets(name, made)
    return claims, buckets, logged


def _log(calls: list[tuple[int, str]], window: Window, rng: random.Random) -> CallLog:
    """Calls as a log has them: a quarter went on into the next minute."""
    one = Usage(1000, 250, 100, 1)
    found = tuple(
        LoggedCall(minute + 20.0, min(minute + 30.0 + MINUTE * (rng.random() < STRADDLING), window.end), one, 1)
        for minute, _ in calls
    )
    count = len(calls)
    return CallLog(calls=found, total=Usage(1000 * count, 250 * count, 100 * count, count), complete=True, digest="")


def main() -> None:
    for overlap in (1, 4):
        claims, buckets = day(overlap)
        _measure(f"overlap {overlap}", claims, buckets)
    for overlap in (1, 4):
        for foreign in (0, 0.02):
            claims, buckets, calls = logged_day(overlap, foreign=foreign)
            _measure(f"overlap {overlap}, {calls:,} logged calls{', foreign' if foreign else ''}", claims, buckets)


def _measure(title: str, claims: list[Claim], buckets: list[Bucket]) -> None:
    covered = [Window(MIDNIGHT - 60 * MINUTE, MIDNIGHT + 2 * DAY * MINUTE)]
    started = time.process_time()
    result = attribute(claims, buckets, covered)
    spent = time.process_time() - started
    exact = sum(share.exact for share in result.by_run.values())
    print(f"{title}: {len(claims):,} claims, {len(buckets):,} buckets, {exact:,} exact: {spent:.2f} s")  # noqa: T201


if __name__ == "__main__":
    main()
