"""Who pays for usage: names that reconcile.yml gives to frameworks, keys and projects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from reconcile.core.comparing.sides import Dimensions

Given: TypeAlias = Mapping[str, Mapping[str, str]]
"""By framework, key or project: its labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Who pays, from `labels:` of reconcile.yml. A key's label counts before its framework's, and that before its
    project's."""

    frameworks: Given = field(default_factory=dict)
    api_key_ids: Given = field(default_factory=dict)
    project_ids: Given = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Every label that something has: `team`, `department`."""
        given = (self.frameworks, self.api_key_ids, self.project_ids)
        return tuple(sorted({name for each in given for labels in each.values() for name in labels}))

    def of(self, who: Dimensions, label: str) -> str | None:
        sources = (
            (self.api_key_ids, who.api_key_id),
            (self.frameworks, who.framework),
            (self.project_ids, who.project_id),
        )
        found = (given[name].get(label) for given, name in sources if name is not None and name in given)
        return next((value for value in found if value is not None), None)
