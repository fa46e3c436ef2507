"""Turns text with references into a `Secret`, from a cache that notices when the secret changes.

A provider is asked for its cheap version each time; only a changed version is read again. A provider that cannot be
reached keeps its last value, within a bound, so that a Vault restart does not turn every check red.
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from holdfast.kernel.decoding import suggest
from holdfast.kernel.errors import InvalidError, UnavailableError
from holdfast.kernel.secrets.providers import (
    DirectorySecrets,
    EnvironmentSecrets,
    FileSecrets,
    SecretProvider,
)
from holdfast.kernel.secrets.redaction import Redactor
from holdfast.kernel.secrets.references import Reference, find_references, replace_references
from holdfast.kernel.secrets.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

    from holdfast.kernel.clock import Clock

MAX_CACHED: Final = 4096
STALE_FOR_S: Final = 900.0  # how long an unreachable provider's last value is still used


@dataclass(slots=True)
class _Cached:
    value: Secret
    version: Hashable | None
    checked_at_s: float


class Secrets:
    """All providers behind one door. Thread-safe."""

    def __init__(self, providers: Iterable[SecretProvider], clock: Clock, redactor: Redactor) -> None:
        self._providers = {provider.scheme: provider for provider in providers}
        self._clock = clock
        self._cache: dict[Reference, _Cached] = {}
        self._lock = threading.Lock()
        self.redactor = redactor

    @classmethod
    def standard(
        cls,
        environ: Mapping[str, str],
        clock: Clock,
        *,
        folder: Path | None = None,
        plugins: Iterable[SecretProvider] = (),
    ) -> Secrets:
        """Build the usual set: environment, files, the folder of secrets where there is one, and plugins."""
        own: list[SecretProvider] = [EnvironmentSecrets(environ), FileSecrets()]
        if folder is not None:
            own.append(DirectorySecrets(folder))
        return cls([*plugins, *own], clock, Redactor())

    @property
    def schemes(self) -> tuple[str, ...]:
        """The words that may stand before the colon of a reference."""
        return tuple(sorted(self._providers))

    def verify(self, text: str) -> tuple[Reference, ...]:
        """Check that the references in `text` are well-formed and their providers exist; read nothing.

        Raises:
            InvalidError: they are not; the message names the reference and the fix.
        """
        references = find_references(text)
        for reference in references:
            self._provider(reference)
        return references

    def resolve(self, text: str) -> Secret:
        """Give `text` with its references filled in. May block; on the event loop use `fetch`.

        Raises:
            InvalidError: a reference is malformed or its provider unknown.
            NotFoundError: there is no such secret.
            UnavailableError: its provider does not answer, and there is no recent value.
        """
        value = Secret(replace_references(text, lambda reference: self._read(reference).reveal()))
        if find_references(text):
            self.redactor.learn(value)
        return value

    async def fetch(self, text: str) -> Secret:
        """Resolve `text` in a thread; at once when it holds no reference."""
        if "${" not in text:
            return Secret(text)
        return await asyncio.to_thread(self.resolve, text)

    def _provider(self, reference: Reference) -> SecretProvider:
        provider = self._providers.get(reference.scheme)
        if provider is None:
            no_folder = "set secrets.directory to use ${dir:...}" if reference.scheme == "dir" else ""
            hint = no_folder or suggest(reference.scheme, self.schemes)
            raise InvalidError(f"no provider of secrets is called {reference.scheme!r}: {reference}", hint=hint)
        return provider

    def _read(self, reference: Reference) -> Secret:
        provider = self._provider(reference)
        now = self._clock.monotonic()
        with self._lock:
            cached = self._cache.get(reference)
        if cached is not None and provider.max_age_s and now - cached.checked_at_s < provider.max_age_s:
            return cached.value
        try:
            version = provider.version(reference.name)
            if cached is not None and version is not None and version == cached.version:
                cached.checked_at_s = now
                return cached.value
            value = Secret(provider.read(reference.name))
        except UnavailableError:
            if cached is None or now - cached.checked_at_s > STALE_FOR_S:
                raise
            return cached.value
        self._keep(reference, _Cached(value, version, now))
        return value

    def _keep(self, reference: Reference, cached: _Cached) -> None:
        self.redactor.learn(cached.value)
        with self._lock:
            self._cache.pop(reference, None)
            self._cache[reference] = cached
            while len(self._cache) > MAX_CACHED:
                del self._cache[next(iter(self._cache))]
