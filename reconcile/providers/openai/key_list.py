"""Projects and their API keys: which ids there are, and what is left of each secret. It takes a scope of its own.

Lists here go on after the last id they showed, unlike usage, whose pages have cursors. A key that was deleted is in no
list, while its usage stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from reconcile.errors import ProviderError, ReconcileError
from reconcile.minutes import instant
from reconcile.providers.base import Contact, ListedKey
from reconcile.providers.openai.asking import BASE_URL, MANAGEMENT, USAGE, Asker, Untrusted, refusal
from reconcile.providers.openai.completions import PATH
from reconcile.providers.transport import Http, Patience

PROJECTS = "/organization/projects"
PAGE = ("limit", "100")
WHOSE = "the list of API keys"
REMEDY = "run again; if it repeats, name key ids by hand: they stand beside the keys in the provider's settings"
LONG_PAST = 1_735_689_600
"""2025-01-01: a day that has ended by every clock."""

ONCE = Patience(tries=1)
PATIENCE = Patience(tries=3)


def contact(admin_key: str, base_url: str = BASE_URL, *, patience: Patience = ONCE) -> Contact:
    """Asks for one day of usage that is long past, so that no wrong clock makes a wrong question of it."""
    problem: ReconcileError | None = None
    served_at, local = None, False
    try:
        http = Http(base_url.rstrip("/") + PATH, admin_key, patience)
        local = http.local
        answer = http.get([("start_time", str(LONG_PAST)), ("bucket_width", "1d"), ("limit", "1")])
        served_at = answer.served_at
        if answer.status == 200:  # noqa: PLR2004  OK
            http.json_object(answer.body)
        else:
            problem = refusal(http, answer, "the usage API", USAGE)
    except ReconcileError as error:
        problem = error
    return Contact(asked_at=datetime.now(UTC), served_at=served_at, local=local, problem=problem)


def list_keys(
    admin_key: str, base_url: str = BASE_URL, *, now: datetime | None = None, patience: Patience = PATIENCE
) -> tuple[ListedKey, ...]:
    """Every enabled key of every project, archived ones too, whoever owns it. Raises ProviderError, whole or nothing.

    `now` as in `OpenAIUsage`. An archived project may not tell of its keys: it has none to list then.
    """
    return tuple(_Lister(admin_key, base_url.rstrip("/"), now, patience).keys())


class _Lister:
    """Walks the lists."""

    def __init__(self, key: str, base_url: str, now: datetime | None, patience: Patience) -> None:
        self._key = key
        self._base_url = base_url
        self._now = now
        self._patience = patience

    def keys(self) -> Iterator[ListedKey]:
        try:
            for project in self._all(PROJECTS, ("include_archived", "true")):
                yield from self._of(project)
        except Untrusted as answer:
            raise answer.error(WHOSE, REMEDY) from answer

    def _of(self, project: dict[str, Any]) -> Iterator[ListedKey]:
        identifier, name = _text(project, "id"), project.get("name")
        archived = project.get("status") == "archived"
        path = f"{PROJECTS}/{quote(identifier, safe='')}/api_keys"
        try:
            found = list(self._all(path, ("owner_project_access", "any")))
        except ProviderError as error:
            if archived and error.code in {"request_refused", "not_found"}:
                return
            raise
        for key in found:
            used = key.get("last_used_at")
            yield ListedKey(
                id=_id(key),
                name=key["name"] if type(key.get("name")) is str else "",
                redacted=_text(key, "redacted_value"),
                project_id=identifier,
                project=name if type(name) is str else identifier,
                archived=archived,
                last_used_at=instant(used) if type(used) is int and 0 < used < 2**35 else None,
            )

    def _all(self, path: str, *params: tuple[str, str]) -> Iterator[dict[str, Any]]:
        """The entries of every page."""
        http = Http(self._base_url + path, self._key, self._patience)
        asker = Asker(http, self._now, WHOSE, scope=MANAGEMENT)
        seen: set[str] = set()
        after: list[tuple[str, str]] = []
        more: Any = True
        while more:
            page = asker.page([PAGE, *params, *after]).value
            entries, more = page.get("data"), page.get("has_more")
            if type(entries) is not list or type(more) is not bool:
                raise Untrusted("unexpected_shape", "a page is not a list with `has_more`")
            yield from (_entry(each) for each in entries)
            if more:
                last = _text(_entry(entries[-1]), "id") if entries else ""
                if not last or last in seen:
                    raise Untrusted("cursor_repeated", "a page says that more follow, and leads back or nowhere")
                seen.add(last)
                after = [("after", last)]


def _entry(value: Any) -> dict[str, Any]:  # noqa: ANN401 (anything that JSON can be)
    if type(value) is dict:
        return value
    raise Untrusted("unexpected_shape", "an entry of a list is no object")


def _id(entry: dict[str, Any]) -> str:
    """It may be shown and written into settings: it is printable, and no secret."""
    if re.fullmatch("(?!sk-)[!-~]+", _text(entry, "id")):
        return _text(entry, "id")
    raise Untrusted("unexpected_shape", "the id of a key is not one")


def _text(entry: dict[str, Any], name: str) -> str:
    value = entry.get(name)
    if type(value) is str and value:
        return value
    raise Untrusted("unexpected_shape", f"{name} of an entry is {value!r:.40}")
