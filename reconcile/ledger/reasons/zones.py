"""A log whose clock is not UTC: its usage fits the provider's when it is read some quarters of an hour off.

One shift for all, or two that differ by the hour of daylight saving time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from operator import sub

from reconcile.ledger.figures import Metric
from reconcile.ledger.reasons.codes import BreakCode, Hypotheses, Hypothesis, hour_text
from reconcile.ledger.reasons.counting import without
from reconcile.ledger.reasons.view import COMPARED, REQUESTS, TOKENS, View, ViewRow
from reconcile.money.entry import HOUR, LOGGED_GRAIN, MARGIN

MOST = MARGIN // LOGGED_GRAIN
QUARTERS = HOUR // LOGGED_GRAIN

SEVERAL = 2
"""Quarters of an hour with lines: one alone fits any hour."""

SUNDAY, LATEST = 6, 3

REMEDY = "state the zone that the log's times are in, or write times with their offset from UTC"


@dataclass(frozen=True, slots=True)
class Zone:
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
    tried: set[Zone] = set()
    for counted in ((REQUESTS,), TOKENS):
        for found in _clocks(view, counted):
            if found in tried:
                continue
            tried.add(found)
            said = f"the log's hours fit the provider's if its clock is {found}"
            after = read_by(found, view)
            if not _moves_calls(view, after):
                continue
            yield Hypothesis(code=BreakCode.TIME_ZONE, metric=Metric.TOTAL, after=after, said=said, remedy=REMEDY)


def _moves_calls(view: View, after: View) -> bool:
    """Whether the calls fit better too, or did and do: tokens of one line that is too large fit no clock."""
    several = len({row.start for row in view.local}) >= SEVERAL
    before, left = view.gaps[REQUESTS], after.gaps[REQUESTS]
    return several and (left < before or left == before == 0) and not _is_one_line(view, after)


def _is_one_line(view: View, after: View) -> bool:
    """Whether the log fits as well without its largest line, in which case that line is what is wrong."""
    largest = max(view.singles, key=lambda row: sum(row.counts[part] for part in TOKENS), default=None)
    if largest is None:
        return False
    return view.with_local(without(view.local, [largest])).distance <= after.distance


def _clocks(view: View, counted: tuple[int, ...]) -> list[Zone]:
    fit = _fit(view, counted)
    constant = min(fit.off, key=lambda shift: (fit.off[shift][-1], *_oddness(shift, fit.residue)))
    found = [Zone(constant * LOGGED_GRAIN, constant * LOGGED_GRAIN)] if constant else []
    turned = {pair: fit.off[pair[1]][-1] + min(fit.turning(*pair)) for pair in _pairs()}
    before, since = min(turned, key=lambda pair: (turned[pair], *_oddness(pair[0], fit.residue)))
    if turned[before, since] <= fit.off[constant][-1] // 2:
        turn = view.start + _hour_of_change(fit, before, since, view.start) * HOUR
        found.append(Zone(before * LOGGED_GRAIN, since * LOGGED_GRAIN, turn))
    return found


def _oddness(shift: int, residue: int) -> tuple[bool, bool, int]:
    """Of shifts that fit as well: first those that put a log by the hour on whole hours, then zones of half hours."""
    off = (shift * LOGGED_GRAIN - residue) % HOUR
    return (off != 0, off % (HOUR // 2) != 0, abs(shift))


def _pairs() -> list[tuple[int, int]]:
    """Clocks that are put forward or back by an hour."""
    steps = range(-MOST, MOST + 1)
    return [(one, other) for one in steps for other in (one - QUARTERS, one + QUARTERS) if abs(other) <= MOST]


@dataclass(frozen=True, slots=True)
class _Fit:
    """How well the log's hours fit under each shift, in quarters."""

    official: list[int]
    logged: list[int]
    """What is logged in the hour from each quarter on, MOST quarters before the period and after it too."""
    off: dict[int, list[int]]
    """For each shift, how much is off before each hour of the period, and in all of it."""
    residue: int
    """Where in an hour all of the log's times are; 0 where they differ."""

    def turning(self, before: int, since: int) -> list[int]:
        """For a change at each hour, what is off, less what would be without the first shift."""
        return list(map(sub, self.off[before], self.off[since]))


def _fit(view: View, counted: tuple[int, ...]) -> _Fit:
    hours = (view.until - view.start) // HOUR
    official = [0] * hours
    for row in view.official:
        official[(row.start - view.start) // HOUR] += _count(row, counted)
    quarters = [0] * (hours * QUARTERS + 2 * MOST)
    for row in view.local:
        place = (row.start - view.start) // LOGGED_GRAIN + MOST
        if 0 <= place < len(quarters):
            quarters[place] += _count(row, counted)
    logged = [sum(quarters[at : at + QUARTERS]) for at in range(len(quarters))]
    off = {
        shift: list(accumulate(map(abs, map(sub, logged[MOST + shift :: QUARTERS], official)), initial=0))
        for shift in range(-MOST, MOST + 1)
    }
    residues = {row.start % HOUR for row in view.local}
    return _Fit(official, logged, off, min(residues, default=0) if len(residues) == 1 else 0)


def _hour_of_change(fit: _Fit, before: int, since: int, start: int) -> int:
    """The hour that fits best; where several fit as well, one at which clocks are turned."""
    off = fit.turning(before, since)
    if since < before:
        off = [each - _twice(fit, hour, since) for hour, each in enumerate(off)]
    least = min(off)
    best = [hour for hour, each in enumerate(off) if each == least]
    return min(best, key=lambda hour: (not _is_usual(start + hour * HOUR + before * LOGGED_GRAIN), hour))


def _twice(fit: _Fit, hour: int, since: int) -> int:
    """How much too much is off where the clock shows one hour twice: what is logged in it belongs to two."""
    if not 0 < hour < len(fit.official):
        return 0
    shown = fit.logged[MOST + since + hour * QUARTERS]
    first, second = fit.official[hour - 1 : hour + 1]
    return abs(shown - first) + abs(shown - second) - abs(shown - first - second)


def _is_usual(turn: int) -> bool:
    """Whether clocks are turned at such a time: early on a Sunday."""
    moment = datetime.fromtimestamp(turn, UTC)
    return moment.weekday() == SUNDAY and 1 <= moment.hour <= LATEST


def _count(row: ViewRow, counted: tuple[int, ...]) -> int:
    return sum(row.counts[part] for part in counted)


def read_by(found: Zone, view: View) -> View:
    """The log by another clock."""
    forward, back = found.turn + found.before, found.turn + found.since
    twice = [row for row in view.local if back <= row.start < forward]
    once = view.with_local(tuple(row for row in view.local if not back <= row.start < forward))
    turned = once.mapped(lambda row: row._replace(start=row.start - _offset(found, row.start, forward)))
    return turned.with_local(turned.local + _shared_out(twice, found, view))


def _offset(found: Zone, start: int, turn: int) -> int:
    return found.before if start < turn else found.since


def _shared_out(rows: Sequence[ViewRow], found: Zone, view: View) -> tuple[ViewRow, ...]:
    """The hour that the clock shows twice: as much of it in the first as the provider has there."""
    hour = found.turn // HOUR - 1
    left = {key: list(counts) for key, counts in view.official_cells.items() if key[0] == hour}
    shared = []
    for row in rows:
        cell = left.get((hour, view.whose(row)), [0] * len(COMPARED))
        first = [min(count, cell[part]) for part, count in enumerate(row.counts[: len(COMPARED)])]
        for part in COMPARED:
            cell[part] -= first[part]
        reasoning = min(row.counts[-1], first[-1])
        early = (*first, reasoning)
        late = tuple(count - taken for count, taken in zip(row.counts, early, strict=True))
        shared += [ViewRow(row.start - found.before, row.who, early), ViewRow(row.start - found.since, row.who, late)]
    return tuple(shared)
