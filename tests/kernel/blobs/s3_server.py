"""The few words of S3 that a client of blobs says: objects, uploads in parts, listing. Signatures are not checked."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

TIME_HTTP = "Thu, 01 Jan 2026 00:00:00 GMT"
TIME_XML = "2026-01-01T00:00:00.000Z"
PAGE = 3


class Bucket(BaseHTTPRequestHandler):
    """One bucket, kept in the server; `server.is_down` makes it answer 403 to everything."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_args) -> None:
        """Stay silent."""

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        key, query = self.where()
        if self.server.is_down:
            return self.answer(403, b"<Error><Code>AccessDenied</Code></Error>")
        if "partNumber" in query:
            self.server.uploads[query["uploadId"][0]][int(query["partNumber"][0])] = body
        else:
            self.server.objects[key] = body
        return self.answer(200, etag=hashlib.md5(body).hexdigest())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        key, query = self.where()
        if "delete" in query:
            for name in re.findall(r"<Key>(.*?)</Key>", body.decode()):
                self.server.objects.pop(name, None)
            return self.answer(200, "<DeleteResult><Deleted><Key>x</Key></Deleted></DeleteResult>")
        if "uploads" in query:
            name = str(len(self.server.uploads))
            self.server.uploads[name] = {}
            return self.answer(
                200, f"<InitiateMultipartUploadResult><UploadId>{name}</UploadId></InitiateMultipartUploadResult>"
            )
        parts = self.server.uploads.pop(query["uploadId"][0])
        self.server.objects[key] = b"".join(parts[number] for number in sorted(parts))
        return self.answer(200, "<CompleteMultipartUploadResult><ETag>whole</ETag></CompleteMultipartUploadResult>")

    def do_GET(self) -> None:
        key, query = self.where()
        if "list-type" in query:
            return self.answer(200, self.page(query))
        body = self.server.objects.get(key)
        return self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>") if body is None else self.answer(200, body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        key, query = self.where()
        if "uploadId" in query:
            self.server.uploads.pop(query["uploadId"][0], None)
        else:
            self.server.objects.pop(key, None)
        self.answer(204)

    def page(self, query: dict[str, list[str]]) -> str:
        after = query.get("continuation-token", query.get("start-after", [""]))[0]
        prefix = query.get("prefix", [""])[0]
        keys = [key for key in sorted(self.server.objects) if key.startswith(prefix) and key > after]
        items = "".join(
            f"<Contents><Key>{key}</Key><Size>{len(self.server.objects[key])}</Size>"
            f"<LastModified>{TIME_XML}</LastModified><ETag>x</ETag></Contents>"
            for key in keys[:PAGE]
        )
        more = f"<NextContinuationToken>{keys[PAGE - 1]}</NextContinuationToken>" if len(keys) > PAGE else ""
        return f"<ListBucketResult><IsTruncated>{str(bool(more)).lower()}</IsTruncated>{items}{more}</ListBucketResult>"

    def where(self) -> tuple[str, dict[str, list[str]]]:
        address = urlsplit(self.path)
        _, _, key = unquote(address.path).lstrip("/").partition("/")
        return key, parse_qs(address.query, keep_blank_values=True)

    def answer(self, status: int, body: bytes | str = b"", etag: str = "x") -> None:
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        self.send_header("etag", f'"{etag}"')
        self.send_header("last-modified", TIME_HTTP)
        if status != 204:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def serve_bucket() -> Iterator[ThreadingHTTPServer]:
    """Serve one bucket on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Bucket)
    server.objects, server.uploads, server.is_down = {}, {}, False
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join(timeout=30)
        server.server_close()
