"""What is known before the provider is asked anything: which branch is worked on, where the admin key may go, and what
would keep a commit from landing."""

from __future__ import annotations

from dataclasses import replace

from reconcile.action.branches import BranchState
from reconcile.action.job import Action, Clients
from reconcile.action.request import Mode, Sign
from reconcile.errors import ConfigurationError, GitHubError
from reconcile.git.remote import PUSH_REMEDY
from reconcile.providers import DEFAULT, provider

CHECKS = "required_status_checks"
UNSIGNED = (
    "`sign: api` does not hold for the commit on {branch}, which git makes and nobody signs; what a merge on GitHub "
    "makes of it is signed. Leave the input out, or use `mode: commit`"
)


def base_branch(action: Action, mode: Mode) -> str:
    """The branch that is worked on: the input's, else the one that was checked out; for a pull request, which does not
    push to it, else the default one."""
    branch = action.request.branch or action.job.branch
    if not branch and mode is Mode.PULL_REQUEST:
        return action.repository.remote.default_branch()
    if branch is None:
        raise ConfigurationError(
            f"the event {action.job.event or 'of this job'} has no branch to commit to",
            code="no_branch",
            remedy="name one with the input `branch`; on tags and pull requests GitHub checks out no branch",
        )
    return branch


def clients_of(action: Action, base: BranchState) -> Clients:
    """What asks the provider.

    The admin key goes to the address that the configuration names only where that is of a branch which takes no
    changes without a review: the base of a pull request; else the branch that the job runs on, or the default one.
    """
    found = base.configuration.vouched()
    if found.base_url != base.configuration.base_url and not _reviewed(action, base.branch):
        found = base.configuration
    clients = action.clients(found.base_url)
    if found is base.configuration and found.base_url != found.vouched().base_url:
        ignored = (
            f"{action.source.path}: providers.{DEFAULT}.url of {base.branch} is ignored: it is not the base branch"
        )
        clients = replace(
            clients, notices=(*clients.notices, f"{ignored}; set {provider(DEFAULT).url_variable} or `api-url`")
        )
    return clients


def _reviewed(action: Action, branch: str) -> bool:
    job = action.job
    if job.base_branch:
        return branch == job.base_branch
    return branch == job.branch or branch == action.repository.remote.default_branch()


def preflight(action: Action, state: BranchState, mode: Mode) -> list[str]:
    """Notices. Raises where the push is refused: by the remote, or by rules that the job's own token cannot pass."""
    if action.request.dry_run:
        return []
    if mode is Mode.PULL_REQUEST:
        action.repository.remote.check_push(state.commit, action.request.pr_branch)
        return [UNSIGNED.format(branch=action.request.pr_branch)] if action.request.sign is Sign.API else []
    if action.request.sign is Sign.GIT:
        action.repository.remote.check_push(state.commit, state.branch)
    rules = _rules(action, state.branch)
    notices = [_forbidden(action, state.branch, rule) for rule in ("pull_request", "update") if rule in rules]
    if "required_signatures" in rules and action.request.sign is Sign.GIT:
        raise ConfigurationError(
            f"the rules of {state.branch} want signed commits",
            code="signature_required",
            remedy="set `sign: api`: GitHub makes and signs the commit then",
        )
    if CHECKS in rules and action.job.default_token:
        notices.append(
            f"{state.branch} requires checks, and pushes with the job's own token start none: if its pull requests "
            "wait for ever, pass the token of a GitHub App as `token`"
        )
    return notices


def _rules(action: Action, branch: str) -> set[str]:
    """The kinds of rules of the branch; none where GitHub does not say (older servers do not)."""
    if action.github is None:
        return set()
    try:
        return {rule.type for rule in action.github.rules(branch)}
    except GitHubError:
        return set()


def _forbidden(action: Action, branch: str, rule: str) -> str:
    what = "wants a pull request for every change" if rule == "pull_request" else "lets nobody push"
    if action.job.default_token:
        raise ConfigurationError(f"a rule of {branch} {what}", code="push_refused_by_rule", remedy=PUSH_REMEDY)
    return f"a rule of {branch} {what}: the push lands only if this token may bypass it; else {PUSH_REMEDY}"
