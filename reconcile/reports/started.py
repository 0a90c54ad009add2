"""What a set-up wrote, what is left to fill in, and how to go on."""

from __future__ import annotations

from collections.abc import Sequence

from reconcile.core.claims import key_id_variable
from reconcile.core.starting import SETTINGS, WORKFLOW, Beginning


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
        gaps.append("on GitHub: an environment `usage` with the secret OPENAI_ADMIN_KEY")
    return gaps


def _commands(beginning: Beginning) -> list[str]:
    record = f"reconcile record --framework {beginning.framework} -- python experiment.py"
    told = {
        record: "or any other command: it leaves the file of a run",
        "export OPENAI_ADMIN_KEY=sk-admin-...": "without an account: `reconcile simulate`, in another terminal",
        "reconcile doctor": "whether all is set up as it should be",
        "reconcile run": "30 minutes after the run, and again an hour later",
    }
    wide = max(map(len, told))
    return [f"{command.ljust(wide)}  # {why}" for command, why in told.items()]
