"""The settings of a command that needs few of them, read without the rooms that declare the others.

The names of the others tell a misspelt section from one of the server's; a test compares them with what rooms declare.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from holdfast.cli.options import FILE
from holdfast.kernel.settings import Section, Settings, load

NAMES: Final = frozenset(
    (
        *("around", "auth", "backlog", "blobs", "catalog", "database", "elastic", "health", "host"),
        *("log_limits", "log_queries", "log_tails", "logs", "loki", "metrics", "otlp", "otlp_logs", "otlp_metrics"),
        *("outbound", "push", "queries", "remote_write", "runs", "scrape", "scrub", "server", "syslog", "telemetry"),
        *("traces", "usage", "versions", "web"),
    )
)


def read_sections(config: Path | None, sections: Sequence[Section]) -> Settings:
    """Read some sections of the file that `config`, the environment or the folder names, and of the environment.

    Raises:
        ConfigError: a fault in one of these sections, or a section or a variable that is nobody's.
    """
    return load(sections, file=settings_file(config), environ=os.environ, elsewhere=NAMES)


def settings_file(config: Path | None) -> Path | None:
    """Give the settings file: the one of the command line, of `HOLDFAST_CONFIG`, or the usual one if it is there."""
    named = config or (Path(os.environ["HOLDFAST_CONFIG"]) if "HOLDFAST_CONFIG" in os.environ else None)
    return named or (Path(FILE) if Path(FILE).exists() else None)
