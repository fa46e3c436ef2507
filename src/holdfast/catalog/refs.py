"""Names of catalogued things: `[kind:][namespace/]name`, compared without regard to case, as Backstage does.

Knows nothing of files or of what exists; `entities` does. Source: Backstage, "Entity References".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from holdfast.kernel.errors import InvalidError

DEFAULT_NAMESPACE: Final = "default"
MAX_NAME: Final = 63

_REF: Final = re.compile(r"(?:([^:/\s]+):)?(?:([^:/\s]+)/)?([^:/\s]+)")
_KIND: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9]*")
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?")
_LABEL: Final = re.compile(r"[a-z0-9]+(?:-+[a-z0-9]+)*")


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """The identity of an entity; its three parts are in lower case."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        """Give the full form, such as `component:default/payments`."""
        return f"{self.kind}:{self.namespace}/{self.name}"


def make_ref(kind: str, namespace: str, name: str) -> Ref:
    """Build a reference from parts in any case."""
    return Ref(kind.lower(), namespace.lower(), name.lower())


def parse_ref(text: str, *, kind: str = "", namespace: str = DEFAULT_NAMESPACE) -> Ref:
    """Read a reference; the context supplies what it leaves out.

    Args:
        text: `name`, `namespace/name`, `kind:name` or `kind:namespace/name`.
        kind: the kind when `text` names none; empty leaves it open (`Ref.kind == ""`).
        namespace: the namespace when `text` names none: the one of the entity that refers.

    Raises:
        InvalidError: `text` has another form, or a part breaks Backstage's rules for names.
    """
    match = _REF.fullmatch(text)
    if match is None:
        raise InvalidError(
            f"{text!r} is not an entity reference", hint="write [kind:][namespace/]name, such as group:platform"
        )
    ref = make_ref(match[1] or kind, match[2] or namespace, match[3])
    fault = (
        (find_kind_fault(ref.kind) if ref.kind else "")
        or find_namespace_fault(ref.namespace)
        or find_name_fault(ref.name)
    )
    if fault:
        raise InvalidError(f"{text!r} is not an entity reference: {fault}")
    return ref


def find_kind_fault(kind: str) -> str:
    """Say what is wrong with a kind, or nothing."""
    if len(kind) <= MAX_NAME and _KIND.fullmatch(kind):
        return ""
    return f"the kind {_shorten(kind)} must be letters and digits, begin with a letter and have at most {MAX_NAME}"


def find_name_fault(name: str) -> str:
    """Say what is wrong with a name (or a label's value), or nothing."""
    if len(name) <= MAX_NAME and _NAME.fullmatch(name):
        return ""
    return (
        f"the name {_shorten(name)} must be 1 to {MAX_NAME} of a-z A-Z 0-9 - _ . "
        "and begin and end with a letter or digit"
    )


def find_namespace_fault(namespace: str) -> str:
    """Say what is wrong with a namespace, or nothing."""
    if len(namespace) <= MAX_NAME and _LABEL.fullmatch(namespace.lower()):
        return ""
    return f"the namespace {_shorten(namespace)} must be 1 to {MAX_NAME} of a-z 0-9, parted by single -"


def find_key_fault(key: str) -> str:
    """Say what is wrong with the key of a label or annotation, `[domain/]name`, or nothing."""
    prefix, slash, name = key.rpartition("/")
    if slash and (len(prefix) > 253 or not all(_LABEL.fullmatch(part) for part in prefix.split("."))):
        return f"the part before the slash in {_shorten(key)} must be a lower-case domain name"
    return find_name_fault(name)


def _shorten(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:77]}...")
