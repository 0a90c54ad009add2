"""The checksum over all that reconciliation wrote into a run's file, and digests of what lies beside that.

The seal finds a figure, a bound or a verdict that was edited by hand or damaged on the way. It is no signature: whoever
edits both finds no resistance here, only in a fresh read.

Digests are of values, so that line ends, spaces and the order of members do not count: a checkout writes other line
ends, and a formatter lays a file out anew; neither changes what it says. The first version took digests of bytes. Those
stay valid, whatever line ends the file has by now.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from reconcile.runs.edits import Put, Remove, amend
from reconcile.runs.metrics import AGGREGATES, BLOCK
from reconcile.runs.text import Obstacle, text_of, value_of

EVIDENCE = "evidence"
"""The member of the block that names the evidence by its digest and holds the seal."""
STEP_FIGURES = ("tokens_in", "tokens_out", "api_calls", "cached_tokens")


def seal(value: Mapping[str, Any]) -> str:
    """SHA-256 of the figures, those of steps and AEI too, the status, recorded usage and the block of a metrics.json,
    but for the seal itself.

    Numbers count by value: 84604.0 is 84604, as in the file of a tool that writes floats.
    """
    block = value[BLOCK]
    evidence = {name: item for name, item in block[EVIDENCE].items() if name != "seal"}
    sealed = {
        "figures": {name: value["aggregate_metrics"].get(name) for name in (*AGGREGATES, "AEI")},
        "status": value.get("verification_status"),
        "steps": [[step.get(name) for name in STEP_FIGURES] for step in value["steps"]],
        "recorded": value.get("recorded_usage"),
        "block": {**block, EVIDENCE: evidence},
    }
    return digest_of([sealed])


def sealed(text: str, evidence: bytes | None) -> str:
    """A run's file with the digest of its evidence, newly made or as it was, and the seal over both."""
    value: Any = value_of(text)
    named = value[BLOCK].get(EVIDENCE, {}) if evidence is None else {"sha256": digest(evidence)}
    if not named:
        return text
    value[BLOCK][EVIDENCE] = named
    return amend(text, [Put((BLOCK, EVIDENCE), {"sha256": named["sha256"], "seal": seal(value)})])


def unsealed(text: str) -> str:
    """A run's file that names no evidence."""
    return amend(text, [Remove((BLOCK, EVIDENCE))])


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
