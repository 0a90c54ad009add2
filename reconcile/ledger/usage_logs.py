"""What `compare` and `costs` work on: a usage log, the provider's bill, or committed runs in the place of either.

read the log -> ask the provider -> compare -> report
ask the provider, or read the runs -> charge -> report
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from reconcile.errors import ConfigurationError, StoreError, UsageError
from reconcile.insight.audit_files import evidence_of_run
from reconcile.ledger.charge_back import ChargeBack, bill_charged, figures_of_run, runs_charged
from reconcile.ledger.comparison import Comparison, compare
from reconcile.ledger.figures import DEFAULT, Tolerance
from reconcile.ledger.figures import tolerance as tolerance_of
from reconcile.ledger.formats import LogFormat
from reconcile.ledger.log import BadLine, UsageLog
from reconcile.ledger.readers.log_files import Pattern
from reconcile.ledger.readers.records import read_logs
from reconcile.ledger.table import By
from reconcile.ledger.tally import SHOWN
from reconcile.money.charges import Labels
from reconcile.money.entry import HOUR, Entry, Official, Period, PriceOf
from reconcile.money.list_prices import list_prices
from reconcile.money.prices import prices_of_minutes
from reconcile.passes.tree import Workspace, read_tree
from reconcile.providers.base import Scope
from reconcile.runs.run import Run
from reconcile.runs.state import Policy, Status
from reconcile.verdict.cost import entries_of_settled

DAYS = 7
"""Of a period of which nothing is said."""
MOST_DAYS = 366
YEARS = range(1970, 2100)
"""As far as logs and answers are read."""
NO_SCOPE = "nothing says which keys its framework uses, so that its figure counts for nothing; set its key id"
AMOUNT = re.compile(r"\$?-?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,15})(?:\.[0-9]{1,30})?")
"""Of money as an invoice has it; 1.234,56 is refused rather than taken for 1.23456."""


class Billing(Protocol):
    """What tells usage and costs of whole days."""

    def fetch(
        self, period: Period, *, until: int, closed_before: int | None = None, costs: bool, other: bool
    ) -> Official:
        """Complete, or ProviderError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is compared, and how."""

    period: Period
    by: By = By.DAY
    tolerance: Tolerance = DEFAULT
    invoice: Decimal | None = None
    costs: bool = True


def wanted(  # noqa: PLR0913  all that a person can ask for
    *,
    now: datetime,
    start: str | None = None,
    end: str | None = None,
    by: str = By.DAY,
    tolerance: str | None = None,
    invoice: str | None = None,
    costs: bool = True,
) -> Wanted:
    """What is wanted, as a person wrote it. Raises UsageError."""
    return Wanted(
        period=period_of(start, end, now),
        by=By(by),
        tolerance=tolerance_of(tolerance) if tolerance else DEFAULT,
        invoice=_amount(invoice) if invoice else None,
        costs=costs,
    )


def period_of(
    first: str | None, last: str | None, now: datetime, called: tuple[str, str] = ("--start", "--end")
) -> Period:
    """Whole UTC days, both ends included; the last seven that are over where nothing is said. Raises UsageError.

    `called`: by what names the caller knows the ends.
    """
    today = now.date()
    end = day_of(last, called[1]) if last else (today - timedelta(days=1))
    start = day_of(first, called[0]) if first else end - timedelta(days=DAYS - 1)
    if start > end:
        raise _refused(f"the period begins on {start} and ends on {end}", f"give {called[0]} before {called[1]}")
    if end > today:
        raise _refused(f"the period ends on {end}, and today is {today} (UTC)", "end it today or before")
    period = Period(start, end)
    if period.days > MOST_DAYS:
        raise _refused(f"the period has {period.days} days, more than {MOST_DAYS}", "compare a year or less at a time")
    return period


def read_usage_log(sources: Sequence[tuple[Sequence[Pattern], LogFormat]], period: Period) -> UsageLog:
    """All that logs hold of the period and around it, together: files by their format, patterns by environment."""
    named = [(pattern, of) for patterns, of in sources for pattern in patterns]
    return read_logs([pattern for pattern, _ in named], [of for _, of in named], period.start, period.end)


def log_of_runs(workspace: Workspace) -> UsageLog:
    """The committed figures of all runs, as if they had been logged: by the minute where evidence has it."""
    tree = read_tree(workspace)
    errors = [error for error in tree.errors if isinstance(error, StoreError)]
    if errors:
        raise errors[0]
    entries = [
        entry
        for run in tree.runs
        if run.key in tree.claims
        for entry in figures_of_run(run, tree.claims[run.key].scope, evidence_of_run(workspace, run))
    ]
    scopeless = [run for run in tree.runs if run.key not in tree.claims]
    bad = [
        *(BadLine(file=each.path, line=each.line, why=each.message) for each in tree.broken),
        *(BadLine(file=run.path, line=1, why=NO_SCOPE) for run in scopeless),
    ]
    return UsageLog(
        entries=tuple(entries),
        lines=len(tree.runs) + len(tree.broken),
        bad=tuple(bad[:SHOWN]),
        bad_lines=len(bad),
        files=(*(run.path for run in tree.runs), *(each.path for each in tree.broken)),
        of_runs=True,
    )


def compare_usage_log(
    log: UsageLog,
    billing: Billing | ConfigurationError,
    wanted: Wanted,
    *,
    policy: Policy,
    now: datetime,
    price_of: PriceOf | None = None,
) -> Comparison:
    """The log held against what the provider says. Raises ConfigurationError and ProviderError."""
    if isinstance(billing, ConfigurationError):
        raise billing
    settled = int((now - policy.min_age).timestamp()) // HOUR * HOUR
    closed = int((now - policy.max_age).timestamp())
    official = billing.fetch(wanted.period, until=settled, closed_before=closed, costs=wanted.costs, other=wanted.costs)
    return compare(
        log,
        official,
        wanted.period,
        settled_until=settled,
        tolerance=wanted.tolerance,
        by=wanted.by,
        price_of=prices_of_minutes(price_of) if log.of_runs and price_of else price_of,
        invoice=wanted.invoice,
    )


def known_prices() -> PriceOf | None:
    """List prices, where the extra that has them is installed."""
    try:
        return list_prices()
    except ConfigurationError:
        return None


def day_of(text: str, called: str) -> date:
    """A day as a person wrote it. Raises UsageError."""
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise _refused(f"{called}: {text!r} is no date", "write it as 2026-02-01") from error
    if day.year not in YEARS:
        raise _refused(f"{called}: {text!r} is in no year from {YEARS[0]} to {YEARS[-1]}", "write it as 2026-02-01")
    return day


def _amount(text: str) -> Decimal:
    if AMOUNT.fullmatch(text) is None:
        raise UsageError(f"--invoice: {text!r} is no amount", code="bad_amount", remedy="write US dollars: 1234.56")
    return Decimal(text.replace(",", "").replace("$", ""))


def _refused(problem: str, remedy: str) -> UsageError:
    return UsageError(problem, code="bad_period", remedy=remedy)


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
