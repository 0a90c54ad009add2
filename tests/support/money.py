"""Usage, bills and prices in a few words, for tests of money."""

from decimal import Decimal

from hypothesis import strategies as st

from reconcile.money.entry import Cost, Dimensions, Entry, Official, Prices
from reconcile.usage import Tokens

DAY = 1767571200
"""2026-01-05T00:00Z."""
MINI = "gpt-4o-mini-2024-07-18"

LISTED = {
    MINI: ("0.00000015", "0.000000075", "0.00000015", "0.0000006"),
    "o3-2025-04-16": ("0.000002", "0.0000005", "0.000002", "0.000008"),
    "writes-2026-01-01": ("0.000004", "0.0000004", "0.000005", "0.00002"),
}
HALF = {MINI: ("0.000000075", "0.000000075", "0.000000075", "0.0000003")}
"""Of a batch."""


def prices(rates, source="a list 1.0"):
    return Prices(
        **dict(zip(("uncached", "cache_read", "cache_write", "output"), map(Decimal, rates), strict=True)),
        source=source,
    )


def at_list(entry):
    """A `PriceOf` of three models, one of which has a price for batches; a model may be called without its date."""
    table = HALF if entry.who.batch else LISTED
    found = [rates for name, rates in table.items() if entry.who.model in {name, name[:-11]}]
    return prices(found[0]) if found and entry.who.service_tier in {None, "default"} else None


def used(model=MINI, tokens=(1000, 0, 0, 100), requests=1, day=DAY, cost=None, **who):
    return Entry(
        start=day, who=Dimensions(model=model, **who), tokens=Tokens(*tokens), requests=requests,
        cost=None if cost is None else Decimal(cost),
    )  # fmt: skip


def billed(amount, line_item=f"{MINI}, input", day=DAY, currency="usd", **of):
    quantity = of.pop("quantity", None)
    return Cost(
        day=day, amount=Decimal(amount), currency=currency, line_item=line_item,
        quantity=None if quantity is None else Decimal(quantity), **of,
    )  # fmt: skip


def official(usage=(), costs=()):
    return Official(usage=tuple(usage), costs=None if costs is None else tuple(costs))


def bill(usage, price_of=at_list):
    """The lines that a provider which charges these prices writes for this usage, amounts with many decimals."""
    lines = []
    for entry in usage:
        rates = price_of(entry)
        tokens = entry.tokens
        parts = {
            "input": Decimal(tokens.uncached) * rates.uncached + Decimal(tokens.cache_write) * rates.cache_write,
            "cached input": Decimal(tokens.cache_read) * rates.cache_read,
            "output": Decimal(tokens.output) * rates.output,
        }
        lines += [billed(f"{amount:.39f}", f"{entry.who.model}, {part}", entry.start) for part, amount in parts.items()]
    return lines


AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=39, allow_nan=False, allow_infinity=False)
POSITIVE = st.decimals(min_value=0, max_value=10**9, places=39, allow_nan=False, allow_infinity=False)
COUNTS = st.integers(0, 10**12)
MODELS = st.sampled_from([*LISTED, "gpt-4o-mini", "nobody-knows", None])
ENTRIES = st.builds(
    used,
    model=MODELS,
    tokens=st.tuples(COUNTS, COUNTS, COUNTS, COUNTS),
    requests=st.integers(0, 1000),
    day=st.sampled_from([DAY, DAY + 3600, DAY + 86400]),
    cost=st.none() | POSITIVE,
    batch=st.sampled_from([None, True, False]),
    service_tier=st.sampled_from([None, "default", "flex"]),
    api_key_id=st.sampled_from([None, "key_a", "key_b"]),
    project_id=st.sampled_from([None, "proj_a"]),
    framework=st.sampled_from([None, "chatdev"]),
)
LINES = st.builds(
    billed,
    amount=AMOUNTS | st.just(Decimal("0E-6176")),
    line_item=st.sampled_from([f"{MINI}, input", f"{MINI}, output", "o3-2025-04-16, cached input", "web search", None]),
    day=st.sampled_from([DAY, DAY + 86400]),
    quantity=st.none() | COUNTS,
    api_key_id=st.sampled_from([None, "key_a"]),
    project_id=st.sampled_from([None, "proj_a"]),
)
