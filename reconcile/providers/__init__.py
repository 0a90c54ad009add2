"""Whom usage is asked of: each provider declares what it can tell, and answers in one form."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconcile.providers.base import Abilities, Provider

HOMES = {"openai": "reconcile.providers.openai"}
"""By name, the module that declares a provider as PROVIDER. It is imported when somebody asks for it."""

DEFAULT = next(iter(HOMES))
"""Whose a scope is that names none."""


def provider(name: str) -> Provider:
    """The provider of that name. Raises KeyError where there is none: schemas let no other name in."""
    return _declared(HOMES[name])


def abilities(name: str) -> Abilities:
    """What the provider can tell. Evidence may name any: of one that is not known all is taken to be told."""
    return _declared(HOMES.get(name, HOMES[DEFAULT])).abilities


def _declared(home: str) -> Provider:
    declared: Provider = import_module(home).PROVIDER
    return declared
