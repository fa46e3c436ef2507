"""Runs one service in this process until it is told to stop."""

import contextlib
import gc
import os
import signal
import threading
from importlib import import_module

import uvicorn

from shop.chassis.telemetry import start_telemetry
from shop.settings import Settings

GRACE_S = 3


def serve(name: str, settings: Settings, lifeline: int | None = None) -> None:
    """Serve until SIGINT or SIGTERM, or until the supervisor at the other end of `lifeline` is gone.

    Args:
        name: The service; its package has a `build(settings)`.
        settings: Where everything is.
        lifeline: Descriptor of a pipe that nobody writes to: its end tells that the supervisor died.
    """
    if lifeline is not None:
        threading.Thread(target=_stop_at_end, args=(lifeline,), daemon=True, name="lifeline").start()
    gc.disable()
    with start_telemetry(name, settings):
        # Only this service's package is imported: each process pays for its own parts.
        app = import_module(f"shop.{name}").build(settings)
        # What is imported lives for ever: collecting it again and again would cost a tenth of the start.
        gc.freeze()
        gc.enable()
        config = uvicorn.Config(
            app,
            host=settings.host,
            port=settings.http_port(name),
            access_log=False,
            log_config=None,
            ws="none",
            server_header=False,
            proxy_headers=False,  # nobody may say that he comes from this host
            timeout_graceful_shutdown=GRACE_S,
        )
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run()


def _stop_at_end(lifeline: int) -> None:
    os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGTERM)
