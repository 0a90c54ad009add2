"""CPU seconds for what a pass thinks: attribution and settlement of 10,000 runs of one day on 20 keys.

    python benchmarks/judging.py

Runs touch each other, recorded their calls and not their tokens, and are judged for the first time.
"""

from __future__ import annotations

import random
import sys
import time

from reconcile.attribution.attribute import attribute
from reconcile.attribution.evidence import evidence_bytes, evidence_of
from reconcile.minutes import Window, instant, minutes_of
from reconcile.providers.base import Scope
from reconcile.runs.run import Claim, Generation, Run, RunKey
from reconcile.runs.state import Policy
from reconcile.usage import Bucket, Recorded, Usage
from reconcile.verdict.settlement import settle

RUNS, KEYS, SECONDS = 10_000, 20, 170
DAY = 1_767_571_200
AFTER = DAY + 90_000


def main() -> None:
    claims, rows = day()
    runs = [run(claim) for claim in claims]
    started = time.process_time()
    found = attribute(claims, rows, [Window(DAY - 3600, AFTER)])
    attributed = time.process_time()
    for each in runs:
        settle(each, found.by_run[each.key], instant(AFTER), Policy())
    settled = time.process_time()
    size = sum(len(evidence_bytes(evidence_of(of, instant(AFTER)))) for of in found.by_run.values())
    written = time.process_time()
    sys.stdout.write(
        f"{RUNS:,} runs, {len(rows):,} buckets: attribution {attributed - started:.2f} s, "
        f"settlement {settled - attributed:.2f} s; evidence {written - settled:.2f} s, {size:,} bytes\n"
    )


def day() -> tuple[list[Claim], list[Bucket]]:
    dice = random.Random(1)  # noqa: S311  the same day each time
    claims: list[Claim] = []
    used: dict[tuple[int, str], list[int]] = {}
    for number in range(RUNS):
        key = f"key_{number % KEYS}"
        start = DAY + number // KEYS * 86_400 // (RUNS // KEYS)
        window, calls = Window.around(start, start + SECONDS), 0
        for minute in minutes_of(window):
            made = dice.randint(1, 3)
            tokens = made * dice.randint(100, 900)
            sums = used.setdefault((minute, key), [0, 0, 0, 0])
            used[minute, key] = [a + b for a, b in zip(sums, (tokens, 0, tokens // 10, made), strict=True)]
            calls += made
        recorded = Recorded(api_calls=calls)
        claims.append(Claim(RunKey(f"f{number % KEYS}", f"r{number}"), Scope("openai", (key,)), window, recorded))
    return claims, [Bucket(minute, Usage(*sums), key, "gpt-4o") for (minute, key), sums in used.items()]


def run(claim: Claim) -> Run:
    start, end = instant(claim.window.start), instant(claim.window.end)
    return Run(
        key=claim.run, path="", generation=Generation.V2, window=claim.window, started_at=start, ended_at=end,
        recorded=claim.recorded,
    )  # fmt: skip


if __name__ == "__main__":
    main()
