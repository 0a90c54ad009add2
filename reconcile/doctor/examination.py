"""`doctor`: gathers the facts of a set-up and has them judged. Secrets are compared here and go no further.

All checks are told, worst first; among equals a cause comes before what follows from it.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

from reconcile import __version__
from reconcile.attribution.claims import EVERYTHING, key_variable, scopes
from reconcile.doctor import environment_checks, run_checks
from reconcile.doctor.checks import (
    Automation,
    Check,
    Facts,
    Health,
    KeyKind,
    KeyVariable,
    Schedule,
    fitting,
    hidden,
    kind_of,
)
from reconcile.doctor.environment_checks import WRONG
from reconcile.errors import ConfigurationError, ReconcileError, StoreError
from reconcile.github.client import GitHub
from reconcile.minutes import MINUTE, Window
from reconcile.passes.summary import SCHEMA_VERSION
from reconcile.passes.tree import Workspace, read_tree
from reconcile.providers import DEFAULT, provider
from reconcile.providers.base import ListedKey, Provider, Query
from reconcile.providers.transport import Patience
from reconcile.runs.run import Json

GITHUB_API = "https://api.github.com"
WORKFLOW = "reconcile"
"""In the name of the file of a workflow that makes passes."""

TRIES = 3
PATIENCE = Patience(tries=TRIES)
"""A person waits for this."""

DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What the settings say, as far as they could be read. `now` as given; None is the clock."""

    file: Path
    """The configuration."""
    problem: ReconcileError | None = None
    runs: Path
    admin_variable: str
    admin_key: str | None = field(repr=False)
    base_url: str
    now: datetime | None
    pricing: bool = False


def examine(workspace: Workspace, setup: Setup) -> Diagnosis:
    """Every check. What cannot be found out is said so, and stops nothing."""
    facts = _of_runs(_of_settings(setup, workspace), workspace)
    frameworks = {*workspace.configured, *(each.run.key.framework for each in facts.selected)}
    known, id_errors = scopes(sorted(frameworks), workspace.configured, workspace.variables)
    facts = replace(facts, scopes=known, id_errors=tuple(id_errors))
    secrets = framework_secrets(frameworks, workspace.variables)
    if setup.admin_key:
        facts = replace(facts, admin=_admin(setup.admin_variable, setup.admin_key, secrets))
        if kind_of(setup.admin_key) in {KeyKind.ADMIN, KeyKind.OTHER}:
            facts = _of_provider(facts, setup, setup.admin_key)
    listed = facts.listing if isinstance(facts.listing, tuple) else ()
    facts = replace(facts, keys=key_variables(secrets, listed), automation=_automation(workspace.variables))
    given = [*secrets.values(), setup.admin_key or "", workspace.variables.get("GITHUB_TOKEN", "")]
    return _without(diagnose(facts), given)


def framework_secrets(frameworks: Collection[str], variables: Mapping[str, str]) -> dict[str, str]:
    """By framework, the secret keys that are at hand."""
    found = {framework: variables.get(key_variable(framework), "") for framework in sorted(frameworks)}
    return {framework: secret for framework, secret in found.items() if secret}


def key_variables(secrets: Mapping[str, str], listed: Collection[ListedKey]) -> dict[str, KeyVariable]:
    """What may be said of each secret."""
    return {
        framework: KeyVariable(
            name=key_variable(framework),
            kind=kind_of(secret),
            alike=_holding(secret, {name: value for name, value in secrets.items() if name != framework}),
            fits=fitting(secret, listed),
        )
        for framework, secret in secrets.items()
    }


def _holding(secret: str, secrets: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(key_variable(name) for name, value in secrets.items() if value == secret))


def _admin(variable: str, secret: str, secrets: Mapping[str, str]) -> KeyVariable:
    return KeyVariable(name=variable, kind=kind_of(secret), alike=_holding(secret, secrets))


def _of_settings(setup: Setup, workspace: Workspace) -> Facts:
    return Facts(
        now=workspace.now,
        replayed=setup.now is not None,
        python=platform.python_version(),
        version=__version__,
        lacking=("pricing",) if setup.pricing and find_spec("genai_prices") is None else (),
        configuration=str(setup.file),
        configured=setup.file.exists(),
        misconfigured=setup.problem,
        policy=workspace.policy,
        runs=str(setup.runs),
    )


def _of_runs(facts: Facts, workspace: Workspace) -> Facts:
    try:
        tree = read_tree(workspace)
    except ConfigurationError as error:
        return replace(facts, unreadable=(error,))
    return replace(
        facts,
        unreadable=tuple(error for error in tree.errors if isinstance(error, StoreError)),
        findings=tree.findings,
        census=tree.census,
        selected=tuple(tree.selected(workspace, EVERYTHING)),
        neighbours=tree.neighbours,
    )


def _of_provider(facts: Facts, setup: Setup, key: str) -> Facts:
    asked = provider(DEFAULT)
    if asked.contact is None:
        return facts
    touched = asked.contact(key, setup.base_url)
    facts = replace(facts, contact=touched)
    if touched.problem:
        return facts
    skew = abs(touched.asked_at - touched.served_at) if touched.served_at and setup.now is None else timedelta(0)
    if skew > WRONG:  # every question that has this machine's time in it would be a wrong one
        return facts
    return replace(facts, listing=_listing(asked, setup, key), used=_used(asked, facts.now, setup, key))


def _listing(asked: Provider, setup: Setup, key: str) -> tuple[ListedKey, ...] | ReconcileError:
    try:
        return asked.keys(key, setup.base_url, now=setup.now) if asked.keys else ()
    except ReconcileError as error:
        return error


def _used(asked: Provider, now: datetime, setup: Setup, key: str) -> frozenset[str] | ReconcileError:
    end = int((now - WRONG).timestamp()) // MINUTE * MINUTE  # in the past by the provider's clock too
    window = Window(end - int(DAY.total_seconds()), end)
    try:
        usage = asked.usage(key, setup.base_url, now=setup.now, tries=TRIES)
        buckets = usage.fetch(Query(asked.name, window)).buckets
    except ReconcileError as error:
        return error
    return frozenset(bucket.api_key_id for bucket in buckets if bucket.api_key_id)


def _automation(variables: Mapping[str, str]) -> Automation | ReconcileError | None:
    token, repository = variables.get("GITHUB_TOKEN"), variables.get("GITHUB_REPOSITORY")
    if not token or not repository:
        return None
    try:
        github = GitHub(token, repository, api_url=variables.get("GITHUB_API_URL") or GITHUB_API, patience=PATIENCE)
        branch = github.default_branch()
        return Automation(
            repository=repository,
            branch=branch,
            rules=frozenset(rule.type for rule in github.rules(branch)),
            schedules=tuple(
                Schedule(path=each.path, state=each.state, last=github.last_scheduled(each))
                for each in github.workflows()
                if WORKFLOW in Path(each.path).name
            ),
        )
    except ReconcileError as error:
        return error


def _without(diagnosis: Diagnosis, secrets: Collection[str]) -> Diagnosis:
    """The same without a secret that some message may quote."""
    checks = (
        replace(each, message=hidden(each.message, secrets), remedy=each.remedy and hidden(each.remedy, secrets))
        for each in diagnosis.checks
    )
    return replace(diagnosis, checks=tuple(checks))


CHECKS: tuple[Callable[[Facts], Check], ...] = (
    environment_checks.python,
    environment_checks.extras,
    environment_checks.configuration,
    environment_checks.files,
    environment_checks.admin_key,
    environment_checks.provider,
    environment_checks.clock,
    environment_checks.admin_key_accepted,
    run_checks.key_ids,
    run_checks.key_names,
    run_checks.ids_exist,
    run_checks.keys_apart,
    run_checks.duplicate_ids,
    run_checks.usage_seen,
    environment_checks.schedule,
    environment_checks.branch_rules,
    run_checks.short_runs,
    run_checks.shared_minutes,
    run_checks.past_cutoff,
    run_checks.last_pass,
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
    return isinstance(answer, ReconcileError) and answer.exit_code > 1 and answer.code not in environment_checks.REFUSED


def diagnosis_json(diagnosis: Diagnosis) -> dict[str, Json]:
    """As schemas/doctor.schema.json describes it."""
    return {
        "schema_version": SCHEMA_VERSION,
        "checks": [
            {"name": each.name, "status": each.status.value, "message": each.message, "remedy": each.remedy}
            for each in diagnosis.checks
        ],
    }
