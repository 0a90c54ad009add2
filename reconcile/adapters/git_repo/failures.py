"""What git's words mean when it fails: somebody else was faster, or what to set or to mend.

The words are git's untranslated ones (LC_ALL=C) and GitHub's (GH006: protected branch, GH013: ruleset). Whether a push
lost a race is read from the reason git gives for the ref alone: what a hook of the remote prints proves nothing.
"""

from __future__ import annotations

import re

Meanings = tuple[tuple[str, str, str], ...]
"""Of the words of a failure, the first that fit: a pattern, the code of the error, the remedy."""

_NO_ACCESS = (
    r"returned error: 40[134]|[Rr]epository.* not found|Authentication failed|could not read (Username|Password)"
    r"|Permission (to \S+ )?denied"
)
"""What a server says that refuses a credential, or denies to those without one that the repository exists."""

_OVER_SSH = "an ssh origin needs GIT_SSH_COMMAND or an agent instead"

_ON_THE_WAY: Meanings = (
    (
        "returned error: 30[0-9]",
        "remote_moved",
        "the server sends on to another address, which is not followed: make that the URL of the checkout's origin",
    ),
    ("transport '.*' not allowed", "protocol_refused", "give the checkout's origin an https URL"),
    ("", "remote_unreachable", "check the network, the proxy and the URL of the checkout's origin, then run again"),
)

UNREAD: Meanings = (
    (
        _NO_ACCESS,
        "fetch_forbidden",
        f"add `permissions: contents: read` to the job, or check the token; {_OVER_SSH}",
    ),
    *_ON_THE_WAY,
)
"""Why the remote could not be read."""

UNPUSHED: Meanings = (
    (
        "verified signature|signed commit",
        "signature_required",
        "the branch takes signed commits only: set `sign: api`, which lets GitHub sign them",
    ),
    (
        "`workflows?` (permission|scope)",
        "workflows_forbidden",
        "the push would change workflow files, which this token may not: delete the branch, or pass one that may",
    ),
    (
        "GH006|GH013|[Pp]rotected branch|rule violations",
        "push_refused_by_rule",
        "set `mode: pull-request`, or pass the token of a GitHub App that may bypass the rule",
    ),
    (
        _NO_ACCESS,
        "push_forbidden",
        f"add `permissions: contents: write` to the job, or pass a token that may write; {_OVER_SSH}",
    ),
    ("hook declined", "hook_declined", "a hook of the remote refuses the commit: see what it says"),
    (r"\A\[", "push_refused", "see what the remote says; another try would end the same"),
    *_ON_THE_WAY,
)
"""Why a branch was not written. The text begins with git's `[reason]` where the remote got as far as the branch."""

_RACE = re.compile(
    "fetch first|non-fast-forward|stale info|failed to update ref|incorrect old value|cannot lock ref"
    "|reference already exists|reference does not exist"
)


def lost_race(reason: str) -> bool:
    """Whether a ref was refused, for the reason git gives, because it is no longer what it was."""
    return _RACE.search(reason) is not None


def meaning(said: str, meanings: Meanings) -> tuple[str, str]:
    """The code and the remedy of a failure, from what was said."""
    return next((code, remedy) for pattern, code, remedy in meanings if re.search(pattern, said))
