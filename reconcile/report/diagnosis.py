"""What `doctor`, `keys` and `init` say, as text: a line a check or a key, its remedy below it, what is wrong first.

Of a new set-up: what was written, what is left to fill in, and how to go on.
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Sequence

from reconcile.attribution.claims import key_id_variable
from reconcile.doctor.beginning import SETTINGS, WORKFLOW, Beginning
from reconcile.doctor.checks import Check, Health
from reconcile.doctor.examination import Diagnosis
from reconcile.doctor.key_rows import KeyRow, Proposal
from reconcile.providers import DEFAULT, provider
from reconcile.report.phrases import Paint, printable, wrapped
from reconcile.words import plural

STYLES = {Health.OK: "green", Health.WARNING: "yellow", Health.ERROR: "red"}
STATUS_WIDTH = len("warning")
HEADINGS = ("project", "name", "key", "id", "last used", "framework")


def doctor_text(diagnosis: Diagnosis, paint: Paint, width: int) -> str:
    """Every check, and the count."""
    longest = max(len(check.name) for check in diagnosis.checks)
    lines = [_check(check, longest, paint, width) for check in diagnosis.checks]
    return "\n".join(lines) + f"\n\n{_counted(diagnosis.checks)}."


def keys_text(
    keys: Sequence[KeyRow], found: Sequence[Proposal], written: Collection[str], paint: Paint, width: int
) -> str:
    """A table of keys, and below it what the secrets at hand say of theirs."""
    sections = [_table(keys, paint), "\n".join(_proposal(each, written, width) for each in found)]
    return "\n\n".join(section for section in sections if section)


def _check(check: Check, longest: int, paint: Paint, width: int) -> str:
    head = f"{check.status.value:<{STATUS_WIDTH}}  {check.name:<{longest}}  "
    indent = " " * len(head)
    said = wrapped(printable(check.message), width, indent).removeprefix(indent)
    status = paint(check.status.value.ljust(STATUS_WIDTH), STYLES[check.status])
    line = f"{status}{head[STATUS_WIDTH:]}{said}"
    return line if check.remedy is None else f"{line}\n{wrapped(printable(check.remedy), width, indent)}"


def _counted(checks: Sequence[Check]) -> str:
    counts = {health: sum(check.status is health for check in checks) for health in Health}
    wrong = [plural(counts[health], health.value) for health in (Health.ERROR, Health.WARNING) if counts[health]]
    return f"{plural(len(checks), 'check')}: {', '.join(wrong) or 'nothing is wrong'}"


def _table(keys: Sequence[KeyRow], paint: Paint) -> str:
    if not keys:
        return "No API keys are listed."
    cells = [HEADINGS, *(_cells(row) for row in keys)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(cell.ljust(wide) for cell, wide in zip(row, widths, strict=True)).rstrip() for row in cells]
    return "\n".join([paint(lines[0], "bold"), *lines[1:]])


def _cells(row: KeyRow) -> tuple[str, ...]:
    key = row.key
    used = f"{key.last_used_at:%Y-%m-%d}" if key.last_used_at else "never"
    project = f"{key.project} (archived)" if key.archived else key.project
    whose = ", ".join(row.frameworks) or "-"
    return tuple(printable(cell) for cell in (project, key.name, key.redacted, key.id, used, whose))


def _proposal(proposal: Proposal, written: Collection[str], width: int) -> str:
    done = "written: " if proposal.framework in written else ""
    text = printable(f"{proposal.framework}: {done}{proposal.message}")
    return textwrap.fill(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def started_text(beginning: Beginning, written: Sequence[str]) -> str:
    """As text for a person. Answers are names of folders and ids, so there is nothing to escape."""
    sections = [
        "\n".join(["Wrote", *(f"  {name}" for name in written)]),
        "\n".join(["To fill in", *(f"  {line}" for line in _gaps(beginning))]) if _gaps(beginning) else "",
        "\n".join(["Next", *(f"  {line}" for line in _commands(beginning))]),
    ]
    return "\n\n".join(section for section in sections if section)


def _gaps(beginning: Beginning) -> list[str]:
    gaps = []
    if not beginning.key_ids:
        variable = key_id_variable(beginning.framework)
        gaps.append(f"{SETTINGS}: the id of the API key of {beginning.framework}; or set {variable}")
    if beginning.workflow:
        gaps.append(f"{WORKFLOW}: in the line `uses: OWNER/...` the owner and the commit of the Action")
        secret = provider(DEFAULT).admin_key_variable
        gaps.append(f"on GitHub: an environment `usage` with the secret {secret}")
    return gaps


def _commands(beginning: Beginning) -> list[str]:
    record = f"reconcile record --framework {beginning.framework} -- python experiment.py"
    secret = provider(DEFAULT).admin_key_variable
    told = {
        record: "or any other command: it leaves the file of a run",
        f"export {secret}=sk-admin-...": "without an account: `reconcile simulate`, in another terminal",
        "reconcile doctor": "whether all is set up as it should be",
        "reconcile run": "30 minutes after the run, and again an hour later",
    }
    wide = max(map(len, told))
    return [f"{command.ljust(wide)}  # {why}" for command, why in told.items()]
