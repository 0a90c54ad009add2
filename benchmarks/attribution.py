"""CPU seconds of `attribute` for 10,000 runs in a day on 20 keys. Run it as `python benchmarks/attribution.py`.

Two shapes: runs back to back on their key, and runs of which four are going at any time. Every run records its calls;
the target is two seconds each on one core.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from reconcile.core.attribution import attribute
from reconcile.core.model import MINUTE, Bucket, Claim, Recorded, RunKey, Scope, Usage, Window

RUNS, KEYS, DAY = 10_000, 20, 1440
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
            claims.append(Claim(run, scope, window, Recorded(api_calls=len(made))))
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
        Bucket(minute, Usage(1000 * count, 250, 100, count), key, model)
        for (minute, model), count in sorted(Counter(calls).items())
    ]


def main() -> None:
    for overlap in (1, 4):
        claims, buckets = day(overlap)
        covered = [Window(MIDNIGHT - 60 * MINUTE, MIDNIGHT + 2 * DAY * MINUTE)]
        started = time.process_time()
        result = attribute(claims, buckets, covered)
        spent = time.process_time() - started
        exact = sum(share.exact for share in result.by_run.values())
        print(f"overlap {overlap}: {len(claims):,} claims, {len(buckets):,} buckets, {exact:,} exact: {spent:.2f} s")  # noqa: T201


if __name__ == "__main__":
    main()
