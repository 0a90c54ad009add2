"""The private repository: the files of a commit, and commits made of them by plumbing, without a working tree."""

from __future__ import annotations

import re
import shutil
import tempfile
from base64 import b64encode
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from reconcile.errors import GitError
from reconcile.git.checkout import Checkout, ignored, on_disk, read_checkout, refresh
from reconcile.git.remote import NAME, GitRemote
from reconcile.git.runner import Git, Settings
from reconcile.git.versions import had

BOT = {"NAME": "github-actions[bot]", "EMAIL": "41898282+github-actions[bot]@users.noreply.github.com"}
NEW, EXECUTABLE = "100644", "100755"
SHOWN = 3
BATCH_BYTES = 64_000_000
"""Of files that are read at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeFile:
    """A file of a commit; `path` from the top with `/`, bytes that are no UTF-8 as lone surrogates, `size` in bytes."""

    path: str
    mode: str
    oid: str
    size: int | None
    """None for a submodule."""

    @property
    def plain(self) -> bool:
        """Neither a link nor a submodule."""
        return self.mode in (NEW, EXECUTABLE)


class GitRepository:
    """Commits for the remote of `checkout`, the top folder of a working tree; `scratch` is a folder of our own.

    `token` is sent to `server_url` and nowhere else; without one, git uses the credentials it finds in `environ` and
    in the configuration of user and system. Raises ConfigurationError where the checkout is none or has no origin.
    """

    def __init__(
        self, *, checkout: Path, scratch: Path, token: str | None, server_url: str, environ: Mapping[str, str]
    ) -> None:
        server = server_url.rstrip("/")
        checkout, scratch = checkout.absolute(), scratch.absolute()
        basic = b64encode(f"x-access-token:{token}".encode()).decode() if token else ""
        with on_disk(scratch):
            scratch.mkdir(parents=True, exist_ok=True)
            private = Path(tempfile.mkdtemp(prefix="repository-", dir=scratch))
        git = Git.found(
            environ,
            folder=scratch,
            secrets=(token, basic) if token else (),
            protocols="https:ssh:file" + (":http" if server.startswith("http:") else ""),
        )
        source = read_checkout(git, checkout)
        self._checkout = checkout
        self._scratch = scratch
        self._around = source.git
        self._git = source.git.within(private)
        self._create(private, source)
        self.remote = GitRemote(self._git, _access(source.origin, server, basic))

    def files(self, commit: str, folder: str) -> list[TreeFile]:
        """Every file of the commit below `folder`, or in all of it for `.`, links and submodules included."""
        below = () if folder == "." else ("--", folder)
        listed = self._git.run("ls-tree", "-r", "-z", "-l", commit, *below)
        return [_tree_file(entry) for entry in _text(listed).split("\0") if entry]

    def contents(self, files: Sequence[TreeFile]) -> dict[str, bytes]:
        """The bytes of files of a commit, by path. Files of the same bytes share them, however many there are."""
        blobs: dict[str, bytes] = {}
        for batch in _batches({file.oid: file for file in files}.values()):
            blobs |= self._blobs(batch)
        return {file.path: blobs[file.oid] for file in files}

    def _blobs(self, files: Sequence[TreeFile]) -> dict[str, bytes]:
        """The bytes of each, by its name in git."""
        found = self._git.run("cat-file", "--batch", stdin="".join(f"{file.oid}\n" for file in files).encode())
        blobs = {}
        at = 0
        for file in files:
            start = found.index(b"\n", at) + 1
            _, kind, *size = found[at:start].split()
            if kind != b"blob":
                raise GitError(
                    f"{file.path!a}: its bytes are not in the repository",
                    code="object_missing",
                    remedy="keep submodules out of the folder of runs",
                )
            at = start + int(size[0]) + 1
            blobs[file.oid] = found[start : at - 1]
        return blobs

    def commit(self, parent: str, changes: Mapping[str, bytes], *, message: str, at: datetime) -> str:
        """A commit on `parent` in which the files of `changes`, which must differ there, have these bytes.

        It is known to nobody until it is pushed. Modes stay as they are. Raises GitError `commit_refused` where
        anything else would change, or something that is no plain file.
        """
        modes = {file.path: file.mode for file in self.files(parent, ".")}
        stored = zip(changes, self._store(changes.values()), strict=True)
        entries = (f"{modes.get(path, NEW)} {oid}\t{path}\0" for path, oid in stored)
        self._git.run("read-tree", parent)
        self._git.run("update-index", "-z", "--index-info", stdin=_bytes("".join(entries)))
        tree = _text(self._git.run("write-tree")).strip()
        made = self._git.run(
            *("commit-tree", tree, "-p", parent), stdin=message.encode("utf-8", "replace"), environ=_signed(at)
        )
        commit = _text(made).strip()
        self._guard(parent, commit, changes)
        return commit

    def ignored(self, paths: Sequence[str]) -> frozenset[str]:
        """Those of the checkout's files that git ignores."""
        return ignored(self._around, self._checkout, paths)

    def versions(self, paths: Sequence[str], base: str | None) -> dict[str, list[tuple[str, bytes]]]:
        """What commits before had in the checkout's files, as `versions` says it.

        `base`: a commit that was fetched. A shallow checkout has nothing else of what it was merged with.
        """
        try:
            head = _text(self._around.run("-C", str(self._checkout), "rev-parse", "--verify", "HEAD")).strip()
            merged, _, _ = _text(self._git.run("cat-file", "commit", head)).partition("\n\n")
        except GitError:  # nothing is checked out, or a partial clone, which has the commit and not all that it names
            return {}
        known = base if f"parent {base}" in merged.splitlines() else None
        return had(self._git, self._checkout, Path.cwd(), paths, head=head, base=known)

    def refresh_checkout(self, changes: Mapping[str, bytes], before: Mapping[str, bytes | None]) -> None:
        """Write landed bytes into the checkout's files that hold the bytes of `before`; leave all others alone."""
        refresh(self._checkout, changes, before)

    def _create(self, private: Path, source: Checkout) -> None:
        """An empty repository without hooks that finds the checkout's objects, and knows which of them are missing."""
        self._git.run("init", "--quiet", "--bare", "--template=", f"--object-format={source.object_format}")
        if not source.lends_objects:
            return
        with on_disk(private):
            (private / "objects" / "info").mkdir(exist_ok=True)
            (private / "objects" / "info" / "alternates").write_bytes(_bytes(f"{source.objects}\n"))
            if source.shallow.exists():
                shutil.copyfile(source.shallow, private / "shallow")

    def _store(self, contents: Collection[bytes]) -> list[str]:
        """Put blobs into the repository; their names, in the same order."""
        with on_disk(self._scratch), tempfile.TemporaryDirectory(prefix="blobs-", dir=self._scratch) as folder:
            for number, data in enumerate(contents):
                Path(folder, str(number)).write_bytes(data)
            names = "".join(f"{Path(folder).name}/{number}\n" for number in range(len(contents)))
            stored = self._git.run("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=names.encode())
        return _text(stored).split()

    def _guard(self, parent: str, commit: str, changes: Mapping[str, bytes]) -> None:
        """The last look before anything is pushed: from parent to commit exactly these plain files change."""
        listed = self._git.run("diff-tree", "-r", "--raw", "-z", "--no-renames", parent, commit)
        fields = _text(listed).split("\0")
        touched = dict(zip(fields[1::2], fields[0:-1:2], strict=True))
        plain = {path for path, change in touched.items() if _keeps_plain(change)}
        odd = sorted((touched.keys() ^ changes.keys()) | (touched.keys() - plain))
        if odd or not touched:
            raise GitError(
                f"the commit would change {len(touched)} files where {len(changes)} are to change"
                + "".join(f", {path!a}" for path in odd[:SHOWN]),
                code="commit_refused",
                remedy="nothing was pushed; keep links, submodules and files in the place of folders out of the runs",
            )


def _batches(files: Iterable[TreeFile]) -> Iterator[list[TreeFile]]:
    """The files in groups that are read at once: what git prints lies in memory beside what is kept of it."""
    batch: list[TreeFile] = []
    size = 0
    for file in files:
        batch.append(file)
        size += file.size or 0
        if size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    yield batch


def _access(origin: str, server: str, basic: str) -> Settings:
    """The settings for the remote. git shows the URL in its arguments: credentials in it give way to the token.

    An empty header comes first: it takes back those that others configured for the server, and two would be refused.
    """
    if not basic:
        return ((f"remote.{NAME}.url", origin),)
    bare = re.sub(r"\A(https?://)[^/]*@", r"\1", origin)
    key = f"http.{server}/.extraheader"
    return (
        (f"remote.{NAME}.url", bare if bare.startswith(f"{server}/") else origin),
        (key, ""),
        (key, f"AUTHORIZATION: basic {basic}"),
        ("credential.helper", ""),  # a refused token must not be followed by whatever else the machine knows
    )


def _keeps_plain(change: str) -> bool:
    """Of `:<old mode> <new mode> <old> <new> <letter>`: a plain file that was added, or changed and nothing else."""
    old, new, _, _, letter = change[1:].split()
    return (letter == "A" and new == NEW) or (letter == "M" and old == new and new in (NEW, EXECUTABLE))


def _signed(at: datetime) -> dict[str, str]:
    """Author and committer in git's environment."""
    who = {**BOT, "DATE": f"@{int(at.timestamp())} +0000"}
    return {f"GIT_{role}_{name}": value for role in ("AUTHOR", "COMMITTER") for name, value in who.items()}


def _tree_file(entry: str) -> TreeFile:
    """An entry of ls-tree: `<mode> <type> <oid> <size>`, a tab, the path."""
    details, _, path = entry.partition("\t")
    mode, _, oid, size = details.split()
    return TreeFile(path=path, mode=mode, oid=oid, size=None if size == "-" else int(size))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
