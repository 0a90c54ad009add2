"""Charge-back: the provider's costs of a period, or the committed figures of its runs, by who pays.

ask the provider, or read the runs -> charge -> report
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from reconcile.adapters.prices import list_prices
from reconcile.core.comparing.charge_wire import charge_back_json
from reconcile.core.comparing.chargeback import ChargeBack, Source, bill_charged, dimension, runs_charged
from reconcile.core.comparing.labels import Labels
from reconcile.core.comparing.sides import HOUR, Entry, Period
from reconcile.core.model import Policy, Run, Scope, Status
from reconcile.core.pricing import entries_of_settled
from reconcile.errors import ConfigurationError, StoreError
from reconcile.reports.charged import charged_csv, charged_text
from reconcile.reports.words import painter
from reconcile.workflow.answering import Answer, Look
from reconcile.workflow.auditing import evidence_of_run
from reconcile.workflow.comparing import Billing
from reconcile.workflow.tree import Workspace, read_tree

__all__ = ["Source", "answer_costs", "charge_costs", "charge_runs", "dimension"]

UNUSED = "it is not valid, and what it used is not known"


def charge_costs(  # noqa: PLR0913  the bill, and how it is charged
    billing: Billing | ConfigurationError,
    period: Period,
    by: str,
    labels: Labels,
    scopes: Mapping[str, Scope],
    *,
    policy: Policy,
    now: datetime,
) -> ChargeBack:
    """The provider's costs of the whole days of the period. Raises ConfigurationError and ProviderError."""
    if isinstance(billing, ConfigurationError):
        raise billing
    settled = int((now - policy.min_age).timestamp()) // HOUR * HOUR
    closed = int((now - policy.max_age).timestamp())
    official = billing.fetch(period, until=settled, closed_before=closed, costs=True, other=False)
    return bill_charged(official, period, settled, by, labels, scopes)


def charge_runs(workspace: Workspace, period: Period, by: str, labels: Labels) -> ChargeBack:
    """The committed exact figures of the period's runs. Raises ConfigurationError without prices, and StoreError."""
    prices = list_prices()
    tree = read_tree(workspace)
    errors = [error for error in tree.errors if isinstance(error, StoreError)]
    if errors:
        raise errors[0]
    runs = [run for run in tree.runs if run.window.start < period.end and run.window.end > period.start]
    found = [*((str(run.key), _usage(workspace, run)) for run in runs), *((each.path, UNUSED) for each in tree.broken)]
    return runs_charged(found, period, by, labels, prices)


def answer_costs(found: ChargeBack, look: Look, *, as_csv: bool = False) -> Answer:
    """Who pays what. Nothing in it is wrong, so nothing fails."""
    text = charged_csv(found).removesuffix("\r\n") if as_csv else ""
    return Answer(
        text=text or charged_text(found, painter(colour=look.colour), look.width),
        document=charge_back_json(found),
        exit_code=0,
    )


def _usage(workspace: Workspace, run: Run) -> tuple[Entry, ...] | str:
    """The exact figure of a run that is settled and was not given up, as usage; else why it has none."""
    state = run.state
    if state is None or not run.settled:
        return "it is not settled"
    if not state.ours:
        return "another tool made its verdict, without saying who else used its minutes"
    if state.status is Status.FAILED:
        return "it was given up"
    if not state.exact:
        return "its figure is not exact"
    if state.figure.is_zero:
        return ()
    entries = entries_of_settled(run, evidence_of_run(workspace, run))
    return "its evidence is missing, so its models are not known" if entries is None else entries
