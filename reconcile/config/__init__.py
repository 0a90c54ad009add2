"""All settings, cleaned once: of the command line, the environment and reconcile.yml. A job's are in `inputs`."""

from reconcile.config.config_file import DEFAULT_BASE_URL, URL_VARIABLE
from reconcile.config.experiments import Experiment, experiment_of
from reconcile.config.log_formats import log_files
from reconcile.config.settings import (
    CONFIG_FILE,
    Flags,
    Secret,
    Settings,
    SettingsOrigin,
    load,
    usable_key,
    without_file,
)

__all__ = [
    "CONFIG_FILE",
    "DEFAULT_BASE_URL",
    "URL_VARIABLE",
    "Experiment",
    "Flags",
    "Secret",
    "Settings",
    "SettingsOrigin",
    "experiment_of",
    "load",
    "log_files",
    "usable_key",
    "without_file",
]
