"""What a figure rests on, as a file beside the run's: the minute rows, the claims beside it, the quiet around it.

Its bytes follow from the read alone. Usage of other runs is in it only where they share a minute with this one; what
they had in the minutes of their own stands as a fingerprint, which their own evidence answers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reconcile.attribution.attribute import Attribution
from reconcile.attribution.components import Member
from reconcile.attribution.guard import Feed
from reconcile.minutes import EXACT, LONGEST_REACH, Clock, Window, instant_of, spelled
from reconcile.providers.base import INCLUDED, Scope
from reconcile.runs.run import Claim, Json, RunKey
from reconcile.runs.seal import byte_digests, digest
from reconcile.runs.state import Guard
from reconcile.usage import KINDS, Bucket, Recorded, Usage, total

EVIDENCE_VERSION = 1
COLUMNS = ("minute", "project_id", "api_key_id", "model", "batch", "service_tier", *KINDS)
WRITTEN = "cache_write_tokens"
"""The last column where a row has some of it; null in one that does not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A claim as it was when the figure was made. The call log is named by its digest."""

    claim: Claim
    log_digest: str | None
    read: bool
    """Whether its minutes were read whole then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The inputs of one attribution."""

    own: Witness
    read_at: datetime
    neighbours: tuple[Witness, ...]
    runs: int
    """How many claims share minutes with the run's at first or second hand, its own included."""
    fingerprint: str
    """Of these claims and of all rows that they admit."""
    guard: Guard
    feed: Feed | None
    """None in evidence of version one."""
    surplus_nearby: bool
    rows: tuple[Bucket, ...]
    reported: Usage | None = None
    """All usage of its reach, where others were told apart in it; else the sum of the rows, or what was recorded."""


def evidence_of(attribution: Attribution, at: datetime) -> Evidence:
    """What there is to show for an attribution that was read at `at`."""
    component = attribution.component
    shown = total(row.usage for row in attribution.rows)
    beside = sorted((claim.run for claim in attribution.neighbours if claim.run in component.by_run), key=str)
    return Evidence(
        own=_witness(component.by_run[attribution.claim.run]),
        read_at=at,
        neighbours=tuple(_witness(component.by_run[run]) for run in beside),
        runs=len(component.members),
        fingerprint=component.fingerprint,
        guard=attribution.guard,
        feed=attribution.feed,
        surplus_nearby=attribution.surplus_nearby,
        rows=attribution.rows,
        reported=None if component.match or attribution.reported == shown else attribution.reported,
    )


def evidence_bytes(evidence: Evidence) -> bytes:
    """The file: a member a line, a row a line."""
    written = any(row.cache_write for row in evidence.rows)
    members: dict[str, Json] = {
        "schema_version": EVIDENCE_VERSION,
        "read_at": spelled(evidence.read_at),
        "claim": _witness_json(evidence.own),
        "neighbours": [_witness_json(witness) for witness in evidence.neighbours],
        "component": {"runs": evidence.runs, "sha256": evidence.fingerprint},
        "guard": {"minutes": evidence.guard.minutes, "requests": evidence.guard.requests},
        **({"feed": _feed_json(evidence.feed)} if evidence.feed else {}),
        "surplus_nearby": evidence.surplus_nearby,
        **({"reported": list(evidence.reported.parts)} if evidence.reported else {}),
        "columns": [*COLUMNS, WRITTEN] if written else list(COLUMNS),
    }
    head = [f"  {json.dumps(name)}: {json.dumps(value)}," for name, value in members.items()]
    rows = ",\n".join(f"    {_line(row, written=written)}" for row in evidence.rows)
    return "\n".join(["{", *head, f'  "rows": [\n{rows}\n  ]' if rows else '  "rows": []', "}", ""]).encode()


def _feed_json(feed: Feed) -> Json:
    return {"newest": feed.newest, "own": feed.own, "silent": list(feed.silent)}


def belongs(named: str | None, data: bytes, evidence: Evidence | None) -> bool:
    """Whether these bytes, which hold this evidence, say what a file names by this digest.

    One of the first version is of bytes. They follow from the evidence, so another layout of the same values is known.
    """
    if named in {digest(data), *byte_digests(data)}:
        return True
    written = evidence_bytes(evidence) if evidence else data
    return named in byte_digests(written) and digest(written) == digest(data)


def read_evidence(value: Mapping[str, Any]) -> Evidence:
    """The evidence that a document accepted by its schema holds.

    Raises ValueError for an instant that is none, and for a window that ends before it starts or lasts too long.
    """
    return Evidence(
        own=_read_witness(value["claim"]),
        read_at=instant_of(value["read_at"]),
        neighbours=tuple(_read_witness(each) for each in value["neighbours"]),
        runs=int(value["component"]["runs"]),
        fingerprint=value["component"]["sha256"],
        guard=Guard(int(value["guard"]["minutes"]), int(value["guard"]["requests"])),
        feed=_read_feed(value["feed"]) if "feed" in value else None,
        surplus_nearby=value["surplus_nearby"],
        rows=tuple(_read_row(row) for row in value["rows"]),
        reported=Usage(*map(int, value["reported"])) if "reported" in value else None,
    )


def _witness(member: Member) -> Witness:
    log = member.claim.log
    return Witness(claim=member.claim, log_digest=log.digest if log else None, read=member.read)


def _witness_json(witness: Witness) -> Json:
    claim = witness.claim
    scope = claim.scope
    return {
        "run": str(claim.run),
        "start": claim.window.start,
        "end": claim.window.end,
        "provider": scope.provider,
        "api_key_ids": list(scope.api_key_ids),
        "project_ids": list(scope.project_ids),
        "models": list(scope.models),
        "recorded": list(claim.recorded.parts),
        "log_sha256": witness.log_digest,
        "read": witness.read,
        **_further_json(claim),
    }


def _further_json(claim: Claim) -> dict[str, Json]:
    """What a witness has only where there is something to say: files of version one have none of it."""
    recorded = claim.recorded
    noted: dict[str, Json] = {
        "aborted_calls": recorded.aborted,
        "unknown_calls": recorded.unknown,
        "other_calls": dict(recorded.others),
        "every_attempt": recorded.every_attempt,
        "source": recorded.source,
    }
    further: dict[str, Json] = {
        "batch": claim.scope.batch,
        "reach": _pairs(claim.reached),
        "sessions": _pairs(claim.sessions),
        "clock": {"offset": claim.clock.offset, "uncertainty": claim.clock.uncertainty, "source": claim.clock.source}
        if claim.clock != EXACT
        else None,
        "noted": {name: item for name, item in noted.items() if item},
    }
    return {name: item for name, item in further.items() if item}


def _pairs(windows: Iterable[Window]) -> Json:
    return [[window.start, window.end] for window in windows]


def _read_witness(value: Mapping[str, Any]) -> Witness:
    framework, _, run_id = value["run"].partition("/")
    claim = Claim(
        RunKey(framework, run_id),
        Scope(
            value["provider"],
            tuple(value["api_key_ids"]),
            tuple(value["project_ids"]),
            tuple(value["models"]),
            value.get("batch", INCLUDED),
        ),
        _read_window(value["start"], value["end"]),
        _read_recorded(value["recorded"], value.get("noted", {})),
        clock=Clock(**value["clock"]) if "clock" in value else EXACT,
        sessions=tuple(_read_window(*pair) for pair in value.get("sessions", ())),
        reached=tuple(_read_window(*pair) for pair in value.get("reach", ())),
    )
    return Witness(claim=claim, log_digest=value["log_sha256"], read=value["read"])


def _read_window(start: float, end: float) -> Window:
    window = Window(int(start), int(end))
    if not 0 < window.end - window.start <= LONGEST_REACH:
        raise ValueError
    return window


def _read_recorded(parts: Sequence[int | None], noted: Mapping[str, Any]) -> Recorded:
    tokens_in, tokens_out, cached_tokens, api_calls = (None if part is None else int(part) for part in parts)
    return Recorded(
        tokens_in,
        tokens_out,
        cached_tokens,
        api_calls,
        noted.get("source"),
        aborted=int(noted.get("aborted_calls", 0)),
        unknown=int(noted.get("unknown_calls", 0)),
        others=tuple(sorted((name, int(count)) for name, count in noted.get("other_calls", {}).items())),
        every_attempt=noted.get("every_attempt", False),
    )


def _read_feed(value: Mapping[str, Any]) -> Feed:
    newest, own = (None if each is None else int(each) for each in (value.get("newest"), value.get("own")))
    return Feed(newest=newest, own=own, silent=tuple(value.get("silent", ())))


def _line(row: Bucket, *, written: bool) -> str:
    dimensions = (row.minute, row.project_id, row.api_key_id, row.model, row.batch, row.service_tier)
    return json.dumps([*dimensions, *row.usage.parts, *([row.cache_write] if written else [])])


def _read_row(row: Sequence[Any]) -> Bucket:
    minute, project_id, api_key_id, model, batch, service_tier, *counts = row
    parts, written = counts[: len(KINDS)], next(iter(counts[len(KINDS) :]), None)
    usage, cache_write = Usage(*map(int, parts)), None if written is None else int(written)
    return Bucket(int(minute), usage, api_key_id, model, project_id, batch, service_tier, cache_write)
