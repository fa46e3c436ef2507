"""rsyslog, syslog-ng and util-linux's logger as they are installed send to us; absent ones are skipped."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from fixtures.logs import rows, wanted
from fixtures.servers import require_program
from holdfast.telemetry.logs import MemoryLogSink, MemoryLogSource
from holdfast.telemetry.logs.syslog import SyslogServer, SyslogSettings

ANY = "127.0.0.1:0"
RSYSLOG = """
global(workDirectory="{folder}")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{folder}/log" CreatePath="on")
action(type="omfwd" target="127.0.0.1" port="{udp}" protocol="udp" template="RSYSLOG_TraditionalForwardFormat")
action(type="omfwd" target="127.0.0.1" port="{tcp}" protocol="tcp" template="RSYSLOG_SyslogProtocol23Format"
       TCP_Framing="octet-counted")
action(type="omfwd" target="127.0.0.1" port="{tcp}" protocol="tcp" template="RSYSLOG_ForwardFormat")
"""
SYSLOG_NG = """
@version: 3.38
source s {{ unix-dgram("{folder}/log"); }};
destination udp {{ network("127.0.0.1" port({udp}) transport("udp")); }};
destination tcp {{ syslog("127.0.0.1" port({tcp}) transport("tcp")); }};
log {{ source(s); destination(udp); destination(tcp); }};
"""
Found = list[tuple[str, str, str, str]]


class Taken:
    """A server, and what it was sent."""

    def __init__(self) -> None:
        self.source = MemoryLogSource()
        self.server = SyslogServer(MemoryLogSink(self.source), SyslogSettings(udp_listen=ANY, tcp_listen=ANY))

    async def found(self, count: int) -> Found:
        """Give body, service, level and process of `count` messages about shops, once they have come."""
        async with asyncio.timeout(60):
            while True:
                await self.server.taking.flush()
                lines: list[Any] = [row for row in await rows(self.source, wanted(())) if "order" in row[1]]
                if len(lines) >= count:
                    break
                await asyncio.sleep(0.05)
        return sorted(
            (body, labels["service_name"], said["detected_level"], said.get("process_pid", ""))
            for _, body, labels, said in lines
        )


@pytest.fixture
async def taken() -> AsyncIterator[Taken]:
    """A server of syslog."""
    found = Taken()
    await found.server.start()
    yield found
    await found.server.stop()


async def run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command, stderr=subprocess.PIPE)
    _, told = await process.communicate()
    assert process.returncode == 0, told.decode()


@pytest.mark.parametrize("form", ["--rfc5424", "--rfc3164"])
@pytest.mark.parametrize("transport", [("-d",), ("-T",), ("-T", "--octet-count")])
async def test_logger_sends(taken: Taken, form: str, transport: tuple[str, ...]) -> None:
    logger = require_program("logger")
    port = taken.server.ports["udp" if "-d" in transport else "tcp"]
    where = ("-n", "127.0.0.1", "-P", str(port), *transport)
    await run(logger, *where, form, "-t", "shop", "-p", "local3.err", "--id=7", "order 7 failed")
    assert await taken.found(1) == [("order 7 failed", "shop", "error", "7")]


async def daemon_sends(taken: Taken, folder: Path, command: list[str], say: Callable[[], Awaitable[None]]) -> None:
    log = folder / "daemon.txt"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(*command, stdout=output, stderr=output)
        try:
            async with asyncio.timeout(60):
                while not (folder / "log").exists():
                    assert process.returncode is None, log.read_text()
                    await asyncio.sleep(0.05)
            await say()
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


@pytest.mark.slow
@pytest.mark.parametrize("program", ["rsyslogd", "syslog-ng"])
async def test_a_relay_forwards_in_every_form(taken: Taken, tmp_path: Path, program: str) -> None:
    path = shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
    if path is None:  # Debian installs one of them, not both: neither is asked for where others are required
        pytest.skip(f"{program} is not installed")
    logger = require_program("logger")
    form = RSYSLOG if program == "rsyslogd" else SYSLOG_NG
    config = tmp_path / "relay.conf"
    config.write_text(form.format(folder=tmp_path, **taken.server.ports))
    pid = str(tmp_path / "pid")
    modules = [f"--module-path={folder}" for folder in Path(path).parents[1].glob("lib/syslog-ng/[0-9]*")]
    commands = {
        "rsyslogd": [path, "-n", "-f", str(config), "-i", pid],
        "syslog-ng": [
            *(path, "-F", "-f", str(config), "-p", pid, "-R", str(tmp_path / "persist"), "--no-caps"),
            *("-c", str(tmp_path / "control"), *modules),
        ],
    }

    async def say() -> None:
        await run(logger, "-u", str(tmp_path / "log"), "-t", "shop", "--id=7", "-p", "user.warning", "order 8 is late")
        # Once to the second and once to the microsecond; rsyslog's third form says the same as its second.
        assert await taken.found(2) == [("order 8 is late", "shop", "warn", "7")] * 2

    await daemon_sends(taken, tmp_path, commands[program], say)


async def test_a_bare_socket_is_no_sender_of_syslog(taken: Taken) -> None:
    with socket.create_connection(("127.0.0.1", taken.server.ports["tcp"])) as sender:
        sender.sendall(b"order without a frame\n")
    assert await taken.found(1) == [("order without a frame", "unknown_service", "unknown", "")]
