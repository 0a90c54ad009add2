"""The logs that `reconcile.yml` describes, under `logs:`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from reconcile.errors import ConfigurationError, UsageError
from reconcile.ledger.formats import BUILT_IN, NAMES, Counters, Fields, Included, LogFormat, Shape, Timestamps, words

ENVIRONMENT = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.-]{0,63})=(.+)", re.DOTALL)
UNITS = {"tokens": 1, "thousands": 1_000, "millions": 1_000_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSource:
    """A log: what it is called, where it lies and how it is to be read."""

    name: str | None = None
    files: tuple[str, ...] = ()
    """Patterns, beside reconcile.yml; none where the command line has to say."""
    environment: str | None = None
    format: LogFormat

    def beside(self, folder: Path) -> LogSource:
        """The same with patterns that start in this folder."""
        return replace(self, files=tuple(str(folder / pattern) for pattern in self.files))


def log_sources(document: object) -> tuple[LogSource, ...]:
    """The logs under `logs:`, a mapping or a list of them, as the schema allows it. Raises ConfigurationError."""
    given: list[Any] = document if isinstance(document, list) else [document] if document else []
    sources = tuple(_source(each) for each in given)
    names = [source.name for source in sources if source.name is not None]
    for name in names:
        if names.count(name) > 1:
            raise _bad(f"logs: {name!r} is the name of two logs", "give each its own name")
    return sources


def log_files(
    sources: Sequence[LogSource], given: Sequence[str], name: str | None, zone: str | None
) -> list[tuple[list[tuple[str | None, str]], LogFormat]]:
    """What is to be read: patterns with their environments, by format.

    `given` (`GLOB` or `ENVIRONMENT=GLOB`) takes the place of what the sources say of files; `name` picks a source or a
    built-in format, and `zone` replaces its time zone. Raises UsageError and ConfigurationError.
    """
    picked = [source for source in sources if name is None or source.name == name]
    if name is not None and not picked and name not in BUILT_IN:
        raise _unknown(name, sources)
    if given:
        only = picked[0].format if len(picked) == 1 else BUILT_IN.get(name or "", LogFormat())
        found = [([_pattern(text) for text in given], only)]
    else:
        found = [([(each.environment, file) for file in each.files], each.format) for each in picked if each.files]
    if not found:
        raise UsageError(
            "no log to compare",
            code="no_log",
            remedy="name its files with --logs GLOB, describe it under logs: in reconcile.yml, or let committed runs "
            "stand in with --runs DIR",
        )
    return [(patterns, replace(of, time_zone=time_zone(zone)) if zone else of) for patterns, of in found]


def _pattern(text: str) -> tuple[str | None, str]:
    match = ENVIRONMENT.fullmatch(text)
    return (match[1], match[2]) if match else (None, text)


def _unknown(name: str, sources: Sequence[LogSource]) -> UsageError:
    names = sorted({*BUILT_IN, *(source.name for source in sources if source.name)})
    return UsageError(f"--format: there is no log {name!r}", code="unknown_format", remedy=f"one of {', '.join(names)}")


def time_zone(name: str) -> tzinfo:
    """The zone of an IANA name. Raises ConfigurationError."""
    if name.upper() in {"UTC", "Z"}:
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # unknown, a path that leaves the zones, a folder of them
        raise _bad(f"logs: {name!r} is no time zone", "write UTC or an IANA name such as Europe/Berlin") from error


def _source(document: Mapping[str, Any]) -> LogSource:
    files = document.get("files") or ()
    return LogSource(
        name=document.get("name"),
        files=(files,) if isinstance(files, str) else tuple(files),
        environment=document.get("environment"),
        format=_format(document),
    )


def _format(document: Mapping[str, Any]) -> LogFormat:
    base = BUILT_IN.get(document.get("format", ""), LogFormat())
    zone, shape, includes = document.get("time_zone"), document.get("shape"), document.get("input_includes")
    mapped = document.get("fields")
    changed = replace(
        base,
        units=UNITS[document.get("units", "tokens")],
        timestamps=Timestamps(document.get("timestamps", base.timestamps)),
        time_zone=time_zone(zone) if zone else None,
        shape=Shape(shape) if shape else None,
        input_includes=base.input_includes if includes is None else frozenset(map(Included, includes)),
        output_includes_reasoning=document.get("output_includes_reasoning", True),
        each=_places(document.get("each")),
        where=_where(document.get("where") or {}),
        once=_places(document.get("once")),
        latest_wins=base.latest_wins or bool(document.get("once")),
        counters=Counters(document.get("counters", Counters.OWN)),
        thread=_places(document.get("thread")),
        constants=tuple((document.get("set") or {}).items()),
        thousands=document.get("thousands", ""),
    )
    return replace(changed, name=document.get("name") or base.name, fields=_fields(base, mapped)) if mapped else changed


def _places(given: str | list[str] | None) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given or ())


def _where(given: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Each place with the words that may stand there."""
    return tuple(
        (place, tuple(words(each) for each in (said if isinstance(said, list) else [said])))
        for place, said in given.items()
    )


def _fields(base: LogFormat, mapped: Mapping[str, Any]) -> Fields:
    """What is mapped, over what a format that is named beside it has."""
    before = {} if base.fields is None else {name: getattr(base.fields, name) for name in NAMES}
    own = {name: (places,) if isinstance(places, str) else tuple(places) for name, places in mapped.items()}
    together = before | own
    for name in ("timestamp", "input_tokens"):
        if not together.get(name):
            raise _bad(f"logs: fields lacks {name}", f"say where a line holds it, or name the format: {_names()}")
    return Fields(**together)


def _names() -> str:
    return ", ".join(sorted(BUILT_IN))


def _bad(message: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(message, code="bad_configuration", remedy=remedy)
