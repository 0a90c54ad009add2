"""Builds what asks a provider, from plain values. Apart from `opening`: most commands ask nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from reconcile.adapters.period_cache import PeriodCache
from reconcile.adapters.providers import openai
from reconcile.core.model import Query, UsageProvider

MOST_REQUESTS = openai.MOST_REQUESTS


def openai_usage(
    admin_key: str,
    base_url: str = openai.BASE_URL,
    *,
    now: datetime | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> UsageProvider:
    """OpenAI's usage API. `on_progress` hears how many minutes of a query are answered, and how many it has."""
    return openai.OpenAIUsage(admin_key, base_url, now=now, on_progress=on_progress)


def openai_billing(
    admin_key: str,
    base_url: str = openai.BASE_URL,
    *,
    now: datetime | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    cached: bool = True,
    max_requests: int | None = MOST_REQUESTS,
) -> openai.OpenAIBilling:
    """OpenAI's usage and costs of whole days. `on_progress` hears how many queries are answered, and how many there
    are; `cached`: closed days are kept in the user's cache directory and not asked for again.
    """
    cache = PeriodCache() if cached else None
    return openai.OpenAIBilling(
        admin_key, base_url, now=now, on_progress=on_progress, cache=cache, max_requests=max_requests
    )


def openai_responses(api_key: str, base_url: str, headers: Mapping[str, str]) -> openai.OpenAIResponses:
    """The responses of an experiment, asked for with its own key where it sends its calls."""
    return openai.OpenAIResponses(api_key=api_key, base_url=base_url, headers=headers)


def curl_lines(base_url: str) -> Callable[[Query], str]:
    """What spells a query as a curl line."""
    return lambda query: openai.curl_line(query, base_url)
