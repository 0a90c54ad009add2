"""Late data: recorded calls that no reported request can serve.

Each recorded call needs a request of its own inside its run's window. Giving the requests of each minute to the
window that ends earliest serves as many calls as can be served at all, because windows are runs of consecutive
minutes (Glover's rule). A call that is still left over proves that usage is missing; comparing each window with its
own count would not see it where windows share requests.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence

from reconcile.core.attribution.components import CALLS, Component
from reconcile.core.model import Window, any_meets, joined


def serve(component: Component) -> tuple[frozenset[int], int]:
    """The members that lack data or may, by position, and the surplus: requests that served no recorded call."""
    if not component.plain:
        return _compared(component, sum(component.values[CALLS]))
    tight, surplus = match(component)
    return meeting(component, tight), surplus


def accounted(component: Component) -> bool:
    """Whether everyone's calls are known, and just as many requests were reported."""
    return component.plain and component.counted and serve(component) == (frozenset(), 0)


def match(component: Component) -> tuple[list[Window], int]:
    """The minutes that lack data or may, for claims of one scope, and the surplus."""
    unserved, served = _earliest_end_first(component)
    requests = sum(component.values[CALLS])
    tight = joined(_extended(component, member, served) for member in unserved)
    return tight, requests - sum(count for _, _, count in served)


def meeting(component: Component, tight: Sequence[Window]) -> frozenset[int]:
    """The members, by position, whose window meets one of these minutes, which are sorted and apart."""
    return frozenset(i for i, member in enumerate(component.members) if any_meets(tight, member.claim.span))


def _earliest_end_first(component: Component) -> tuple[list[int], list[tuple[int, int, int]]]:
    """Members with calls left over, and who was served: (minute, member, calls), by minute."""
    left = [member.calls or 0 for member in component.members]
    windows = [member.claim.span for member in component.members]
    supply: defaultdict[int, int] = defaultdict(int)
    for cell, requests in zip(component.cells, component.values[CALLS], strict=True):
        supply[cell.minute] += requests
    waiting: list[tuple[int, int]] = []
    served: list[tuple[int, int, int]] = []
    arrivals = iter(range(len(windows)))  # members are sorted by start
    upcoming = next(arrivals, None)
    for minute in sorted(supply):
        while upcoming is not None and windows[upcoming].start <= minute:
            heapq.heappush(waiting, (windows[upcoming].end, upcoming))
            upcoming = next(arrivals, None)
        free = supply[minute]
        while waiting and free:
            end, member = waiting[0]
            count = min(free, left[member]) if end > minute else 0
            if count:
                served.append((minute, member, count))
                left[member] -= count
                free -= count
            if free or not left[member]:
                heapq.heappop(waiting)
    return [member for member, calls in enumerate(left) if calls], served


def _extended(component: Component, member: int, served: list[tuple[int, int, int]]) -> Window:
    """The tight interval of an unserved call: its window, and to the left over every call served inside it."""
    window = component.members[member].claim.span
    start = window.start
    position = bisect_left(served, (window.end,)) - 1
    while position >= 0 and served[position][0] >= start:
        start = min(start, component.members[served[position][1]].claim.span.start)
        position -= 1
    return Window(start, window.end)


def _compared(component: Component, requests: int) -> tuple[frozenset[int], int]:
    """The same by counts alone, where minutes do not tell whose a request is: one run short makes all of them wait.

    What two of them may share is exact only where recorded tokens add up, and a call that this misses breaks that.
    """
    wanted = [(member.stated or 0) if member.read else 0 for member in component.members]
    room = [sum(component.values[CALLS][i] for i in member.cells) for member in component.members]
    short = sum(wanted) > requests or any(calls > most for calls, most in zip(wanted, room, strict=True))
    return frozenset(range(len(component.members)) if short else ()), requests
