"""The repository of the runs: read the tip of a branch, commit changed files on top of it, push by compare-and-swap.

All of it happens in a private bare repository: HEAD, index, configuration and hooks of the user's checkout are neither
changed nor obeyed. A push never forces a branch that others write. Who loses a race is told so, and regenerates its
files on the new tip; how often to try is for the caller to say.
"""

from reconcile.adapters.git_repo.history import versions
from reconcile.adapters.git_repo.ignoring import ignored_around
from reconcile.adapters.git_repo.remote import GitRemote, Push
from reconcile.adapters.git_repo.repository import GitRepository, TreeFile

__all__ = ["GitRemote", "GitRepository", "Push", "TreeFile", "ignored_around", "versions"]
