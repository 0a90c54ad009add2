"""What is remembered of the lines of a log: the last `NEAR` of them and no more, so that memory stays as it is.

Lines are told apart by 64 bits of a hash; two of the last 100,000 that differ are taken for equal once in some
10^14 lines.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

NEAR = 100_000
"""How many lines back an equal one, an earlier try or an earlier version of a line is looked for."""

T = TypeVar("T")


class Recent(Generic[T]):
    """Values by key, each until `NEAR` lines after it was put."""

    def __init__(self) -> None:
        self._held: dict[Hashable, tuple[int, T]] = {}

    def put(self, key: Hashable, line: int, value: T) -> None:
        if len(self._held) >= 2 * NEAR:
            self._held = {each: held for each, held in self._held.items() if line - held[0] <= NEAR}
        self._held[key] = (line, value)

    def get(self, key: Hashable, line: int) -> T | None:
        held = self._held.get(key)
        return held[1] if held is not None and line - held[0] <= NEAR else None


class Repeats:
    """Knows a line that equals one of the last `NEAR`."""

    def __init__(self) -> None:
        self._seen: Recent[bool] = Recent()

    def take(self, key: int, line: int) -> bool:
        """Whether the line with this hash was there before."""
        seen = self._seen.get(key, line)
        self._seen.put(key, line, True)
        return seen is not None


class Attempts:
    """Counts the tries that lines speak of without a line of their own.

    A third try says that there was a second, which says that there was a first. It takes the latest that is there and
    was not taken: of its own `request_id` where there is one, else of the same model, key and project with as many
    input tokens (it asks the same), or one that was aborted. What is missing below it was not logged. A line that
    says no attempt is a first one.
    """

    def __init__(self) -> None:
        self._open: Recent[int] = Recent()

    def take(self, call: Hashable, other: Hashable, attempt: int, line: int, *, aborted: bool) -> int:
        """How many tries below this one have no line. `call` says whose it is, and `other` whose it may be."""
        missing = attempt - 1
        for below in range(attempt - 1, max(0, attempt - 1 - MOST_TRIES), -1):
            if self._taken((call, below), line) or self._taken((other, below), line):
                missing = attempt - 1 - below
                break
        key = (other if aborted else call, attempt)
        self._open.put(key, line, (self._open.get(key, line) or 0) + 1)
        return min(missing, MOST_TRIES)

    def _taken(self, key: Hashable, line: int) -> bool:
        count = self._open.get(key, line)
        if not count:
            return False
        self._open.put(key, line, count - 1)
        return True


MOST_TRIES = 100
"""A line that says more is wrong about it, and must not be believed by the thousand."""
