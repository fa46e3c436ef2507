"""What stands in the ops folder and cannot be read: rooms look for files, and would pass it over as if it were missing.

Decides nothing about what files mean; a folder that is missing is an empty one, unless somebody named it or had it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from holdfast.kernel.errors import InvalidError, Place

_SUFFIXES: Final = (".yaml", ".yml", ".json", ".py")
_RIGHTS: Final = "let the user that runs Holdfast read it"
_LINKS: Final = "mend or remove the link"


def missing(path: Path) -> InvalidError:
    """Give the fault of an ops folder that was named, or that was in force, and is not there."""
    hint = f"make it (mkdir -p {path}), bring it back, or name another one with --ops"
    return InvalidError("there is no such folder", hint=hint, place=Place(str(path)))


def find_unreadable(path: Path) -> Iterator[InvalidError]:
    """Give each folder without rights, each loop of links, and each link of a file of ours that leads nowhere."""
    try:
        path.stat()
    except FileNotFoundError:
        if path.is_symlink():
            yield InvalidError("the link leads nowhere", hint=_LINKS, place=Place(str(path)))
        return
    except OSError as error:
        yield _fault(error, str(path))
        return
    if not path.is_dir():
        yield InvalidError("this is no folder", hint="name the folder that it is in", place=Place(str(path)))
        return
    failures: list[OSError] = []
    for folder, folders, names in os.walk(path, onerror=failures.append):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__pycache__"]
        for name in names:
            if not name.startswith((".", "#")):
                yield from _judge(Path(folder, name), path)
    for failure in failures:
        if not isinstance(failure, FileNotFoundError):  # gone since it was listed
            yield _fault(failure, _shown(Path(failure.filename), path))


def _judge(file: Path, root: Path) -> Iterator[InvalidError]:
    try:
        file.stat()
    except FileNotFoundError:
        if file.is_symlink() and file.suffix in _SUFFIXES:
            yield InvalidError("the link leads nowhere", hint=_LINKS, place=Place(_shown(file, root)))
    except OSError as error:
        yield _fault(error, _shown(file, root))


def _fault(error: OSError, shown: str) -> InvalidError:
    hint = _LINKS if error.errno == errno.ELOOP else _RIGHTS
    return InvalidError(f"it cannot be read: {error.strerror}", hint=hint, place=Place(shown))


def _shown(file: Path, root: Path) -> str:
    return str(root) if file == root else str(file.relative_to(root))
