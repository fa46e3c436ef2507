"""The `holdfast` command: every room's commands under one name.

Owns the command line, its errors and its exit codes. Refuses logic: a command calls a door, locally or over the API.
"""

from holdfast.cli.main import main

__all__ = ["main"]
