"""`doctor`: gathers the facts of a set-up and has them judged. Secrets are compared here and go no further."""

from __future__ import annotations

import platform
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

from reconcile import __version__
from reconcile.adapters.github_api import GitHub
from reconcile.adapters.http import Patience
from reconcile.adapters.providers.openai import OpenAIUsage
from reconcile.adapters.providers.openai.keys import contact, list_keys
from reconcile.core.claims import key_variable, scopes
from reconcile.core.doctor import (
    Automation,
    Diagnosis,
    Facts,
    KeyKind,
    KeyVariable,
    Schedule,
    diagnose,
    diagnosis_json,
)
from reconcile.core.doctor.provider import WRONG
from reconcile.core.doctor.secret import fitting, hidden, kind_of
from reconcile.core.model import MINUTE, ListedKey, Query, Window
from reconcile.core.selection import EVERYTHING
from reconcile.errors import ConfigurationError, ReconcileError, StoreError
from reconcile.reports.doctor import doctor_text
from reconcile.reports.words import painter
from reconcile.workflow.answering import Answer, Look
from reconcile.workflow.tree import Workspace, read_tree

GITHUB_API = "https://api.github.com"
WORKFLOW = "reconcile"
"""In the name of the file of a workflow that makes passes."""

PATIENCE = Patience(tries=3)
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


def answer_doctor(diagnosis: Diagnosis, look: Look) -> Answer:
    """What is wrong, worst first."""
    text = doctor_text(diagnosis, painter(colour=look.colour), look.width)
    return Answer(text=text, document=diagnosis_json(diagnosis), exit_code=diagnosis.exit_code)


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
    touched = contact(key, setup.base_url)
    facts = replace(facts, contact=touched)
    if touched.problem:
        return facts
    skew = abs(touched.asked_at - touched.served_at) if touched.served_at and setup.now is None else timedelta(0)
    if skew > WRONG:  # every question that has this machine's time in it would be a wrong one
        return facts
    return replace(facts, listing=_listing(setup, key), used=_used(facts.now, setup, key))


def _listing(setup: Setup, key: str) -> tuple[ListedKey, ...] | ReconcileError:
    try:
        return list_keys(key, setup.base_url, now=setup.now, patience=PATIENCE)
    except ReconcileError as error:
        return error


def _used(now: datetime, setup: Setup, key: str) -> frozenset[str] | ReconcileError:
    end = int((now - WRONG).timestamp()) // MINUTE * MINUTE  # in the past by the provider's clock too
    window = Window(end - int(DAY.total_seconds()), end)
    try:
        usage = OpenAIUsage(key, setup.base_url, now=setup.now, patience=PATIENCE)
        buckets = usage.fetch(Query("openai", window)).buckets
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
