"""What every answer of the service is held to, whatever it is about: a clock that agrees, an end that is past.

An answer that breaks a rule of its shape is `Untrusted`: who asked makes an error of it that says what was asked.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from reconcile.core.model import instant
from reconcile.errors import ProviderError

MOST_SKEW = timedelta(minutes=5)
"""How far the two clocks may be apart. What a proxy keeps for a while is no answer either."""

TEXT = (str, type(None))
FLAG = (bool, type(None))


class Untrusted(Exception):  # noqa: N818 (what an answer is; whoever asked raises the error)
    """An answer that may lack usage or mean two things: a code, and the problem in words."""

    def __init__(self, code: str, problem: str) -> None:
        super().__init__(problem)
        self.code = code
        self.problem = problem

    def error(self, whose: str, remedy: str) -> ProviderError:
        return ProviderError(f"{whose} cannot be trusted: {self.problem}", code=self.code, remedy=remedy)


def check_clock(served_at: datetime | None, now: datetime, *, local: bool) -> None:
    """Ages, and the time between two reads, are taken from this machine's clock: where that is wrong, so are they.

    `local`: whether what answers is on this machine, as a simulator is, which may have been moved.
    """
    if served_at and abs(served_at - now) > MOST_SKEW:
        raise ProviderError(
            f"this machine's clock says {now:%Y-%m-%dT%H:%M:%SZ}, the provider's {served_at:%Y-%m-%dT%H:%M:%SZ}",
            code="clock_wrong",
            remedy="the simulator is where --now left it: give it --now again, or start it anew"
            if local
            else "set the clock and the time zone of this machine, then run again",
        )


def check_past(end: int, now: datetime | None, about: str) -> None:
    """The service refuses a future end, and one cut to now would leave a part of the query unanswered.

    `now`: the clock's where it is None. `about`: what else the end of the query came from.
    """
    now = now or datetime.now(UTC)
    if end > now.timestamp():
        raise ProviderError(
            f"the query ends at {spelled(end)}, and now is {spelled(now.timestamp())}",
            code="query_in_future",
            remedy=f"check the clock of this machine and {about}",
        )


def spelled(seconds: float) -> str:
    return f"{instant(seconds):%Y-%m-%dT%H:%M:%SZ}"
