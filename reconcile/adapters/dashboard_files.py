"""The parts of the dashboard page, as they ship with the package. The chart library is used only as it was chosen."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from reconcile.errors import StoreError

FOLDER = Path(__file__).parent.parent / "dashboard"
LIBRARY = FOLDER / "vendor" / "chart.umd.min.js"
LIBRARY_SHA256 = "87364cc2b2a76a6684929e7d6b80b18a897794db38400caff1fcf1791c6925d2"
"""Of Chart.js 4.6.1 as its package on npm has it: dist/chart.umd.min.js."""

SCRIPTS = (
    *("data", "base", "address", "period", "table", "saving", "inks", "drawing", "charts", "signs"),
    *("decimals", "tally", "amounts", "lag", "compared"),
    *("board", "runs", "run", "timeline", "usage", "timing", "gap", "comparisons"),
    "main",
)
"""In the order in which they build on each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a page is put together from, data aside."""

    frame: str
    style: str
    library: str
    script: str


def parts() -> Parts:
    """Raises StoreError where the installation is damaged."""
    try:
        library = LIBRARY.read_bytes()
        if hashlib.sha256(library).hexdigest() != LIBRARY_SHA256:
            raise OSError(0, "it is not the file that was shipped")
        scripts = [(FOLDER / "scripts" / f"{name}.js").read_text("utf-8") for name in SCRIPTS]
        return Parts(
            frame=(FOLDER / "index.html").read_text("utf-8"),
            style=(FOLDER / "style.css").read_text("utf-8"),
            library=library.decode(),
            script="\n".join(['(() => {\n"use strict";', *scripts, "})();"]),
        )
    except OSError as error:
        raise StoreError(
            f"{error.filename or LIBRARY}: cannot be read ({error.strerror})",
            code="damaged_installation",
            remedy="install the package again",
        ) from error
