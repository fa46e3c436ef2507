"""Serves the built console: hashed assets for a year, the page itself always checked, unknown paths as the page.

The build (`make ui`) puts the files into `web/console`; without them a page says how to get them.
"""

from __future__ import annotations

import base64
import hashlib
import mimetypes
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from holdfast.kernel.errors import NotFoundError
from holdfast.web.asgi import header, send_problem
from holdfast.web.compression import SMALLEST, choose_encoding, pack
from holdfast.web.unbuilt import UNBUILT_PAGE

if TYPE_CHECKING:
    from holdfast.web.asgi import Receive, Scope, Send

FOLDER: Final = Path(__file__).parent / "console"
# Paths of other surfaces: an unknown path below them is an error, not a page.
RESERVED: Final = ("/api/", "/prometheus/", "/alertmanager/", "/loki/", "/jaeger/", "/mlflow/", "/v1/")
_HASHED: Final = re.compile(r".*[-.][A-Za-z0-9_-]{8,}\.[a-z0-9]+")
_INLINE_SCRIPT: Final = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
_INLINE_STYLE: Final = re.compile(rb"<style>(.*?)</style>", re.DOTALL)
_FOREVER: Final = b"public, max-age=31536000, immutable"
_PACKABLE: Final = ("text/", "application/javascript", "application/json", "image/svg+xml")


@dataclass(frozen=True, slots=True)
class Asset:
    """One file in memory, with its compressed forms."""

    body: bytes
    kind: str
    etag: str
    cache: bytes
    policy: bytes = b""
    packed: dict[str, bytes] = field(default_factory=dict)

    def form(self, accepted: bytes | None) -> tuple[str, bytes]:
        """Give the encoding and bytes that suit the client, compressing at the first demand."""
        encoding = choose_encoding(accepted)
        if not encoding or len(self.body) < SMALLEST or not self.kind.startswith(_PACKABLE):
            return "", self.body
        if encoding not in self.packed:
            self.packed[encoding] = pack(self.body, encoding)
        return encoding, self.packed[encoding]


class Console:
    """An ASGI app over a folder of built files; it notices a new build."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._built_at_ns = 0
        self._assets: dict[str, Asset] = {}

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer one request."""
        path: str = scope["path"]
        asset = None if path.startswith(RESERVED) or scope.get("method") not in {"GET", "HEAD"} else self._find(path)
        if asset is None:
            error = NotFoundError(f"there is nothing at {path}", hint="the API is described at /api/v1/openapi.json")
            await send_problem(send, error)
            return
        await _answer(asset, scope, send)

    def _find(self, path: str) -> Asset | None:
        self._load()
        if not self._assets:
            return UNBUILT if _is_route(path) else None
        asset = self._assets.get(path.lstrip("/"))
        return self._assets["index.html"] if asset is None and _is_route(path) else asset

    def _load(self) -> None:
        try:
            built_at_ns = (self._folder / "index.html").stat().st_mtime_ns
        except OSError:
            self._assets, self._built_at_ns = {}, 0
            return
        if built_at_ns == self._built_at_ns:
            return
        files = (file for file in sorted(self._folder.rglob("*")) if file.is_file() and file.suffix != ".map")
        self._assets = {file.relative_to(self._folder).as_posix(): _read(file, self._folder) for file in files}
        self._built_at_ns = built_at_ns


def _is_route(path: str) -> bool:
    """Tell whether the console itself knows the way; `/checks/example.org` is one, `/x.map` a file that is missing."""
    folder, _, name = path.rpartition("/")
    return "." not in name or (folder != "" and not path.startswith("/assets/"))


def _read(file: Path, folder: Path) -> Asset:
    body = file.read_bytes()
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    kind = {"text/javascript": "application/javascript"}.get(kind, kind)
    is_hashed = file.parent != folder and _HASHED.fullmatch(file.name) is not None
    return Asset(
        body,
        f"{kind}; charset=utf-8" if kind.startswith(("text/", "application/j")) else kind,
        hashlib.sha256(body).hexdigest()[:32],
        _FOREVER if is_hashed else b"no-cache",
        page_policy(body) if kind == "text/html" else b"",
    )


def page_policy(page: bytes) -> bytes:
    """Give the content policy of a page: only our own files, and what stands in the page itself."""
    directives = (
        "default-src 'self'",
        " ".join(("script-src 'self'", *map(_digest, _INLINE_SCRIPT.findall(page)))),
        " ".join(("style-src 'self'", *map(_digest, _INLINE_STYLE.findall(page)))),
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
    return "; ".join(directives).encode()


def _digest(text: bytes) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'"


async def _answer(asset: Asset, scope: Scope, send: Send) -> None:
    encoding, body = asset.form(header(scope["headers"], b"accept-encoding"))
    etag = f'"{asset.etag}{encoding and f"-{encoding}"}"'.encode()
    headers = [
        (b"content-type", asset.kind.encode()),
        (b"cache-control", asset.cache),
        (b"etag", etag),
        (b"vary", b"accept-encoding"),
    ]
    if asset.policy:
        headers.append((b"content-security-policy", asset.policy))
    known = header(scope["headers"], b"if-none-match") or b""
    status = 200 if asset is not UNBUILT else 503
    if etag in {tag.strip().removeprefix(b"W/") for tag in known.split(b",")}:
        status, body = 304, b""
    else:
        headers.append((b"content-length", str(len(body)).encode()))
        if encoding:
            headers.append((b"content-encoding", encoding.encode()))
    if scope["method"] == "HEAD":
        body = b""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


UNBUILT: Final = Asset(UNBUILT_PAGE, "text/html; charset=utf-8", "unbuilt", b"no-store", page_policy(UNBUILT_PAGE))
