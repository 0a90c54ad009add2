"""What a job publishes as Markdown: the pass, and below it the comparison in the room that the pass leaves."""

from __future__ import annotations

from reconcile.core.comparing.comparison import Comparison
from reconcile.core.summary import Summary
from reconcile.reports.compared import headline
from reconcile.reports.compared_markdown import compared_markdown
from reconcile.reports.markdown import Links, summary_markdown

REST = "the summary of the job has more"
ROOM_FOR_VERDICT = 300
"""Characters that are kept from the pass: what a comparison came to is said however long the pass is."""


def published_markdown(
    summary: Summary, comparison: Comparison | None, links: Links, limit: int, lead: str = "", *, rest: str = REST
) -> str:
    """The pass below `lead` and then the comparison, in at most `limit` characters; `rest` says where is more.

    The pass comes first in every sense: of a comparison that does not fit below it only the verdict is left.
    """
    if comparison is None:
        return summary_markdown(summary, links, limit, lead, rest=rest)
    text = summary_markdown(summary, links, limit - ROOM_FOR_VERDICT, lead, rest=rest)
    whole = f"{text}\n{compared_markdown(comparison, limit - len(text) - 1)}"
    return whole if len(whole) <= limit else f"{text}\n### {headline(comparison)}\n\nNo room for more: {rest}.\n"
