"""Passwords: what is good enough, and Argon2id hashes computed off the event loop.

Hashing takes 64 MiB and tens of milliseconds on purpose, so few run at once and few may wait.
"""

from __future__ import annotations

import asyncio
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from holdfast.kernel.errors import BusyError, InvalidError, Place

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.kernel.secrets import Secret

T = TypeVar("T")

SHORTEST: Final = 12
LONGEST: Final = 1024
FEWEST_DIFFERENT: Final = 5
WORKERS: Final = 2
MOST_WAITING: Final = 16


def check_password(password: Secret, name: str) -> None:
    """Refuse a password that is easy to guess.

    Raises:
        InvalidError: it is too short, too long, too uniform, or the name; the message never holds it.
    """
    text = _normalise(password)
    place = Place(field="password")
    if len(text) < SHORTEST:
        raise InvalidError(
            f"the password is shorter than {SHORTEST} characters", hint="a few words do well", place=place
        )
    if len(text) > LONGEST:
        raise InvalidError(f"the password is longer than {LONGEST} characters", place=place)
    if len(set(text)) < FEWEST_DIFFERENT:
        raise InvalidError(f"the password has fewer than {FEWEST_DIFFERENT} different characters", place=place)
    if name.casefold() in text.casefold() and len(name) * 2 > len(text):
        raise InvalidError("the password is the name", hint="choose one that does not follow from it", place=place)


class Passwords:
    """Hashes and verifies."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()  # Argon2id, RFC 9106's profile for little memory
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="argon2")
        self._waiting = 0
        self._nobodys = ""

    async def hash(self, password: Secret) -> str:
        """Give the encoded hash of a password that passed `check_password`."""
        return await self._run(lambda: self._hasher.hash(_normalise(password)))

    async def verify(self, encoded: str | None, password: Secret) -> bool:
        """Tell whether the password fits; takes as long for nobody (None) as for somebody.

        Raises:
            BusyError: too many wait for this already.
        """
        if not self._nobodys:  # whoever comes first waits for it, so that the wait tells nothing
            self._nobodys = await self._run(lambda: self._hasher.hash("nobody's password"))
        return await self._run(lambda: self._fits(encoded or self._nobodys, password)) and encoded is not None

    def is_outdated(self, encoded: str) -> bool:
        """Tell whether the hash was made with weaker parameters than today's."""
        return self._hasher.check_needs_rehash(encoded)

    def close(self) -> None:
        """Let the worker threads go."""
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _fits(self, encoded: str, password: Secret) -> bool:
        try:
            return self._hasher.verify(encoded, _normalise(password))
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= MOST_WAITING:
            raise BusyError("too many people log in at once")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._workers, work)
        finally:
            self._waiting -= 1


def _normalise(password: Secret) -> str:
    """Make one text of what different keyboards produce for it (NIST SP 800-63B, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password.reveal()[: 4 * LONGEST])
