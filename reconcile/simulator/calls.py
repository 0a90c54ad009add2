"""What was really used, what of it the usage API shows at an instant, and what it costs.

The truth that all else is measured against: nothing here is lost, rounded or late, but for a record's `visible_at`.
Amounts are in USD, exact.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import TypeAlias

from reconcile.minutes import MINUTE
from reconcile.usage import Bucket, Usage, total

COMPLETIONS = "completions"


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledCall:
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


Record: TypeAlias = BilledCall | Use | Credit


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
        groups: defaultdict[tuple[int, str | None, str, str, bool, str], list[int]] = defaultdict(lambda: [0] * 5)
        for c in self.shown(start, end, now):
            if isinstance(c, BilledCall) and c.endpoint == COMPLETIONS:
                sums = groups[c.minute, c.api_key_id, c.model, c.project_id, c.batch, c.service_tier]
                sums[0] += c.tokens_in
                sums[1] += c.tokens_out
                sums[2] += c.cached_tokens
                sums[3] += 1
                sums[4] += c.cache_write_tokens
        return [Bucket(group[0], Usage(*sums[:4]), *group[1:], sums[4]) for group, sums in groups.items()]

    def truth(self, api_key_id: str, start: float, end: float) -> Usage:
        """What the completions of a key really used in `[start, end)`, to the second and whether visible or not."""
        records = self._records
        first = bisect_left(records, start, key=lambda record: record.at)
        last = bisect_left(records, end, key=lambda record: record.at)
        calls = [each for each in records[first:last] if isinstance(each, BilledCall) and each.endpoint == COMPLETIONS]
        return total(call.usage for call in calls if call.api_key_id == api_key_id)


def _minute(at: float) -> int:
    return int(at // MINUTE) * MINUTE


MILLION = 1_000_000
EXACT = Context(prec=100)


@dataclass(frozen=True, slots=True)
class Rate:
    """USD for a million tokens."""

    uncached: Decimal
    cached: Decimal
    output: Decimal
    cache_write: Decimal | None = None
    """As uncached input where it is None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """One line of a bill: so much of one thing, and what that costs."""

    line_item: str
    quantity: int
    amount: Decimal


RATES = {
    "gpt-4o-mini-2024-07-18": Rate(Decimal("0.15"), Decimal("0.075"), Decimal("0.6")),
    "gpt-4o-2024-08-06": Rate(Decimal("2.5"), Decimal("1.25"), Decimal(10)),
    "gpt-4.1-mini-2025-04-14": Rate(Decimal("0.4"), Decimal("0.1"), Decimal("1.6")),
    "o3-2025-04-16": Rate(Decimal(2), Decimal("0.5"), Decimal(8)),
    "text-embedding-3-small": Rate(Decimal("0.02"), Decimal("0.02"), Decimal(0)),
}
UNIT_PRICES = {
    "images": Decimal("0.04"),
    "audio_speeches": Decimal("0.000015"),
    "audio_transcriptions": Decimal("0.0001"),
    "code_interpreter_sessions": Decimal("0.03"),
    "file_search_calls": Decimal("0.0025"),
    "web_search_calls": Decimal("0.01"),
}
"""USD for one of the endpoint's unit. Moderations are free, and stored bytes are not billed here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """Prices by model snapshot, and what makes one customer's bill differ from the list."""

    rates: Mapping[str, Rate] = field(default_factory=lambda: RATES)
    otherwise: Rate = RATES["gpt-4o-2024-08-06"]
    """Of models that `rates` does not name: the provider has a price for everything."""
    batch: Decimal = Decimal("0.5")
    tiers: Mapping[str, Decimal] = field(default_factory=lambda: {"flex": Decimal("0.5"), "priority": Decimal(2)})
    """Factors of service tiers other than the default one."""
    negotiated: Mapping[str, Decimal] = field(default_factory=dict)
    """Factors of models that this customer pays another price for."""
    free: frozenset[str] = frozenset()
    """Models whose usage is given away: their lines cost nothing."""
    unit_prices: Mapping[str, Decimal] = field(default_factory=lambda: UNIT_PRICES)

    def charges(self, record: BilledCall | Use) -> Iterator[BillLine]:
        """The lines that a record adds to."""
        if isinstance(record, Use):
            yield self._unit(record)
            return
        rate = self.rates.get(record.model, self.otherwise)
        read, written = record.cached_tokens, record.cache_write_tokens
        fresh = record.tokens_in - read - written
        writing = rate.uncached if rate.cache_write is None else rate.cache_write
        factor = self._factor(record)
        for kind, tokens, price in (
            ("input", fresh + written, fresh * rate.uncached + written * writing),
            ("cached input", read, read * rate.cached),
            ("output", record.tokens_out, record.tokens_out * rate.output),
        ):
            if tokens:
                amount = EXACT.divide(EXACT.multiply(price, factor), MILLION)
                yield BillLine(line_item=f"{record.model}, {kind}", quantity=tokens, amount=amount)

    def _factor(self, call: BilledCall) -> Decimal:
        if call.model in self.free:
            return Decimal(0)
        batch = self.batch if call.batch else Decimal(1)
        return batch * self.tiers.get(call.service_tier, Decimal(1)) * self.negotiated.get(call.model, Decimal(1))

    def _unit(self, use: Use) -> BillLine:
        what = use.endpoint.replace("_", " ")
        return BillLine(
            line_item=f"{use.model}, {what}" if use.model else what,
            quantity=use.quantity,
            amount=use.quantity * self.unit_prices.get(use.endpoint, Decimal(0)),
        )
