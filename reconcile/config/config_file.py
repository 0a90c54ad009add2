"""reconcile.yml and the .env file beside it, read; or refused with what is wrong and where, never with a line of it.

Where the provider is asked is such a setting: the admin key goes there, so whoever can name the address can have the
key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import dotenv
import jsonschema_rs
import yaml

from reconcile import schemas
from reconcile.errors import ConfigurationError
from reconcile.providers import DEFAULT, provider
from reconcile.runs.validation import explain
from reconcile.words import escaped, shown

SHOWN = "docs/settings.md shows a whole one"
MOST_VALUES = 100_000
"""Values of a whole configuration. Aliases of aliases make billions of a few lines."""

NAMES = {"tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"}
"""What YAML may take the name of a member for. The second is that of `<<`."""


def text_of(file: Path, *, required: bool) -> str:
    """The text of the configuration; '' where there is none and none is required. Raises ConfigurationError."""
    try:
        if file.exists() and not file.is_file():
            raise _bad(file, "is no plain file", "put the settings in its place, or name another file with --config")
        return file.read_text("utf-8")
    except FileNotFoundError as error:
        if not required:
            return ""
        raise _bad(file, "there is no such file", "name an existing one with --config") from error
    except (OSError, UnicodeDecodeError) as error:
        raise _bad(file, f"cannot be read ({error})", "check its permissions; it must be UTF-8") from error


def document_of(file: Path, text: str) -> Mapping[str, Any]:
    """The settings in it, as the schema allows them. Raises ConfigurationError."""
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node and _values(node, {}) > MOST_VALUES:
            raise _bad(file, f"comes to more than {MOST_VALUES} values with its aliases written out", SHOWN)
        unnamed = _first_odd_name(node)
        if unnamed:
            raise _bad(file, unnamed, SHOWN)
        document = (loader.construct_document(node) if node else None) or {}
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError) as error:
        raise _bad(file, f"is no YAML: {_fault(error)}", SHOWN) from error
    schema = schemas.load("reconcile")
    defects = [] if _plainly_valid(schema, document) else explain(schema, document)
    if defects:
        raise _bad(file, "; ".join(sentence for _, sentence in defects), SHOWN)
    return dict(document)


def _values(node: yaml.Node, known: dict[int, int]) -> int:
    """How many values a node comes to with its aliases written out; one that leads back to itself has no end."""
    if id(node) not in known:
        known[id(node)] = MOST_VALUES + 1
        inside: list[yaml.Node] = []
        if isinstance(node, yaml.SequenceNode):
            inside = node.value
        elif isinstance(node, yaml.MappingNode):
            inside = [part for pair in node.value for part in pair]
        known[id(node)] = 1 + sum(_values(part, known) for part in inside)
    return known[id(node)]


def _first_odd_name(root: yaml.Node | None) -> str | None:
    """The first name of a member that stands twice, or is no text to YAML, as 2048, 1.10, on, null and 2026-01-05 are.

    Told as it is written: what YAML makes of it, 1.1 or true, is nowhere in the file.
    """
    seen: set[int] = set()
    open_: list[tuple[str, yaml.Node]] = [("the document", root)] if root else []
    while open_:
        where, node = open_.pop(0)
        if id(node) in seen:  # an alias may lead back
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            open_ += [(where, each) for each in node.value]
        names: set[str] = set()
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            if isinstance(key, yaml.ScalarNode) and key.value in names:
                return f"line {key.start_mark.line + 1}: {escaped(key.value)} stands twice in {where}; keep one of them"
            names.add(str(key.value))
            if isinstance(key, yaml.ScalarNode) and key.tag not in NAMES:
                place = f"line {key.start_mark.line + 1}: a name in {where}"
                return f"{place} is {escaped(key.value) or 'empty'}, not text; write a name in double quotes"
            open_.append((shown(str(key.value)).strip('"'), value))
    return None


def _fault(error: Exception) -> str:
    """What is wrong and where, without the line itself: it may hold a key."""
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    if isinstance(error, ValueError | OverflowError) and not isinstance(error, yaml.YAMLError):
        return "it holds a date, a time or a number that cannot be"
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        return f"{error.problem} in line {mark.line + 1}, column {mark.column + 1}"
    return "it holds a character that YAML does not have"


def _plainly_valid(schema: dict[str, Any], document: object) -> bool:
    """Whether there is nothing to explain, which is slow to load. YAML can hold what is no JSON: that may be wrong."""
    try:
        return jsonschema_rs.is_valid(schema, document)
    except ValueError:
        return False


def _bad(file: Path, defect: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(f"{file}: {defect}", code="bad_configuration", remedy=remedy)


def with_dotenv(file: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment, and beneath it what a .env file beside the configuration sets."""
    try:
        found = dotenv.dotenv_values(file, interpolate=False) if file.is_file() else {}
    except OSError as error:
        raise _bad(file, f"cannot be read ({error.strerror})", "check its permissions") from error
    except UnicodeDecodeError as error:  # whose text would quote the file, and that holds the key
        raise _bad(file, "is not UTF-8", "save it as UTF-8") from error
    return {**{name: value for name, value in found.items() if value is not None}, **environ}


ASKED = provider(DEFAULT)
DEFAULT_BASE_URL, URL_VARIABLE, GATEWAY_VARIABLE = ASKED.url, ASKED.url_variable, ASKED.gateway_variable


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
        unheard = f"{file}: providers.{ASKED.name}.url is ignored, because anybody may have put the file here; "
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
