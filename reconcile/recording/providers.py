"""Which hosts are a provider's own, so that the `Date` of what they answer is the provider's clock.

A gateway answers by its own clock, and a host of this machine by this one. To try things out with a provider on this
machine, name it in `RECONCILE_OPENAI_URL`, as for the usage API: loopback then counts as a provider's own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit

ADDRESS = "RECONCILE_OPENAI_URL"

HOSTS = {
    "api.openai.com": "openai",
    "api.anthropic.com": "anthropic",
    "openrouter.ai": "openrouter",
    "openai.azure.com": "azure",
    "cognitiveservices.azure.com": "azure",
    "services.ai.azure.com": "azure",
}
"""Whose they are. Subdomains are theirs, too."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


def provider_of(host: str) -> str | None:
    """Whose host this is; None where nobody knows."""
    return next((name for own, name in HOSTS.items() if f".{host.lower()}".endswith(f".{own}")), None)


def is_provider(host: str, environ: Mapping[str, str] = os.environ) -> bool:
    if host.lower() in LOOPBACK:
        with suppress(ValueError):
            return (urlsplit(environ.get(ADDRESS, "")).hostname or "") in LOOPBACK
        return False
    return provider_of(host) is not None


def host_of(address: str) -> str:
    """Name and port of an address, as the header `Host` has them: without the port that is usual."""
    with suppress(ValueError):
        parts = urlsplit(address)
        name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
        return name if parts.port in {None, PORTS.get(parts.scheme)} else f"{name}:{parts.port}"
    return ""
