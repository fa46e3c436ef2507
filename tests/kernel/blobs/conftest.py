"""Blobs in each place that there is: memory, a folder, and a bucket that speaks S3."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from holdfast.kernel.blobs import Blobs, BlobSettings, BucketStore, FolderStore, MemoryStore
from holdfast.kernel.secrets import Secret

SERVER = Path(__file__).parent / "s3_server.py"


@pytest.fixture
def bucket():
    """A server of one bucket; `objects` are its keys and bodies."""
    spec = importlib.util.spec_from_file_location("s3_server", SERVER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with module.serve_bucket() as server:
        yield server


def bucket_settings(server, **more):
    host, port = server.server_address
    return BlobSettings(
        url="s3://blobs/team",
        endpoint=f"http://{host}:{port}",
        region="eu-central-1",
        access_key_id=Secret("key"),
        secret_access_key=Secret("secret"),
        **more,
    )


@pytest.fixture
def bucket_store(bucket):
    return BucketStore(bucket_settings(bucket))


@pytest.fixture(params=["memory", "folder", "bucket"])
async def store(request, tmp_path):
    """A store of each kind."""
    if request.param == "memory":
        opened = MemoryStore()
    elif request.param == "folder":
        opened = FolderStore(tmp_path / "blobs")
    else:
        opened = request.getfixturevalue("bucket_store")
    yield opened
    await opened.close()


@pytest.fixture
def registry():
    return CollectorRegistry()


@pytest.fixture
def blobs(store, registry):
    return Blobs(store, max_bytes=40_000_000, registry=registry)
