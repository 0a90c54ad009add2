"""Outcomes as tables of Markdown: by grade, by skew, and beside the seeds' rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from benchmarks.truths.cells import Block, Cell
from benchmarks.truths.fates import Fate, Grade, faults
from benchmarks.truths.passes import Outcome
from benchmarks.truths.worlds import LAG, SKEWS, WORLDS

Title: TypeAlias = Callable[[Block], tuple[str, ...]]

BY_GRADE = (
    "runs", "proven", "wrong", "supported", "wrong", "assumed", "wrong", "settled missed", "lost", "at fault",
    "median h", "95 % h",
)  # fmt: skip
BY_SEEDS = ("requests", "seeds: verified", "wrong", "requests")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What came of some runs."""

    title: tuple[str, ...]
    outcomes: tuple[Outcome, ...]

    @property
    def fates(self) -> list[Fate]:
        return [fate for outcome in self.outcomes for fate in outcome.fates]

    @property
    def faults(self) -> int:
        """Runs with a verdict that is wrong though what it rests on is so."""
        return sum(faults(each.block.cell.records, each.block.breaks, each.fates) for each in self.outcomes)

    @property
    def wrong(self) -> int:
        return sum(bool(fate.wrong) for fate in self.fates)

    @property
    def verified(self) -> int:
        return sum(bool(fate.grade) for fate in self.fates)

    @property
    def missed(self) -> int:
        return sum(fate.missed for fate in self.fates)

    @property
    def by_grade(self) -> tuple[str, ...]:
        fates = self.fates
        hours = sorted(fate.hours for fate in fates if fate.hours is not None)
        verified, wrong = Counter(fate.grade for fate in fates), Counter(fate.wrong for fate in fates)
        return (
            f"{len(fates):,}",
            *(text for grade in Grade for text in (f"{verified[grade]:,}", _of(wrong[grade], verified[grade]))),
            _of(self.missed, len(fates)),
            f"{sum(fate.lost for fate in fates):,}",
            f"{self.faults:,}",
            _quantile(hours, 0.5),
            _quantile(hours, 0.95),
        )

    @property
    def beside_the_seeds(self) -> tuple[str, ...]:
        seeds = Counter(fate.seeds for fate in self.fates)
        verified = seeds["right"] + seeds["wrong"]
        return (
            *self.by_grade,
            f"{sum(outcome.requests for outcome in self.outcomes):,}",
            f"{verified:,}",
            _of(seeds["wrong"], verified),
            f"{sum(fate.seeds_reads for fate in self.fates):,}",
        )


def rows(found: Iterable[Outcome], title: Title) -> list[Row]:
    """The outcomes gathered by title, in the order of their first."""
    groups: dict[tuple[str, ...], list[Outcome]] = {}
    for outcome in found:
        groups.setdefault(title(outcome.block), []).append(outcome)
    return [Row(title=name, outcomes=tuple(group)) for name, group in groups.items()]


def of_cell(cell: Cell) -> tuple[str, ...]:
    """World, record with what is stated of the clock, sharing."""
    return (cell.world, _record(cell), cell.sharing)


def _record(cell: Cell) -> str:
    return f"{cell.records}, clock" if cell.clock else cell.records


def report(found: Sequence[Outcome]) -> Iterator[str]:
    """All that is printed."""
    others = [each for each in found if not each.block.cell.world.startswith(LAG)]
    lagging = [each for each in found if each.block.cell.world.startswith(LAG)]
    skewed = [each for each in others if each.block.world.booked == WORLDS["calm"].booked]
    yield from _part("Clocks that are off", skew_table([each for each in skewed if each.block.world.family == "skew"]))
    yield from _part("World by world", _graded(others, ("world", "recorded"), lambda b: of_cell(b.cell)[:2]))
    yield from _part("What each world breaks", _broken(others))
    yield from _part("Lag, by what was recorded", _beside_the_seeds(lagging, ("recorded", "foreign"), _of_lag))
    yield from _part("Lag, by weather", _beside_the_seeds(lagging, ("world", "feed"), _of_weather))
    yield from _part("Every cell", _graded(found, ("world", "recorded", "sharing"), lambda b: of_cell(b.cell)))
    fates = [fate for outcome in found for fate in outcome.fates]
    wrong = Counter(str(fate.wrong) for fate in fates if fate.wrong)
    yield f"- wrong verified figures by grade: {dict(wrong) or 'none'}"
    yield f"- verified without saying on what that rests: {sum(fate.hidden for fate in fates)}"
    yield f"- errors and findings of passes: {sum(outcome.errors for outcome in found)}"
    flaws = [row for row in rows(found, lambda block: (block.cell.name,)) if row.faults]
    yield f"- cells that must hold and do not, with how many of their runs: {'' if flaws else 'none'}".rstrip()
    yield from (f"  - {row.title[0]}: {row.faults} of {len(row.fates)}" for row in flaws)


def held(found: Sequence[Outcome]) -> bool:
    """Whether nothing was wrong where what it rests on is so, and nothing hid on what it rests."""
    return not Row(title=(), outcomes=tuple(found)).faults


def skew_table(found: Sequence[Outcome]) -> str:
    """Wrong of verified, `m` settled intervals that miss, by how far clocks are off."""
    by_skew = {row.title: row for row in rows(found, lambda block: (*of_cell(block.cell)[1:], block.cell.world))}
    runs = {title[:-1]: f"{len(row.fates):,}" for title, row in by_skew.items()}
    worlds = {"calm": "0 s", **{f"skew {skew}": f"{skew}" for skew in SKEWS}}
    lines = [
        (*title, count, *(_short(by_skew.get((*title, world))) for world in worlds)) for title, count in runs.items()
    ]
    return _table(("recorded", "sharing", "runs", *worlds.values()), lines)


def _short(row: Row | None) -> str:
    if row is None:
        return "-"
    return f"{row.wrong}/{row.verified}" + (f" m{row.missed}" if row.missed else "")


def _graded(found: Iterable[Outcome], names: Sequence[str], title: Title) -> str:
    return _table((*names, *BY_GRADE), [(*row.title, *row.by_grade) for row in rows(found, title)])


def _beside_the_seeds(found: Iterable[Outcome], names: Sequence[str], title: Title) -> str:
    return _table((*names, *BY_GRADE, *BY_SEEDS), [(*row.title, *row.beside_the_seeds) for row in rows(found, title)])


def _broken(found: Iterable[Outcome]) -> str:
    worlds = {each.block.cell.world: ", ".join(sorted(each.block.breaks)) or "nothing" for each in found}
    return _table(("world", "breaks"), list(worlds.items()))


def _of_lag(block: Block) -> tuple[str, str]:
    return block.cell.records, "0.1" if block.world.strangers else "0"


def _of_weather(block: Block) -> tuple[str, str]:
    weather = "zeros, dips" if block.world.skies else "fair"
    return weather, "late calls" if "late calls" in block.cell.world else "in time"


def _part(title: str, table: str) -> Iterator[str]:
    if table:
        yield f"### {title}\n"
        yield f"{table}\n"


def _table(names: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Empty where there is nothing to show."""
    if not lines:
        return ""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (names, ["---"] * len(names), *lines))


def _of(count: int, whole: int) -> str:
    """`3 (1.5 %)`, or just `0`."""
    return f"{count:,} ({count / max(whole, count):.1%})".replace("%", " %") if count else "0"


def _quantile(ordered: Sequence[float], share: float) -> str:
    """The least value that so many are not above."""
    return f"{ordered[max(0, -(-round(share * 1000) * len(ordered) // 1000) - 1)]:.1f}" if ordered else "-"
