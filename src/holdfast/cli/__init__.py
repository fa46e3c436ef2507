"""The `holdfast` command: every room's commands under one name.

Owns the command line, its errors and its exit codes. Refuses logic: a command calls a door, locally or over the API.
The base install has the command too, and can only say what it lacks.
"""

import sys

try:
    from holdfast.cli.main import main
except ModuleNotFoundError as missing:
    if (missing.name or "holdfast").partition(".")[0] == "holdfast":
        raise
    _lacking = missing.name

    def main() -> None:
        """Say what to install."""
        sys.exit(
            f"error: the command needs the server's packages, and {_lacking!r} is not installed\n"
            '       pip install "holdfast[server]"'
        )


__all__ = ["main"]
