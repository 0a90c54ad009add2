"""List prices of the provider's models, from the table inside the package genai-prices. No request is made.

A table answers for what it has. What it would answer with a standard price although a tier was asked for, with the
price of text although a model takes sound or images, or with a guess, is no answer here: unpriced. A batch job that it
has no prices of costs half of the standard ones, and the source says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from reconcile.errors import ConfigurationError
from reconcile.money.entry import DAY, Entry, PriceOf, Prices
from reconcile.money.exact import EXACT, NOTHING
from reconcile.money.prices import STANDARD

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, TieredPrices

PROVIDER = "openai"
PACKAGE, PINNED = "genai-prices", "0.2.3"
"""As pyproject.toml has it."""
INPUT, OUTPUT = "input_mtok", "output_mtok"
PARTS = (INPUT, "cache_read_mtok", "cache_write_mtok", OUTPUT)
"""The table's names of the parts, in the order of `Tokens.parts`: USD for a million."""
MILLION = -6
"""The power of ten that a price of a million is shifted by: exact, where a division need not be."""
OTHER_MEDIA = ("audio", "image", "realtime")
"""In the name of a model, or of its prices: its tokens are not all charged as text, and usage does not tell which."""
UNTIERED = ""
BATCH = "batch"
WHOLE, HALF = Decimal(1), Decimal("0.5")
"""Of the standard prices: what the provider says a batch job costs, which a table may not have from the beginning."""

Rate: TypeAlias = "Decimal | TieredPrices | None"
Asked: TypeAlias = tuple[str, int, bool, str]
"""Model, UTC day since 1970, batch, service tier: what a price hangs on but for the size of a request."""


@dataclass(frozen=True, slots=True)
class ModelPrices:
    """A model's prices of a day: for each part USD a million, by the size of a request; None: unpriced."""

    rates: tuple[Rate, ...]
    """Of `Tokens.parts`."""
    starts: tuple[int, ...]
    """Input tokens of a request above which other prices hold, ascending."""
    share: Decimal = WHOLE
    """Of these prices that is charged."""


@dataclass(frozen=True, slots=True)
class ListPrices:
    """A `PriceOf` that remembers what it was asked."""

    source: str
    listed: dict[Asked, ModelPrices | None] = field(default_factory=dict)
    prices: dict[tuple[Asked, int], Prices | None] = field(default_factory=dict)

    def __call__(self, entry: Entry) -> Prices | None:
        """The prices of the entry's tokens, or None where some of them have none."""
        asked = _asked(entry)
        if asked is None:
            return None
        if asked not in self.listed:
            self.listed[asked] = _look_up(asked)
        listed = self.listed[asked]
        size = _size(listed, entry) if listed else None
        if listed is None or size is None or not _covers(listed, entry):
            return None
        if (asked, size) not in self.prices:
            self.prices[asked, size] = _prices(listed, size, self.source)
        return self.prices[asked, size]


def list_prices() -> PriceOf:
    """Prices of an entry's model snapshot on its UTC day. Raises ConfigurationError where the extra is missing."""
    try:
        from genai_prices import __version__  # noqa: PLC0415  an extra, and 36 MB in memory
    except ImportError as error:
        raise ConfigurationError(
            f"list prices need the package {PACKAGE}, which is not installed",
            code="missing_extra",
            remedy=f"pip install '{PACKAGE}=={PINNED}', which the extra pricing brings; or set pricing: off",
        ) from error
    return ListPrices(f"{PACKAGE} {__version__}")


def _asked(entry: Entry) -> Asked | None:
    """What to look up; None for what no table can know: no model, or a batch in a tier."""
    who = entry.who
    tier = (who.service_tier or UNTIERED).lower()
    tier = UNTIERED if tier in STANDARD else tier
    batch = bool(who.batch) or tier == BATCH
    if who.model is None or (batch and tier not in {UNTIERED, BATCH}):
        return None
    return who.model, entry.start // DAY, batch, UNTIERED if batch else tier


def _look_up(asked: Asked) -> ModelPrices | None:
    """What the table has for it; None where that is nothing, or is not meant for this."""
    model, day, batch, tier = asked
    found, at = _model(model), datetime.fromtimestamp(day * DAY, UTC)
    if found is None:
        return None
    prices = found.get_prices(at)
    standard: dict[str, Rate] = {name: getattr(prices, name) for name in PARTS}
    media = (found.id, *(name for name, price in vars(prices).items() if price is not None))
    if any(medium in name for name in media for medium in OTHER_MEDIA):
        return None
    context = {"processing": BATCH} if batch else {"service_tier": tier} if tier else {}
    own = _variant(found, at, context) if context else standard
    share = WHOLE
    if batch and own.get(INPUT) is None:
        own, share = standard, HALF
    uncached = own.get(INPUT)
    if uncached is None:
        return None
    rates = tuple(uncached if standard[name] is None and name != OUTPUT else own.get(name) for name in PARTS)
    return ModelPrices(rates, tuple(sorted({start for rate in rates for start, _ in _steps(rate)})), share)


def _model(name: str) -> ModelInfo | None:
    from genai_prices import Usage, calc_price  # noqa: PLC0415

    try:
        return calc_price(Usage(input_tokens=1), name, provider_id=PROVIDER).model
    except LookupError:
        return None


def _variant(model: ModelInfo, at: datetime, context: Mapping[str, str]) -> dict[str, Rate]:
    """The prices that are written for just this context on this day.

    Asked for a price, the table falls back on the standard one for each part that has no variant, for days before the
    variant begins, and for words it does not know. None of that can be told from an answer.
    """
    found: dict[str, Rate] = {}
    for variant in model.price_variants or ():
        begun = variant.constraint is None or variant.constraint.active(at)
        if begun and all(context.get(key) == value for key, value in variant.when.items()):
            for name in PARTS:
                if (price := getattr(variant.prices, name)) is not None:
                    found.setdefault(name, price)
    return found


def _size(listed: ModelPrices, entry: Entry) -> int | None:
    """How many of the table's thresholds the mean request of the entry is above; None where that is not known.

    Prices depend on the size of one request, so a sum must never be taken for one.
    """
    given = entry.tokens.input
    if entry.requests <= 0:
        return None if listed.starts and given > listed.starts[0] else 0
    return sum(given > start * entry.requests for start in listed.starts)


def _covers(listed: ModelPrices, entry: Entry) -> bool:
    """Whether every part that the entry has tokens of has a price."""
    return all(rate is not None or not count for rate, count in zip(listed.rates, entry.tokens.parts, strict=True))


def _prices(listed: ModelPrices, size: int, source: str) -> Prices:
    """For a token. A part without a price, of which there are no tokens, costs what input costs, or nothing."""
    above = listed.starts[:size]
    uncached, *others = (_rate(rate, above, listed.share) for rate in listed.rates)
    read, write, output = others
    first = uncached if uncached is not None else NOTHING
    return Prices(
        uncached=first,
        cache_read=first if read is None else read,
        cache_write=first if write is None else write,
        output=NOTHING if output is None else output,
        source=source if listed.share == WHOLE else f"{source}, batch jobs at half of it",
    )


def _rate(rate: Rate, above: tuple[int, ...], share: Decimal) -> Decimal | None:
    """USD for a token, where a request is larger than these thresholds."""
    if rate is None:
        return None
    million = rate if isinstance(rate, Decimal) else rate.base
    for start, price in _steps(rate):
        million = price if start in above else million
    return EXACT.multiply(million, share).scaleb(MILLION, EXACT)


def _steps(rate: Rate) -> list[tuple[int, Decimal]]:
    """Thresholds and prices above them, ascending."""
    return [] if rate is None or isinstance(rate, Decimal) else [(tier.start, tier.price) for tier in rate.tiers]
