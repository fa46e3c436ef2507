"""The `script` kind: a command's exit code is the verdict, its first line the message, and numbers may come with it.

The command runs in its own process group, which is killed as a whole when its time is up. It sees only the
environment that the check gives it.
"""

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, ClassVar, Final

from pydantic import ConfigDict, Field

from holdfast.health.probes.attempts import Attempt, observe, one_line
from holdfast.health.probes.basic import processes
from holdfast.health.probes.basic.script_output import read_exposition, read_perfdata
from holdfast.health.probes.contract import Observation, ProbeContext, ProbeKind
from holdfast.health.probes.faults import FaultError
from holdfast.health.verdict import Verdict

_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_NAGIOS: Final = {0: Verdict.UP, 1: Verdict.DEGRADED, 2: Verdict.DOWN, 3: Verdict.UNKNOWN}


class Metrics(StrEnum):
    """What numbers the standard output carries."""

    PERFDATA = "perfdata"
    PROMETHEUS = "prometheus"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ScriptSpec:
    """A command to run.

    Attributes:
        command: the program and its arguments, run without a shell.
        shell: a line for `/bin/sh -c`, instead of `command`.
        env: environment variables, besides PATH and LANG; values may hold secrets, `${env:NAME}`.
        directory: where to run it.
        exit_codes: verdicts of exit codes: 0 up, 1 degraded, 2 down, 3 unknown, as Nagios plugins have it; any other
            code is unknown.
        metrics: numbers on the standard output: Nagios `perfdata` after a `|`, `prometheus` text, or `none`.
    """

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    command: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    shell: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    directory: str = "/"
    exit_codes: Mapping[int, Verdict] = field(default_factory=lambda: dict(_NAGIOS))
    metrics: Metrics = Metrics.PERFDATA

    def __post_init__(self) -> None:
        if (self.command is None) == (self.shell is None):
            raise ValueError("write either command or shell")


@dataclass(frozen=True, slots=True)
class ScriptProbe:
    """Runs a command."""

    spec: ScriptSpec
    argv: tuple[str, ...]

    async def observe(self, context: ProbeContext) -> Observation:
        """Make one attempt."""
        return await observe(context, self._examine)

    async def _examine(self, attempt: Attempt) -> str:
        env = {"PATH": _PATH, "LANG": "C.UTF-8"}
        for name, value in self.spec.env.items():
            env[name] = await attempt.expand(value)
        attempt.stage = f"running {one_line(self.argv[0], 60)}"
        try:
            async with processes.start(self.argv, env, self.spec.directory) as process:
                code = await process.wait()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise FaultError(f"cannot run {self.argv[0]}: {reason.lower()}", Verdict.UNKNOWN) from None
        return self._judge(attempt, code, process.output(1), process.output(2))

    def _judge(self, attempt: Attempt, code: int, out: str, err: str) -> str:
        metrics = self.spec.metrics
        message, numbers = out, ""
        if metrics is Metrics.PERFDATA:
            message, attempt.samples[:], numbers = read_perfdata(out)
        elif metrics is Metrics.PROMETHEUS:
            message, attempt.samples[:], numbers = read_exposition(out)
        first = next((one_line(line) for line in (*message.splitlines(), *err.splitlines()) if line.strip()), "")
        attempt.facts["exit_code"] = code
        if numbers:
            attempt.degraded(f"the output has unreadable metrics: {numbers}")
        if code < 0:
            name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
            attempt.note(Verdict.UNKNOWN, f"the command was killed by {name}: {first}".removesuffix(": "))
            return ""
        verdict = self.spec.exit_codes.get(code)
        if verdict is None:
            hint = {126: ", not executable", 127: ", not found"}.get(code, "")
            attempt.note(Verdict.UNKNOWN, f"exit code {code}{hint}: {first}".removesuffix(": "))
        elif verdict is not Verdict.UP:
            attempt.note(verdict, first or f"exit code {code}")
        return first or f"exit code {code}"


def build(spec: ScriptSpec) -> ScriptProbe:
    """Make the probe of a spec."""
    return ScriptProbe(spec, spec.command or ("/bin/sh", "-c", spec.shell or ""))


KIND: Final = ProbeKind("script", ScriptSpec, build)
