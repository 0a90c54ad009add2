"""A month of calls drawn from dice, and what an application and the provider each write down of it.

Both sides are made from the calls with arithmetic of this module alone, so that a comparison of them can be held
against what is known: which calls there were, and what went wrong with the log.
"""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from support.worlds import dice as thrown

from reconcile.ledger.log import UsageLog
from reconcile.money.entry import Cost, Dimensions, Entry, Official, Period, Prices
from reconcile.usage import Tokens

MARCH = Period(date(2026, 3, 1), date(2026, 3, 31))
OCTOBER = Period(date(2026, 10, 1), date(2026, 10, 31))

MODELS = {
    "gpt-4o-2024-08-06": ("2.50", "1.25", "2.50", "10.00"),
    "gpt-4o-mini-2024-07-18": ("0.15", "0.075", "0.15", "0.60"),
    "o3-2025-04-16": ("2.00", "0.50", "2.00", "8.00"),
    "gpt-5-mini-2025-08-07": ("0.25", "0.025", "0.3125", "2.00"),
}
"""USD for a million tokens: uncached, cached, written to the cache, output."""

REASONS = {"o3-2025-04-16", "gpt-5-mini-2025-08-07"}
KEYS = {"key_app": "proj_main", "key_jobs": "proj_main"}
FOREIGN = ("key_other", "proj_other")
TIER_FACTORS = {"flex": Decimal("0.5"), "priority": Decimal(2)}


@dataclass(frozen=True)
class Call:
    at: int
    model: str
    key: str
    project: str
    uncached: int
    cached: int
    written: int
    output: int
    reasoning: int
    batch: bool = False
    tier: str | None = None

    def price(self):
        rates = [Decimal(rate) / 1_000_000 for rate in MODELS[self.model]]
        factor = (Decimal("0.5") if self.batch else Decimal(1)) * TIER_FACTORS.get(self.tier, 1)
        counts = (self.uncached, self.cached, self.written, self.output)
        return [rate * count * factor for rate, count in zip(rates, counts, strict=True)]


@dataclass(frozen=True)
class Line:
    """What an application writes down of a call."""

    at: int
    model: str | None
    key: str | None
    project: str | None
    counts: tuple
    reasoning: int
    framework: str | None = None
    batch: bool | None = None
    tier: str | None = None
    cost: Decimal | None = None
    requests: int = 1


@dataclass
class Month:
    period: Period = MARCH
    calls: list = field(default_factory=list)

    @property
    def inside(self):
        return [call for call in self.calls if self.period.start <= call.at < self.period.end]

    def lines(self, *, keys=True, aliases=True):
        return [
            Line(
                at=call.at,
                model=call.model.rsplit("-", 3)[0] if aliases else call.model,
                key=call.key if keys else None,
                project=call.project if keys else None,
                counts=(call.uncached, call.cached, call.written, call.output),
                reasoning=call.reasoning,
            )
            for call in self.calls
        ]

    def official(self, *, costs=True, bill=lambda call, amount: amount):
        usage, amounts = defaultdict(lambda: [0] * 5), defaultdict(Decimal)
        for call in self.inside:
            who = Dimensions(
                model=call.model,
                api_key_id=call.key,
                project_id=call.project,
                batch=call.batch,
                service_tier=call.tier or "default",
            )
            added(usage[call.at // 3600 * 3600, who], (1, call.uncached, call.cached, call.written, call.output))
            uncached, cached, written, output = (bill(call, amount) for amount in call.price())
            parts = {"input": uncached + written, "cached input": cached, "output": output}
            for name, amount in parts.items():
                amounts[call.at // 86400 * 86400, call.model, name, call.project, call.key] += amount
        entries = tuple(
            Entry(start=start, who=who, requests=counts[0], tokens=Tokens(*counts[1:]))
            for (start, who), counts in usage.items()
        )
        lines = tuple(
            Cost(
                day=day,
                amount=amount,
                currency="usd",
                line_item=f"{model}, {name}",
                project_id=project,
                api_key_id=key,
            )
            for (day, model, name, project, key), amount in amounts.items()
        )
        return Official(usage=entries, costs=lines if costs else None)

    def price_of(self, *, unknown=(), flags=True):
        """List prices, as somebody has them who knows batch jobs and tiers, or does not."""

        def prices(entry):
            found = [
                model for model in MODELS if model == entry.who.model or model.rsplit("-", 3)[0] == entry.who.model
            ]
            if not found or found[0] in unknown:
                return None
            factor = Decimal(1)
            if flags:
                factor = (Decimal("0.5") if entry.who.batch else factor) * TIER_FACTORS.get(entry.who.service_tier, 1)
            rates = [Decimal(rate) / 1_000_000 * factor for rate in MODELS[found[0]]]
            return Prices(
                uncached=rates[0], cache_read=rates[1], cache_write=rates[2], output=rates[3], source="made up"
            )

        return prices


def added(sums, counts):
    for place, count in enumerate(counts):
        sums[place] += count


def month(seed, *, period=MARCH, batch=0.15, foreign=0.0, tiers=0.0, models=tuple(MODELS), busy=None, zone="UTC"):
    """Calls by day and by night, more on working days, two keys, cached shares, reasoning where a model reasons."""
    dice = thrown(seed)
    busy = busy or 0.5
    home = ZoneInfo(zone)
    hours = (period.end - period.start) // 3600
    calls = []
    for hour in range(-14, hours + 14):
        start = period.start + 3600 * hour
        clock = datetime.fromtimestamp(start, UTC).astimezone(home)
        rhythm = (1.6 if 8 <= clock.hour < 19 else 0.4) * (0.5 if clock.weekday() >= 5 else 1.0)
        calls += [drawn(dice, start, models, batch, tiers) for _ in range(poisson(dice, busy * rhythm))]
        others = [drawn(dice, start, models, 0, 0) for _ in range(poisson(dice, busy * rhythm * foreign))]
        calls += [replace(call, key=FOREIGN[0], project=FOREIGN[1]) for call in others]
    return Month(period=period, calls=calls)


def poisson(dice, mean):
    count, left = 0, dice.expovariate(1)
    while left < mean:
        count += 1
        left += dice.expovariate(1)
    return count


def drawn(dice, start, models, batch, tiers):
    model = dice.choices(models, [4, 3, 2, 1][: len(models)])[0]
    size = int(dice.lognormvariate(7, 1)) + 20
    cached = int(size * dice.uniform(0.2, 0.9)) // 128 * 128 if dice.random() < 0.5 else 0
    written = (size - cached) // 3 if model.startswith("gpt-5") and dice.random() < 0.3 else 0
    output = int(dice.lognormvariate(5, 1)) + 1
    is_batch = dice.random() < batch
    key = "key_jobs" if is_batch or dice.random() < 0.3 else "key_app"
    return Call(
        at=start + dice.randrange(3600),
        model=model,
        key=key,
        project=KEYS[key],
        uncached=size - cached - written,
        cached=cached,
        written=written,
        output=output,
        reasoning=int(output * dice.uniform(0.3, 0.9)) if model in REASONS else 0,
        batch=is_batch,
        tier=dice.choice(["flex", "priority"]) if not is_batch and dice.random() < tiers else None,
    )


def log_of(lines, *, period=MARCH, repeated=(), unlogged=0, grain=900):
    """The log as it is read: by quarter hours, 14 hours beyond both ends."""
    return UsageLog(
        entries=entries_of(lines, period, grain),
        repeated=entries_of(repeated, period, grain),
        unlogged_attempts=unlogged,
        lines=len(lines),
        files=("usage.ndjson",),
    )


def entries_of(lines, period, grain=900):
    sums, costs = defaultdict(lambda: [0] * 6), {}
    for line in lines:
        if not period.start - 50400 <= line.at < period.end + 50400:
            continue
        who = Dimensions(
            model=line.model,
            api_key_id=line.key,
            project_id=line.project,
            framework=line.framework,
            batch=line.batch,
            service_tier=line.tier,
        )
        place = (line.at // grain * grain, who)
        added(sums[place], (line.requests, *line.counts, line.reasoning))
        if line.cost is not None:
            costs[place] = costs.get(place, Decimal(0)) + line.cost
    return tuple(
        Entry(
            start=start,
            who=who,
            requests=counts[0],
            tokens=Tokens(*counts[1:5]),
            reasoning=counts[5],
            cost=costs.get((start, who)),
        )
        for (start, who), counts in sums.items()
    )


# ------------------------------------------------------------------------------------------------- faults of a log


def shifted(lines, hours):
    return [replace(line, at=line.at + int(hours * 3600)) for line in lines]


def in_local_time(lines, zone):
    """Naive local time that is read as if it were UTC."""
    home = ZoneInfo(zone)
    offsets = {line.at: datetime.fromtimestamp(line.at, home).utcoffset() for line in lines}
    return [replace(line, at=line.at + int(offsets[line.at].total_seconds())) for line in lines]


def cached_twice(lines):
    """The input as the provider's answers give it, cached tokens and all, taken for the uncached part."""
    return [replace(line, counts=(line.counts[0] + line.counts[1], *line.counts[1:])) for line in lines]


def reasoning_twice(lines):
    return [replace(line, counts=(*line.counts[:3], line.counts[3] + line.reasoning)) for line in lines]


def times(lines, factor):
    return [replace(line, counts=tuple(count * factor for count in line.counts)) for line in lines]


def lost(lines, share, seed):
    dice = thrown(seed)
    return [line for line in lines if dice.random() >= share]


def without_days(lines, first, days):
    start = int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp())
    until = start + int(timedelta(days=days).total_seconds())
    return [line for line in lines if not start <= line.at < until]


def without_key(lines, month_, key):
    """The lines of calls under any other key; the lines themselves may not say which."""
    kept = [call.key != key for call in month_.calls]
    return [line for line, own in zip(lines, kept, strict=True) if own]
