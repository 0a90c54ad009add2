"""The call logs at the tip of a branch: the same rules as on a disk."""

from pathlib import PurePosixPath

import pytest

from reconcile.errors import StoreError
from reconcile.runs.run import Finding, RunFile, RunKey
from reconcile.runs.tree_store import TreeStore

KEY = RunKey("chatdev", "a")
ROOT = PurePosixPath("runs")
FILE, LOG = "runs/chatdev/a/metrics.json", "runs/chatdev/a/calls.ndjson"


def store(mode=None, contents=None):
    entries = {FILE: ("100644", 2), **({LOG: (mode, 7)} if mode else {})}
    return TreeStore(ROOT, entries, {FILE: b"{}", **(contents or {})})


def test_a_run_without_a_log():
    assert store().log(KEY) is None


def test_a_log_is_found_and_read():
    found = store("100644", {LOG: b"{}"})
    assert (found.log(KEY), found.read_log(KEY)) == (RunFile(KEY, LOG, 7), b"{}")
    assert found.discover() == ([RunFile(KEY, FILE, 2)], [])


def test_a_link_in_the_place_of_a_log_is_a_finding():
    found = store("120000")
    assert found.log(KEY) == Finding(LOG, 1, 1, "", "is a symbolic link; put the run's own call log in its place")
    assert found.discover()[1] == []


def test_a_log_that_was_not_fetched_is_an_error():
    with pytest.raises(StoreError, match="is not there"):
        store("100644").read_log(KEY)
