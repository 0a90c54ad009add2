"""Which listed key is whose: what a person sees of it, and what may be written into reconcile.yml."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reconcile.core.claims import key_id_variable
from reconcile.core.doctor.facts import KeyVariable
from reconcile.core.instants import spelled
from reconcile.core.model import Json, ListedKey, Scope
from reconcile.core.summary import SCHEMA_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """A listed key and the frameworks that are configured with its id."""

    key: ListedKey
    frameworks: tuple[str, ...]


class Outcome(StrEnum):
    KNOWN = "known"
    """The file says so already."""
    FOUND = "found"
    """It may be written."""
    REFUSED = "refused"
    """Somebody has to decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What the secret of a framework, which stands in a variable, says of its key id."""

    framework: str
    variable: str
    outcome: Outcome
    key_id: str | None
    message: str


def rows(keys: Sequence[ListedKey], scopes: Mapping[str, Scope]) -> tuple[KeyRow, ...]:
    """By project and name, as a person looks for them."""
    found = [
        KeyRow(key=key, frameworks=tuple(name for name, scope in scopes.items() if key.id in scope.api_key_ids))
        for key in keys
    ]
    return tuple(sorted(found, key=lambda row: (row.key.project, row.key.name, row.key.id)))


def proposals(
    variables: Mapping[str, KeyVariable], configured: Mapping[str, Scope], scopes: Mapping[str, Scope]
) -> tuple[Proposal, ...]:
    """One for each framework whose secret is at hand. `configured`: what the file says; `scopes`: what is in force."""
    claimed = Counter(key.fits for key in variables.values())
    return tuple(
        _proposal(framework, key, claimed[key.fits], configured.get(framework), scopes.get(framework))
        for framework, key in variables.items()
    )


def _proposal(
    framework: str, key: KeyVariable, claims: int, configured: Scope | None, in_force: Scope | None
) -> Proposal:
    outcome, said = _judged(framework, key, claims, configured, in_force)
    key_id = key.fits[0] if len(key.fits) == 1 else None
    return Proposal(framework=framework, variable=key.name, outcome=outcome, key_id=key_id, message=said)


def _judged(
    framework: str, key: KeyVariable, claims: int, configured: Scope | None, in_force: Scope | None
) -> tuple[Outcome, str]:
    if not key.fits:
        return Outcome.REFUSED, f"no listed key looks like what is in {key.name}"
    if len(key.fits) > 1:
        return Outcome.REFUSED, f"several keys look like what is in {key.name}: {', '.join(key.fits)}; name one by hand"
    (found,) = key.fits
    if claims > 1:
        return Outcome.REFUSED, f"{found} is the key of another framework too; give each a key of its own"
    ids = configured.api_key_ids if configured else ()
    if found in ids:
        return Outcome.KNOWN, f"it has {found}"
    if ids:
        other = f"it has {', '.join(ids)}, and the key in {key.name} is {found}"
        return Outcome.REFUSED, f"{other}: name both by hand where the key was replaced, else only this"
    if configured and configured.project_ids:
        return Outcome.REFUSED, f"it is read by its projects; the key in {key.name} is {found}"
    if in_force and found not in in_force.api_key_ids:
        return Outcome.REFUSED, f"{key_id_variable(framework)} names another key than {found}, which is in {key.name}"
    return Outcome.FOUND, f"the key in {key.name} is {found}"


def keys_json(keys: Sequence[KeyRow], found: Sequence[Proposal], written: Sequence[str]) -> dict[str, Json]:
    """As schemas/keys.schema.json describes it; `written`: the frameworks whose ids were."""
    return {
        "schema_version": SCHEMA_VERSION,
        "keys": [
            {
                "id": row.key.id,
                "name": row.key.name,
                "redacted_value": row.key.redacted,
                "project_id": row.key.project_id,
                "project": row.key.project,
                "archived": row.key.archived,
                "last_used_at": _instant(row.key.last_used_at),
                "frameworks": list(row.frameworks),
            }
            for row in keys
        ],
        "frameworks": [
            {
                "framework": each.framework,
                "variable": each.variable,
                "outcome": each.outcome.value,
                "api_key_id": each.key_id,
                "written": each.framework in written,
                "message": each.message,
            }
            for each in found
        ],
    }


def _instant(moment: datetime | None) -> str | None:
    return spelled(moment) if moment else None
