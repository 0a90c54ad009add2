"""Killed at any instant, a pass leaves every file either as it was or as it was to be."""

import os
import random
import shutil
import signal

import pytest

SCALE = int(os.environ.get("RECONCILE_TEST_SCALE", "1"))
PASSES = 20 * SCALE
RUNS = 25


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_pass_killed_at_random_moments_tears_no_file(bench, tmp_path):
    for number in range(RUNS):
        bench.add(f"chatdev/{number:02}", f"12:{number:02}:05", f"12:{number:02}:50", [(f"12:{number:02}:20", 70)])
    before = bench.bytes()
    pristine = shutil.copytree(bench.runs, tmp_path / "pristine")
    bench.run("13:40")
    after = bench.bytes()
    chance = random.Random(20260105)  # noqa: S311  a test that can be repeated
    ends = []
    for _ in range(PASSES):
        shutil.rmtree(bench.runs)
        shutil.copytree(pristine, bench.runs)
        ends.append(killed_pass(bench, chance.uniform(0.001, 0.05)))
        found = {path: data for path, data in bench.bytes().items() if path.name == "metrics.json"}
        torn = [path for path, data in found.items() if data not in {before[path], after[path]}]
        assert (torn, found.keys()) == ([], before.keys())
    bench.run("13:40")
    assert bench.bytes() == after
    assert "killed" in ends


def killed_pass(bench, seconds):
    """A pass in a process of its own, which the system kills after so many seconds. Says how it ended."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            bench.run("13:40")
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return "killed" if os.WIFSIGNALED(status) else "finished"
