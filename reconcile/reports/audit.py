"""An audit as text: every difference with its place, what was not computed again and why, and the count."""

from __future__ import annotations

from collections.abc import Sequence

from reconcile.core.auditing import Audit, Audited, Outcome
from reconcile.core.wire import plural
from reconcile.reports.text import error_text, findings_text
from reconcile.reports.words import Paint, printable

COUNTED = (Outcome.DIFFERENT, Outcome.UNAUDITED, Outcome.SOUND, Outcome.UNREAD)


def audit_text(audit: Audit, paint: Paint, width: int) -> str:
    """What an audit came to."""
    audited = audit.runs
    differences = findings_text(finding for each in audited for finding in each.findings)
    unaudited = [each for each in audited if each.found.outcome is Outcome.UNAUDITED]
    longest = max((len(printable(str(each.run.key))) for each in unaudited), default=0)
    listed = [f"  {printable(str(each.run.key)).ljust(longest)}  {printable(each.found.why)}" for each in unaudited]
    parts = [
        f"{paint('Findings', 'bold')}\n{findings_text(audit.invalid)}" if audit.invalid else "",
        f"{paint('Differences', 'bold')}\n{differences}" if differences else "",
        "\n".join([paint("Not computed again", "bold"), *listed]) if listed else "",
        "\n".join(error_text(error, paint, width) for error in audit.errors),
        _counted(audited),
    ]
    return "\n\n".join(part for part in parts if part)


def _counted(audited: Sequence[Audited]) -> str:
    counts = [(outcome, sum(each.found.outcome is outcome for each in audited)) for outcome in COUNTED]
    shown = ", ".join(f"{count:,} {outcome}" for outcome, count in counts if count)
    return f"{plural(len(audited), 'run')}: {shown or 'none'}."
