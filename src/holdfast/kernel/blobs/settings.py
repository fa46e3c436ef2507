"""Settings of blobs: `[blobs]` in `holdfast.toml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydantic import ConfigDict

from holdfast.kernel.secrets import Secret
from holdfast.kernel.settings import Section
from holdfast.kernel.units import Duration, Size


@dataclass(frozen=True, slots=True)
class BlobSettings:
    """Where large values live.

    Attributes:
        url: `s3://bucket/path`, `gs://bucket/path` or `az://account/container/path`; empty means the data folder.
        endpoint: address of an S3-compatible server, such as `http://127.0.0.1:9000`.
        region: region of the bucket.
        access_key_id: S3 key; empty takes the credentials that the cloud's own tools would find.
        secret_access_key: S3 secret.
        timeout: longest time for one request to the bucket.
        max_size: largest blob.
        sweep_every: how often blobs that nothing refers to are looked for.
        sweep_after: how old such a blob must be before it is removed.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    url: str = ""
    endpoint: str = ""
    region: str = ""
    access_key_id: Secret = Secret("")
    secret_access_key: Secret = Secret("")
    timeout: Duration = 30.0
    max_size: Size = 1024**3
    sweep_every: Duration = 6 * 3600.0
    sweep_after: Duration = 24 * 3600.0


SECTION: Final = Section("blobs", BlobSettings)
