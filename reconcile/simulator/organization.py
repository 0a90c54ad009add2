"""Projects and API keys of the simulated organization, as the provider lists them: by pages that follow a last id.

After the specification (github.com/openai/openai-openapi, 2026-08). Without being asked for every owner's, a list
leaves out the keys whose owner has lost access to the project, though they work. Deleted keys are in no list.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

from reconcile.runs.run import Json
from reconcile.simulator.calls import Credit, Ledger
from reconcile.simulator.question import Params, one
from reconcile.simulator.replies import Reply, error, reply

PROJECTS = "/organization/projects"
KEYS_OF = re.compile(re.escape(PROJECTS) + "/([^/]+)/api_keys")
DEFAULT_LIMIT, MOST = 20, 100
LONG_AGO = 1_711_471_533
NO_SCOPE = "You have insufficient permissions for this operation. Missing scopes: api.management.read."

Listed = TypeVar("Listed", "Project", "ApiKey")


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    id: str
    name: str
    archived_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    id: str
    name: str
    secret: str
    """It is never sent: a list shows its beginning and its end."""
    project_id: str
    last_used_at: int | None = None
    owner_access: str = "active"

    @property
    def redacted(self) -> str:
        return f"{self.secret[:8]}...{self.secret[-4:]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """In the order of its lists. `manageable`: whether the admin key may list anything."""

    projects: Sequence[Project] = ()
    keys: Sequence[ApiKey] = ()
    manageable: bool = True

    @classmethod
    def of(cls, ledger: Ledger) -> Organization:
        """The projects and keys that have records."""
        records = [each for each in ledger if not isinstance(each, Credit)]
        pairs = dict.fromkeys((each.api_key_id, each.project_id) for each in records if each.api_key_id)
        return cls(
            projects=[Project(id=each, name=each) for each in dict.fromkeys(project for _, project in pairs)],
            keys=[
                ApiKey(id=key, name=key, secret=f"sk-proj-simulated-{key}", project_id=project)
                for key, project in pairs
            ],
        )

    def answer(self, path: str, params: Params) -> Reply:
        """The list below a path that is `listed`."""
        of_project = KEYS_OF.fullmatch(path)
        if not self.manageable:
            return reply(HTTPStatus.FORBIDDEN, {"error": NO_SCOPE})
        return self._keys(of_project[1], params) if of_project else self._projects(params)

    def _projects(self, params: Params) -> Reply:
        archived = one(params, "include_archived") == "true"
        return _page([each for each in self.projects if archived or not each.archived_at], params, _project)

    def _keys(self, project_id: str, params: Params) -> Reply:
        if project_id not in {project.id for project in self.projects}:
            return error(404, f"No such project: {project_id}", code=None)
        access = one(params, "owner_project_access")
        shown = {"any": ("active", "inactive"), None: ("active",)}.get(access, (access,))
        return _page([k for k in self.keys if k.project_id == project_id and k.owner_access in shown], params, _key)


def listed(path: str) -> bool:
    """Whether there is a list below this path."""
    return path == PROJECTS or KEYS_OF.fullmatch(path) is not None


def _page(entries: Sequence[Listed], params: Params, spelled: Callable[[Listed], Json]) -> Reply:
    limit, after = one(params, "limit") or str(DEFAULT_LIMIT), one(params, "after")
    if not limit.isdecimal() or not 0 < int(limit) <= MOST:
        return error(400, f"Invalid limit provided: {limit}. Limit must be between 1 and {MOST}.", code=None)
    ids = [each.id for each in entries]
    if after is not None and after not in ids:
        return error(400, f"Invalid 'after': {after}.", code=None, param="after")
    start = 0 if after is None else ids.index(after) + 1
    shown = entries[start : start + int(limit)]
    return reply(
        HTTPStatus.OK,
        {
            "object": "list",
            "data": [spelled(each) for each in shown],
            "first_id": shown[0].id if shown else None,
            "last_id": shown[-1].id if shown else None,
            "has_more": start + len(shown) < len(entries),
        },
    )


def _project(project: Project) -> Json:
    return {
        "id": project.id,
        "object": "organization.project",
        "name": project.name,
        "created_at": LONG_AGO,
        "archived_at": project.archived_at,
        "status": "archived" if project.archived_at else "active",
    }


def _key(key: ApiKey) -> Json:
    return {
        "object": "organization.project.api_key",
        "redacted_value": key.redacted,
        "name": key.name,
        "created_at": LONG_AGO,
        "last_used_at": key.last_used_at,
        "id": key.id,
        "owner_project_access": key.owner_access,
        "owner": {
            "type": "service_account",
            "service_account": {"id": "svc_simulated", "name": "simulated", "role": "member", "created_at": LONG_AGO},
        },
    }
