"""The adapter on the double, and its errors: none may hold the token."""

import json

import pytest
from support.github.server import TOKEN

from reconcile.errors import GitHubError
from reconcile.github.client import GitHub
from reconcile.providers.transport import Patience
from reconcile.simulator.replies import Reply

A, B = "runs/chatdev/a/metrics.json", "runs/chatdev/b/metrics.json"
NOWHERE = "0" * 40
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."


def client(double, slept=None, **settings):
    waits = [] if slept is None else slept
    patience = Patience(tries=3, read_timeout=5, sleep=waits.append, random=lambda: 0.0)
    return GitHub(TOKEN, "octo/science", **({"api_url": double.url, "patience": patience} | settings))


def refused(act, *arguments, kind=GitHubError, **named):
    with pytest.raises(kind) as caught:
        act(*arguments, **named)
    error = caught.value
    assert TOKEN not in f"{error.message} {error.remedy} {error!r} {error.__cause__!r}"
    assert error.exit_code == (3 if kind is GitHubError else 1)
    return error


def says(status, message, **headers):
    """A refusal in place of the right answer; nothing is done."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Reply(status, json.dumps({"message": message, "status": str(status)}).encode(), headers=named)
