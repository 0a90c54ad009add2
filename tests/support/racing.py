"""One writer among many: a process that makes pass after pass over one branch, from a checkout of its own.

Each line of its output is a pass that landed: the instant of its read, and the runs that it says were written. It waits
for a line before the first pass and after each, so that all writers begin at once, and others change something between
two passes of one.

`regenerate` is the Action. `stale` is how it would be if a lost race were answered with the files made before it: what
to avoid, and here only to show that the race is real.
"""

import json
import sys
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from reconcile import config
from reconcile.action import act, job
from reconcile.action.branches import read_branch
from reconcile.attribution.claims import Asked
from reconcile.config.inputs import read_inputs
from reconcile.git.remote import Push
from reconcile.passes.apply import conclude
from reconcile.passes.fetch import read_usage
from reconcile.providers.openai import openai_billing, openai_usage
from reconcile.runs.run import RunKey

FASTER = 20
"""By how much the pauses between tries are shortened: the remote is on this machine, not across a network."""


def regenerate(action):
    """The runs written by one pass of the Action."""
    acted = act.act(action)
    assert acted.exit_code == 0, acted.log
    return [run["path"] for run in acted.document["runs"] if run["written"] and acted.outputs["pushed"] == "true"]


def stale(action):
    """One pass that pushes what it made from the first tip it saw, on whatever tip there is."""
    state = read_branch(action, "main")
    provider = action.clients(state.configuration.base_url).provider
    read = read_usage(state.workspace, state.tree, provider, action.request.asked)
    summary = conclude(state.workspace, state.tree, read, action.request.asked)
    changed, tip = dict(state.store.changed), state.commit
    while True:
        commit = action.repository.commit(tip, changed, message="stale", at=action.now)
        if action.repository.remote.push(commit, "main") is Push.LANDED:
            return [report.run.path for report in summary.runs if report.written]
        tip = action.repository.remote.fetch("main")


def opened(checkout, temp, provider_url, key, keys, now):
    """A job for these runs at that instant."""
    environ = {
        "PATH": sys.argv[1],
        "GITHUB_REPOSITORY": "octo/science",
        "GITHUB_EVENT_NAME": "schedule",
        "GITHUB_REF": "refs/heads/main",
        "GITHUB_REF_NAME": "main",
        "GITHUB_WORKSPACE": str(checkout),
        "RUNNER_TEMP": str(temp),
        "RECONCILE_INPUT_MAX_AGE": "30d",
        "RECONCILE_INPUT_PUSH_ATTEMPTS": "100",
        "OPENAI_ADMIN_KEY": key,
        "RECONCILE_OPENAI_URL": provider_url,
    }
    inputs = read_inputs(environ)
    action = job.open_action(
        replace(inputs.request, asked=Asked(keys=frozenset(RunKey(*key.split("/")) for key in keys))),
        environ,
        token=None,
        source=config.SettingsOrigin(flags=inputs.flags, variables=environ),
        clients=lambda url: job.Clients(
            provider=openai_usage(key, url, now=now),
            billing=openai_billing(key, url, now=now, cached=False),
            rehearsal=False,
        ),
        now=now,
    )
    return replace(action, sleep=lambda seconds: time.sleep(seconds / FASTER))


def main():
    _, _, how, checkout, temp, provider_url, key, first, step, passes, *keys = sys.argv
    Path(temp).mkdir()
    made = {"regenerate": regenerate, "stale": stale}[how]
    sys.stdin.readline()
    for number in range(int(passes)):
        now = datetime.fromisoformat(first) + number * timedelta(minutes=int(step))
        written = made(opened(Path(checkout), Path(temp), provider_url, key, keys, now))
        sys.stdout.write(json.dumps([now.isoformat(), written]) + "\n")
        sys.stdout.flush()
        sys.stdin.readline()


if __name__ == "__main__":
    main()
