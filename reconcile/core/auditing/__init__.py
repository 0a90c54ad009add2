"""Offline proof: every figure, bound and verdict computed again from evidence and observations."""

from reconcile.core.auditing.again import Again, attributed_again
from reconcile.core.auditing.audit import Audit, Audited, Beside, Found, Outcome, Subject, audit, audit_json
from reconcile.core.auditing.differences import differing_read, named_evidence

__all__ = [
    "Again",
    "Audit",
    "Audited",
    "Beside",
    "Found",
    "Outcome",
    "Subject",
    "attributed_again",
    "audit",
    "audit_json",
    "differing_read",
    "named_evidence",
]
