"""The data folder while the shop runs: one supervisor at a time, and where its services listen."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path

from shop.errors import ShopError

_STATE_FILE = "shop.json"
_LOCK_FILE = "shop.lock"


@contextlib.contextmanager
def move_in(data: Path, base_port: int) -> Iterator[None]:
    """Hold the folder for this process, and tell other commands the port.

    Raises:
        ShopError: Another supervisor lives here.
    """
    data.mkdir(parents=True, exist_ok=True)
    with (data / _LOCK_FILE).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            detail = f"{data} belongs to a shop that runs already. Stop that one, or give another --data."
            raise ShopError(detail) from error
        state = data / _STATE_FILE
        state.write_text(json.dumps({"base_port": base_port, "pid": os.getpid()}))
        try:
            yield
        finally:
            state.unlink(missing_ok=True)


def read_base_port(data: Path) -> int | None:
    """Return the base port of the shop that runs on this folder, or None."""
    try:
        state = json.loads((data / _STATE_FILE).read_text())
    except FileNotFoundError:
        return None
    return int(state["base_port"])
