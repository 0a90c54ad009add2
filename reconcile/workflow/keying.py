"""`keys`: which listed key is whose, and its id written into reconcile.yml."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from reconcile.adapters import config_file
from reconcile.adapters.providers.openai.keys import list_keys
from reconcile.core.claims import scopes
from reconcile.core.doctor import KeyRow, Proposal, keys_json, proposals, rows
from reconcile.core.doctor.configuring import with_key_ids
from reconcile.core.doctor.mapping import Outcome
from reconcile.core.doctor.secret import hidden
from reconcile.core.model import ListedKey
from reconcile.reports.doctor import keys_text
from reconcile.reports.words import painter
from reconcile.workflow.answering import Answer, Look
from reconcile.workflow.examining import PATIENCE, Setup, framework_secrets, key_variables
from reconcile.workflow.tree import Workspace, read_tree


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyList:
    """What was found, and the frameworks whose ids were written."""

    rows: tuple[KeyRow, ...]
    proposals: tuple[Proposal, ...]
    written: tuple[str, ...] = ()
    writing: bool = False
    """Whether that was asked for."""


def find_keys(workspace: Workspace, setup: Setup, admin_key: str) -> KeyList:
    """Every key, and what the secrets at hand say of theirs. Raises ConfigurationError and ProviderError."""
    frameworks = {*workspace.configured, *read_tree(workspace).frameworks}
    known, _ = scopes(sorted(frameworks), workspace.configured, workspace.variables)
    listed = list_keys(admin_key, setup.base_url, now=setup.now, patience=PATIENCE)
    secrets = framework_secrets(frameworks, workspace.variables)
    variables = key_variables(secrets, listed)
    shown = [_without(key, [*secrets.values(), admin_key]) for key in listed]
    return KeyList(rows=rows(shown, known), proposals=proposals(variables, workspace.configured, known))


def _without(key: ListedKey, secrets: Collection[str]) -> ListedKey:
    """The same without a secret that somebody gave as a name, or that was listed whole."""
    name, redacted, project = (hidden(text, secrets) for text in (key.name, key.redacted, key.project))
    return replace(key, name=name, redacted=redacted, project=project)


def write_keys(found: KeyList, file: Path) -> KeyList:
    """Puts the ids that are certain into the file. Raises ConfigurationError or StoreError; then nothing changed."""
    ids = {each.framework: each.key_id for each in found.proposals if each.outcome is Outcome.FOUND and each.key_id}
    if ids:
        before = config_file.read(file)
        config_file.replace(file, before, with_key_ids(before, ids))
    return replace(found, written=tuple(ids), writing=True)


def answer_keys(found: KeyList, look: Look) -> Answer:
    """The list. Where ids were to be written, one that could not be is something to mend."""
    text = keys_text(found.rows, found.proposals, found.written, painter(colour=look.colour), look.width)
    refused = found.writing and any(each.outcome is Outcome.REFUSED for each in found.proposals)
    document = keys_json(found.rows, found.proposals, found.written)
    return Answer(text=text, document=document, exit_code=int(refused))
