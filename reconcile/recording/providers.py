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

HOSTS = ("api.openai.com", "api.anthropic.com", "openrouter.ai")
"""Subdomains are theirs, too."""

AZURE = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com")

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}


def is_provider(host: str, environ: Mapping[str, str] = os.environ) -> bool:
    host = host.lower()
    if host in LOOPBACK:
        with suppress(ValueError):
            return (urlsplit(environ.get(ADDRESS, "")).hostname or "") in LOOPBACK
        return False
    return host in HOSTS or host.endswith((*(f".{each}" for each in HOSTS), *AZURE))


def host_of(address: str) -> str:
    """Name and port of an address, as the header `Host` has them: without the port that is usual."""
    with suppress(ValueError):
        parts = urlsplit(address)
        name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
        return name if parts.port in {None, PORTS.get(parts.scheme)} else f"{name}:{parts.port}"
    return ""
