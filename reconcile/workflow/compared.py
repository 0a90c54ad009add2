"""What a comparison says: as text, CSV or one JSON document, as an exit code, and as files for a dispute."""

from __future__ import annotations

import json
from pathlib import Path

from reconcile.adapters.whole_file import write_whole
from reconcile.core.comparing.comparison import Comparison, Verdict
from reconcile.core.comparing.wire import comparison_json
from reconcile.errors import StoreError
from reconcile.reports.compared import compared_text
from reconcile.reports.compared_csv import compared_csv
from reconcile.reports.exported import costs_csv, entries_csv
from reconcile.reports.words import painter
from reconcile.workflow.answering import Answer, Look

READABLE = 0o644


def answer_compare(comparison: Comparison, look: Look, *, as_csv: bool = False) -> Answer:
    """Both sides, the verdict and what may explain the difference. All but `reconciled` fails."""
    text = compared_csv(comparison).removesuffix("\r\n") if as_csv else ""
    return Answer(
        text=text or compared_text(comparison, painter(colour=look.colour), look.width),
        document=comparison_json(comparison),
        exit_code=int(comparison.verdict is not Verdict.RECONCILED),
    )


def export(comparison: Comparison, folder: Path) -> None:
    """Write both data sets line by line, the bill and the comparison. Raises StoreError."""
    cut = comparison.cut
    files = {
        "local.csv": entries_csv((*cut.local, *cut.apart_local)),
        "official.csv": entries_csv((*cut.official, *cut.apart_official)),
        "costs.csv": costs_csv((*(cut.costs or ()), *comparison.other_costs)),
        "comparison.json": json.dumps(comparison_json(comparison), indent=2) + "\n",
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            write_whole(folder / name, text.encode(), READABLE)
    except OSError as error:
        raise StoreError(
            f"{folder}: cannot be written ({error.strerror})", code="unwritable", remedy="name a folder of your own"
        ) from error
