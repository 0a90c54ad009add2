"""GitHub's API: pull requests, comments, issues, rules, workflows, and commits that GitHub signs."""
