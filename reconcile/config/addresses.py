"""Where the provider is asked: the admin key goes there, so whoever can name the address can have the key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

DEFAULT_BASE_URL = "https://api.openai.com/v1"
URL_VARIABLE = "RECONCILE_OPENAI_URL"
GATEWAY_VARIABLE = "OPENAI_BASE_URL"
"""Where experiments send their calls, as every client of OpenAI understands it. That may be anybody's gateway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The address of the usage API, and what was said of it in vain."""

    url: str
    filed: str | None = None
    """What the file names, where nothing above the file names one and nobody has vouched for the file."""
    file: Path
    notices: tuple[str, ...] = ()

    @classmethod
    def of(cls, given: str | None, filed: str | None, file: Path) -> Address:
        """`given` by flag or environment, else the provider's own until somebody vouches for the file."""
        if given:
            return cls(url=_plain(given), file=file)
        unheard = f"{file}: providers.openai.url is ignored, because anybody may have put the file here; "
        remedy = f"name it with --config {file}, or set {URL_VARIABLE}"
        differs = filed is not None and _plain(filed) != DEFAULT_BASE_URL
        return cls(url=DEFAULT_BASE_URL, filed=filed, file=file, notices=(unheard + remedy,) if differs else ())

    def vouched(self) -> Address:
        """The file's, where it names one and it counts."""
        return self if self.filed is None else replace(self, url=_plain(self.filed), filed=None, notices=())


def gateway_notice(variables: Mapping[str, str], url: str) -> str | None:
    """That the gateway of experiments is not asked, where one is set. It is not shown: it may hold a password."""
    gateway = variables.get(GATEWAY_VARIABLE)
    if not gateway or _plain(gateway) == url:
        return None
    return (
        f"{GATEWAY_VARIABLE} is ignored: it is where experiments send their calls, and usage is asked for at {url}; "
        f"to ask elsewhere, set {URL_VARIABLE}"
    )


def _plain(url: str) -> str:
    return url.strip().rstrip("/")
