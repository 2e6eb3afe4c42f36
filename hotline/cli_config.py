"""What every command begins with: the configuration and the log."""

import os

from hotline import logs
from hotline.config import Config, load


def configured(*, quiet: bool = True) -> Config:
    """The configuration, with logging set up for a command (quiet) or for the service."""
    config = load()
    logs.set_up("debug" if debugging() else "warning" if quiet else config.log_level)
    return config


def debugging() -> bool:
    """Whether `--debug` was given."""
    return os.environ.get("HOTLINE_DEBUG") == "1"
