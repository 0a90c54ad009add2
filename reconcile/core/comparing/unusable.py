"""Why a line of a log counts for nothing."""

from __future__ import annotations


class UnusableError(ValueError):
    """A sentence for the person who has to mend the line: what stands there, and the remedy.

    It never leaves the reading of a log: it becomes a `BadLine`.
    """
