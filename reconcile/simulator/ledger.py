"""What was really used, and what of it the usage API shows at an instant.

The truth that all else is measured against: nothing here is lost, rounded or late, but for a record's `visible_at`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from reconcile.core.model import MINUTE, Bucket, Usage, total

COMPLETIONS = "completions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to a model. Instants are Unix seconds; input includes what is read from and written to a cache."""

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
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    """Of the output; no field of the usage API tells of them."""
    endpoint: str = COMPLETIONS
    """Or `embeddings`, which puts out nothing."""

    @property
    def minute(self) -> int:
        return _minute(self.at)

    @property
    def usage(self) -> Usage:
        return Usage(self.tokens_in, self.tokens_out, self.cached_tokens, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Something used that is counted in another unit than a model call's tokens."""

    at: float
    endpoint: str
    """Last part of its path: `images`, `vector_stores`."""
    quantity: int
    """Images, characters, seconds, bytes, sessions, searches; of `moderations` the tokens read."""
    api_key_id: str | None = None
    model: str | None = None
    project_id: str = "proj_simulated"
    size: str | None = None
    source: str | None = None
    vector_store_id: str | None = None
    context_level: str | None = None
    visible_at: float = 0.0

    @property
    def minute(self) -> int:
        return _minute(self.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """Money given back: an amount in USD that costs get lower by, and no usage."""

    at: float
    amount: Decimal
    line_item: str = "credits"
    project_id: str | None = None
    api_key_id: str | None = None
    visible_at: float = 0.0

    @property
    def minute(self) -> int:
        return _minute(self.at)


Record: TypeAlias = Call | Use | Credit


class Ledger:
    """Records in order of time. More may be added while a simulator serves them."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._records: list[Record] = []
        self.add(records)

    def add(self, records: Iterable[Record]) -> None:
        self._records = sorted([*self._records, *records], key=lambda record: record.at)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records)

    def shown(self, start: float, end: float, now: float) -> Iterator[Record]:
        """What the API knows at `now` of the minutes t with `start <= t < end`, in order of time."""
        records = self._records
        first = bisect_left(records, start, key=lambda record: record.minute)
        last = bisect_left(records, end, key=lambda record: record.minute)
        return (record for record in records[first:last] if record.visible_at <= now)

    def reported(self, start: float, end: float, now: float) -> list[Bucket]:
        """Completions that the API knows at `now` of these minutes: a bucket a group, in order of time."""
        groups: defaultdict[tuple[int, str | None, str, str, bool, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        for c in self.shown(start, end, now):
            if isinstance(c, Call) and c.endpoint == COMPLETIONS:
                sums = groups[c.minute, c.api_key_id, c.model, c.project_id, c.batch, c.service_tier]
                sums[0] += c.tokens_in
                sums[1] += c.tokens_out
                sums[2] += c.cached_tokens
                sums[3] += 1
        return [Bucket(group[0], Usage(*sums), *group[1:]) for group, sums in groups.items()]

    def truth(self, api_key_id: str, start: float, end: float) -> Usage:
        """What the completions of a key really used in `[start, end)`, to the second and whether visible or not."""
        records = self._records
        first = bisect_left(records, start, key=lambda record: record.at)
        last = bisect_left(records, end, key=lambda record: record.at)
        calls = [each for each in records[first:last] if isinstance(each, Call) and each.endpoint == COMPLETIONS]
        return total(call.usage for call in calls if call.api_key_id == api_key_id)


def _minute(at: float) -> int:
    return int(at // MINUTE) * MINUTE
