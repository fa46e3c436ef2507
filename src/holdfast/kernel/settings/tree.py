"""Reads the sources of settings in their order and decodes them as a whole.

Touches neither the network nor any file but those that are named to it.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
import types
import typing
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from holdfast.kernel import decoding
from holdfast.kernel.documents import read_text
from holdfast.kernel.errors import ConfigError, InvalidError, Place
from holdfast.kernel.secrets import Secret
from holdfast.kernel.settings.sections import Section

T = TypeVar("T")

PREFIX: Final = "HOLDFAST_"
# Read by others, not settings of the tree: test switches, and the variables that name files before the tree is read.
_NOT_OURS: Final = ("HOLDFAST_TEST_", "HOLDFAST_CONFIG", "HOLDFAST_SECRET_", "HOLDFAST_URL", "HOLDFAST_TOKEN")


class Settings:
    """Every room's section, decoded; ask with the section's class: `settings[HealthSettings]`."""

    def __init__(self, sections: Mapping[str, Any]) -> None:
        self._by_name = types.MappingProxyType(dict(sections))
        self._by_shape = {type(section): section for section in sections.values()}

    def __getitem__(self, shape: type[T]) -> T:
        """Give the section of this class; a section that nobody declared is a programming error."""
        section: T = self._by_shape[shape]
        return section

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """Give the whole tree as plain data, secrets masked, for people and for `holdfast config`."""
        return {
            name: {field.name: _plain(getattr(section, field.name)) for field in dataclasses.fields(section)}
            for name, section in self._by_name.items()
        }


def load(
    sections: Iterable[Section],
    *,
    file: Path | None = None,
    environ: Mapping[str, str],
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    elsewhere: Collection[str] = (),
) -> Settings:
    """Read the settings of all `sections`.

    Args:
        sections: what the rooms declare.
        file: `holdfast.toml`, or none.
        environ: the process' environment; only names that begin with `HOLDFAST_` are read.
        overrides: what the command line says, by section and field; wins over everything.
        elsewhere: names of sections that others read; what they hold is not looked at.

    Raises:
        ConfigError: every fault of the file and of the environment, each with its place and fix.
    """
    shapes = {section.name: section.shape for section in sections}
    text, name = (read_text(file, str(file)), str(file)) if file else ("", "")
    others = [each for each in elsewhere if each not in shapes]
    tables, problems = _read_toml(text, name, shapes, others)
    for section, field, value, origin in _from_environ(environ, shapes, others, problems):
        tables.setdefault(section, {})[field] = (value, origin)
    for section, fields in (overrides or {}).items():
        tables.setdefault(section, {}).update({key: (value, "the command line") for key, value in fields.items()})
    decoded = {}
    for section, shape in shapes.items():
        values = tables.get(section, {})
        known = {field.name for field in dataclasses.fields(shape)}
        strangers = [_stranger(key, known) for key in values if key not in known]
        problems += [_placed(stranger, section, values, text, name) for stranger in strangers]
        try:
            decoded[section] = decoding.decode(
                shape, {key: value for key, (value, _) in values.items() if key in known}
            )
        except ConfigError as error:
            problems += [_placed(problem, section, values, text, name) for problem in error.problems]
    if problems:
        raise ConfigError(tuple(problems), hint="nothing was started")
    return Settings(decoded)


_Tables = dict[str, dict[str, tuple[Any, str]]]


def _read_toml(
    text: str, name: str, shapes: Mapping[str, Any], others: Collection[str]
) -> tuple[_Tables, list[InvalidError]]:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        place = Place(name, int(line[1]) if line else text.count("\n") + 1)
        raise ConfigError((InvalidError(f"not valid TOML: {error}", place=place),)) from error
    except (RecursionError, ValueError) as error:  # of numbers, ValueError says how many digits there may be
        said = "it is nested too deeply" if isinstance(error, RecursionError) else str(error).partition(":")[0]
        raise ConfigError((InvalidError(f"not valid TOML: {said}", place=Place(name)),)) from error
    problems = []
    tables: _Tables = {}
    for section, fields in data.items():
        if section in others:
            continue
        if section not in shapes:
            hint = decoding.suggest(section, [*shapes, *others])
            problems.append(
                InvalidError(
                    f"unknown section {section!r}", hint=hint, place=Place(name, _line(text, section), section)
                )
            )
        elif not isinstance(fields, dict):
            problems.append(InvalidError("expected a table", hint=f"write [{section}]", place=Place(name, 0, section)))
        else:
            tables[section] = {key: (value, name) for key, value in fields.items()}
    return tables, problems


def _from_environ(
    environ: Mapping[str, str], shapes: Mapping[str, Any], others: Collection[str], problems: list[InvalidError]
) -> list[tuple[str, str, Any, str]]:
    known = {
        f"{PREFIX}{section}_{field.name}".upper(): (section, field.name, hint)
        for section, shape in shapes.items()
        for field, hint in _typed_fields(shape)
    }
    ours = tuple(f"{PREFIX}{section}_".upper() for section in shapes)
    theirs = tuple(f"{PREFIX}{section}_".upper() for section in others)
    found = []
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable.startswith(_NOT_OURS):
            continue
        target = known.get(variable) or known.get(variable.removesuffix("_FILE"))
        if target is None:
            if variable.startswith(theirs) and not variable.startswith(ours):
                continue
            hint = decoding.suggest(variable, known)
            problems.append(InvalidError("unknown setting", hint=hint, place=Place(f"environment variable {variable}")))
            continue
        section, field, kind = target
        text = environ[variable] if variable in known else read_text(Path(environ[variable]), variable).strip()
        found.append((section, field, _from_text(text, kind), f"environment variable {variable}"))
    return found


def _typed_fields(shape: Any) -> list[tuple[Any, Any]]:
    hints = typing.get_type_hints(shape)
    return [(field, hints[field.name]) for field in dataclasses.fields(shape)]


def _from_text(text: str, kind: Any) -> Any:
    """Let environment text become what the field expects: numbers, switches and comma-separated lists."""
    kinds = {kind, *typing.get_args(kind)}
    if bool in kinds and text.lower() in {"true", "false", "on", "off", "yes", "no", "1", "0"}:
        return text.lower() in {"true", "on", "yes", "1"}
    if typing.get_origin(kind) is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    if int in kinds and re.fullmatch(r"-?\d{1,300}", text):
        return int(text)
    if float in kinds and re.fullmatch(r"-?\d*\.\d+", text):
        return float(text)
    return text


def _stranger(key: str, known: set[str]) -> InvalidError:
    return InvalidError(f"unknown key {key!r}", hint=decoding.suggest(key, known), place=Place(field=key))


def _placed(
    problem: InvalidError, section: str, values: Mapping[str, tuple[Any, str]], text: str, name: str
) -> InvalidError:
    field = problem.place.field
    key = re.split(r"[.\[]", field, maxsplit=1)[0]
    origin = values[key][1] if key in values else name
    line = _line(text, section, key) if origin == name else 0
    place = Place(origin, line, f"{section}.{field}" if field else section)
    return InvalidError(problem.message, hint=problem.hint, place=place)


def _line(text: str, section: str, key: str = "") -> int:
    """Find the line of `[section]`, or of `key` below it; tomllib keeps no positions."""
    inside = False
    field = rf"\s*[\"']?{re.escape(key or section)}[\"']?\s*="
    dotted = rf"\s*{re.escape(section)}(\.{re.escape(key)})?\s*[=.]"
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*\[+\s*([\w.-]+)", line)
        if header:
            inside = header[1].split(".")[0] == section
            if inside and not key:
                return number
        elif re.match(field if inside else dotted, line):
            return number
    return 0


def _plain(value: Any) -> Any:
    if isinstance(value, Secret):
        return str(value)
    return list(value) if isinstance(value, tuple) else value
