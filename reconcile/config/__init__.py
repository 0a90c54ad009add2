"""All settings, cleaned once: what the command line, the Action's inputs, the environment and reconcile.yml say."""

from reconcile.config.inputs import Inputs, read_inputs
from reconcile.config.log_formats import log_files
from reconcile.config.settings import (
    CONFIG_FILE,
    DEFAULT_BASE_URL,
    Flags,
    Secret,
    Settings,
    Source,
    load,
    usable_key,
    without_file,
)

__all__ = [
    "CONFIG_FILE",
    "DEFAULT_BASE_URL",
    "Flags",
    "Inputs",
    "Secret",
    "Settings",
    "Source",
    "load",
    "log_files",
    "read_inputs",
    "usable_key",
    "without_file",
]
