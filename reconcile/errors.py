"""Everything this package raises, as one tree.

    ReconcileError              a message, a machine-readable code and the remedy
    ├── ConfigurationError      something to set or to mend before a pass can work      (exit 1)
    ├── UsageError              the command line is wrong                               (exit 2)
    ├── ProviderError           a provider could not be read; no figure may follow      (exit 3)
    ├── StoreError              a run's file or folder, or a log, could not be read     (exit 3)
    ├── GitError                the repository could not be read or written             (exit 3)
    ├── GitHubError             GitHub's API refused, or could not be asked             (exit 3)
    └── UnexpectedError         a bug of ours, contained where it showed                (exit 3)

A defect of a file is no error but a finding (`runs.run.Finding`): it is collected and reported, and never stops
the other files.
"""

from __future__ import annotations


class ReconcileError(Exception):
    """What happened, to which thing, with both numbers where there are two; and what to do about it."""

    exit_code = 1

    def __init__(self, message: str, *, code: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.remedy = remedy


class ConfigurationError(ReconcileError):
    """A setting is missing, unknown or contradictory. The message names the variable or the line."""


class UsageError(ReconcileError):
    """The command cannot be carried out as it was given."""

    exit_code = 2


class ProviderError(ReconcileError):
    """A provider did not give a complete, trustworthy answer. Never carries a figure and never becomes one."""

    exit_code = 3


class StoreError(ReconcileError):
    """A run's file, or a log, could not be read or written; it is as it was before."""

    exit_code = 3


class GitError(ReconcileError):
    """The repository could not be read, or did not take what was to be written."""

    exit_code = 3


class GitHubError(ReconcileError):
    """GitHub's API refused, could not be asked, or gave no answer that can be trusted; no figure depends on it."""

    exit_code = 3


class UnexpectedError(ReconcileError):
    """A bug of this package, told with its place in the code; what does not depend on it goes on."""

    exit_code = 3
