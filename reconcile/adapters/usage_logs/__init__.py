"""Logs that an application wrote of its own calls."""

from reconcile.adapters.usage_logs.files import Pattern
from reconcile.adapters.usage_logs.reading import read_logs

__all__ = ["Pattern", "read_logs"]
