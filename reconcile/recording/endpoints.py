"""What a request to a provider is, by its host, method and path: one whose tokens count, or which other.

Only what is listed here is known. All else that could be billed is unknown, and takes away that a log is complete.
The `Date` of an answer is the provider's clock where the host is the provider's own: a gateway answers by its own
clock, and a host of this machine by this one. To try things out with a provider on this machine, name it in
`RECONCILE_OPENAI_URL`, as for the usage API: loopback then counts as a provider's own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import urlsplit


class DestinationKind(Enum):
    COUNTED = auto()
    """Reported in the figure of completions, with usage in the answer."""
    OTHER = auto()
    """Reported elsewhere: embeddings, images, audio."""
    FOLLOWED = auto()
    """Asks after a response of an earlier call, which may have ended meanwhile."""
    FREE = auto()
    """Uses no tokens."""
    READ = auto()
    """A GET that nobody knows: free, unless its answer tells usage."""
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class Destination:
    kind: DestinationKind
    name: str
    """A short name, such as embeddings; method and path of what is unknown."""
    about: str | None = None
    """The id of the response that is asked after."""


COUNTED = {
    r"/chat/completions": "chat",
    r"/completions": "completions",
    r"/responses(/compact)?": "responses",
    r"/messages": "messages",
}

FOLLOWED = re.compile(r"/responses/([^/]+)(/cancel)?")

OTHERS = {
    r"/embeddings": "embeddings",
    r"/audio/(speech|transcriptions|translations)": "audio",
    r"/images/(generations|edits|variations)": "images",
    r"/moderations": "moderations",
    r"/videos(/[^/]+/remix|/edits|/extensions)?": "videos",
    r"/fine_tuning/jobs": "fine_tuning",
    r"/vector_stores/[^/]+/search": "vector_stores",
    r"/containers": "containers",
}

FREE_POSTS = (
    r"/files",
    r"/uploads(/[^/]+/(parts|complete|cancel))?",
    r"/responses/input_tokens",
    r"/messages/count_tokens",
    r"(/messages)?/batches/[^/]+/cancel",
    r"/chat/completions/[^/]+",
    r"/conversations(/[^/]+(/items)?)?",
    r"/vector_stores(/[^/]+(/(files|file_batches)(/[^/]+(/cancel)?)?)?)?",
    r"/containers/[^/]+/files",
    r"/assistants(/[^/]+)?",
    r"/threads(/(?!runs$)[^/]+(/messages(/[^/]+)?)?)?",
    r"/threads/[^/]+/runs/[^/]+(/cancel)?",
    r"/fine_tuning/jobs/[^/]+/(cancel|pause|resume)",
    r"/organizations?/.+",
    r"/oauth/token",
)
"""Of posts. Before these and the others come first, for `/threads/x/messages` ends like a call of messages."""

FREE_READS = (
    r"/models(/.+)?",
    r"/files(/.+)?",
    r"/chat/completions(/.+)?",
    r"/responses/[^/]+/input_items",
    r"(/messages)?/batches(/.+)?",
    r"/threads/.+",
    r"/evals(/.+)?",
    r"/organizations?/.+",
)
"""Of reads, those whose answers tell usage of what was billed before."""

BEFORE = r"(/[^/]+)*?"
"""What may come before: the version, or where a gateway has it."""


def _any(paths: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(BEFORE + f"({'|'.join(paths)})")


FREE_POST, FREE_READ = _any(FREE_POSTS), _any(FREE_READS)
NAMED = [
    (_any((path,)), Destination(kind, name))
    for kind, paths in ((DestinationKind.OTHER, OTHERS), (DestinationKind.COUNTED, COUNTED))
    for path, name in paths.items()
]
FOLLOWS = re.compile(BEFORE + FOLLOWED.pattern)


def endpoint_of(method: str, path: str) -> Destination:
    """What a request is, whatever its path is."""
    path, name = path.rstrip("/"), f"{method} {path}"
    if method in {"HEAD", "OPTIONS", "DELETE"}:
        return Destination(DestinationKind.FREE, name)
    if method == "GET":
        return _read(path, name)
    if method != "POST":
        return Destination(DestinationKind.UNKNOWN, name)
    if FREE_POST.fullmatch(path):
        return Destination(DestinationKind.FREE, name)
    found = FOLLOWS.fullmatch(path)
    if found and found[3]:
        return Destination(DestinationKind.FOLLOWED, name, found[2])
    return next(
        (each for pattern, each in NAMED if pattern.fullmatch(path)), Destination(DestinationKind.UNKNOWN, name)
    )


def _read(path: str, name: str) -> Destination:
    if FREE_READ.fullmatch(path):
        return Destination(DestinationKind.FREE, name)
    found = FOLLOWS.fullmatch(path)
    if found and not found[3]:
        return Destination(DestinationKind.FOLLOWED, name, found[2])
    return Destination(DestinationKind.READ, name)


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
