"""Checks of the way to the provider: the admin key, whether it is answered and taken, and the clocks of both ends."""

from __future__ import annotations

from datetime import timedelta

from reconcile.core.doctor.check import Check, error, listed, ok, warning
from reconcile.core.doctor.facts import Facts, KeyKind

REFUSED = frozenset({"invalid_api_key", "missing_scope", "wrong_organization", "access_denied"})
"""Codes of answers that are about the key. Any other problem is about the way there."""

CREATE = (
    "create an admin key (sk-admin-...) with the scope api.usage.read under "
    "platform.openai.com/settings/organization/admin-keys and set OPENAI_ADMIN_KEY to it"
)
WRONG = timedelta(minutes=5)
"""Where a pass refuses to go on."""
NOTABLE = timedelta(seconds=30)
"""Where calls of a run begin to fall outside of its minutes."""

SET = "set the clock and the time zone of this machine; runs recorded until then have wrong minutes"
SIMULATED = "the simulator is where --now left it: give it --now again, or start it anew"

SAID = {
    "invalid_api_key": "the provider does not know the admin key: it is mistyped, deleted or of another service",
    "missing_scope": "the admin key is known, but it may not read usage: it lacks the scope api.usage.read",
    "wrong_organization": "the admin key is of another organization, or of none",
    "access_denied": "the provider refuses the admin key",
}


def admin_key(facts: Facts) -> Check:
    """What can be seen of it without sending it anywhere."""
    key, name = facts.admin, "admin_key"
    if key is None:
        return error(name, "no admin key: OPENAI_ADMIN_KEY is not set", CREATE)
    also = f", the same as in {listed(key.alike)}" if key.alike else ""
    if key.kind is KeyKind.PROJECT:
        what = "a project's or a service account's key (sk-proj-..., sk-svcacct-...), which cannot read usage"
        return error(name, f"{key.name} holds {what}{also}", CREATE)
    if key.kind is KeyKind.MALFORMED:
        return error(
            name,
            f"{key.name} holds a space, a line break or another character that no key has",
            "copy the key again, without quotes, spaces or line breaks around it",
        )
    if key.alike:
        return error(
            name,
            f"{key.name} holds the same key as {listed(key.alike)}",
            f"{CREATE}; runs need project keys of their own, which cannot see what others use",
        )
    return ok(name, f"{key.name} is set")


def clock(facts: Facts) -> Check:
    contact = facts.contact
    if facts.replayed:
        return ok("clock", "not compared: the instant was given")
    if contact is None or contact.served_at is None:
        return ok("clock", "not compared: the provider told no time")
    skew = contact.asked_at - contact.served_at
    seconds = int(abs(skew).total_seconds())
    said = f"this machine's clock is {seconds:,} s {'ahead of' if skew > timedelta(0) else 'behind'} the provider's"
    remedy = SIMULATED if contact.local else SET
    if abs(skew) > WRONG:
        return error("clock", said, remedy)
    if abs(skew) > NOTABLE:
        return warning("clock", said, remedy)
    return ok("clock", f"it agrees with the provider's to {max(seconds, 1)} s")


def provider(facts: Facts) -> Check:
    if facts.contact is None:
        return ok("provider", "not asked: there is no key to ask with")
    problem = facts.contact.problem
    if problem and problem.code not in REFUSED:
        return error("provider", problem.message, problem.remedy)
    return ok("provider", "it answers")


def admin_key_accepted(facts: Facts) -> Check:
    """Wrong key, missing scope and wrong organization are told apart."""
    name = "admin_key_accepted"
    problem = facts.contact.problem if facts.contact else None
    if facts.contact is None or (problem and problem.code not in REFUSED):
        return ok(name, "not known: the provider could not be asked")
    if problem:
        return error(name, f"{SAID[problem.code]} ({problem.message})", problem.remedy)
    return ok(name, "the provider takes the admin key, and lets it read usage")
