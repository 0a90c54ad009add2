"""Both sides of a few days by hand: the same calls, of which a test changes what it is about."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache

from reconcile.ledger.comparison import compare
from reconcile.ledger.log import UsageLog
from reconcile.money.entry import DAY, HOUR, Cost, Dimensions, Entry, Official, Period, Prices
from reconcile.usage import Tokens

WEEK = Period(date(2026, 3, 2), date(2026, 3, 8))
START = WEEK.start

MODELS = {"gpt-4o-2024-08-06": ("2.5", "1.25", "10"), "o3-2025-04-16": ("2", "0.5", "8")}
"""USD for a million tokens: uncached and written to the cache, cached, output."""


def used(hour, *, model="gpt-4o-2024-08-06", key="key_app", requests=3, tokens=(900, 400, 0, 200), **members):
    who = {name: members.pop(name) for name in ("project_id", "framework", "batch", "service_tier") if name in members}
    return Entry(
        start=START + int(hour * HOUR),
        who=Dimensions(model=model, api_key_id=key, **who),
        tokens=Tokens(*tokens),
        requests=requests,
        **members,
    )


def calls():
    """A week of two models and two keys, more by day; every other hour, of which no two are alike."""
    return list(_calls())


@cache
def _calls():
    entries = []
    for hour in range(0, 7 * 24, 2):
        size = 1 + (hour % 24 in range(8, 19)) * 4 + hour % 3
        tokens = (700 * size + hour, 128 * (hour % 5), 0, 90 * size + hour % 7)
        entries.append(used(hour, requests=size, tokens=tokens, reasoning=0))
        if hour % 4:
            entries.append(
                used(hour, model="o3-2025-04-16", key="key_jobs", requests=1, tokens=(500 + hour, 0, 0, 300))
            )
    return entries


def price(entry, *, flags=True):
    """List price, as the provider bills it; None of a model that is not listed."""
    return _price(entry.who.model, bool(entry.who.batch and flags)) if entry.who.model in MODELS else None


@cache
def _price(model, batch):
    factor = Decimal("0.5") if batch else Decimal(1)
    uncached, cached, output = (Decimal(rate) / 1_000_000 * factor for rate in MODELS[model])
    return Prices(uncached=uncached, cache_read=cached, cache_write=uncached, output=output, source="a list of 2026")


def listed(entry, *, flags=True):
    prices = price(entry, flags=flags)
    rates = (prices.uncached, prices.cache_read, prices.cache_write, prices.output)
    return sum(rate * count for rate, count in zip(rates, entry.tokens.parts, strict=True))


def bill(entries, *, amount=listed, item=True):
    return tuple(
        Cost(
            day=entry.start // DAY * DAY,
            amount=amount(entry),
            currency="usd",
            line_item=f"{entry.who.model}, input" if item else None,
            project_id=entry.who.project_id,
            api_key_id=entry.who.api_key_id,
        )
        for entry in entries
    )


def official(entries, *, costs=None, **members):
    reasonless = tuple(replace(entry, reasoning=0, cost=None) for entry in entries)
    return Official(usage=reasonless, costs=bill(entries) if costs is None else costs, **members)


@cache
def _reported():
    return official(calls())


def compared(local, reported=None, *, period=WEEK, price_of=price, settled_until=None, log=None, **given):
    """The log held against the week's calls, or against what is given."""
    reported = _reported() if reported is None else reported
    log = UsageLog(entries=tuple(local), lines=len(local), files=("usage.ndjson",)) if log is None else log
    until = period.end if settled_until is None else settled_until
    return compare(log, reported, period, settled_until=until, price_of=price_of, **given)
