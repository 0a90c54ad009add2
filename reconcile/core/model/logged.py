"""What a run wrote down of its own calls, and what is known by it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from reconcile.core.model.figures import NOTHING_RECORDED, Recorded, Usage
from reconcile.core.model.minutes import Clock, minute_of

BOOKING_SLACK = 2.0
"""Seconds that a call is looked for around its own, however well the clock is known: it is not documented whether a
provider books the start of a call or its end, nor when that is."""


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """One call of a log, in Unix seconds of the clock that wrote it."""

    start: float
    end: float
    usage: Usage
    line: int
    """Of the file: where it stands."""


@dataclass(frozen=True, slots=True)
class PlacedCalls:
    """Calls of a log that can have been reported in the same minutes, `first` to `last`, added up."""

    first: int
    last: int
    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLog:
    """A run's `calls.ndjson`: every call that it wrote down and that had an answer, as far as completions go."""

    calls: tuple[LoggedCall, ...]
    total: Usage
    complete: bool
    """Whether the file states that no call is missing."""
    duplicates: int = 0
    """Rows that a later one with the same response id took the place of."""
    aborted: int = 0
    """Calls whose answer was cut off. They may be billed or not, so nothing is concluded from them."""
    unknown: int = 0
    """Requests of which nobody knows what they were. They may be billed or not, so such a log is not complete."""
    pending: int = 0
    """Background responses that had not ended when the run did. A log with any is not complete."""
    others: tuple[tuple[str, int], ...] = ()
    """Calls that are not in the figure of completions, by endpoint, in the order of names."""
    every_attempt: bool = False
    """Whether the file states that every attempt of every call is in it."""
    strays: int = 0
    """Calls that cannot have been made in the run's window."""
    api_key_ids: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    digest: str
    """SHA-256 of its lines by value, in hexadecimal."""
    former: tuple[str, ...] = field(default=(), compare=False)
    """By what the first version may have named it: digests of the file's bytes, whatever its line ends were then."""

    @property
    def names(self) -> tuple[str, ...]:
        """All digests that stand for it."""
        return (self.digest, *self.former)

    def is_named(self, digest: str) -> bool:
        """Whether a digest, of this version or the first, is this log's."""
        return digest in self.names

    def placed(self, clock: Clock) -> tuple[PlacedCalls, ...]:
        """The calls by the minutes in which the provider can have booked them, by what is known of the clock."""
        slack = max(BOOKING_SLACK, clock.uncertainty)
        found: dict[tuple[int, int], list[int]] = {}
        for call in self.calls:
            first = minute_of(call.start + clock.offset - slack)
            last = minute_of(call.end + clock.offset + slack)
            sums = found.setdefault((first, last), [0, 0, 0, 0])
            for kind, part in enumerate(call.usage.parts):
                sums[kind] += part
        return tuple(PlacedCalls(*span, Usage(*sums)) for span, sums in sorted(found.items()))

    def contradicts(self, recorded: Recorded) -> bool:
        """Whether the log and what the run's own file says of it cannot both be right.

        A log that states to be complete is to say the same; one that does not is to say no more. Aborted calls may
        be counted in the file, for they are not in the log.
        """
        if recorded.parts == NOTHING_RECORDED:
            return False
        pairs = list(zip(recorded.parts, self.total.parts, strict=True))
        if any(said is not None and said < logged for said, logged in pairs):
            return True
        if not self.complete:
            return False
        if self.aborted:
            return (recorded.api_calls or 0) > self.total.api_calls + self.aborted
        return any(said is not None and said > logged for said, logged in pairs)


def known(recorded: Recorded, log: CallLog | None, *, doubted: bool) -> Recorded:
    """What a run counted itself: what its file says, and what its call log adds to that.

    Calls are the larger of both numbers. Tokens are those of a complete log, and nobody's where the log is `doubted`:
    one of the two counts wrongly, and nothing tells which.
    """
    if log is None:
        return recorded
    stated = log.complete or recorded.api_calls is not None
    calls = max(recorded.api_calls or 0, log.total.api_calls) if stated else None
    beside = replace(
        recorded,
        aborted=max(recorded.aborted, log.aborted),
        unknown=max(recorded.unknown, log.unknown),
        others=_most(recorded.others, log.others),
        every_attempt=(recorded.every_attempt or log.every_attempt) and not doubted,
    )
    if doubted:
        return replace(beside, tokens_in=None, tokens_out=None, cached_tokens=None, api_calls=calls)
    if not log.complete:
        return replace(beside, api_calls=calls)
    return replace(
        beside,
        tokens_in=max(recorded.tokens_in or 0, log.total.tokens_in),
        tokens_out=max(recorded.tokens_out or 0, log.total.tokens_out),
        cached_tokens=max(recorded.cached_tokens or 0, log.total.cached_tokens),
        api_calls=calls,
    )


def _most(*counts: tuple[tuple[str, int], ...]) -> tuple[tuple[str, int], ...]:
    """Of every name the largest count."""
    return tuple(dict(sorted(pair for each in counts for pair in each)).items())
