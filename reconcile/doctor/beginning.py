"""The files that a project begins with, as text: settings, a word in the first folder of runs, what git ignores."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from reconcile.errors import UsageError
from reconcile.providers import DEFAULT
from reconcile.providers import provider as provider_named

SETTINGS, WORKFLOW, IGNORE = "reconcile.yml", ".github/workflows/reconcile.yml", ".gitignore"

IGNORED = (b".env", b".metrics.json.*.tmp", b"recording.ndjson")
"""Keys, and what a writer that was killed and a run that is being recorded leave beside a run."""

PLAIN = re.compile(r"(?!(?:y|n|yes|no|on|off|true|false|null)\Z)[A-Za-z_][A-Za-z0-9_-]*", re.IGNORECASE)
"""What YAML reads as the text that it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What was asked and answered. The framework is the name of a folder."""

    framework: str
    key_ids: tuple[str, ...] = ()
    """None where they are not known yet."""
    workflow: bool = True

    @property
    def folder(self) -> str:
        return f"runs/{self.framework}"

    @property
    def readme(self) -> str:
        return f"{self.folder}/README.md"


def key_ids(text: str) -> tuple[str, ...]:
    """Ids with commas between them. Raises UsageError, which never shows what may be a key."""
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    asked = provider_named(DEFAULT)
    if not all(asked.key_id.fullmatch(key) for key in found):
        raise UsageError(
            "the key id is no id of an API key, perhaps the key itself (sk-...)",
            code="malformed_key_id",
            remedy=f"give the id, such as {asked.key_example}, which stands beside the key on {asked.key_page}; "
            "several are parted by commas",
        )
    return found


def settings_text(beginning: Beginning) -> str:
    """`reconcile.yml`. Without key ids the framework is a comment: one that is named needs them."""
    framework, ids = scalar(beginning.framework), [scalar(key) for key in beginning.key_ids]
    page = provider_named(DEFAULT).key_page
    dash, told = ("", "") if ids else ("# ", ": fill in, then take the # away")
    return (
        "# Settings of LLM Usage Reconcile. Flags and environment variables win over this file.\n"
        "runs: runs\n"
        "\n"
        f"{dash}frameworks: # the ids of each framework's API keys, not the keys; {page} shows them{told}\n"
        f"{dash}  {framework}: {{api_key_ids: [{', '.join(ids or ['key_...'])}]}}\n"
    )


def readme_text(beginning: Beginning) -> str:
    """What a person finds in the folder of the first runs."""
    return (
        f"# Runs of {beginning.framework}\n"
        "\n"
        "One folder a run, with its `metrics.json`. To let it be written:\n"
        "\n"
        f"    reconcile record --framework {beginning.framework} -- python experiment.py\n"
        "\n"
        "Token counts are zero when a run ends; `reconcile run` fills them in, from 30 minutes later on. Commit what "
        "it writes, `usage_evidence.json` included.\n"
    )


def to_ignore(before: bytes) -> bytes:
    """What to put behind this `.gitignore`, in its own line ends; nothing where git ignores all of it already."""
    lines = [line.rstrip() for line in before.splitlines()]
    missing = [name for name in IGNORED if [line for line in lines if line.lstrip(b"!") == name][-1:] != [name]]
    if not missing:
        return b""
    end = b"\r\n" if b"\r\n" in before else b"\n"
    gap = b"" if not before else end if before.endswith(b"\n") else end * 2
    heading = b"# keys, and files of LLM Usage Reconcile that pass"
    return gap + end.join([heading, *missing, b""])


def scalar(text: str) -> str:
    """As YAML reads it back as this text."""
    return text if PLAIN.fullmatch(text) else json.dumps(text)
