"""How long 10,000,000 lines of a usage log take, and how much memory: with DuckDB, and line by line.

    python benchmarks/logs.py [LINES]

The log is made anew in the system's temporary folder (some 3 GB). Each way reads it in a process of its own, whose
largest resident size counts; both must come to the same sums. Which lines are doubtful only the second looks into.
"""

from __future__ import annotations

import datetime as dt
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC
from pathlib import Path

LINES = 10_000_000
SECONDS = 2_678_400
START = dt.datetime(2026, 1, 1, tzinfo=UTC)
MODELS = ("gpt-4o-2024-08-06", "gpt-4o-mini-2024-07-18", "o3-2025-04-16", "text-embedding-3-small")
WAYS = ("DuckDB", "line by line")


def main() -> None:
    if sys.argv[2:]:
        read(sys.argv[1], sys.argv[2])
        return
    lines = int(sys.argv[1]) if sys.argv[1:] and sys.argv[1].isdigit() else LINES
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "usage_tracking.ndjson"
        write(log, lines)
        sys.stdout.write(f"{lines:,} lines, {log.stat().st_size / 1e9:.2f} GB\n")
        sys.stdout.flush()
        answers = [subprocess.check_output([sys.executable, __file__, str(log), way], text=True) for way in WAYS]  # noqa: S603
    for way, answer in zip(WAYS, answers, strict=True):
        sys.stdout.write(f"{way:<14}{answer.splitlines()[0]}\n")
    if len({answer.partition("\n")[2] for answer in answers}) > 1:
        raise SystemExit("the two ways come to different sums")


def write(log: Path, lines: int) -> None:
    """A month of lines in the seeds' form, one in 10,000 of them broken and one in 1,000 written twice."""
    dice = random.Random(1)  # noqa: S311  the same log each time
    with log.open("w") as file:
        for number in range(lines):
            at = START + dt.timedelta(seconds=number * SECONDS / lines)
            given, answered = dice.randrange(10, 5000), dice.randrange(1, 900)
            line = (
                f'{{"session_id": "{dice.getrandbits(32):08x}", "timestamp": "{at.isoformat()[:-6]}", '
                f'"prompt_tokens": {given}, "completion_tokens": {answered}, "total_tokens": {given + answered}, '
                f'"model": "{MODELS[number % 4]}", "call_type": "conversation", "scope": "IN_SCOPE", '
                f'"input_cost": {given * 1.5e-7}, "output_cost": {answered * 6e-7}, '
                f'"total_cost": {given * 1.5e-7 + answered * 6e-7}}}\n'
            )
            file.write(line[:99] + "\n" if number % 10_000 == 0 else line)
            if number % 1_000 == 0:
                file.write(line)


def read(log: str, way: str) -> None:
    from dataclasses import replace  # noqa: PLC0415  what is imported counts

    from reconcile.ledger.formats import SEEDS  # noqa: PLC0415
    from reconcile.ledger.readers import database  # noqa: PLC0415
    from reconcile.ledger.readers.records import read_logs  # noqa: PLC0415

    database.LARGE = 0 if way == WAYS[0] else 10**18
    start = int(START.timestamp())
    begun = time.perf_counter()
    found = read_logs([(None, log)], replace(SEEDS, time_zone=UTC), start, start + SECONDS)
    taken = time.perf_counter() - begun
    used = resource.getrusage(resource.RUSAGE_SELF)
    processor = used.ru_utime + used.ru_stime
    sums = (found.entries, found.repeated, found.unlogged_attempts, found.lines, found.bad, found.bad_lines)
    sys.stdout.write(f"{taken:8.1f} s{processor:8.1f} s of processor{used.ru_maxrss / 1e6:8.2f} GB\n{sums!r}\n")


if __name__ == "__main__":
    main()
