"""A log whose clock is not UTC: its usage fits the provider's when it is read some quarters of an hour off.

One shift for all, or two that differ by the hour of daylight saving time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from operator import sub

from reconcile.core.comparing.breaks.codes import Code
from reconcile.core.comparing.breaks.hypothesis import Hypotheses, Hypothesis, hour_text
from reconcile.core.comparing.breaks.view import COMPARED, REQUESTS, TOKENS, Counts, Row, View
from reconcile.core.comparing.figures import Metric
from reconcile.core.comparing.sides import HOUR, LOGGED_GRAIN, MARGIN

MOST = MARGIN // LOGGED_GRAIN
QUARTERS = HOUR // LOGGED_GRAIN

SUNDAY, LATEST = 6, 3

REMEDY = "state the zone that the log's times are in, or write times with their offset from UTC"


@dataclass(frozen=True, slots=True)
class Clock:
    """How far a log's times are ahead of UTC, in seconds, before and from some instant (UTC) on."""

    before: int
    since: int
    turn: int = 0

    def __str__(self) -> str:
        if self.before == self.since:
            return _ahead(self.since)
        until = hour_text(self.turn)
        return f"{_ahead(self.before)} until {until} and {_ahead(self.since)} from then on (daylight saving time)"


def _ahead(seconds: int) -> str:
    if not seconds:
        return "level with UTC"
    hours, rest = divmod(abs(seconds), HOUR)
    shown = " ".join([*([f"{hours} h"] if hours else []), *([f"{rest // 60} min"] if rest else [])])
    return f"{shown} {'ahead of' if seconds > 0 else 'behind'} UTC"


def clock(view: View) -> Hypotheses:
    """The best clock by requests and the best by tokens: a fault of the one leaves the other to tell it."""
    tried: set[Clock] = set()
    for counted in ((REQUESTS,), TOKENS):
        for found in _clocks(view, counted):
            if found in tried:
                continue
            tried.add(found)
            said = f"the log's hours fit the provider's if its clock is {found}"
            after = read_by(found, view)
            yield Hypothesis(code=Code.TIME_ZONE, metric=Metric.TOTAL, after=after, said=said, remedy=REMEDY)


def _clocks(view: View, counted: tuple[int, ...]) -> list[Clock]:
    misfit = {shift: list(accumulate(off, initial=0)) for shift, off in _misfit(view, counted).items()}
    constant = min(misfit, key=lambda shift: (misfit[shift][-1], abs(shift)))
    found = [Clock(constant * LOGGED_GRAIN, constant * LOGGED_GRAIN)] if constant else []
    turned = {pair: _least(misfit, *pair) for pair in _pairs()}
    before, since = min(turned, key=lambda pair: turned[pair])
    if turned[before, since] <= misfit[constant][-1] // 2:
        turn = _turn(misfit, before, since, view.start)
        found.append(Clock(before * LOGGED_GRAIN, since * LOGGED_GRAIN, turn))
    return found


def _pairs() -> list[tuple[int, int]]:
    """Clocks that are put forward or back by an hour."""
    steps = range(-MOST, MOST + 1)
    return [(one, other) for one in steps for other in (one - QUARTERS, one + QUARTERS) if abs(other) <= MOST]


Misfit = dict[int, list[int]]
"""For each shift in quarters, how much is off before each hour of the period."""


def _least(misfit: Misfit, before: int, since: int) -> int:
    """What does not fit even with the best hour of the change."""
    off: list[int] = list(map(sub, misfit[before], misfit[since]))
    return misfit[since][-1] + min(off)


def _turn(misfit: Misfit, before: int, since: int, start: int) -> int:
    """The best hour of the change; where several fit as well, one at which clocks are turned."""
    off = list(map(sub, misfit[before], misfit[since]))
    least = min(off)
    best = [start + hour * HOUR for hour, each in enumerate(off) if each == least]
    return min(best, key=lambda turn: (not _is_usual(turn + before * LOGGED_GRAIN), turn))


def _is_usual(turn: int) -> bool:
    """Whether clocks are turned at such a time: early on a Sunday."""
    moment = datetime.fromtimestamp(turn, UTC)
    return moment.weekday() == SUNDAY and 1 <= moment.hour <= LATEST


def _misfit(view: View, counted: tuple[int, ...]) -> dict[int, list[int]]:
    """For each shift in quarters, how far every hour of the period is off."""
    hours = (view.until - view.start) // HOUR
    official = [0] * hours
    for row in view.official:
        official[(row.start - view.start) // HOUR] += _count(row, counted)
    quarters = [0] * (hours * QUARTERS + 2 * MOST)
    for row in view.local:
        place = (row.start - view.start) // LOGGED_GRAIN + MOST
        if 0 <= place < len(quarters):
            quarters[place] += _count(row, counted)
    whole = [sum(quarters[at : at + QUARTERS]) for at in range(len(quarters))]
    return {
        shift: list(map(abs, map(sub, whole[MOST + shift :: QUARTERS], official))) for shift in range(-MOST, MOST + 1)
    }


def _count(row: Row, counted: tuple[int, ...]) -> int:
    return sum(row.counts[part] for part in counted)


def read_by(found: Clock, view: View) -> View:
    """The log by another clock."""
    forward, back = found.turn + found.before, found.turn + found.since
    twice = [row for row in view.local if back <= row.start < forward]
    once = view.with_local(tuple(row for row in view.local if not back <= row.start < forward))
    turned = once.mapped(lambda row: row._replace(start=row.start - _offset(found, row.start, forward)))
    return turned.with_local(turned.local + _shared_out(twice, found, view))


def _offset(found: Clock, start: int, turn: int) -> int:
    return found.before if start < turn else found.since


def _shared_out(rows: Sequence[Row], found: Clock, view: View) -> tuple[Row, ...]:
    """The hour that the clock shows twice: as much of it in the first as the provider has there."""
    hour = found.turn // HOUR - 1
    left = {key: list(counts) for key, counts in view.official_cells.items() if key[0] == hour}
    shared = []
    for row in rows:
        cell = left.get((hour, row.who.model if view.by_model else None), [0] * len(COMPARED))
        first = [min(count, cell[part]) for part, count in enumerate(row.counts[: len(COMPARED)])]
        for part in COMPARED:
            cell[part] -= first[part]
        reasoning = min(row.counts[-1], first[-1])
        early: Counts = (first[0], first[1], first[2], first[3], first[4], reasoning)
        late: Counts = tuple(count - taken for count, taken in zip(row.counts, early, strict=True))  # type: ignore[assignment]
        shared += [Row(row.start - found.before, row.who, early), Row(row.start - found.since, row.who, late)]
    return tuple(shared)
