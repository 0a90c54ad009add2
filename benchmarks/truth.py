"""Whole passes over worlds whose truth is known: what came out verified, what of it was wrong, and what missed.

    python benchmarks/truth.py [--runs 200] [--seed 1] [--processes 2]

Crossed: what was recorded, foreign traffic, sharing of keys, reporting lag. In each of these cells a quarter of the
runs lives with neither transient zeros and dips nor late calls, a quarter with either and a quarter with both. Exits
with 1 if a figure is wrong or an interval misses where nothing is assumed that these worlds break.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.truths.cells import Block, Cell, blocks, cells
from benchmarks.truths.passes import Outcome, Track, lived

HEADINGS = (
    "runs", "verified", "wrong", "warnings missed", "pending missed", "exact", "median h", "95 % h", "requests",
    "seeds: verified", "wrong", "requests",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What came of some runs."""

    title: tuple[str, ...]
    flawless: bool
    outcomes: tuple[Outcome, ...]

    @property
    def tracks(self) -> list[Track]:
        return [track for outcome in self.outcomes for track in outcome.tracks]

    @property
    def flaws(self) -> int:
        """Runs that were verified wrong, or with an interval that missed, at any time."""
        return sum(track.wrong or track.missed_settled or track.missed_pending for track in self.tracks)

    @property
    def figures(self) -> tuple[str, ...]:
        tracks = self.tracks
        hours = sorted(track.verified_after / 3600 for track in tracks if track.verified_after is not None)
        seeds = [track for track in tracks if track.seeds_verified]
        wrong_seeds = sum(track.seeds_wrong for track in seeds)
        return (
            f"{len(tracks):,}",
            f"{len(hours):,}",
            _of(sum(track.wrong for track in tracks), len(hours)),
            _of(sum(track.missed_settled for track in tracks), len(tracks)),
            _of(sum(track.missed_pending for track in tracks), len(tracks)),
            f"{sum(track.exact for track in tracks) / len(tracks):.0%}",
            _quantile(hours, 0.5),
            _quantile(hours, 0.95),
            f"{sum(outcome.requests for outcome in self.outcomes):,}",
            f"{len(seeds):,}",
            _of(wrong_seeds, len(seeds)),
            f"{sum(track.seeds_reads for track in tracks):,}",
        )

    @property
    def line(self) -> str:
        return f"| {' | '.join((*self.title, *self.figures))} |"


def _of(count: int, whole: int) -> str:
    """`3 (1.5 %)`, or just `0`."""
    return f"{count:,} ({count / whole:.1%})".replace("%", " %") if count else "0"


def _quantile(ordered: Sequence[float], share: float) -> str:
    """The least value that so many are not above."""
    return f"{ordered[max(0, -(-round(share * 1000) * len(ordered) // 1000) - 1)]:.1f}" if ordered else "-"


def outcomes(work: Sequence[Block], processes: int) -> list[Outcome]:
    """The blocks lived through, in their order."""
    if processes == 1:
        return [lived(block) for block in work]
    with ProcessPoolExecutor(processes) as pool:
        return list(pool.map(lived, work, chunksize=4))


def rows(found: Iterable[Outcome], title: Callable[[Block], tuple[str, ...]]) -> list[Row]:
    """The outcomes gathered by title, in the order of their first."""
    groups: dict[tuple[str, ...], list[Outcome]] = {}
    for outcome in found:
        groups.setdefault(title(outcome.block), []).append(outcome)
    return [
        Row(title=name, flawless=all(each.block.cell.flawless for each in group), outcomes=tuple(group))
        for name, group in groups.items()
    ]


def table(found: Iterable[Outcome], names: Sequence[str], title: Callable[[Block], tuple[str, ...]]) -> str:
    """Markdown: a line a title."""
    lines = [f"| {' | '.join((*names, *HEADINGS))} |", f"|{' --- |' * (len(names) + len(HEADINGS))}"]
    return "\n".join([*lines, *(row.line for row in rows(found, title))])


def of_cell(cell: Cell) -> tuple[str, ...]:
    return (cell.records, f"{cell.foreign:g}", cell.sharing, cell.lag)


def report(found: Sequence[Outcome]) -> Iterator[str]:
    """All that is printed."""
    yield "### By what was recorded\n"
    yield table(found, ("recorded", "foreign"), lambda block: of_cell(block.cell)[:2])
    yield "\n### By weather\n"
    weather = {(False, False): "neither", (True, False): "zeros, dips", (False, True): "late", (True, True): "both"}
    yield table(
        found, ("flawless cells", "sky"), lambda b: ("yes" if b.cell.flawless else "no", weather[b.weather, b.late])
    )
    yield "\n### Every cell\n"
    yield table(found, ("recorded", "foreign", "sharing", "lag"), lambda block: of_cell(block.cell))
    yield ""
    tracks = [track for outcome in found for track in outcome.tracks]
    wrong = Counter(track.rested_on for track in tracks if track.wrong)
    yield f"- wrong verified figures by what they rested on: {dict(wrong) or 'none'}"
    yield f"- verified without saying on what that rests: {sum(track.hidden for track in tracks)}"
    yield f"- errors and findings of passes: {sum(outcome.errors for outcome in found)}"
    flaws = [row for row in rows(found, lambda block: of_cell(block.cell)) if row.flawless and row.flaws]
    yield f"- cells that must hold and do not: {[row.title for row in flaws] or 'none'}"


def held(found: Sequence[Outcome]) -> bool:
    """Whether nothing was wrong where nothing may be, and nowhere a verdict hid what it rests on."""
    tracks = [track for outcome in found for track in outcome.tracks]
    flawless = [row for row in rows(found, lambda block: of_cell(block.cell)) if row.flawless]
    return not any(row.flaws for row in flawless) and not any(track.hidden for track in tracks)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200, help="runs of each cell (200)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    given, _ = parser.parse_known_args()
    found = outcomes([block for cell in cells() for block in blocks(cell, given.runs, given.seed)], given.processes)
    for part in report(found):
        sys.stdout.write(f"{part}\n")
    sys.exit(0 if held(found) else 1)


if __name__ == "__main__":
    main()
