"""Logs that an application wrote of its own calls."""

from reconcile.adapters.usage_logs.confining import files_within, folder_named
from reconcile.adapters.usage_logs.files import Pattern
from reconcile.adapters.usage_logs.reading import read_logs

__all__ = ["Pattern", "files_within", "folder_named", "read_logs"]
