"""Where the API server is, and as whom it is asked: what the section says, a kubeconfig file, or the pod we run in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from holdfast.kernel.documents import read_text
from holdfast.kernel.errors import InvalidError
from holdfast.kernel.secrets import Secret
from holdfast.telemetry.metrics.scrape.config import (
    Authorization,
    ClientConfig,
    KubernetesDiscovery,
    TlsConfig,
    read_tree,
)

ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
IN_CLUSTER: Final = "https://kubernetes.default.svc"


def find_access(section: KubernetesDiscovery, base: Path) -> tuple[str, ClientConfig]:
    """Give the URL of the API server, and how it is called.

    Raises:
        ConfigError, InvalidError: the kubeconfig file cannot be read or used.
    """
    if section.kubeconfig_file:
        return _from_kubeconfig(base / section.kubeconfig_file)
    if section.api_server:
        return section.api_server.rstrip("/"), section
    own = ClientConfig(
        authorization=Authorization(credentials_file=str(ACCOUNT / "token")),
        tls_config=TlsConfig(ca_file=str(ACCOUNT / "ca.crt")),
    )
    return IN_CLUSTER, own


def own_namespace() -> str:
    """Give the namespace of the pod that we run in; empty outside a cluster."""
    path = ACCOUNT / "namespace"
    return read_text(path, str(path)).strip() if path.is_file() else ""


def _from_kubeconfig(path: Path) -> tuple[str, ClientConfig]:
    tree = _said(read_tree(read_text(path, str(path)), str(path)).value)
    context = _named(tree, "contexts", tree.get("current-context", ""), "context", path)
    cluster = _named(tree, "clusters", context.get("cluster", ""), "cluster", path)
    user = _named(tree, "users", context.get("user", ""), "user", path)
    for name in ("certificate-authority-data", "client-certificate-data", "client-key-data", "exec", "auth-provider"):
        if name in cluster or name in user:
            raise InvalidError(f"{path}: {name} is not supported", hint="name a file, or give a token")
    folder = path.parent
    tls = TlsConfig(
        ca_file=_beside(folder, cluster.get("certificate-authority", "")),
        cert_file=_beside(folder, user.get("client-certificate", "")),
        key_file=_beside(folder, user.get("client-key", "")),
        server_name=cluster.get("tls-server-name", ""),
        insecure_skip_verify=cluster.get("insecure-skip-tls-verify", "") == "true",
    )
    client = ClientConfig(tls_config=tls)
    if user.get("token") or user.get("tokenFile"):
        given = Authorization(
            credentials=Secret(user.get("token", "")), credentials_file=_beside(folder, user.get("tokenFile", ""))
        )
        client = replace(client, authorization=given)
    return str(cluster.get("server", "")).rstrip("/"), client


def _said(part: Any) -> Any:
    """Leave out what has no value."""
    if isinstance(part, dict):
        return {name: _said(value) for name, value in part.items() if value is not None}
    return [_said(each) for each in part] if isinstance(part, list) else part


def _named(tree: Any, kind: str, name: str, part: str, path: Path) -> dict[str, Any]:
    for one in tree.get(kind) or ():
        if one.get("name") == name:
            return one.get(part) or {}
    raise InvalidError(f"{path}: {kind} has no {name!r}", hint="is current-context set?")


def _beside(folder: Path, name: str) -> str:
    return str(folder / name) if name else ""
