"""The seeds' rule, on the same data: the sum of the window is verified once two reads of it are equal."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks.truths.bills import Amount, Reader, summed
from benchmarks.truths.days import Life
from benchmarks.truths.runs import HOUR, MINUTE

AGES = (0.5 * HOUR, 24 * HOUR)
"""At which a run is read."""


@dataclass(kw_only=True)
class Seeds:
    """What the rule makes of a run: `right`, `wrong` or nothing yet."""

    life: Life
    reads: int = 0
    verdict: str = ""
    _last: Amount = field(default=(0, 0, 0, 0))

    def read(self, reader: Reader) -> None:
        """A read of the run's own window and key, while it is of the age to be read and not verified."""
        run = self.life.run
        if self.verdict or not AGES[0] <= reader.now - run.end <= AGES[1]:
            return
        self.reads += 1
        start, end = int(run.start // MINUTE) * MINUTE, int(-(-run.end // MINUTE)) * MINUTE
        shown = summed(row.usage.parts for row in reader.rows(start, end) if row.api_key_id == run.key)
        if any(shown) and shown == self._last:
            self.verdict = "right" if shown == self.life.truth else "wrong"
        self._last = shown
