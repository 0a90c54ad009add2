"""What may be wrong with a set-up: checks over facts that were gathered elsewhere, worst first. No secret gets here."""

from reconcile.core.doctor.check import Check, Health
from reconcile.core.doctor.diagnosis import Diagnosis, diagnose, diagnosis_json
from reconcile.core.doctor.facts import Automation, Facts, KeyKind, KeyVariable, Schedule
from reconcile.core.doctor.mapping import KeyRow, Proposal, keys_json, proposals, rows

__all__ = [
    "Automation",
    "Check",
    "Diagnosis",
    "Facts",
    "Health",
    "KeyKind",
    "KeyRow",
    "KeyVariable",
    "Proposal",
    "Schedule",
    "diagnose",
    "diagnosis_json",
    "keys_json",
    "proposals",
    "rows",
]
