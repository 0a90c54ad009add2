"""Finds the JSON Schemas: inside an installed package, or beside it in a source checkout."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from reconcile.errors import ConfigurationError

FOLDERS = (Path(__file__).parent / "schemas", Path(__file__).parent.parent / "schemas")


@cache
def load(name: str) -> dict[str, Any]:
    """The schema `name`, as in `metrics-v2`. Raises ConfigurationError where the installation lacks it.

    The result is shared: do not change it.
    """
    file = f"{name}.schema.json"
    for folder in FOLDERS:
        if (folder / file).is_file():
            schema: dict[str, Any] = json.loads((folder / file).read_text(encoding="utf-8"))
            return schema
    raise ConfigurationError(
        f"the schema {file} is not in {' or '.join(map(str, FOLDERS))}",
        code="schema_missing",
        remedy="install the package again",
    )
