"""Digests of what lies beside a run's file: of values, so that line ends, spaces and the order of members do not count.

A checkout writes other line ends, and a formatter lays a file out anew; neither changes what it says. The first version
took digests of bytes. Those stay valid, whatever line ends the file has by now.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from reconcile.core.decoding import Obstacle, text_of, value_of


def digest(data: bytes) -> str:
    """SHA-256 of the JSON document in these bytes, by value; of the bytes where there is none."""
    text = text_of(data)
    if isinstance(text, Obstacle):
        return _sha256(data)
    try:
        return digest_of([value_of(text)])
    except (ValueError, RecursionError):
        return _sha256(data)


def digest_of(values: Iterable[object]) -> str:
    """SHA-256 of JSON values in their order. Numbers count by value: 84604.0 is 84604."""
    return _sha256("\n".join(json.dumps(plain(value), sort_keys=True) for value in values).encode())


def byte_digests(data: bytes) -> tuple[str, ...]:
    """What the first version may have named a file by that has these bytes now: with its line ends or with others."""
    unix = data.replace(b"\r\n", b"\n")
    return tuple(dict.fromkeys(map(_sha256, (data, unix, unix.replace(b"\n", b"\r\n")))))


def plain(value: Any) -> Any:  # noqa: ANN401  anything that JSON can be
    """The value with every whole number as one."""
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
