"""Why both sides differ: a closed list of reasons, found by elimination, each a hint with its arithmetic."""

from reconcile.core.comparing.breaks.codes import Break, Code
from reconcile.core.comparing.breaks.found import breaks_of

__all__ = ["Break", "Code", "breaks_of"]
