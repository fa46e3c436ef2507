"""Where the API server is, and as whom it is asked: what the section says, a kubeconfig file, or the pod we run in."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from holdfast.kernel.documents import read_text
from holdfast.kernel.errors import InvalidError, UnavailableError
from holdfast.kernel.secrets import Secret
from holdfast.telemetry.metrics.scrape.config import (
    Authorization,
    BasicAuth,
    ClientConfig,
    KubernetesDiscovery,
    TlsConfig,
    read_tree,
)
from holdfast.telemetry.metrics.scrape.discovery.kubernetes.meta import joined

ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
IN_CLUSTER: Final = "https://kubernetes.default.svc"
_PROGRAMS: Final = ("exec", "auth-provider")


def find_access(
    section: KubernetesDiscovery, base: Path, variables: Mapping[str, str] | None = None
) -> tuple[str, ClientConfig]:
    """Give the URL of the API server, and how it is called; `variables` say where it is for a pod.

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
    return _in_cluster(variables or {}), own


def own_namespace() -> str:
    """Give the namespace of the pod that we run in.

    Raises:
        UnavailableError: nothing says which it is.
    """
    path = ACCOUNT / "namespace"
    found = read_text(path, str(path)).strip() if path.is_file() else ""
    if not found:
        raise UnavailableError(f"own_namespace is not known: {path} does not say it")
    return found


def _in_cluster(variables: Mapping[str, str]) -> str:
    """Give the URL that a pod is told; the name stands where it is told none, and needs the cluster's own DNS."""
    host, port = variables.get("KUBERNETES_SERVICE_HOST", ""), variables.get("KUBERNETES_SERVICE_PORT", "")
    return f"https://{joined(host, port)}" if host and port else IN_CLUSTER


def _from_kubeconfig(path: Path) -> tuple[str, ClientConfig]:
    tree = _said(read_tree(read_text(path, str(path)), str(path)).value)
    context = _named(tree, "contexts", tree.get("current-context", ""), "context", path)
    cluster = _named(tree, "clusters", context.get("cluster", ""), "cluster", path)
    user = _named(tree, "users", context.get("user", ""), "user", path)
    for name in _PROGRAMS:
        if name in user:
            raise InvalidError(f"{path}: {name} is not supported", hint="give a certificate or a token")
    folder = path.parent
    ca, ca_file = _either(cluster, "certificate-authority", path)
    cert, cert_file = _either(user, "client-certificate", path)
    key, key_file = _either(user, "client-key", path)
    tls = TlsConfig(
        ca=ca,
        cert=cert,
        key=Secret(key),
        ca_file=ca_file,
        cert_file=cert_file,
        key_file=key_file,
        server_name=cluster.get("tls-server-name", ""),
        insecure_skip_verify=cluster.get("insecure-skip-tls-verify", "") == "true",
    )
    client = ClientConfig(tls_config=tls, proxy_url=cluster.get("proxy-url", ""))
    if user.get("token") or user.get("tokenFile"):
        token = "" if user.get("tokenFile") else user["token"]  # a file is read again when it changes, so it wins
        given = Authorization(credentials=Secret(token), credentials_file=_beside(folder, user.get("tokenFile", "")))
        client = replace(client, authorization=given)
    elif user.get("username"):
        basic = BasicAuth(username=user["username"], password=Secret(user.get("password", "")))
        client = replace(client, basic_auth=basic)
    return str(cluster.get("server", "")).rstrip("/"), client


def _either(section: Mapping[str, Any], name: str, path: Path) -> tuple[str, str]:
    """Give what stands in the file itself, or else the file that holds it."""
    data = section.get(f"{name}-data")
    if not data:
        return "", _beside(path.parent, section.get(name, ""))
    try:
        return base64.b64decode(data, validate=True).decode("ascii"), ""
    except (binascii.Error, ValueError):
        raise InvalidError(f"{path}: {name}-data is no base64 of a certificate or key") from None


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
