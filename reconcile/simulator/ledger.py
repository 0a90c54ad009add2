"""The calls that were really made, and what of them the usage API shows at an instant.

The truth that all else is measured against: nothing here is lost, rounded or late, but for a call's `visible_at`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from reconcile.core.model import MINUTE, Bucket, Usage, total


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to a model. Instants are Unix seconds; input includes cached input."""

    at: float
    tokens_in: int
    tokens_out: int
    cached_tokens: int = 0
    api_key_id: str | None
    model: str
    """The dated snapshot: usage is reported under it even where the caller used the alias."""
    project_id: str = "proj_simulated"
    batch: bool = False
    service_tier: str = "default"
    visible_at: float = 0.0
    """From when on the usage API counts the call."""

    @property
    def minute(self) -> int:
        return int(self.at // MINUTE) * MINUTE

    @property
    def usage(self) -> Usage:
        return Usage(self.tokens_in, self.tokens_out, self.cached_tokens, 1)


class Ledger:
    """Calls in order of time. More may be added while a simulator serves them."""

    def __init__(self, calls: Iterable[Call] = ()) -> None:
        self._calls: list[Call] = []
        self.add(calls)

    def add(self, calls: Iterable[Call]) -> None:
        self._calls = sorted([*self._calls, *calls], key=lambda call: call.at)

    def reported(self, start: float, end: float, now: float) -> list[Bucket]:
        """What the API knows at `now` of the minutes t with `start <= t < end`: a bucket a group, in order of time."""
        calls = self._calls
        first = bisect_left(calls, start, key=lambda call: call.minute)
        last = bisect_left(calls, end, key=lambda call: call.minute)
        groups: defaultdict[tuple[int, str | None, str, str, bool, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        for c in calls[first:last]:
            if c.visible_at <= now:
                sums = groups[c.minute, c.api_key_id, c.model, c.project_id, c.batch, c.service_tier]
                sums[0] += c.tokens_in
                sums[1] += c.tokens_out
                sums[2] += c.cached_tokens
                sums[3] += 1
        return [Bucket(group[0], Usage(*sums), *group[1:]) for group, sums in groups.items()]

    def truth(self, api_key_id: str, start: float, end: float) -> Usage:
        """What a key really used in `[start, end)`, to the second and whether visible or not."""
        calls = self._calls
        first = bisect_left(calls, start, key=lambda call: call.at)
        last = bisect_left(calls, end, key=lambda call: call.at)
        return total(call.usage for call in calls[first:last] if call.api_key_id == api_key_id)
