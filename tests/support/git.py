"""Real git repositories in a temporary folder: a remote, people who commit to it, checkouts of every shape.

`GitServer` serves the remote over HTTP as a forge does, keeps the headers it saw, and refuses what it is told to.
"""

import os
import subprocess
import sys
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

QUICK = {"core.fsync": "none", "maintenance.auto": "false", "gc.auto": "0"}
"""What a repository that lives for a second can do without."""

OWN = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_COUNT": str(len(QUICK)),
    **{f"GIT_CONFIG_KEY_{n}": name for n, name in enumerate(QUICK)},
    **{f"GIT_CONFIG_VALUE_{n}": value for n, value in enumerate(QUICK.values())},
    **{f"GIT_{role}_{name}": "person@example.com" for role in ("AUTHOR", "COMMITTER") for name in ("NAME", "EMAIL")},
}
BACKEND = Path(subprocess.run(["git", "--exec-path"], check=True, capture_output=True, text=True).stdout.strip())


IMPORT = ("-c", "fastimport.unpackLimit=1", "fast-import", "--quiet", "--date-format=now")


def git(folder, *arguments, stdin=None):
    """What git prints, in a place of our own without anybody's configuration."""
    done = subprocess.run(["git", *arguments], cwd=folder, env=OWN, input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode("utf-8", "surrogateescape").strip("\n")


def quoted(path):
    """A path as fast-import reads it."""
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return b'"%b"' % os.fsencode(escaped)


def _change(path, to):
    if to is None:
        return b"D %b\n" % path
    if isinstance(to, str):
        return b"M 160000 %b %b\n" % (to.encode(), path)
    mode, data = to if isinstance(to, tuple) else ("100644", to)
    return b"M %b inline %b\ndata %d\n%b\n" % (mode.encode(), path, len(data), data)


def script(file, *lines):
    """An executable for the shell."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    file.chmod(0o755)
    return file


def make_forge(folder, files):
    """A remote with a first commit; may be copied."""
    git(folder, "init", "-q", "--bare", "--template=", "-b", "main", "remote.git")
    git(folder / "remote.git", "config", "uploadpack.allowFilter", "true")
    git(folder / "remote.git", "config", "core.fsync", "none")
    git(folder / "remote.git", "config", "receive.autogc", "false")
    Forge(folder).write(files)


def tip(bare, branch):
    """The commit that a branch is at, empty where there is no such branch; read without a process."""
    file = bare / "refs" / "heads" / branch
    return file.read_text().strip() if file.is_file() else ""


class Forge:
    """A bare remote in a folder, to which people commit."""

    def __init__(self, folder):
        self.folder = folder
        self.bare = folder / "remote.git"
        self.url = self.bare.as_uri()

    def write(self, files, branch="main", message="by hand"):
        """Somebody's commit on top of the branch, which is made from main where it is new.

        files: path to bytes, to (mode, bytes), to the commit of a submodule, or to None to delete. One process does it;
        a commit and a push take ten.
        """
        parent = next((each for each in (branch, "main") if tip(self.bare, each)), None)
        parts = [
            b"commit refs/heads/%b\ncommitter person <person@example.com> now\n" % os.fsencode(branch),
            b"data %d\n%b\n" % (len(message.encode()), message.encode()),
            b"from refs/heads/%b^0\n" % os.fsencode(parent) if parent else b"",
        ]
        git(self.bare, *IMPORT, stdin=b"".join([*parts, *(_change(quoted(path), to) for path, to in files.items())]))
        return self.tip(branch)

    def tip(self, branch="main"):
        found = tip(self.bare, branch)
        assert found, f"the remote has no branch {branch}"
        return found

    def branches(self):
        return git(self.bare, "for-each-ref", "--format=%(refname:short)", "refs/heads").split("\n")

    def read(self, path, branch="main"):
        return git(self.bare, "show", f"{branch}:{path}").encode("utf-8", "surrogateescape")

    def move(self, branch, commit):
        git(self.bare, "update-ref", f"refs/heads/{branch}", commit)

    def hook(self, name, *lines):
        script(self.bare / "hooks" / name, *lines)


# --------------------------------------------------------------------------------------------- shapes of a checkout


def normal(forge, folder):
    git(forge.folder, "clone", "-q", "--template=", str(forge.bare), str(folder))  # by its path: half of the time
    config = folder / ".git" / "config"
    config.write_text(config.read_text().replace(str(forge.bare), forge.url))
    return folder


def detached(forge, folder):
    normal(forge, folder)
    git(folder, "checkout", "-q", "--detach")
    return folder


def shallow(forge, folder):
    git(forge.folder, "clone", "-q", "--depth=1", forge.url, str(folder))
    return folder


def sparse(forge, folder):
    git(forge.folder, "clone", "-q", "--sparse", forge.url, str(folder))
    return folder


def partial(forge, folder):
    git(forge.folder, "clone", "-q", "--filter=blob:none", forge.url, str(folder))
    return folder


def worktree(forge, folder):
    normal(forge, forge.folder / "first-tree")
    git(forge.folder / "first-tree", "worktree", "add", "-q", "--detach", str(folder))
    return folder


def edited(forge, folder):
    """The user has changes in the index and in the working tree."""
    normal(forge, folder)
    (folder / "staged.txt").write_text("staged")
    git(folder, "add", "staged.txt")
    (folder / "README.md").write_text("edited")
    return folder


def hostile(forge, folder):
    """Whatever git can be made to start leaves a mark beside the folder."""
    normal(forge, folder)
    mark = script(folder.parent / "mark", f'echo "$0 $@" >> "{folder.parent}/ran"')
    for name in ("pre-push", "reference-transaction", "post-index-change", "post-checkout", "pre-auto-gc"):
        script(folder / ".hooks" / name, f'"{mark}" {name}')
        script(folder / ".git" / "hooks" / name, f'"{mark}" {name}')
    for key, value in {
        "core.hooksPath": str(folder / ".hooks"),
        "core.fsmonitor": str(mark),
        "core.sshCommand": str(mark),
        "core.pager": str(mark),
        "credential.helper": f"!{mark}",
        "alias.fetch": f"!{mark}",
        "url./nowhere/.insteadOf": "file:///",
        "remote.origin.receivepack": str(mark),
        "remote.origin.uploadpack": str(mark),
        "remote.origin.pushurl": "/nowhere",
        "core.worktree": "/nowhere",
    }.items():
        git(folder, "config", key, value)
    return folder


def read_only(forge, folder):
    normal(forge, folder)
    (folder / ".git" / "config").chmod(0o444)
    (folder / ".git").chmod(0o555)
    return folder


SHAPES = (normal, detached, shallow, sparse, partial, worktree, edited, hostile, read_only)


def everything(folder):
    """Every file below a folder, git's own included: its mode and bytes, or where it links to."""
    return {
        path: (
            path.lstat().st_mode,
            path.readlink() if path.is_symlink() else path.read_bytes() if path.is_file() else None,
        )
        for path in sorted(folder.rglob("*"))
    }


# ------------------------------------------------------------------------------------------------------------- HTTP


class GitServer:
    """A folder of bare repositories over HTTP on loopback, for those who send `token` in one header."""

    def __init__(self, root, token):
        self.root = root
        self.expected = "basic " + b64encode(f"x-access-token:{token}".encode()).decode()
        self.seen = []
        """The Authorization headers of every request."""
        self.arguments = b""
        """Those of every process there was while a request was answered, where the system shows them."""
        self.answers = {}
        """What is answered instead of serving: a status, or a URL to go to, by the service asked for."""
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                server.answer(self)

            def do_POST(self):
                server.answer(self)

            def log_message(self, *_):
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self):
        Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._http.shutdown()
        self._http.server_close()

    def answer(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        self.seen.append(request.headers.get_all("Authorization") or [])
        self.arguments += b"".join(map(arguments_of, processes()))
        service = next((name for name in ("git-upload-pack", "git-receive-pack") if name in request.path), "")
        instead = self.answers.get(service)
        if isinstance(instead, str):
            return _reply(request, 301, {"Location": instead + request.path})
        if instead or self.seen[-1] != [self.expected]:
            return _reply(request, instead or 401, {"WWW-Authenticate": 'Basic realm="git"'})
        head, _, content = self._backend(request, body).partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        return _reply(request, int(headers.pop("Status", "200").split()[0]), headers, content)

    def _backend(self, request, body):
        path, _, query = request.path.partition("?")
        environ = {
            **OWN,
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": "bot",
            "REQUEST_METHOD": request.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        }
        return subprocess.run(
            [BACKEND / "git-http-backend"], env=environ, input=body, capture_output=True, check=True
        ).stdout


def _reply(request, status, headers, content=b""):
    request.send_response(status)
    for name, value in {**headers, "Content-Length": str(len(content))}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(content)


def processes():
    """The numbers of all that run, where the system shows their arguments."""
    return [file.name for file in Path("/proc").iterdir() if file.name.isdigit()] if sys.platform == "linux" else []


def arguments_of(number):
    try:
        return Path("/proc", number, "cmdline").read_bytes()
    except OSError:  # it has ended
        return b""
