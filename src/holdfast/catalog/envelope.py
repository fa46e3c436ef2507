"""From one YAML document to one entity, strictly: every fault with its line, its field and the fix.

The rules are Backstage's, the strictness about unknown keys is ours. Which documents exist is `reading`'s business.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from holdfast.catalog.entities import Entity, Link, Statement
from holdfast.catalog.judgement import Judgement, quoting_hint
from holdfast.catalog.kinds import (
    API_VERSIONS,
    ENVELOPE_KEYS,
    KINDS,
    LINK_KEYS,
    METADATA_KEYS,
    OUTPUT_KEYS,
    OUTPUT_METADATA_KEYS,
    PLACEHOLDERS,
    Shape,
    SpecKey,
)
from holdfast.catalog.refs import (
    DEFAULT_NAMESPACE,
    find_key_fault,
    find_kind_fault,
    find_name_fault,
    find_namespace_fault,
    make_ref,
    parse_ref,
)
from holdfast.kernel.decoding import Path
from holdfast.kernel.errors import InvalidError

_TAG: Final = re.compile(r"[a-z0-9:+#]+(?:-[a-z0-9:+#]+)*")
_SPELLINGS: Final = {
    kind.lower(): kind for kind in ("Component", "API", "Resource", "System", "Domain", "Group", "User", "Location")
}
_TYPO: Final = 0.9  # Componet is one; AiResource and Environment are kinds of their own
_UNSAFE_SCHEMES: Final = ("javascript", "data", "vbscript")  # the console renders links


def read_entity(judgement: Judgement) -> Entity | None:
    """Read the entity of a document; None when it has none or a fault leaves nothing to build."""
    data = judgement.document.value
    judgement.refuse_unknown_keys(data, (*ENVELOPE_KEYS, *OUTPUT_KEYS), ())
    judgement.refuse_strange_values(data)
    kind = _read_kind(judgement, data)
    metadata = judgement.mapping(data.get("metadata"), ("metadata",), is_required=True)
    if kind is None or metadata is None:
        return None
    judgement.refuse_unknown_keys(metadata, (*METADATA_KEYS, *OUTPUT_METADATA_KEYS), ("metadata",))
    for key in (key for key in OUTPUT_KEYS if key in data):
        judgement.warn((key,), f"{key!r} is computed, so it was passed over", "remove it from the file")
    name, namespace = _read_name(judgement, metadata)
    rest = _read_rest(judgement, metadata)
    spec = judgement.mapping(data.get("spec"), ("spec",), is_required=kind in KINDS) or {}
    statements = _read_spec(judgement, kind, namespace, spec)
    if judgement.faults:
        return None
    return Entity(
        ref=make_ref(kind, namespace, name),
        kind=_SPELLINGS.get(kind, str(data["kind"])),
        name=name,
        spec=spec,
        statements=statements,
        place=judgement.document.place("metadata", "name"),
        **rest,
    )


def _read_kind(judgement: Judgement, data: Mapping[str, Any]) -> str | None:
    """Give the kind in lower case, or None when the document cannot be judged further."""
    version = judgement.text(data, "apiVersion", (), is_required=True)
    kind = judgement.text(data, "kind", (), is_required=True)
    if not version or not kind:
        return None
    folded = kind.lower()
    if fault := find_kind_fault(kind):
        judgement.refuse(("kind",), fault)
    elif folded in _SPELLINGS:
        if kind != _SPELLINGS[folded]:
            judgement.refuse(("kind",), f"unknown kind {kind!r}", f"did you mean {_SPELLINGS[folded]!r}?")
        if version not in API_VERSIONS:
            judgement.refuse(("apiVersion",), f"unknown apiVersion {version!r}", f"write {API_VERSIONS[0]}")
    elif version in API_VERSIONS and (close := difflib.get_close_matches(kind, _SPELLINGS.values(), cutoff=_TYPO)):
        judgement.refuse(("kind",), f"unknown kind {kind!r}", f"did you mean {close[0]!r}?")
    else:
        judgement.warn(
            ("kind",), f"the kind {kind!r} is not one that Holdfast knows", "it is listed, and not understood"
        )
    return folded


def _read_name(judgement: Judgement, metadata: Mapping[str, Any]) -> tuple[str, str]:
    name = judgement.text(metadata, "name", ("metadata",), is_required=True)
    namespace = judgement.text(metadata, "namespace", ("metadata",)) or DEFAULT_NAMESPACE
    if name and (fault := find_name_fault(name)):
        judgement.refuse(("metadata", "name"), fault)
    if fault := find_namespace_fault(namespace):
        judgement.refuse(("metadata", "namespace"), fault)
    return name, namespace.lower()


def _read_rest(judgement: Judgement, metadata: Mapping[str, Any]) -> dict[str, Any]:
    at = ("metadata",)
    return {
        "title": judgement.text(metadata, "title", at),
        "description": judgement.text(metadata, "description", at).strip(),
        "labels": _read_texts_by_key(judgement, metadata, "labels"),
        "annotations": _read_texts_by_key(judgement, metadata, "annotations"),
        "tags": _read_tags(judgement, metadata),
        "links": _read_links(judgement, metadata),
    }


def _read_texts_by_key(judgement: Judgement, metadata: Mapping[str, Any], key: str) -> dict[str, str]:
    at: Path = ("metadata", key)
    texts: Mapping[Any, Any] = judgement.mapping(metadata.get(key), at) or {}
    for name, value in texts.items():
        if not isinstance(name, str):
            judgement.refuse(at, f"the key {name!r} is not text", quoting_hint(name))
        elif fault := find_key_fault(name):
            judgement.refuse((*at, name), fault)
        if not isinstance(value, str):
            judgement.refuse((*at, str(name)), f"expected text, found {value!r}", quoting_hint(value))
        elif key == "labels" and value and (fault := find_name_fault(value)):
            judgement.refuse((*at, str(name)), fault.replace("the name", "the label's value"), "or use an annotation")
    return dict(texts)


def _read_tags(judgement: Judgement, metadata: Mapping[str, Any]) -> tuple[str, ...]:
    tags = judgement.texts(metadata, "tags", ("metadata",))
    for index, tag in tags:
        if len(tag) > 63 or not _TAG.fullmatch(tag):
            judgement.refuse(
                ("metadata", "tags", index), f"the tag {tag!r} must be at most 63 of a-z 0-9 : + #, parted by single -"
            )
    return tuple(tag for _, tag in tags)


def _read_links(judgement: Judgement, metadata: Mapping[str, Any]) -> tuple[Link, ...]:
    links = metadata.get("links")
    if links is None:
        return ()
    if not isinstance(links, list):
        judgement.refuse(("metadata", "links"), "expected a list", "write - url: https://...")
        return ()
    return tuple(
        link
        for index, given in enumerate(links)
        if (link := _read_link(judgement, given, ("metadata", "links", index)))
    )


def _read_link(judgement: Judgement, given: Any, at: Path) -> Link | None:
    link = judgement.mapping(given, at, is_required=True)
    if link is None:
        return None
    judgement.refuse_unknown_keys(link, LINK_KEYS, at)
    url = judgement.text(link, "url", at, is_required=True)
    if url and not _is_safe_url(url):
        judgement.refuse((*at, "url"), f"{url!r} is not a link that a browser may follow", "write https://...")
    title, icon, kind = (judgement.text(link, key, at) for key in ("title", "icon", "type"))
    return Link(url, title, icon, kind)


def _is_safe_url(url: str) -> bool:
    try:
        scheme = urlsplit(url).scheme.lower()
    except ValueError:
        return False
    return bool(scheme) and scheme not in _UNSAFE_SCHEMES and url.isprintable()


def _read_spec(judgement: Judgement, kind: str, namespace: str, spec: Mapping[str, Any]) -> tuple[Statement, ...]:
    known = KINDS.get(kind)
    if known is None:
        return ()
    judgement.refuse_unknown_keys(spec, known, ("spec",))
    statements: list[Statement] = []
    for key, rule in known.items():
        for path, text in _read_value(judgement, spec, key, rule):
            if rule.relation is None:
                continue
            try:
                target = parse_ref(text, kind=rule.kind, namespace=namespace)
            except InvalidError as error:
                judgement.refuse(path, error.message, error.hint)
                continue
            statements.append(Statement(rule.relation, target, judgement.document.place(*path)))
    return tuple(statements)


def _read_value(judgement: Judgement, spec: Mapping[str, Any], key: str, rule: SpecKey) -> list[tuple[Path, str]]:
    """Give the texts of a key with the path of each, after refusing what does not have the key's shape."""
    if rule.shape is Shape.TEXTS:
        return [(("spec", key, index), text) for index, text in judgement.texts(spec, key, ("spec",))]
    if rule.shape is Shape.ANYTHING or (rule.shape is Shape.CONTENT and _is_placeholder(spec.get(key))):
        return []
    text = judgement.text(spec, key, ("spec",), is_required=rule.is_required)
    return [(("spec", key), text)] if text else []


def _is_placeholder(value: Any) -> bool:
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in PLACEHOLDERS
