"""Lines that say themselves that they may be no calls: tried one kind after the other."""

from __future__ import annotations

from dataclasses import replace

from reconcile.core.comparing.breaks.codes import Code
from reconcile.core.comparing.breaks.counting import without
from reconcile.core.comparing.breaks.hypothesis import Hypotheses, Hypothesis
from reconcile.core.comparing.breaks.view import REQUESTS, TOKENS, View
from reconcile.core.comparing.figures import Metric
from reconcile.core.comparing.sides import Suspicion
from reconcile.core.wire import plural

REMEDIES = {
    Suspicion.CACHE_HITS: "leave out answers that a cache gave: say `where:` of the log which lines are calls",
    Suspicion.FAILED_CALLS: "leave out calls that failed: say `where:` of the log which lines are calls",
    Suspicion.STREAMED_CHUNKS: "count the last part of each answer: say `once: <where the id stands>` of the log",
    Suspicion.REPEATED_IDS: "count each call once: say `once: <where the id stands>` of the log",
    Suspicion.RUNNING_TOTALS: "count what each line adds: say `counters: running` of the log, or log each call's own",
    Suspicion.NESTED_SPANS: "leave out spans around other spans: say `where:` of the log which lines are calls",
    Suspicion.DUPLICATE_LINES: "write each call once; an event that is written again is no call",
}


def doubted(view: View) -> Hypotheses:
    """The log without what each doubt is about."""
    for place, doubt in enumerate(view.doubts):
        inside = [row for row in doubt.surplus if view.start <= row.start < view.until]
        requests = plural(sum(row.counts[REQUESTS] for row in inside), "request")
        tokens = sum(row.counts[part] for row in inside for part in TOKENS)
        rest = view.doubts[:place] + view.doubts[place + 1 :]
        if inside:
            yield Hypothesis(
                code=Code(doubt.suspicion.value),
                metric=Metric.TOTAL,
                after=replace(view.with_local(without(view.local, doubt.surplus)), doubts=rest),
                said=f"{doubt.said} hold {requests} and {tokens:,} tokens that are not the provider's",
                remedy=REMEDIES[doubt.suspicion],
                shown=doubt.suspicion is not Suspicion.RUNNING_TOTALS,
            )
