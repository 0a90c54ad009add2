"""`keys`: which listed key is whose, and its id written into reconcile.yml.

That text is read byte for byte, and replaced whole or not at all.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from reconcile.attribution.claims import scopes
from reconcile.doctor.checks import hidden
from reconcile.doctor.examination import Setup, framework_secrets, key_variables
from reconcile.doctor.key_rows import KeyRow, Proposal, ProposalOutcome, proposals, rows, with_key_ids
from reconcile.errors import StoreError
from reconcile.files import write_whole
from reconcile.passes.tree import Workspace, read_tree
from reconcile.providers import DEFAULT, provider
from reconcile.providers.base import ListedKey


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
    asked = provider(DEFAULT)
    listed = asked.keys(admin_key, setup.base_url, now=setup.now) if asked.keys else ()
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
    ids = {
        each.framework: each.key_id for each in found.proposals if each.outcome is ProposalOutcome.FOUND and each.key_id
    }
    if ids:
        before = read(file)
        replace_file(file, before, with_key_ids(before, ids))
    return replace(found, written=tuple(ids), writing=True)


def read(file: Path) -> str:
    """Empty where there is no file."""
    try:
        return file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise _problem(file, "read", "check its permissions; it must be UTF-8") from error


def replace_file(file: Path, before: str, after: str) -> None:
    """Puts `after` in the place of `before`; a file that says something else by now is left alone.

    A link stays one: the file behind it is replaced. Permissions stay as they are.
    """
    place = file.resolve()
    if read(place) != before:
        raise _problem(file, "written: somebody else has changed it", "run again")
    try:
        write_whole(place, after.encode(), place.stat().st_mode & 0o777 if place.exists() else 0o644)
    except OSError as error:
        raise _problem(file, "written", "check the permissions of the file and its folder") from error


def _problem(file: Path, what: str, remedy: str) -> StoreError:
    code = "unreadable_file" if what == "read" else "unwritable_file"
    return StoreError(f"{file} cannot be {what}", code=code, remedy=remedy)
