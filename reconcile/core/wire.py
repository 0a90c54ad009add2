"""Figures, bounds and the policy in the words that files and summaries share."""

from __future__ import annotations

from collections.abc import Collection

from reconcile.core.model import KINDS, Bounds, Json, Policy, Usage


def usage_json(usage: Usage, unknown: Collection[str] = ()) -> dict[str, Json]:
    """Kind by kind. Null for the kinds that are unknown: what nobody told is not zero."""
    return {kind: None if kind in unknown else part for kind, part in zip(KINDS, usage.parts, strict=True)}


def bounds_json(bounds: Bounds) -> dict[str, Json]:
    """Kind by kind `[low, high]`."""
    pairs = zip(KINDS, bounds.low.parts, bounds.high.parts, strict=True)
    return {kind: [low, high] for kind, low, high in pairs}


def policy_json(policy: Policy) -> dict[str, Json]:
    """The policy in minutes."""
    stated = policy.clock_uncertainty
    clock: dict[str, Json] = {} if stated is None else {"clock_uncertainty_seconds": stated.total_seconds()}
    return {
        "min_stable_verifications": policy.min_stable_verifications,
        "verification_interval_minutes": _minutes(policy.verification_interval.total_seconds()),
        "min_age_minutes": _minutes(policy.min_age.total_seconds()),
        "max_age_minutes": _minutes(policy.max_age.total_seconds()),
        **clock,
    }


def _minutes(seconds: float) -> int | float:
    return int(seconds // 60) if seconds % 60 == 0 else seconds / 60


def plural(count: int, noun: str) -> str:
    """`1 run`, `1,200 runs`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
