"""The configuration as it is shown to people: secrets replaced, the rest as it stands."""

from __future__ import annotations

from typing import Any, Final

import yaml

from holdfast.telemetry.metrics.scrape.config.yamltree import Quoted

MASK: Final = "<secret>"
_SECRET: Final = frozenset(
    {
        "password", "credentials", "bearer_token", "client_secret", "client_certificate_key", "key", "token",
        "secret_key", "auth_token", "secrets", "application_secret", "consumer_key", "key_passphrase",
        "service_account_key", "private_key",
    }
)  # fmt: skip


def show(tree: Any) -> str:
    """Give the tree as YAML that Prometheus reads too: it takes no quoted `true` or `50`, but `1.10` for a text."""
    return yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120) if tree else ""


class _Dumper(yaml.SafeDumper):
    """Writes texts that read as a truth or a number without quotes, as they were read."""


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    tag = dumper.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]  # PyYAML has no types there
    return dumper.represent_scalar(tag if tag in _PLAIN else _TEXT, text)


_TEXT: Final = "tag:yaml.org,2002:str"
_PLAIN: Final = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("bool", "int", "float"))
for _kind in (str, Quoted):
    _Dumper.add_representer(_kind, _write_text)


def masked(part: Any) -> Any:
    """Give the tree with its secrets replaced."""
    if isinstance(part, dict):
        return {name: _hidden(value) if name in _SECRET else masked(value) for name, value in part.items()}
    return [masked(item) for item in part] if isinstance(part, list) else part


def _hidden(value: Any) -> Any:
    if value is None:
        return None
    return [MASK for _ in value] if isinstance(value, list) else MASK
