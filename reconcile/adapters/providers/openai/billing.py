"""All that the service says of whole days: model calls by the hour, everything else and the costs by the day.

Responsible for asking no more than is needed: what the cache of closed days holds is not asked for, what is missing
is asked in stretches, one request at a time and within a budget. Complete or nothing: a page that fails is a
ProviderError, and no figure of it goes anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from reconcile.adapters.http import Http, Patience
from reconcile.adapters.period_cache import PeriodCache
from reconcile.adapters.providers.openai.asking import BASE_URL
from reconcile.adapters.providers.openai.budget import Budget
from reconcile.adapters.providers.openai.days import DAY
from reconcile.adapters.providers.openai.keeping import Keeping
from reconcile.adapters.providers.openai.plans import Fetching, Plan, plan
from reconcile.adapters.providers.openai.querying import Service
from reconcile.adapters.providers.openai.topics import CALLS, COSTS, COSTS_BY_KEY, MEASURED
from reconcile.adapters.providers.openai.trust import check_past
from reconcile.core.comparing.sides import HOUR, KEYS_SINCE, Cost, Official, Period
from reconcile.errors import ProviderError

PATIENCE = Patience()

MOST_REQUESTS = 100
"""Enough for five months of everything."""


class OpenAIBilling:
    """Usage and costs of whole UTC days. A key that cannot be one is a ConfigurationError here.

    `now` keeps queries out of the future (default: the clock). `on_progress` hears after each query how many are
    answered, and how many there are. `cache` keeps closed days; with None every day is asked for. A `fetch` makes at
    most `max_requests` requests; None is no limit.
    """

    def __init__(  # noqa: PLR0913 (what a caller may set, each with a default)
        self,
        admin_key: str,
        base_url: str = BASE_URL,
        *,
        patience: Patience = PATIENCE,
        now: datetime | None = None,
        on_progress: Callable[[int, int], None] | None = None,
        cache: PeriodCache | None = None,
        max_requests: int | None = MOST_REQUESTS,
    ) -> None:
        base_url = base_url.rstrip("/")
        Http(base_url, admin_key, patience)  # refuses a key or an address that no request can be made with
        self._service = Service(key=admin_key, base_url=base_url, patience=patience, now=now)
        self._shelf = cache.shelf(base_url, admin_key) if cache else None
        self._on_progress = on_progress
        self._max_requests = max_requests

    def fetch(
        self, period: Period, *, until: int, closed_before: int | None = None, costs: bool, other: bool
    ) -> Official:
        """All that is settled of the period, or ProviderError; ConfigurationError where it takes too many requests.

        `until` (Unix seconds) is the instant up to which usage is settled: model calls are read for the whole hours
        before it, everything else for the whole days. Costs are None where no day of the period is whole.
        `closed_before`: days that ended by then are final; these alone are looked up in the cache, and kept there.
        """
        end = min(until, period.end)
        check_past(end, self._service.now, "the period")
        hours, days, start = end // HOUR * HOUR, end // DAY * DAY, period.start
        keeping = Keeping(self._shelf, min(closed_before or 0, days))
        calls = [plan(topic, start, hours, keeping) for topic in CALLS]
        others = [plan(topic, start, days, keeping) for topic in MEASURED if other]
        bills = _bills(start, days, keeping) if costs and start < days else None
        fetching = Fetching(self._service, keeping, Budget(self._max_requests), self._on_progress)
        every: list[Plan[Any]] = [*calls, *others, *(bills or ())]
        fetching.expect(every)
        return Official(
            usage=fetching.values(calls),
            other=fetching.values(others),
            costs=None if bills is None else _of_one_currency(fetching.values(bills)),
            requests=fetching.budget.made,
            cached=sum(len(each.known) for each in every),
        )


def _bills(start: int, end: int, keeping: Keeping) -> list[Plan[Cost]]:
    """Costs by key, as far back as the service tells keys apart."""
    turn = min(max(start, KEYS_SINCE), end)
    return [plan(COSTS, start, turn, keeping), plan(COSTS_BY_KEY, turn, end, keeping)]


def _of_one_currency(costs: tuple[Cost, ...]) -> tuple[Cost, ...]:
    """The same costs, which can be added up. Raises ProviderError where they cannot."""
    currencies = sorted({cost.currency for cost in costs})
    if len(currencies) > 1:
        raise ProviderError(
            f"the costs of the period are in {' and '.join(currencies)}, and amounts of two currencies have no sum",
            code="currency_mixed",
            remedy="compare a period whose costs are in one currency, or usage without costs",
        )
    return costs
