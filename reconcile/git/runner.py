"""Runs git so that nothing but its arguments decides what it does, and says what its words mean when it fails.

The GIT_* variables around it, and any variable that holds a secret, do not reach it; hooks, signatures, redirects,
housekeeping and prompts are off; every command has a time limit. A secret travels in the environment of the one
command that needs it, as settings, never in the arguments, which every process of the machine can read, and is cut out
of whatever git says. What commands are for is not known here.

A failure means that somebody else was faster, or what to set or to mend. The words are git's untranslated ones
(LC_ALL=C) and GitHub's (GH006: protected branch, GH013: ruleset). Whether a push lost a race is read from the reason
git gives for the ref alone: what a hook of the remote prints proves nothing.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from reconcile.errors import ConfigurationError, GitError

LOCAL_SECONDS = 120
REMOTE_SECONDS = 300
EXCERPT = 500

Settings = Iterable[tuple[str, str]]
"""Names and values of git's configuration."""

KEPT = frozenset({"GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH"})
"""How to reach the remote from here: the only GIT_* variables of the caller that git gets to see."""

OWN_GLOBAL, SAFE_BY_ENVIRONMENT = (2, 32), (2, 38)
"""From when on GIT_CONFIG_GLOBAL and, of the environment, safe.directory count."""

QUIET = {
    "LC_ALL": "C",  # what failures mean is read from the untranslated words
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
}

HARMLESS = (
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),  # it names a program
    ("core.fsync", "none"),  # what is written here need not outlive the job
    ("maintenance.auto", "false"),
    ("push.gpgSign", "false"),
    ("i18n.commitEncoding", "UTF-8"),
    ("http.followRedirects", "false"),  # git would repeat the token to whatever host it is sent on to
    ("safe.directory", "*"),  # in a container the checkout belongs to another user
)
"""Settings of every command. They come last, so that those of the user and the system do not count."""


@dataclass(frozen=True, slots=True)
class GitAnswer:
    """How a command ended and all that it said."""

    code: int
    stdout: bytes
    stderr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """The program, where it is started, and what it gets to see."""

    program: str
    folder: Path
    environ: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)

    @classmethod
    def found(cls, environ: Mapping[str, str], *, folder: Path, secrets: tuple[str, ...], protocols: str) -> Git:
        """The git on the PATH of `environ`, to be started in `folder`; URLs may begin with `protocols` (`a:b`) only."""
        passed = {
            name: value
            for name, value in environ.items()
            if (not name.startswith("GIT_") or name in KEPT) and not any(secret in value for secret in secrets)
        }
        quiet = {**passed, **QUIET, "GIT_ALLOW_PROTOCOL": protocols}
        return cls(program=_program(environ.get("PATH", "")), folder=folder, environ=quiet, secrets=secrets)

    @property
    def version(self) -> tuple[int, int]:
        """2.39 as (2, 39); what tells none is taken for the newest."""
        found = re.search(r"([0-9]+)\.([0-9]+)", self.ask("version").stdout.decode("utf-8", "replace"))
        return (int(found[1]), int(found[2])) if found else (99, 0)

    def trusting(self, checkout: Path) -> Git:
        """The same where the checkout may belong to another user, as it does in a container.

        Only from 2.38 on git takes `safe.directory` from the environment. An older one takes it from a file of the
        user's, and from 2.32 on lets us name that: ours, which includes the user's own.
        """
        if not OWN_GLOBAL <= self.version < SAFE_BY_ENVIRONMENT:
            return self
        home = self.environ.get("HOME", "")
        users = (
            Path(self.environ.get("XDG_CONFIG_HOME") or Path(home, ".config"), "git", "config"),
            Path(home, ".gitconfig"),
        )
        lines = ["[include]", *(f"path = {_quoted(str(file))}" for file in users if file.is_absolute())]
        lines += ["[safe]", "directory = *", f"directory = {_quoted(str(checkout))}"]
        file = self.folder / "gitconfig"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="surrogateescape")
        return replace(self, environ={**self.environ, "GIT_CONFIG_GLOBAL": str(file)})

    def within(self, directory: Path) -> Git:
        """The same, on the repository at `directory` whatever lies around it."""
        return replace(self, environ={**self.environ, "GIT_DIR": str(directory)})

    def run(self, *arguments: str, stdin: bytes = b"", environ: Mapping[str, str] | None = None) -> bytes:
        """What a command without the network prints. Raises GitError where it fails."""
        answer = self.ask(*arguments, stdin=stdin, environ=environ)
        if answer.code == 0:
            return answer.stdout
        raise GitError(
            f"git {arguments[0]} failed ({answer.code}): {self.quoted(answer.stderr)}",
            code="git_failed",
            remedy="check the space on the disk and the version of git (2.31 or newer), then run the pass again",
        )

    def ask(
        self,
        *arguments: str,
        stdin: bytes = b"",
        settings: Settings = (),
        environ: Mapping[str, str] | None = None,
        seconds: float = LOCAL_SECONDS,
    ) -> GitAnswer:
        """Run a command to its end, good or bad. Raises GitError where it cannot be started or takes too long."""
        seen = {**self.environ, **_as_environment((*HARMLESS, *settings)), **(environ or {})}
        try:
            code, stdout, stderr = _finished([self.program, *arguments], self.folder, seen, stdin, seconds)
        except subprocess.TimeoutExpired as error:
            raise GitError(
                f"git {arguments[0]} took more than {seconds:g} s and was ended",
                code="git_timeout",
                remedy="check the network and the remote, then run the pass again",
            ) from error
        except (OSError, ValueError) as error:  # ValueError: an argument that holds a zero byte
            raise GitError(
                f"git {arguments[0]} cannot be started ({error})",
                code="git_failed",
                remedy="check the installation of git and the names of folders and branches",
            ) from error
        return GitAnswer(code, stdout, stderr.decode("utf-8", "replace"))

    def quoted(self, text: str) -> str:
        """What git or the remote said, fit for a message: on one line, shortened, without secrets."""
        for secret in self.secrets:
            text = text.replace(secret, "[token]")
        text = re.sub(r"//[^/@\s]*@", "//[credentials]@", text)
        lines = (line.removeprefix("remote:").strip() for line in text.splitlines())
        shown = " / ".join(line for line in lines if line)
        cut = shown[:EXCERPT] + ("..." if len(shown) > EXCERPT else "")
        return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)


def _quoted(value: str) -> str:
    """A value for a file of git's configuration."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _as_environment(settings: Settings) -> dict[str, str]:
    pairs = list(settings)
    numbered = {f"GIT_CONFIG_KEY_{n}": name for n, (name, _) in enumerate(pairs)}
    numbered |= {f"GIT_CONFIG_VALUE_{n}": value for n, (_, value) in enumerate(pairs)}
    return {"GIT_CONFIG_COUNT": str(len(pairs)), **numbered}


def _program(path: str) -> str:
    """The first git in an absolute folder of the PATH: a git that lies in the workspace must never be started."""
    name = "git.exe" if sys.platform == "win32" else "git"
    candidates = (Path(folder, name) for folder in path.split(os.pathsep) if Path(folder).is_absolute())
    for candidate in candidates:
        if candidate.is_file() and os.access(candidate, os.X_OK):
            return str(candidate)
    raise ConfigurationError(
        "git is not on the PATH", code="git_missing", remedy="install git 2.31 or newer on the runner"
    )


def _finished(
    command: Sequence[str], folder: Path, environ: Mapping[str, str], stdin: bytes, seconds: float
) -> tuple[int, bytes, bytes]:
    """The exit code, the output and the errors of a command that ended by itself, and in time."""
    with subprocess.Popen(  # noqa: S603  no shell, and the program was looked up
        command,
        cwd=folder,
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # ssh has no terminal to ask at, and the whole group can be ended
    ) as process:
        try:
            stdout, stderr = process.communicate(stdin, seconds)
        except BaseException:
            _end(process)
            raise
    return process.returncode, stdout, stderr


def _end(process: subprocess.Popen[bytes]) -> None:
    """End git and what it started, which would keep its pipes open."""
    with suppress(OSError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)


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
