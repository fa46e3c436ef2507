"""The configuration as it is shown to people: secrets replaced, the rest as it stands."""

from __future__ import annotations

from typing import Any, Final

import yaml

MASK: Final = "<secret>"
_SECRET: Final = frozenset(
    {
        "password", "credentials", "bearer_token", "client_secret", "client_certificate_key", "key", "token",
        "secret_key", "auth_token", "secrets", "application_secret", "consumer_key", "key_passphrase",
        "service_account_key", "private_key",
    }
)  # fmt: skip


def show_masked(tree: Any) -> str:
    """Give the tree as YAML text."""
    return yaml.safe_dump(_masked(tree), sort_keys=False, allow_unicode=True, width=120) if tree else ""


def _masked(part: Any) -> Any:
    if isinstance(part, dict):
        return {name: _hidden(value) if name in _SECRET else _masked(value) for name, value in part.items()}
    return [_masked(item) for item in part] if isinstance(part, list) else part


def _hidden(value: Any) -> Any:
    return [MASK for _ in value] if isinstance(value, list) else MASK
