"""What would keep a commit from landing, said before the provider is asked anything."""

from __future__ import annotations

from reconcile.core.request import PUSH_REMEDY, Mode, Sign
from reconcile.errors import ConfigurationError, GitHubError
from reconcile.workflow.acting.branches import Action, State

CHECKS = "required_status_checks"
UNSIGNED = (
    "`sign: api` does not hold for the commit on {branch}, which git makes and nobody signs; what a merge on GitHub "
    "makes of it is signed. Leave the input out, or use `mode: commit`"
)


def preflight(action: Action, state: State, mode: Mode) -> list[str]:
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
