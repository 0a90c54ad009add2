"""Puts key ids into the text of reconcile.yml with every other byte as it was, comments included.

The edit is made where the parser saw the nodes, and believed only if the text then says exactly what it said before and
the ids. Whatever is written in a way that this does not hold for is left to a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from reconcile.core.starting import scalar
from reconcile.errors import ConfigurationError

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
