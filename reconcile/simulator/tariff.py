"""What the simulated provider charges: amounts in USD, exact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal

from reconcile.simulator.ledger import Call, Use

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
class Charge:
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

    def charges(self, record: Call | Use) -> Iterator[Charge]:
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
                yield Charge(line_item=f"{record.model}, {kind}", quantity=tokens, amount=amount)

    def _factor(self, call: Call) -> Decimal:
        if call.model in self.free:
            return Decimal(0)
        batch = self.batch if call.batch else Decimal(1)
        return batch * self.tiers.get(call.service_tier, Decimal(1)) * self.negotiated.get(call.model, Decimal(1))

    def _unit(self, use: Use) -> Charge:
        what = use.endpoint.replace("_", " ")
        return Charge(
            line_item=f"{use.model}, {what}" if use.model else what,
            quantity=use.quantity,
            amount=use.quantity * self.unit_prices.get(use.endpoint, Decimal(0)),
        )
