"""The comparison of a job: the last seven whole UTC days, after the pass has landed. It reads, and never writes.

Which logs are read is said by the workflow or by the configuration of the branch; where neither does, the runs of the
branch stand in. Nothing is kept on the runner's disk.
"""

from __future__ import annotations

from collections.abc import Sequence

from reconcile.adapters.usage_logs import Pattern, files_within, folder_named
from reconcile.core.comparing.comparison import Comparison
from reconcile.core.comparing.sides import Period, UsageLog
from reconcile.errors import ConfigurationError, ReconcileError, UsageError
from reconcile.workflow.acting.branches import Action, Clients, State
from reconcile.workflow.comparing import compare_usage_log, known_prices, log_of_runs, read_usage_log, wanted


def comparison_of(action: Action, state: State, clients: Clients) -> Comparison | ReconcileError:
    """The comparison, or why there is none: that is one more error of the job, and the pass stands."""
    try:
        asked = wanted(now=action.now, tolerance=action.request.tolerance)
        return compare_usage_log(
            _log(action, state, asked.period),
            clients.billing,
            asked,
            policy=state.configuration.policy,
            now=action.now,
            price_of=known_prices(),
        )
    except UsageError as error:  # of a setting here, not of a command line
        return ConfigurationError(error.message, code=error.code, remedy=error.remedy)
    except ReconcileError as error:
        return error


def _log(action: Action, state: State, period: Period) -> UsageLog:
    """The logs that are named, each inside of where it may lie; else what the runs have come to in this pass.

    The configuration of the branch, which whoever may push can write, leads nowhere but into the workspace. The
    workflow, which has the key, may name any other folder of the machine. Links lead out of neither.
    """
    sources = state.configuration.log_files(action.request.logs)
    if not sources:
        return log_of_runs(state.workspace)
    return read_usage_log([(_files(action, patterns), log_format) for patterns, log_format in sources], period)


def _files(action: Action, patterns: Sequence[Pattern]) -> list[Pattern]:
    workspace, found = action.job.workspace, []
    for pattern in patterns:
        folder = folder_named(pattern, workspace) if action.request.logs else workspace
        found += files_within(pattern, folder)
    return found
