"""OpenAI: minutes with counts, every one of them told, and a control total. HTTP is imported when it is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from reconcile.providers.base import Abilities, Contact, ListedKey, Provider, Query, UsageProvider

if TYPE_CHECKING:
    from reconcile.providers.openai.bill import OpenAIBilling
    from reconcile.providers.openai.stored import OpenAIResponses

URL = "https://api.openai.com/v1"

MOST_REQUESTS = 100
"""For usage and costs of whole days, where nobody says how many."""


def openai_usage(
    admin_key: str,
    base_url: str = URL,
    *,
    now: datetime | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    tries: int | None = None,
) -> UsageProvider:
    """OpenAI's usage API. `on_progress` hears how many minutes of a query are answered, and how many it has; `tries`:
    how often a request is made that fails, where that is not to be the usual number."""
    from reconcile.providers.openai.completions import OpenAIUsage  # noqa: PLC0415
    from reconcile.providers.transport import Patience  # noqa: PLC0415

    patience = Patience(tries=tries) if tries else Patience()
    return OpenAIUsage(admin_key, base_url, patience=patience, now=now, on_progress=on_progress)


def openai_billing(
    admin_key: str,
    base_url: str = URL,
    *,
    now: datetime | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    cached: bool = True,
    max_requests: int | None = MOST_REQUESTS,
) -> OpenAIBilling:
    """OpenAI's usage and costs of whole days. `on_progress` hears how many queries are answered, and how many there
    are; `cached`: closed days are kept in the user's cache directory and not asked for again.
    """
    from reconcile.providers.cache import PeriodCache  # noqa: PLC0415
    from reconcile.providers.openai.bill import OpenAIBilling  # noqa: PLC0415

    cache = PeriodCache() if cached else None
    return OpenAIBilling(admin_key, base_url, now=now, on_progress=on_progress, cache=cache, max_requests=max_requests)


def openai_responses(api_key: str, base_url: str, headers: Mapping[str, str]) -> OpenAIResponses:
    """The responses of an experiment, asked for with its own key where it sends its calls."""
    from reconcile.providers.openai.stored import OpenAIResponses  # noqa: PLC0415

    return OpenAIResponses(api_key=api_key, base_url=base_url, headers=headers)


def curl_line(query: Query, base_url: str = URL) -> str:
    """The first request of a query, for a shell that has the key in OPENAI_ADMIN_KEY."""
    from reconcile.providers.openai import completions  # noqa: PLC0415

    return completions.curl_line(query, base_url)


def _keys(admin_key: str, base_url: str = URL, *, now: datetime | None = None) -> tuple[ListedKey, ...]:
    from reconcile.providers.openai.key_list import list_keys  # noqa: PLC0415

    return list_keys(admin_key, base_url, now=now)


def _contact(admin_key: str, base_url: str = URL) -> Contact:
    from reconcile.providers.openai.key_list import contact  # noqa: PLC0415

    return contact(admin_key, base_url)


PROVIDER = Provider(
    name="openai",
    title="OpenAI",
    abilities=Abilities(totals=True, currency="usd"),
    key_id=re.compile(r"(?!sk-)[!-~]+"),
    key_example="key_abc123",
    key_page="https://platform.openai.com/api-keys",
    key_variable="OPENAI_API_KEY_{}",
    admin_key_variables=(
        "OPENAI_ADMIN_KEY",
        "OPENAI_API_KEY_USAGE_TRACKING",
        "OPEN_AI_KEY_ADM",
        "OPENAI_ADMIN_API_KEY",
    ),
    admin_key_page="platform.openai.com/settings/organization/admin-keys",
    right="api.usage.read",
    url=URL,
    url_variable="RECONCILE_OPENAI_URL",
    gateway_variable="OPENAI_BASE_URL",
    usage=openai_usage,
    spelled=curl_line,
    billing=openai_billing,
    keys=_keys,
    contact=_contact,
)
