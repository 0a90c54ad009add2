"""The endpoints of the REST API that are served: operation of the description, who may call it, what it answers."""

from githubkit_schemas.v2022_11_28 import models
from support.github.description import completed
from support.github.state import BOT, Head, RefusedError, check_length

READ, WRITE = ("pull-requests: read",), ("pull-requests: write",)
READ_ANY, WRITE_ANY = (*READ, "issues: read"), (*WRITE, "issues: write")
ANYBODY = ()


def user(author):
    return author and completed(models.SimpleUser, {"login": author[0], "type": author[1]})


def _comment(site, comment):
    thread = site.state.threads[comment.number]
    url = f"{site.pages}/{'pull' if thread.head else 'issues'}/{comment.number}#issuecomment-{comment.id}"
    facts = {"id": comment.id, "body": comment.body, "user": user(comment.author), "html_url": url}
    return completed(models.IssueComment, facts)


def _issue(site, thread):
    kind = "pull" if thread.head else "issues"
    facts = _thread(site, thread) | {"html_url": f"{site.pages}/{kind}/{thread.number}", "locked": thread.locked}
    if thread.head:
        facts["pull_request"] = {"url": f"{site.pages}/pull/{thread.number}"}
    return completed(models.Issue, facts)


def _thread(site, thread):
    names = {name: getattr(thread, name) for name in ("number", "title", "body", "state")}
    return names | {"user": user(thread.author), "html_url": f"{site.pages}/pull/{thread.number}"}


def _pull_request(site, thread, model=models.PullRequest):
    head = thread.head
    owner, _, name = (head.repository or "").partition("/")
    repository = head.repository and {"full_name": head.repository, "name": name}
    label = f"{owner}:{head.ref}" if owner else None
    facts = {
        "head": {"ref": head.ref, "sha": head.sha, "label": label, "repo": repository, "user": None},
        "base": {"ref": head.base, "repo": {"full_name": site.state.name}},
        "draft": head.draft,
        "merged_at": "2026-01-05T15:00:00Z" if head.merged_as else None,
    }
    if model is models.PullRequest:
        facts["merged"] = head.merged_as is not None
    return completed(model, _thread(site, thread) | facts)


def _simple(site, threads):
    return [_pull_request(site, thread, models.PullRequestSimple) for thread in threads]


# ------------------------------------------------------------------------------------- what is asked


def get_user(site, path, query, body):
    if site.author == BOT:
        raise RefusedError(403, "Resource not accessible by integration")
    return 200, completed(models.PublicUser, {"login": site.author[0], "type": site.author[1]})


def list_comments(site, path, query, body):
    number = site.state.thread(path["issue_number"]).number
    return [_comment(site, each) for each in site.state.comments.values() if each.number == number]


def create_comment(site, path, query, body):
    return 201, _comment(site, site.state.comment(path["issue_number"], body["body"], site.author))


def update_comment(site, path, query, body):
    comment = site.state.comments.get(int(path["comment_id"]))
    if comment is None:
        raise RefusedError(404, "Not Found")
    check_length(body["body"], "IssueComment")
    comment.body = body["body"]
    return 200, _comment(site, comment)


def get_pull_request(site, path, query, body):
    return 200, _pull_request(site, site.state.pull_request(path["pull_number"]))


def list_files(site, path, query, body):
    listed = []
    for letter, paths in site.state.files(site.state.pull_request(path["pull_number"])):
        status = {"A": "added", "M": "modified", "D": "removed", "R": "renamed"}[letter]
        facts = {"filename": paths[-1], "status": status} | ({"previous_filename": paths[0]} if paths[1:] else {})
        listed.append(completed(models.DiffEntry, facts))
    return listed


def list_pull_requests(site, path, query, body):
    """A `head` without an owner is a filter that GitHub ignores."""
    owner, colon, ref = query.get("head", "").partition(":")
    found = [each for each in _newest(site) if each.head and query.get("state", "open") in ("all", each.state)]
    if colon:
        found = [f for f in found if f.head.ref == ref and (f.head.repository or "").startswith(f"{owner}/")]
    return _simple(site, [each for each in found if query.get("base", each.head.base) == each.head.base])


def list_of_commit(site, path, query, body):
    found = [each for each in _newest(site) if each.head and site.state.brings(each, path["commit_sha"])]
    merged = [each for each in found if each.head.merged_as]
    return _simple(site, merged or [each for each in found if each.state == "open"])


def create_pull_request(site, path, query, body):
    ours = Head(body["head"], site.state.name, "", body["base"], draft=body.get("draft", False))
    return 201, _pull_request(site, site.state.open_pull_request(body["title"], body.get("body"), site.author, ours))


def update_pull_request(site, path, query, body):
    thread = _changed(site.state.pull_request(path["pull_number"]), body)
    return 200, _pull_request(site, thread)


def list_issues(site, path, query, body):
    _check_issues(site)
    found = [each for each in _newest(site) if query.get("state", "open") in ("all", each.state)]
    return [_issue(site, each) for each in found]


def create_issue(site, path, query, body):
    _check_issues(site)
    check_length(body.get("body", ""), "Issue")
    return 201, _issue(site, site.state.add(body["title"], body.get("body"), site.author))


def update_issue(site, path, query, body):
    _check_issues(site)
    return 200, _issue(site, _changed(site.state.thread(path["issue_number"]), body))


def get_repository(site, path, query, body):
    facts = {"full_name": site.state.name, "default_branch": site.state.default_branch}
    return 200, completed(models.FullRepository, facts)


def get_rules(site, path, query, body):
    listed = site.state.rules.get(path["branch"], ())
    return [completed(_rule_model(rule["type"]), rule) for rule in listed]


def list_workflows(site, path, query, body):
    found = [
        completed(models.Workflow, {"id": number, "path": each.path, "name": each.path, "state": each.state})
        for number, each in enumerate(site.state.workflows)
    ]
    return 200, {"total_count": len(found), "workflows": found}


def list_workflow_runs(site, path, query, body):
    each = site.state.workflows[int(path["workflow_id"])]
    scheduled = each.scheduled and query.get("event") == "schedule"
    facts = {"created_at": each.scheduled, "event": "schedule", "path": each.path}
    found = [completed(models.WorkflowRun, facts)] if scheduled else []
    return 200, {"total_count": len(found), "workflow_runs": found}


def list_commits(site, path, query, body):
    branch = query.get("sha", site.state.default_branch)
    return [completed(models.Commit, {"sha": sha}) for sha in site.state.commits(branch, query.get("path", "."))]


def _newest(site):
    return [site.state.refreshed(each) for each in reversed(site.state.threads.values())]


def _changed(thread, body):
    check_length(body.get("body") or "", "Issue")
    for name in ("title", "body", "state"):
        if name in body:
            setattr(thread, name, body[name])
    return thread


def _check_issues(site):
    if not site.state.issues_enabled:
        raise RefusedError(410, "Issues are disabled for this repo")


def _rule_model(kind):
    """The member of the description's union for a type of rule."""
    named = (getattr(models, f"RepositoryRuleDetailedOneof{number}") for number in range(25))
    return next(model for model in named if kind in repr(model.model_fields["type"].annotation))


ENDPOINTS = {
    "users.get_authenticated": (ANYBODY, get_user),
    "issues.list_comments": (READ_ANY, list_comments),
    "issues.create_comment": (WRITE_ANY, create_comment),
    "issues.update_comment": (WRITE_ANY, update_comment),
    "pulls.get": ((*READ, "contents: read"), get_pull_request),
    "pulls.list_files": (READ, list_files),
    "pulls.list": (READ, list_pull_requests),
    "repos.list_pull_requests_associated_with_commit": (READ, list_of_commit),
    "pulls.create": (WRITE, create_pull_request),
    "pulls.update": (WRITE, update_pull_request),
    "issues.list_for_repo": (("issues: read",), list_issues),
    "issues.create": (("issues: write",), create_issue),
    "issues.update": (("issues: write",), update_issue),
    "repos.get": (ANYBODY, get_repository),
    "repos.get_branch_rules": (ANYBODY, get_rules),
    "actions.list_repo_workflows": (("actions: read",), list_workflows),
    "actions.list_workflow_runs": (("actions: read",), list_workflow_runs),
    "repos.list_commits": (("contents: read",), list_commits),
}
"""Permissions, any of which is enough: docs.github.com/rest/authentication/permissions-required-for-github-apps."""
