"""Whole passes over worlds whose truth is known: what came out verified, how well proven, and what of it was wrong.

    python benchmarks/truth.py [--runs 100000] [--seed 1] [--processes 2] [--only 'skew*/counts/*'] [--state FILE]

Crossed: what is so that a verdict may take to be otherwise (clocks, others, lag, retries: benchmarks/truths/worlds.py),
what was recorded, how keys are shared. `wrong`: a file said `verified` beside another figure than the truth, at any
time. `settled missed`: it gave an interval, or an exact figure, without the truth. `lost`: verified right, and not in
the end. Exits with 1 if one is `at fault`: wrong though the world breaks nothing that a verdict of its grade rests on.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.truths import records
from benchmarks.truths.cells import Block, blocks, matching
from benchmarks.truths.passes import Outcome, lived
from benchmarks.truths.tables import held, report

RUNS = 100_000


def outcomes(work: Sequence[Block], processes: int) -> Iterator[Outcome]:
    """The blocks lived through, in their order."""
    if processes == 1:
        yield from map(lived, work)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(lived, work, chunksize=4)


def resumed(work: Sequence[Block], processes: int, state: Path | None) -> list[Outcome]:
    """The same, but for those that the state has; it gets the others as they finish."""
    if state is None:
        return list(outcomes(work, processes))
    done = records.kept(state)
    records.keep(state, outcomes([block for block in work if block.name not in done], processes))
    done = records.kept(state)
    return [records.outcome(block, done[block.name]) for block in work]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=RUNS, help=f"in all ({RUNS:,})")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--only", default="*", metavar="CELL", help="cells by pattern: world/record/sharing")
    parser.add_argument("--state", type=Path, metavar="FILE", help="keeps finished blocks, and is gone on from")
    given, _ = parser.parse_known_args()
    work = blocks(matching(given.only), given.runs, given.seed)
    if not work:
        parser.error(f"no cell is called {given.only}")
    found = resumed(work, given.processes, given.state)
    for part in report(found):
        sys.stdout.write(f"{part}\n")
    sys.exit(0 if held(found) else 1)


if __name__ == "__main__":
    main()
