"""What may become part of an address: the API's own, the repository's name, and names that anybody chose."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from reconcile.core.model import LOOPBACK
from reconcile.errors import ConfigurationError

API_URL = "https://api.github.com"


def checked_address(url: str) -> str:
    """An address that a token may be sent to: by TLS or on this machine, with nothing else hidden in it."""
    try:
        parts = urlsplit(url)
        secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        usable = secure and parts.hostname and parts.port != 0 and not (parts.query or parts.fragment)
    except ValueError:
        usable = False
    if usable and "@" not in url and url.isprintable():
        return url.rstrip("/")
    raise ConfigurationError(
        "the address of GitHub's API is not of the form https://host/path, so no token can be sent there",
        code="malformed_api_url",
        remedy="set `github-api-url`, or GITHUB_API_URL and GITHUB_GRAPHQL_URL, to https addresses",
    )


def graphql_address(api_url: str) -> str:
    """Where GraphQL is answered beside a REST address: at api.github.com, and on GitHub Enterprise Server."""
    return f"{api_url.removesuffix('/v3')}/graphql"


def checked_repository(name: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+", name) and not {".", ".."} & set(name.split("/")):
        return name
    raise ConfigurationError(
        f"{name!a:.100} is no repository",
        code="malformed_repository",
        remedy="give owner and name, such as octo/science",
    )


def segment(name: str) -> str:
    """The name of a branch or commit as one segment of a path, which it can neither leave nor lengthen.

    Dots alone cannot be escaped: HTTP clients take them for a way up even when they are.
    """
    if name not in ("", ".", "..") and name.isprintable():
        return quote(name, safe="")
    raise ConfigurationError(
        f"{name!a:.100} is no name of a branch or commit",
        code="bad_branch",
        remedy="name a branch of the repository, such as main: without refs/heads/, spaces or patterns",
    )
