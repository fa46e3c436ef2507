"""Writes docs/reference from the code, so that what stands there is what the program does: `make docs`.

`--check` writes nothing and names the pages that are out of date. Explanations belong into the guide, not here.
"""

from __future__ import annotations

import asyncio
import dataclasses
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import kinds_page
import typer.main
from prometheus_client import CollectorRegistry

from holdfast import app, web
from holdfast.cli.configuration import SECTIONS
from holdfast.cli.main import cli
from holdfast.health.kinds import KINDS
from holdfast.kernel.errors import HoldfastError
from holdfast.kernel.http import problems
from holdfast.kernel.permissions import Permission
from holdfast.kernel.settings import Section, load
from holdfast.kernel.units import format_duration
from holdfast.telemetry import meanings
from holdfast.web.front import PERMISSIONS

REFERENCE = Path(__file__).parent / "reference"
COLUMNS = ("field", "default", "meaning")
HEAD = "<!-- Written by docs/generate.py (`make docs`); do not edit. -->\n\n"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Render a Markdown table; cells are made safe and put on one line."""
    columns = list(head)
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    for row in rows:
        cells = (re.sub(r"\s+", " ", cell).strip().replace("|", "\\|") for cell in row)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def first_sentence(text: str | None) -> str:
    """Give the first paragraph of a docstring on one line."""
    return re.sub(r"\s+", " ", (text or "").strip().split("\n\n", 1)[0])


def read_attributes(docstring: str | None) -> dict[str, str]:
    """Give what a class says of its attributes, by name."""
    _, _, block = (docstring or "").partition("Attributes:\n")
    found = re.findall(r"^ {8}(\w+): (.+(?:\n {12,}.+)*)", block, re.MULTILINE)
    return {name: re.sub(r"\s+", " ", text) for name, text in found}


# ---- settings


def write_settings(sections: Iterable[Section]) -> str:
    """Render every section with every field."""
    parts = [
        (
            "# Settings\n\nOne tree: defaults, then `holdfast.toml`, then the environment, then files that the "
            "environment names (`HOLDFAST_TELEMETRY_URL_FILE`). `holdfast config` prints what is in force.\n"
        )
    ]
    for section in sections:
        texts = read_attributes(section.shape.__doc__)
        rows = []
        for field in dataclasses.fields(section.shape):
            variable = f"`HOLDFAST_{section.name}_{field.name}`".upper()
            if field.name not in texts:
                raise SystemExit(f"{section.shape.__qualname__}.{field.name} is not described under `Attributes:`")
            rows.append((f"`{field.name}`", show_default(field), variable, texts[field.name]))
        parts.append(f"## [{section.name}]\n\n{first_sentence(section.shape.__doc__)}\n")
        parts.append(table(("field", "default", "variable", "meaning"), rows))
    return "\n".join(parts)


def show_default(field: dataclasses.Field[Any]) -> str:
    """Give a default as it would be written in the file."""
    value = field.default
    if value is dataclasses.MISSING:
        value = field.default_factory() if field.default_factory is not dataclasses.MISSING else None
    kind = str(field.type)
    if value is None or value in ((), {}, frozenset()):
        return "none"
    if kind.startswith("Duration"):
        return f"`{format_duration(value)}`"
    if kind.startswith("Size"):
        return f"`{show_size(value)}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, (tuple, list, set, frozenset)):
        return "`" + ", ".join(str(item) for item in value) + "`"
    return f"`{value}`" if str(value) and kind != "Secret" else "none"


def show_size(count: int) -> str:
    """Give bytes in the largest unit that divides them."""
    units = [(1024**power, f"{prefix}iB") for power, prefix in ((3, "G"), (2, "M"), (1, "K"))]
    units += [(1000**power, f"{prefix}B") for power, prefix in ((3, "G"), (2, "M"), (1, "k"))]
    return next((f"{count // size}{unit}" for size, unit in units if count % size == 0), f"{count}B")


# ---- errors, events, permissions


def find_errors(root: type[HoldfastError]) -> Iterator[type[HoldfastError]]:
    """Give a class and everything below it."""
    yield root
    for kind in root.__subclasses__():
        yield from find_errors(kind)


def write_errors() -> str:
    """Render every error code that leaves the program."""
    coded = {kind for kind in find_errors(HoldfastError) if "code" in vars(kind)}
    kinds = sorted(coded, key=lambda kind: (kind.code, kind.__qualname__))
    rows = []
    for kind in kinds:
        retry = "later" if kind.retry.possible else "never"
        rows.append(
            (f"`{kind.code}`", str(problems.status_of(kind.__new__(kind))), first_sentence(kind.__doc__), retry)
        )
    return (
        "# Errors\n\nThe API answers with an RFC 9457 problem document whose `code` is one of these; the command line "
        "prints the same message and hint.\n\n" + table(("code", "HTTP status", "meaning", "retry"), rows)
    )


def write_reasons() -> str:
    """Render every reason for which something that came is not stored."""
    rows = [
        (
            f"`{reason}`",
            signal,
            meaning.meaning,
            meaning.fix,
            ", ".join(f"`{name}`" for name in meaning.settings),
            "yes" if meaning.comes_again else "",
        )
        for reason, signal, meaning in meanings()
    ]
    head = ("reason", "signal", "meaning", "what to do", "settings", "to be sent again")
    return (
        "# What is left out\n\nThe reasons that `holdfast usage`, `GET /api/v1/usage/intake` and the page Usage give. "
        "Where a signal has a line of its own, that one counts. *To be sent again* says that the sender was told "
        "so: it is lost only if it does not.\n\n" + table(head, rows)
    )


def write_events(holdfast: app.Holdfast) -> str:
    """Render every kind of event."""
    rows = sorted((f"`{kind.name}`", kind.summary) for kind in holdfast.event_kinds)
    return "# Events\n\nWhat the event log may hold.\n\n" + table(("kind", "it says"), rows)


def write_permissions(declared: Iterable[Permission]) -> str:
    """Render every permission with the least role that has it."""
    rows = sorted((f"`{it.name}`", str(it.role), it.summary) for it in declared)
    return (
        "# Permissions\n\nRoles, each with everything of the one before: viewer, responder, operator, admin. A token "
        "may be narrowed to some permissions.\n\n" + table(("permission", "least role", "allows"), rows)
    )


def write_check_kinds() -> str:
    """Render every kind of check with the fields of its section."""
    sections = kinds_page.write_check_kinds(KINDS.values())
    return "\n".join([kinds_page.HEAD, *(f"{head}\n{table(COLUMNS, rows)}" for head, rows in sections)])


# ---- metrics, API, commands


def write_metrics(registry: CollectorRegistry) -> str:
    """Render every metric that Holdfast tells about itself."""
    rows = []
    for collector in registry._collector_to_names:  # noqa: SLF001 -- labels stand nowhere else before a first sample
        for metric in getattr(collector, "describe", collector.collect)():
            name = f"{metric.name}_total" if metric.type == "counter" else metric.name
            named = getattr(collector, "_labelnames", None) or getattr(metric, "_labelnames", ())
            labels = ", ".join(f"`{label}`" for label in named)
            rows.append((f"`{name}`", metric.type, labels, metric.documentation))
    return "# Metrics\n\nWhat `/metrics` shows of Holdfast itself.\n\n" + table(
        ("metric", "type", "labels", "meaning"), sorted(rows)
    )


def write_api(document: dict[str, Any]) -> str:
    """Render every route; the committed OpenAPI file has the shapes."""
    rows = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            rows.append((f"`{method.upper()}`", f"`{path}`", operation.get("description") or operation["summary"]))
    return (
        "# HTTP API\n\nThe shapes stand in `/api/v1/openapi.json` of a server (`holdfast openapi` prints it).\n\n"
        + table(("method", "path", "does"), rows)
    )


def write_commands() -> str:
    """Render every command with its options."""
    root = typer.main.get_command(cli)
    parts = [f"# Commands\n\n{(root.help or '').strip()}\n"]
    for context in walk_commands(root.context_class(root, info_name="holdfast")):
        command = context.command
        usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
        parts.append(f"## {context.command_path}\n\n{(command.help or '').strip()}\n\n    {usage}\n")
        records = (parameter.get_help_record(context) for parameter in command.get_params(context))
        rows = [(f"`{name}`", text) for name, text in filter(None, records) if "--help" not in name]
        if rows:
            parts.append(table(("option", "meaning"), rows))
    return "\n".join(parts)


def walk_commands(context: Any) -> Iterator[Any]:
    """Give the context of each command that does something."""
    command = context.command
    if not hasattr(command, "list_commands"):
        yield context
        return
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        if not inner.hidden:
            yield from walk_commands(inner.make_context(name, [], parent=context, resilient_parsing=True))


async def write_pages() -> dict[str, str]:
    """Start a server on an empty folder, ask it what it has, and give the pages by file name."""
    with tempfile.TemporaryDirectory(prefix="holdfast-reference-") as scratch:
        place = {"data": f"{scratch}/data", "ops": f"{scratch}/ops"}
        holdfast = await app.build(load(SECTIONS, environ={}, overrides={"server": place}), {})
        try:
            document = web.build(holdfast).openapi()
            await holdfast.start()
            pages = {
                "settings.md": write_settings(SECTIONS),
                "errors.md": write_errors(),
                "left-out.md": write_reasons(),
                "events.md": write_events(holdfast),
                "permissions.md": write_permissions(
                    [*PERMISSIONS, *(it for wiring in holdfast.wirings for it in wiring.permissions)]
                ),
                "metrics.md": write_metrics(holdfast.ground.metrics),
                "api.md": write_api(document),
                "commands.md": write_commands(),
                "check-kinds.md": write_check_kinds(),
            }
        finally:
            await holdfast.stop()
    return {name: HEAD + text for name, text in pages.items()}


def main() -> int:
    """Write the pages, or compare them with `--check`."""
    pages = asyncio.run(write_pages())
    stale = [
        name
        for name, text in pages.items()
        if not (REFERENCE / name).exists() or (REFERENCE / name).read_text(encoding="utf-8") != text
    ]
    if "--check" in sys.argv:
        print("\n".join(f"docs/reference/{name} is out of date; run: make docs" for name in stale))
        return 1 if stale else 0
    REFERENCE.mkdir(exist_ok=True)
    for name in stale:
        (REFERENCE / name).write_text(pages[name], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
