"""The dashboard: one page that holds its data, its style and its scripts, and loads nothing.

Its policy admits the style and the scripts of the page itself, by their hashes, and nothing else. What runs, people and
the provider wrote is in the page as data only, which no browser takes for markup or for a script.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping

from reconcile.core.model import Json

INERT = str.maketrans({character: f"\\u{ord(character):04x}" for character in "<>&"})
"""What could end the element that holds the data. JSON has them inside of texts only, where they may be spelled so."""


def page(document: Mapping[str, Json], *, frame: str, style: str, library: str, script: str) -> str:
    """The page. `frame` has a place for each part, as `{{style}}`."""
    inside = {
        "policy": _policy(style, (library, script)),
        "style": style,
        "data": json.dumps(document, separators=(",", ":")).translate(INERT),
        "library": library,
        "script": script,
    }
    return re.sub(r"\{\{([a-z]+)\}\}", lambda match: inside[match[1]], frame)


def _policy(style: str, scripts: tuple[str, ...]) -> str:
    rules = (
        "default-src 'none'",
        f"script-src {' '.join(map(_source, scripts))}",
        f"style-src {_source(style)}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    )
    return "; ".join(rules)


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
