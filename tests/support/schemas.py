"""Values that a schema accepts, drawn with dice: at its limits, beside them, and in every spelling that JSON has."""

from __future__ import annotations

from random import Random
from typing import Any

ODD_TEXTS = ("", "x", "a/b", "é", "0", "2026-02-30T12:00:00Z", "2026-01-05T12:00:00+00:00", "z" * 300, "\n", "-")
STAMPS = ("2026-01-05T12:00:00Z", "2000-01-01T00:00:00Z", "2099-12-31T23:59:59-23:59", "2026-01-05T12:00:00.5+02:00")
PATTERNED = {
    "^20": STAMPS,
    "^[0-9a-f]": ("0" * 64, "f" * 64),
    "^(?!sk-)": ("key_chatdev", "~"),
    "^[^/]": ("chatdev/a", "baes/b", "x/y"),
    "^[0-9]{1,12}": ("0", "0.00000015", "999999999999.5"),
    "^[^\\u": ("run-1", "x", "a b"),
}
FEW = 3


class Drawn:
    """Values by one schema. `depth` is how many levels of optional members are filled."""

    def __init__(self, schema: dict[str, Any], random: Random) -> None:
        self._schema, self._random = schema, random

    def value(self, part: dict[str, Any] | None = None) -> Any:
        """A value for the schema, or a part of it. It may break what parts further in add; most often it does not."""
        rules = self._whole(self._schema if part is None else part)
        if "const" in rules:
            return rules["const"]
        if "enum" in rules:
            return self._random.choice(rules["enum"])
        kinds = rules.get("type", "object" if "properties" in rules else None)
        kind = kinds if isinstance(kinds, str) else self._random.choice(kinds or ["null", "integer", "string"])
        return getattr(self, f"_{kind}")(rules)

    def _whole(self, part: dict[str, Any]) -> dict[str, Any]:
        """With what it refers to, and one of the branches of a condition."""
        rules = dict(part)
        while "$ref" in rules or "if" in rules:
            if "$ref" in rules:
                rules = {**self._part(rules.pop("$ref")), **rules}
            else:
                rules.pop("if")
                yes, no = rules.pop("then", {}), rules.pop("else", {})
                chosen = self._random.choice([yes, no])
                rules = {**rules, **(chosen or ({"type": "null"} if not rules.get("type") else {}))}
        return rules

    def _part(self, reference: str) -> dict[str, Any]:
        found: Any = self._schema
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
        return dict(found)

    def _object(self, rules: dict[str, Any]) -> Any:
        known, required = rules.get("properties", {}), set(rules.get("required", ()))
        kept = [name for name in known if name in required or self._random.random() < 0.5]
        value = {name: self.value(known[name]) for name in kept if known[name].get("not") is None}
        more = rules.get("additionalProperties", True)
        if isinstance(more, dict):
            value |= {text: self.value(more) for text in self._random.sample(["embeddings", "images", "é"], 2)}
        elif more and self._random.random() < 0.1:
            value["unknown"] = self._random.choice([None, 1e308, [], {"": [1]}])
        return value

    def _array(self, rules: dict[str, Any]) -> Any:
        first = rules.get("prefixItems", [])
        least, most = rules.get("minItems", 0), rules.get("maxItems", FEW)
        count = self._random.randint(least, min(most, max(least, FEW)))
        parts = [*first, *[rules.get("items", {"type": "null"})] * count][: max(count, len(first))]
        return [self.value(part) for part in parts]

    def _string(self, rules: dict[str, Any]) -> Any:
        pattern = rules.get("pattern", "")
        fitting = next((texts for start, texts in PATTERNED.items() if pattern.startswith(start)), ODD_TEXTS)
        return self._random.choice(fitting)

    def _number(self, rules: dict[str, Any]) -> Any:
        low, high = self._limits(rules)
        odd = [number for number in (0.5, 1e-300, 1767614400.25) if low <= number <= high]
        return self._random.choice([self._integer(rules), low, high, *odd])

    def _integer(self, rules: dict[str, Any]) -> Any:
        low, high = self._limits(rules)
        near = [n for n in (0, 1, 7, 1767614400, 1767614460, 1767618000) if low <= n <= high]
        number = self._random.choice([low, high, *near, *near])
        return float(number) if self._random.random() < 0.2 else number

    def _limits(self, rules: dict[str, Any]) -> tuple[int, int]:
        whole = [rules, *rules.get("allOf", ())]
        low = max((each["minimum"] for each in whole if "minimum" in each), default=-(10**15))
        high = min((each["maximum"] for each in whole if "maximum" in each), default=10**15)
        return low, high

    def _boolean(self, _: dict[str, Any]) -> Any:
        return self._random.random() < 0.5

    def _null(self, _: dict[str, Any]) -> Any:
        return None


def mutated(value: Any, random: Random, drawn: Drawn) -> Any:
    """The value with something in it replaced by what may stand elsewhere, or taken out."""
    if isinstance(value, dict) and value:
        name = random.choice(sorted(value))
        if random.random() < 0.1:
            return {each: part for each, part in value.items() if each != name}
        return {**value, name: mutated(value[name], random, drawn)}
    if isinstance(value, list) and value:
        index = random.randrange(len(value))
        return [*value[:index], mutated(value[index], random, drawn), *value[index + 1 :]]
    return random.choice([None, 0, 1, -1, 1.0, 1e300, 10**400, "x", "", [], {}, True, *STAMPS, *ODD_TEXTS])


def without(value: Any, pointer: str) -> Any:
    """The value without what a pointer leads to; where nothing is there, without what should hold it."""
    first, _, rest = pointer.removeprefix("/").partition("/")
    if isinstance(value, list) and first.isdigit() and int(first) < len(value):
        there = int(first)
        inside = [without(value[there], rest)] if rest else []
        return [*value[:there], *(each for each in inside if each is not GONE), *value[there + 1 :]]
    name = first.replace("~1", "/").replace("~0", "~")
    if not isinstance(value, dict) or name not in value:
        return GONE
    inside = without(value[name], rest) if rest else GONE
    kept = {each: part for each, part in value.items() if each != name}
    return kept if inside is GONE else {**kept, name: inside}


GONE = object()
