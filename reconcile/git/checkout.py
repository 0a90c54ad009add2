"""The user's working tree: what is taken from it, what git ignores there, and how landed files get into it.

Of its configuration only the URL of `origin` and the format of objects count. The two commands that read them start
no other program, whatever is configured there. Nothing but files that were there before is ever written. Whoever asks
what is ignored outside of a repository, or without git, hears of nothing.
"""

from __future__ import annotations

import re
import secrets
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from reconcile.errors import ConfigurationError, GitError
from reconcile.git.runner import Git, GitAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A working tree of any shape: detached, shallow, sparse, partial, one of several."""

    git: Git
    """What may read it."""
    origin: str
    """The URL, or the absolute path, that its `origin` names."""
    object_format: str
    objects: Path
    shallow: Path
    """The file that names the commits whose parents are not there; it need not exist."""

    @property
    def lends_objects(self) -> bool:
        """Whether what its commits name is there: a partial clone would have to fetch it one by one."""
        return not any((self.objects / "pack").glob("*.promisor"))


def read_checkout(git: Git, folder: Path) -> Checkout:
    """The working tree whose top folder is `folder`, an absolute path.

    Raises ConfigurationError where it is none, or has no origin.
    """
    places = _places(git, folder)
    if _of_another(places):
        with on_disk(git.folder):
            git = git.trusting(folder)
        places = _places(git, folder)
    if _of_another(places):
        version = ".".join(map(str, git.version))
        raise ConfigurationError(
            f"{folder} belongs to another user, and git {version} takes nobody's word from the environment that it is "
            "safe",
            code="unsafe_checkout",
            remedy="use git 2.38 or newer in the container, or let a step before run "
            f"git config --global --add safe.directory {folder}",
        )
    if places.code:
        raise ConfigurationError(
            f"{folder} is no git checkout that can be read: {git.quoted(places.stderr)}",
            code="no_checkout",
            remedy="let actions/checkout come first, with git 2.31 or newer on the runner",
        )
    object_format, objects, shallow = places.stdout.decode("utf-8", "surrogateescape").removesuffix("\n").split("\n")
    return Checkout(
        git=git, origin=_origin(git, folder), object_format=object_format, objects=Path(objects), shallow=Path(shallow)
    )


def _places(git: Git, folder: Path) -> GitAnswer:
    return git.ask(
        *("-C", str(folder), "rev-parse", "--path-format=absolute", "--show-object-format"),
        *("--git-path", "objects", "--git-path", "shallow"),
    )


def _of_another(places: GitAnswer) -> bool:
    """Whether git refuses a folder of another user, in the words of today's and of older versions."""
    return places.code != 0 and re.search("dubious ownership|unsafe repository", places.stderr) is not None


def refresh(folder: Path, changes: Mapping[str, bytes], before: Mapping[str, bytes | None]) -> None:
    """Write `changes` into the plain files below `folder` that hold the bytes of `before`; leave all others alone.

    Where `before` says None there was no file, and one is made beside others if none has come there since.
    """
    for path, after in changes.items():
        with on_disk(folder / path):
            file = _plain_file(folder, path)
            if file and file.read_bytes() == before.get(path):
                _replace(file, after)
            elif path in before and before[path] is None and (new := _free(folder, path)):
                new.write_bytes(after)


@contextmanager
def on_disk(place: Path) -> Iterator[None]:
    """A failure to read or write there is a GitError."""
    try:
        yield
    except OSError as error:
        raise GitError(
            f"{str(place)!a}: cannot be written ({error.strerror})",
            code="unwritable_file",
            remedy="check the permissions and the space on the disk, then run the pass again",
        ) from error


def _origin(git: Git, folder: Path) -> str:
    found = git.ask("-C", str(folder), "config", "--local", "-z", "--get-all", "remote.origin.url")
    url = found.stdout.decode("utf-8", "surrogateescape").split("\0")[0]
    if not url:
        raise ConfigurationError(
            f"{folder} has no remote `origin`",
            code="no_origin",
            remedy="check the repository out with actions/checkout, or add the remote",
        )
    # What has no colon before its first slash is a path, which git takes from the top of the checkout.
    return url if re.match("[^/]*:", url) else str(folder / url)


def _plain_file(folder: Path, path: str) -> Path | None:
    """The file at a path of the repository, if nothing on the way there is a link and it is a plain file itself."""
    file = _inside(folder, path)
    with suppress(FileNotFoundError, NotADirectoryError):
        if file and stat.S_ISREG(file.lstat().st_mode):
            return file
    return None


def _free(folder: Path, path: str) -> Path | None:
    """The same path where nothing is."""
    file = _inside(folder, path)
    return file if file and not file.exists() and not file.is_symlink() else None


def _inside(folder: Path, path: str) -> Path | None:
    """A path of the repository to which nothing but folders lead. One that begins with a slash stays below too."""
    parts = path.split("/")
    file = folder.joinpath(*parts)
    parents = file.parents[: len(parts) - 1]
    with suppress(FileNotFoundError, NotADirectoryError):
        if ".." not in parts and all(stat.S_ISDIR(parent.lstat().st_mode) for parent in parents):
            return file
    return None


def _replace(file: Path, data: bytes) -> None:
    """Whole or not at all, with the file's own mode."""
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(8)}.tmp")
    try:
        temporary.write_bytes(data)
        temporary.chmod(stat.S_IMODE(file.lstat().st_mode))
        temporary.replace(file)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def ignored(git: Git, folder: Path, paths: Sequence[str]) -> frozenset[str]:
    """Those of the paths, which are below the folder and spelled from where git is started, that git ignores.

    A file that is in the index is not ignored, whatever a pattern says of it.
    """
    if not paths:
        return frozenset()
    asked = "".join(f"{Path(path).absolute()}\0" for path in paths).encode("utf-8", "surrogateescape")
    try:
        answer = git.ask("-C", str(folder.absolute()), "check-ignore", "-z", "--stdin", stdin=asked)
    except GitError:
        return frozenset()
    if answer.code != 0:  # 1: none of them; 128: no repository here
        return frozenset()
    found = set(answer.stdout.decode("utf-8", "surrogateescape").split("\0"))
    return frozenset(path for path in paths if str(Path(path).absolute()) in found)


def ignored_around(folder: Path, paths: Sequence[str], environ: Mapping[str, str]) -> frozenset[str]:
    """The same by the git that this environment has, if it has one."""
    try:
        git = Git.found(environ, folder=folder, secrets=(), protocols="https")
    except ConfigurationError:
        return frozenset()
    return ignored(git, folder, paths)
