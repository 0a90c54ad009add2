"""Which listed key is whose: what a person sees of it, and what may be written into reconcile.yml.

Ids go into that text with every other byte as it was, comments included. The edit is made where the parser saw the
nodes, and believed only if the text then says exactly what it said before and the ids. Whatever is written in a way
that this does not hold for is left to a person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import yaml

from reconcile.attribution.claims import key_id_variable
from reconcile.doctor.beginning import scalar
from reconcile.doctor.checks import KeyVariable
from reconcile.errors import ConfigurationError
from reconcile.minutes import spelled
from reconcile.passes.summary import SCHEMA_VERSION
from reconcile.providers.base import ListedKey, Scope
from reconcile.runs.run import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """A listed key and the frameworks that are configured with its id."""

    key: ListedKey
    frameworks: tuple[str, ...]


class ProposalOutcome(StrEnum):
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
    outcome: ProposalOutcome
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
) -> tuple[ProposalOutcome, str]:
    if not key.fits:
        return ProposalOutcome.REFUSED, f"no listed key looks like what is in {key.name}"
    if len(key.fits) > 1:
        return (
            ProposalOutcome.REFUSED,
            f"several keys look like what is in {key.name}: {', '.join(key.fits)}; name one by hand",
        )
    (found,) = key.fits
    if claims > 1:
        return ProposalOutcome.REFUSED, f"{found} is the key of another framework too; give each a key of its own"
    ids = configured.api_key_ids if configured else ()
    if found in ids:
        return ProposalOutcome.KNOWN, f"it has {found}"
    if ids:
        other = f"it has {', '.join(ids)}, and the key in {key.name} is {found}"
        return ProposalOutcome.REFUSED, f"{other}: name both by hand where the key was replaced, else only this"
    if configured and configured.project_ids:
        return ProposalOutcome.REFUSED, f"it is read by its projects; the key in {key.name} is {found}"
    if in_force and found not in in_force.api_key_ids:
        return (
            ProposalOutcome.REFUSED,
            f"{key_id_variable(framework)} names another key than {found}, which is in {key.name}",
        )
    return ProposalOutcome.FOUND, f"the key in {key.name} is {found}"


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


FRAMEWORKS, IDS = "frameworks", "api_key_ids"


def with_key_ids(text: str, ids: Mapping[str, str]) -> str:
    """The text with `frameworks.<name>.api_key_ids: [<id>]` for each name. Raises ConfigurationError."""
    wanted = _with_ids(_value(text), ids)
    try:
        for framework, key in ids.items():
            text = _with_one(text, framework, key)
    except yaml.YAMLError as error:  # the one before it broke the text
        raise _by_hand(ids) from error
    if _value(text) != wanted:
        raise _by_hand(ids)
    return text


def _with_ids(before: Any, ids: Mapping[str, str]) -> dict[str, Any]:  # noqa: ANN401  what YAML can be
    document = dict(before or {})
    frameworks = dict(document.get(FRAMEWORKS) or {})
    for framework, key in ids.items():
        frameworks[framework] = {**(frameworks.get(framework) or {}), IDS: [key]}
    return {**document, FRAMEWORKS: frameworks}


def _with_one(text: str, framework: str, key: str) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    name, key = scalar(framework), scalar(key)
    member = f"{IDS}: [{key}]"
    found = _member(yaml.compose(text, Loader=yaml.SafeLoader), FRAMEWORKS)
    if found is None:
        end = "" if not text or text.endswith("\n") else newline
        return f"{text}{end}{FRAMEWORKS}:{newline}  {name}: {{{member}}}{newline}"
    scope = _member(found[1], framework)
    if scope is None:
        return _into(text, *found, f"{name}: {{{member}}}", newline)
    return _into(text, *scope, member, newline)


def _into(text: str, key: yaml.Node, value: yaml.Node, member: str, newline: str) -> str:
    """The text with one more member at the beginning of the mapping `value`, which stands at `key`."""
    at = value.start_mark.index
    if isinstance(value, yaml.MappingNode) and value.flow_style:
        between = ", " if value.value else ""
        return f"{text[: at + 1]}{member}{between}{text[at + 1 :]}"
    if isinstance(value, yaml.MappingNode):
        return f"{text[:at]}{member}{newline}{' ' * value.start_mark.column}{text[at:]}"
    colon = text.find(":", key.end_mark.index) + 1  # none: then the text is not believed
    return f"{text[:colon]} {{{member}}}{text[max(colon, value.end_mark.index) :]}"


def _member(node: yaml.Node | None, name: str) -> tuple[yaml.Node, yaml.Node] | None:
    members = node.value if isinstance(node, yaml.MappingNode) else ()
    return next(((key, value) for key, value in members if key.value == name), None)


def _value(text: str) -> Any:  # noqa: ANN401  what YAML can be
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


def _by_hand(ids: Mapping[str, str]) -> ConfigurationError:
    lines = "; ".join(f"{FRAMEWORKS}.{name}.{IDS}: [{key}]" for name, key in ids.items())
    return ConfigurationError(
        "reconcile.yml is written in a way that cannot be added to without touching the rest",
        code="unchanged_configuration",
        remedy=f"write it by hand: {lines}",
    )
