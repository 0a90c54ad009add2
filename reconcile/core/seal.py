"""The checksum over all that reconciliation wrote into a run's file.

It finds a figure, a bound or a verdict that was edited by hand or damaged on the way. It is no signature: whoever
edits both finds no resistance here, only in a fresh read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconcile.core.decoding import value_of
from reconcile.core.digests import digest, digest_of
from reconcile.core.edits import Put, Remove, amend
from reconcile.core.reading import AGGREGATES, BLOCK

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
