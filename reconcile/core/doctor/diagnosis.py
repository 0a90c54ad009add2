"""All checks, worst first; among equals a cause comes before what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reconcile.core.doctor import automation, keys, place, provider, runs
from reconcile.core.doctor.check import Check, Health
from reconcile.core.doctor.facts import Facts
from reconcile.core.model import Json
from reconcile.core.summary import SCHEMA_VERSION
from reconcile.errors import ReconcileError

CHECKS: tuple[Callable[[Facts], Check], ...] = (
    place.python,
    place.extras,
    place.configuration,
    place.files,
    provider.admin_key,
    provider.provider,
    provider.clock,
    provider.admin_key_accepted,
    keys.key_ids,
    keys.key_names,
    keys.ids_exist,
    keys.keys_apart,
    keys.duplicate_ids,
    keys.usage_seen,
    automation.schedule,
    automation.branch_rules,
    runs.short_runs,
    runs.shared_minutes,
    runs.past_cutoff,
    runs.last_pass,
)
"""A cause before what follows from it: without a key there is no answer, and a wrong clock makes wrong questions."""

WORST_FIRST = (Health.ERROR, Health.WARNING, Health.OK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    checks: tuple[Check, ...]
    unreachable: bool
    """Whether something is unknown because the provider could not be read."""

    @property
    def exit_code(self) -> int:
        """0 nothing that keeps a figure from being right; 1 something to mend; 3 the provider could not be read."""
        return 3 if self.unreachable else int(any(check.status is Health.ERROR for check in self.checks))


def diagnose(facts: Facts) -> Diagnosis:
    checks = [check(facts) for check in CHECKS]
    ordered = sorted(checks, key=lambda check: WORST_FIRST.index(check.status))
    answers = (facts.contact.problem if facts.contact else None, facts.used)
    return Diagnosis(checks=tuple(ordered), unreachable=any(map(_unreachable, answers)))


def _unreachable(answer: object) -> bool:
    """A refusal is an answer, and a wrong setting is this side's."""
    return isinstance(answer, ReconcileError) and answer.exit_code > 1 and answer.code not in provider.REFUSED


def diagnosis_json(diagnosis: Diagnosis) -> dict[str, Json]:
    """As schemas/doctor.schema.json describes it."""
    return {
        "schema_version": SCHEMA_VERSION,
        "checks": [
            {"name": each.name, "status": each.status.value, "message": each.message, "remedy": each.remedy}
            for each in diagnosis.checks
        ],
    }
