"""The GitHub Action: the same pass over the files at the tip of a branch, and what is published of it.

Nothing is published before it has landed: the summary and the comments are built from the tip that was pushed.
"""

from reconcile.adapters.actions_runtime import unheeded
from reconcile.reports.annotations import error_annotation
from reconcile.workflow.acting.act import act
from reconcile.workflow.acting.branches import Action, Clients, Configuration
from reconcile.workflow.acting.ending import Acted, not_acted
from reconcile.workflow.acting.opening import mask, open_action, write_job

__all__ = [
    "Acted",
    "Action",
    "Clients",
    "Configuration",
    "act",
    "error_annotation",
    "mask",
    "not_acted",
    "open_action",
    "unheeded",
    "write_job",
]
