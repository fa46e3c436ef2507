"""Relabelling as Prometheus does it: rules that rewrite a label set, or drop what bears it.

All actions and their validation; expressions are RE2 and match the whole value. Source: Prometheus 3, model/relabel.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import re2

from holdfast.kernel.errors import InvalidError

DEFAULT_REGEX: Final = "(.*)"
DEFAULT_REPLACEMENT: Final = "$1"
DEFAULT_SEPARATOR: Final = ";"

_VARIABLE: Final = re.compile(r"\$(?:(\$)|\{(\w+)\}|(\w+))", re.ASCII)
_ONE_BYTE: Final = re.compile(r"(?<!\\)(?:\\\\)*\\C")
_SYNTAX: Final = "RE2 syntax, as in Go"
_LEGACY_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_LEGACY_TEMPLATE: Final = re.compile(r"(?:(?:[a-zA-Z_]|\$(?:\{\w+\}|\w+))+\w*)+", re.ASCII)


class Action(StrEnum):
    """What a rule does."""

    REPLACE = "replace"
    KEEP = "keep"
    DROP = "drop"
    KEEP_EQUAL = "keepequal"
    DROP_EQUAL = "dropequal"
    HASH_MOD = "hashmod"
    LABEL_MAP = "labelmap"
    LABEL_DROP = "labeldrop"
    LABEL_KEEP = "labelkeep"
    LOWERCASE = "lowercase"
    UPPERCASE = "uppercase"


_WITH_TARGET: Final = frozenset(
    {Action.REPLACE, Action.HASH_MOD, Action.LOWERCASE, Action.UPPERCASE, Action.KEEP_EQUAL, Action.DROP_EQUAL}
)
_WITHOUT_REPLACEMENT: Final = frozenset({Action.LOWERCASE, Action.UPPERCASE})
_EQUAL: Final = frozenset({Action.KEEP_EQUAL, Action.DROP_EQUAL})
_BY_NAME: Final = frozenset({Action.LABEL_DROP, Action.LABEL_KEEP})


@dataclass(frozen=True, slots=True)
class RelabelRule:
    """One rule, as it stands in a file."""

    source_labels: tuple[str, ...] = ()
    separator: str = DEFAULT_SEPARATOR
    regex: str = DEFAULT_REGEX
    modulus: int = 0
    target_label: str = ""
    replacement: str = DEFAULT_REPLACEMENT
    action: Action = Action.REPLACE


def check_rule(rule: RelabelRule, *, is_legacy: bool) -> None:
    """Check one rule; `is_legacy` allows only ASCII names of labels.

    Raises:
        InvalidError: what Prometheus would refuse.
    """
    action, target = rule.action, rule.target_label
    is_default = rule.replacement == DEFAULT_REPLACEMENT and rule.separator == DEFAULT_SEPARATOR
    if action is Action.HASH_MOD and not rule.modulus:
        raise InvalidError("hashmod needs a modulus other than 0")
    if action in _WITH_TARGET and not target:
        raise InvalidError(f"{action} needs a target_label")
    if action in _WITH_TARGET and not _is_target(target, action, is_legacy=is_legacy):
        raise InvalidError(f"{target!r} cannot be the target_label of {action}")
    if action in _WITHOUT_REPLACEMENT and rule.replacement != DEFAULT_REPLACEMENT:
        raise InvalidError(f"{action} takes no replacement")
    if action is Action.LABEL_MAP and not _is_template(rule.replacement, is_legacy=is_legacy):
        raise InvalidError(f"{rule.replacement!r} cannot be the replacement of labelmap")
    if action in _EQUAL and (rule.regex != DEFAULT_REGEX or rule.modulus or not is_default):
        raise InvalidError(f"{action} takes only source_labels and target_label")
    if action in _BY_NAME and (rule.source_labels or target or rule.modulus or not is_default):
        raise InvalidError(f"{action} takes only a regex")
    _compile(rule.regex)


class Relabelling:
    """Rules in their order, compiled."""

    def __init__(self, rules: Iterable[RelabelRule], *, is_legacy: bool = False) -> None:
        self.rules = tuple(rules)
        self._steps = tuple(_step(rule, is_legacy=is_legacy) for rule in self.rules)

    def __bool__(self) -> bool:
        """Tell whether there is any rule."""
        return bool(self._steps)

    def apply(self, labels: Mapping[str, str]) -> dict[str, str] | None:
        """Give the new label set, or None if what bears it is dropped; `labels` is left as it is."""
        changed = dict(labels)
        for step in self._steps:
            if not step(changed):
                return None
        return changed

    def stepwise(self, labels: Mapping[str, str]) -> list[tuple[RelabelRule, dict[str, str] | None]]:
        """Give what each rule in turn makes of `labels`, up to the one that drops them."""
        changed, told = dict(labels), list[tuple[RelabelRule, dict[str, str] | None]]()
        for rule, step in zip(self.rules, self._steps, strict=True):
            is_kept = step(changed)
            told.append((rule, dict(changed) if is_kept else None))
            if not is_kept:
                break
        return told


Step = Callable[[dict[str, str]], bool]


def _step(rule: RelabelRule, *, is_legacy: bool) -> Step:
    if rule.action is Action.REPLACE:
        return _replacing(rule, is_legacy=is_legacy)
    if rule.action in {Action.LABEL_MAP, Action.LABEL_DROP, Action.LABEL_KEEP}:
        return _renaming(rule)
    return _judging(rule)


def _replacing(rule: RelabelRule, *, is_legacy: bool) -> Step:
    read, pattern = _reader(rule), _compile(rule.regex)
    is_plain = "$" not in rule.target_label and "$" not in rule.replacement

    def replace(labels: dict[str, str]) -> bool:
        match = pattern.fullmatch(read(labels))
        if match is None:
            return True
        target = rule.target_label if is_plain else _expand(rule.target_label, match)
        if not _is_name(target, is_legacy=is_legacy):
            return True
        _put(labels, target, rule.replacement if is_plain else _expand(rule.replacement, match))
        return True

    return replace


def _renaming(rule: RelabelRule) -> Step:
    pattern = _compile(rule.regex)

    def rename(labels: dict[str, str]) -> bool:
        for name, value in sorted(labels.items()):  # of two that become one label, the last counts
            match = pattern.fullmatch(name)
            if rule.action is Action.LABEL_MAP:
                if match is not None:
                    _put(labels, _expand(rule.replacement, match), value)
            elif (match is not None) == (rule.action is Action.LABEL_DROP):
                del labels[name]
        return True

    return rename


def _judging(rule: RelabelRule) -> Step:
    """Make the step of an action that looks at the joined values of its source labels."""
    read, target, modulus = _reader(rule), rule.target_label, rule.modulus
    pattern = _compile(rule.regex)
    steps: dict[Action, Step] = {
        Action.KEEP: lambda labels: pattern.fullmatch(read(labels)) is not None,
        Action.DROP: lambda labels: pattern.fullmatch(read(labels)) is None,
        Action.KEEP_EQUAL: lambda labels: labels.get(target, "") == read(labels),
        Action.DROP_EQUAL: lambda labels: labels.get(target, "") != read(labels),
        Action.HASH_MOD: lambda labels: _put(labels, target, str(_hash(read(labels)) % modulus)),
        Action.LOWERCASE: lambda labels: _put(labels, target, _by_character(read(labels).replace("İ", "i"), str.lower)),
        Action.UPPERCASE: lambda labels: _put(labels, target, _by_character(read(labels), str.upper)),
    }
    return steps[rule.action]


def _reader(rule: RelabelRule) -> Callable[[Mapping[str, str]], str]:
    sources, separator = rule.source_labels, rule.separator
    if len(sources) == 1:
        return lambda labels: labels.get(sources[0], "")
    return lambda labels: separator.join([labels.get(name, "") for name in sources])


def _put(labels: dict[str, str], name: str, value: str) -> bool:
    if value:
        labels[name] = value
    else:
        labels.pop(name, None)
    return True


def _hash(text: str) -> int:
    """Give the last 8 bytes of the MD5, the first of them most significant, as Prometheus does."""
    return int.from_bytes(hashlib.md5(text.encode(), usedforsecurity=False).digest()[8:], "big")


def _by_character(text: str, convert: Callable[[str], str]) -> str:
    """Change case one character by one, whatever stands beside it, as Go does; one that would become two stays."""
    if text.isascii():
        return convert(text)
    return "".join(new if len(new := convert(letter)) == 1 else letter for letter in text)


def _expand(template: str, match: Any) -> str:
    """Fill `$1`, `${1}`, `${name}` in; `$$` is a dollar, an unknown group is empty (Go's Regexp.Expand)."""
    if "$" not in template:
        return template

    def fill(variable: re.Match[str]) -> str:
        if variable[1]:
            return "$"
        name = variable[2] or variable[3]
        try:
            return match.group(int(name) if name.isdecimal() else name) or ""
        except (IndexError, KeyError):
            return ""

    return _VARIABLE.sub(fill, template)


def _compile(regex: str) -> Any:
    if _ONE_BYTE.search(regex):  # C++ has it, Go does not
        raise InvalidError(f"the expression {regex!r} is not valid: \\C stands for no character", hint=_SYNTAX)
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(f"^(?s:{regex})$", options)
    except re2.error as error:
        said = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error)
        raise InvalidError(f"the expression {regex!r} is not valid: {said}", hint=_SYNTAX) from None


def _is_target(target: str, action: Action, *, is_legacy: bool) -> bool:
    if action is Action.REPLACE:
        return _is_template(target, is_legacy=is_legacy)
    return _is_name(target, is_legacy=is_legacy)


def _is_template(text: str, *, is_legacy: bool) -> bool:
    return (_LEGACY_TEMPLATE.fullmatch(text) is not None) if is_legacy else bool(text)


def _is_name(text: str, *, is_legacy: bool) -> bool:
    return (_LEGACY_NAME.fullmatch(text) is not None) if is_legacy else bool(text)
