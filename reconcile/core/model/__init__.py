"""The values that the stages of a pass hand to each other, in the words of CONTRIBUTING.md.

Tokens and calls are whole numbers, minutes are Unix seconds divisible by 60, instants are aware UTC datetimes.
Nothing here reads, writes or decides.
"""

from reconcile.core.model.figures import KINDS, NOTHING_RECORDED, Bounds, Recorded, Usage, total
from reconcile.core.model.files import (
    Finding,
    Generation,
    Json,
    Pointer,
    Rewritten,
    RunFile,
    RunFiles,
    RunKey,
    is_lfs_pointer,
    one_spelling,
    twin,
)
from reconcile.core.model.keys import Contact, ListedKey
from reconcile.core.model.logged import CallLog, LoggedCalls, known
from reconcile.core.model.minutes import (
    GUARD_MINUTES,
    MINUTE,
    Window,
    any_holds,
    any_meets,
    instant,
    joined,
    minutes_of,
)
from reconcile.core.model.runs import Claim, OwnScope, Run, Step
from reconcile.core.model.traffic import (
    LOOPBACK,
    SNAPSHOT,
    Bucket,
    Fetched,
    OddRow,
    Query,
    Scope,
    UsageProvider,
    names,
)
from reconcile.core.model.verdicts import Completeness, Guard, Neighbour, Observation, Policy, Reason, State, Status

__all__ = [
    "GUARD_MINUTES",
    "KINDS",
    "LOOPBACK",
    "MINUTE",
    "NOTHING_RECORDED",
    "SNAPSHOT",
    "Bounds",
    "Bucket",
    "CallLog",
    "Claim",
    "Completeness",
    "Contact",
    "Fetched",
    "Finding",
    "Generation",
    "Guard",
    "Json",
    "ListedKey",
    "LoggedCalls",
    "Neighbour",
    "Observation",
    "OddRow",
    "OwnScope",
    "Pointer",
    "Policy",
    "Query",
    "Reason",
    "Recorded",
    "Rewritten",
    "Run",
    "RunFile",
    "RunFiles",
    "RunKey",
    "Scope",
    "State",
    "Status",
    "Step",
    "Usage",
    "UsageProvider",
    "Window",
    "any_holds",
    "any_meets",
    "instant",
    "is_lfs_pointer",
    "joined",
    "known",
    "minutes_of",
    "names",
    "one_spelling",
    "total",
    "twin",
]
