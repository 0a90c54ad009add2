"""The branches of the remote: fetch, look, push. Everything here goes over the network, and nothing else does."""

from __future__ import annotations

import re
from enum import Enum, auto

from reconcile.errors import ConfigurationError, GitError
from reconcile.git.runner import (
    REMOTE_SECONDS,
    UNPUSHED,
    UNREAD,
    Git,
    GitAnswer,
    Meanings,
    Settings,
    lost_race,
    meaning,
)

NAME = "reconcile"
"""A name of our own for the remote: what a user's configuration may say about `origin` does not fit it."""

TIP = "refs/reconcile/tip"
FETCH = ("fetch", "--quiet", "--depth=1", "--no-tags", "--no-auto-gc")
PUSH = ("push", "--porcelain", "--no-recurse-submodules")


class Push(Enum):
    """What became of a push that was not refused."""

    LANDED = auto()
    RACED = auto()


class GitRemote:
    """The remote of the private repository that `git` runs in; `access` are the settings that lead and admit to it."""

    def __init__(self, git: Git, access: Settings) -> None:
        self._git = git
        self._access = (*access,)
        self._accepted: set[str] = set()

    def fetch(self, branch: str) -> str:
        """The commit at the tip of the branch now, with all its files. Raises GitError, `branch_missing` included."""
        ref = self._ref(branch)
        answer = self._ask(*FETCH, NAME, f"+{ref}:{TIP}")
        if answer.code == 0:
            return self._git.run("rev-parse", "--verify", TIP).decode().strip()
        if "couldn't find remote ref" not in answer.stderr:
            raise self._failure("the remote cannot be read", answer.stderr, UNREAD)
        if self._refs("refs/heads/*"):
            raise _missing(f"the remote has no branch {branch}", "create it, or name another with the input `branch`")
        raise _missing("the remote repository is empty", "push a first commit")

    def tip(self, branch: str) -> str | None:
        """The commit the branch points to on the remote now; None where there is no such branch."""
        ref = self._ref(branch)
        return self._refs(ref).get(ref)

    def default_branch(self) -> str:
        """The branch that the remote's HEAD names. Raises GitError where there is none, as in an empty repository."""
        named = re.match(r"ref: refs/heads/(\S+)\tHEAD\n", self._listed("--symref", NAME, "HEAD"))
        if named:
            return named[1]
        raise _missing("the remote has no default branch", "push a first commit, or name one with the input `branch`")

    def push(self, commit: str, branch: str) -> Push:
        """Move the branch forward to the commit. Raises GitError where another try would be refused as well.

        Where git was ended or the connection cut, the branch may have moved all the same: `tip` says.
        """
        return self._push(f"{commit}:{self._ref(branch)}")

    def check_push(self, commit: str, branch: str) -> None:
        """Raises the GitError of a push that may not be made, without making it. Asks for access, not for rules."""
        self._push(f"{commit}:{self._ref(branch)}", "--dry-run")

    def replace(self, commit: str, branch: str, *, expected: str | None) -> Push:
        """Point a branch that only we write to the commit if it still is at `expected`; None: if it does not exist."""
        ref = self._ref(branch)
        return self._push(f"{commit}:{ref}", f"--force-with-lease={ref}:{expected or ''}")

    def delete(self, branch: str, *, expected: str) -> Push:
        """Delete a branch that only we write if it still is at `expected`."""
        ref = self._ref(branch)
        return self._push(f":{ref}", f"--force-with-lease={ref}:{expected}")

    def _push(self, refspec: str, *options: str) -> Push:
        answer = self._ask(*PUSH, *options, NAME, refspec)
        if answer.code == 0:
            return Push.LANDED
        refused = re.search(r"^!\t[^\t]*\t(.*)$", answer.stdout.decode("utf-8", "replace"), re.MULTILINE)
        reason = refused[1] if refused else ""
        if lost_race(reason):
            return Push.RACED
        branch = refspec.rpartition(":refs/heads/")[2]
        raise self._failure(f"{branch} cannot be pushed", f"{reason}\n{answer.stderr}".lstrip(), UNPUSHED)

    def _refs(self, pattern: str) -> dict[str, str]:
        """The commits of the remote's refs, by their full names."""
        lines = (line.split("\t") for line in self._listed(NAME, pattern).split("\n")[:-1])
        return {name: commit for commit, name in lines}

    def _listed(self, *arguments: str) -> str:
        answer = self._ask("ls-remote", *arguments)
        if answer.code:
            raise self._failure("the remote cannot be read", answer.stderr, UNREAD)
        return answer.stdout.decode("utf-8", "surrogateescape")

    def _ask(self, *arguments: str) -> GitAnswer:
        return self._git.ask(*arguments, settings=self._access, seconds=REMOTE_SECONDS)

    def _ref(self, branch: str) -> str:
        """The full name of a branch, which came from outside: no option, no expression, no pattern."""
        if branch in self._accepted or (branch and branch.isprintable() and self._named(branch) == branch):
            self._accepted.add(branch)
            return f"refs/heads/{branch}"
        raise ConfigurationError(
            f"{branch!a} is no name of a branch",
            code="bad_branch",
            remedy="name a branch of the repository, such as main: without refs/heads/, spaces or patterns",
        )

    def _named(self, branch: str) -> str:
        """What git takes the name for; empty where it refuses it, or a leading dash."""
        answer = self._git.ask("check-ref-format", "--branch", branch)
        return answer.stdout.decode("utf-8", "replace").removesuffix("\n")

    def _failure(self, what: str, said: str, meanings: Meanings) -> GitError:
        code, remedy = meaning(said, meanings)
        return GitError(f"{what}: {self._git.quoted(said)}", code=code, remedy=remedy)


def _missing(message: str, remedy: str) -> GitError:
    return GitError(message, code="branch_missing", remedy=remedy)


PUSH_REMEDY = "use `mode: pull-request`, or pass the token of a GitHub App that may bypass the rule as `token`"
"""Where a rule of the branch refuses plain pushes."""
