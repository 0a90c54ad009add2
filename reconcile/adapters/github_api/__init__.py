"""GitHub's API, as little of it as is needed: pull requests, comments, issues, branch rules, workflows, signed
commits.

Every list is read to its end, every failure is a GitHubError that says what to set, and the token goes to the two
addresses it was given for and nowhere else. What to write, and whether, is decided by the caller.
"""

from reconcile.adapters.github_api.answers import Comment, Issue, PullRequest, Rule, Workflow
from reconcile.adapters.github_api.client import GitHub

__all__ = ["Comment", "GitHub", "Issue", "PullRequest", "Rule", "Workflow"]
