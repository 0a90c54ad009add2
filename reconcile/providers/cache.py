"""A cache of closed days in the user's cache directory: what was answered once for them is not asked for again.

Responsible for keeping the rows of whole days so that only those come back that this program wrote with the same key
for the same service. What days are closed is for who asks. A file that cannot be read, is broken, or is anybody
else's is as good as none: the day is asked for again. Nothing here raises: without a cache all works as well.

The key is in no file and no name. What stands there is derived from it and the address of the service by a slow hash:
a name for the folder, and the secret that seals its files, so that nobody without the key can make one up.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import stat
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from reconcile.files import write_whole

FORMAT = 1
MOST_BYTES = 256 * 2**20
"""As much as one answer may have; a larger file is none that was written here."""
STALE = 3600
"""Seconds after which a temporary file is one that a killed writer left."""
ROUNDS = 50_000

PLAIN = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""Never follow a link, never wait for the other end of a pipe."""

Rows = list[tuple[int, Any]]
"""Rows as they were answered, each with the start of its bucket in Unix seconds."""


def default_folder() -> Path:
    """Below the user's cache directory, wherever that is on this system."""
    return user_cache_path("llm-usage-reconcile", appauthor=False) / "usage"


class PeriodCache:
    """Files below `folder`, which is made with the first of them. One for a service and a key is a `Shelf`."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or default_folder()

    def shelf(self, service: str, key: str) -> Shelf:
        return Shelf(self.folder, service.rstrip("/"), key)


class Shelf:
    """The days that were read from one service with one key."""

    def __init__(self, folder: Path, service: str, key: str) -> None:
        derived = hashlib.pbkdf2_hmac("sha256", key.encode(), f"period cache of {service}".encode(), ROUNDS, 48)
        self._folder = folder / derived[:16].hex()
        self._secret = derived[16:]

    def get(self, endpoint: str, version: str, day: int) -> Rows | None:
        """The rows of a day, given by its first second; None where there is no file to be trusted.

        `version` names all that shapes an answer but the time: a question that changes must change it.
        """
        try:
            kept = json.loads(_read(self._path(endpoint, version, day)))
            body = kept["rows"]
            if not hmac.compare_digest(str(kept["seal"]), self._seal(endpoint, version, day, body)):
                return None
            return [(start, row) for start, row in json.loads(body)]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def put(self, endpoint: str, version: str, day: int, rows: Rows) -> bool:
        """Keeps the rows of a day; False where that is not possible, which harms nothing. Decimals become text."""
        body = json.dumps(rows, default=str)
        content = json.dumps({"format": FORMAT, "rows": body, "seal": self._seal(endpoint, version, day, body)})
        path = self._path(endpoint, version, day)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sweep(path.parent)
            write_whole(path, content.encode())
        except OSError:
            return False
        return True

    def _path(self, endpoint: str, version: str, day: int) -> Path:
        return self._folder / endpoint / f"{datetime.fromtimestamp(day, UTC):%Y-%m-%d}.{version}.json"

    def _seal(self, endpoint: str, version: str, day: int, body: str) -> str:
        said = json.dumps([FORMAT, endpoint, version, day, body])
        return hmac.new(self._secret, said.encode(), "sha256").hexdigest()


def _read(path: Path) -> bytes:
    descriptor = os.open(path, PLAIN)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > MOST_BYTES:
            raise OSError("no file that was written here")
        return file.read()


def _sweep(folder: Path) -> None:
    for left in folder.glob(".*.tmp"):
        with suppress(OSError):
            if left.stat().st_mtime < time.time() - STALE:
                left.unlink()
