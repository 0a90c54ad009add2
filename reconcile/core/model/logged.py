"""What a run wrote down of its own calls, and what is known by it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from reconcile.core.model.figures import NOTHING_RECORDED, Recorded, Usage


@dataclass(frozen=True, slots=True)
class LoggedCalls:
    """Calls of a log that can have been reported in the same minutes, `first` to `last`, added up."""

    first: int
    last: int
    usage: Usage
    line: int
    """Of the file: where the first of them stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLog:
    """A run's `calls.ndjson`: every call that it wrote down, without those that were aborted."""

    calls: tuple[LoggedCalls, ...]
    total: Usage
    complete: bool
    """Whether the file states that no call is missing."""
    duplicates: int = 0
    """Rows that a later one with the same response id took the place of."""
    aborted: int = 0
    """Calls whose answer was cut off. They may be billed or not, so nothing is concluded from them."""
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
    if doubted:
        return Recorded(api_calls=calls, source=recorded.source)
    if not log.complete:
        return replace(recorded, api_calls=calls)
    return Recorded(
        max(recorded.tokens_in or 0, log.total.tokens_in),
        max(recorded.tokens_out or 0, log.total.tokens_out),
        max(recorded.cached_tokens or 0, log.total.cached_tokens),
        calls,
        recorded.source,
    )
