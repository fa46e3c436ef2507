"""Where secrets are kept: the port, and the adapters that need no server.

A provider for Vault or a cloud comes as a plugin in the entry-point group `holdfast.secrets`. A provider caches
nothing; `resolver` does.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from holdfast.kernel.errors import InvalidError, NotFoundError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

MAX_SECRET_BYTES: Final = 64 * 1024
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,252}")


@runtime_checkable
class SecretProvider(Protocol):
    """One place that keeps secrets. Its methods may block; callers on the event loop use a thread."""

    @property
    def scheme(self) -> str:
        """The word before the colon in `${scheme:name}`."""
        ...

    @property
    def max_age_s(self) -> float:
        """How long a value may be used before `version` or `read` is asked again; 0 for every time."""
        ...

    def version(self, name: str) -> Hashable | None:
        """Give a cheap mark that changes whenever the secret does, or None where there is no such mark."""
        ...

    def read(self, name: str) -> str:
        """Give the secret `name`.

        Raises:
            NotFoundError: there is none.
            InvalidError: no secret can have that name.
            UnavailableError: the place does not answer.
        """
        ...


class EnvironmentSecrets:
    """`${env:NAME}`: the variable NAME, or the file that NAME_FILE names."""

    scheme = "env"
    max_age_s = 0.0

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def version(self, name: str) -> Hashable | None:
        """Give the variable itself, or the state of the file that stands for it."""
        if name in self._environ:
            return self._environ[name]
        path = self._environ.get(f"{name}_FILE")
        return (path, file_version(Path(path))) if path else None

    def read(self, name: str) -> str:
        """Give the value of the variable or the text of its file."""
        if name in self._environ:
            return self._environ[name]
        path = self._environ.get(f"{name}_FILE")
        if path:
            return read_secret_file(Path(path))
        raise NotFoundError(
            f"the environment has no {name}", hint=f"set {name}, or {name}_FILE to a file that holds it"
        )


class FileSecrets:
    """`${file:/path}`: the text of one file, without the line end at its end."""

    scheme = "file"
    max_age_s = 0.0

    def version(self, name: str) -> Hashable | None:
        """Give the state of the file."""
        return file_version(self._path(name))

    def read(self, name: str) -> str:
        """Give the text of the file."""
        return read_secret_file(self._path(name))

    @staticmethod
    def _path(name: str) -> Path:
        path = Path(name)
        if not path.is_absolute():
            raise InvalidError(f"${{file:{name}}} is not an absolute path", hint="begin the path with /")
        return path


class DirectorySecrets:
    """`${dir:name}`: the file `name` in one folder, as Kubernetes and systemd mount secrets."""

    scheme = "dir"
    max_age_s = 0.0

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def version(self, name: str) -> Hashable | None:
        """Give the state of the file; a remounted Kubernetes volume is another inode."""
        return file_version(self._path(name))

    def read(self, name: str) -> str:
        """Give the text of the file."""
        return read_secret_file(self._path(name))

    def _path(self, name: str) -> Path:
        if not _PLAIN_NAME.fullmatch(name):
            raise InvalidError(f"${{dir:{name}}} is not a plain file name", hint="letters, digits, '.', '_' and '-'")
        return self._folder / name


def file_version(path: Path) -> Hashable | None:
    """Give what changes when the file does, following symbolic links; None when there is no file."""
    try:
        state = path.stat()
    except OSError:
        return None
    return (state.st_ino, state.st_mtime_ns, state.st_size)


def read_secret_file(path: Path) -> str:
    """Give the text of `path` (UTF-8, at most 64 KiB) without one line end at its end."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SECRET_BYTES + 1)
    except FileNotFoundError:
        raise NotFoundError(f"there is no secret file {path}") from None
    except OSError as error:
        raise UnavailableError(f"the secret file {path} cannot be read: {error.strerror}") from None
    if len(data) > MAX_SECRET_BYTES:
        raise InvalidError(f"the secret file {path} is larger than {MAX_SECRET_BYTES} bytes")
    try:
        return data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise InvalidError(f"the secret file {path} is not UTF-8 text") from None
