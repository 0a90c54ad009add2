"""How an experiment reaches its provider, told by the variables that every client of OpenAI reads.

The admin key is no part of it: it opens the books of an organization, and calls may go to anybody's gateway.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reconcile.config.config_file import DEFAULT_BASE_URL, GATEWAY_VARIABLE
from reconcile.config.settings import ADMIN_KEY_VARIABLES, Secret
from reconcile.errors import ConfigurationError

KEY_VARIABLE = "OPENAI_API_KEY"
ADMIN = "sk-admin-"

HEADERS = {"OPENAI_ORG_ID": "OpenAI-Organization", "OPENAI_PROJECT_ID": "OpenAI-Project"}
"""What else the clients send, by variable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """The key of an experiment, where it sends its calls, and the headers beside the key."""

    key: Secret
    url: str
    headers: Mapping[str, str]


def experiment_of(variables: Mapping[str, str], environ: Mapping[str, str]) -> Experiment:
    """`variables`: the environment, and below it the .env file. Raises ConfigurationError.

    An address that only the file names is not sent a key that only the environment has: whoever can write the file
    would be sent it.
    """
    key = variables.get(KEY_VARIABLE, "")
    if not key:
        raise ConfigurationError(
            f"{KEY_VARIABLE} is not set, and the admin key is not sent where calls go",
            code="missing_api_key",
            remedy=f"set {KEY_VARIABLE} to the key with which the run made its calls",
        )
    if key.startswith(ADMIN) or key in {variables.get(name) for name in ADMIN_KEY_VARIABLES}:
        raise ConfigurationError(
            f"{KEY_VARIABLE} holds an admin key, which is not sent where calls go",
            code="admin_key_refused",
            remedy=f"set {KEY_VARIABLE} to the key with which the run made its calls",
        )
    if variables.get(GATEWAY_VARIABLE) and environ.get(KEY_VARIABLE) and not environ.get(GATEWAY_VARIABLE):
        raise ConfigurationError(
            f"{GATEWAY_VARIABLE} is of the .env file and {KEY_VARIABLE} is not: the file may be anybody's",
            code="address_apart",
            remedy="set both in the environment, or both in the file",
        )
    return Experiment(
        key=Secret(key),
        url=(variables.get(GATEWAY_VARIABLE) or DEFAULT_BASE_URL).strip().rstrip("/"),
        headers={header: variables[name] for name, header in HEADERS.items() if variables.get(name)},
    )
