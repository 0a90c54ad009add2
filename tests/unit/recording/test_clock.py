"""Waiting for the minute to turn."""

import pytest
from support.recordings import NOON, FakeClock

from reconcile.recording.clocks import await_end, await_start


@pytest.mark.parametrize(
    ("seconds", "until"), [(0, 0), (4.9, 4.9), (5, 60), (59.5, 60)], ids=["on it", "just after", "too late", "before"]
)
def test_a_run_starts_in_the_first_seconds_of_a_minute(seconds, until):
    clock = FakeClock(NOON + seconds)
    await_start(clock)
    assert clock.now() == NOON + until


@pytest.mark.parametrize(("ended", "now", "until"), [(0, 0, 0), (0.1, 0.2, 60), (59, 61, 61)])
def test_a_run_ends_with_its_last_minute(ended, now, until):
    clock = FakeClock(NOON + now)
    await_end(clock, NOON + ended)
    assert clock.now() == NOON + until


def test_a_wait_that_was_too_short_is_made_up_for():
    clock = FakeClock(NOON + 10)
    wait = clock.wait
    clock.wait = lambda seconds: wait(seconds / 2 if seconds > 1 else seconds)
    await_start(clock)
    assert clock.now() == pytest.approx(NOON + 60)
