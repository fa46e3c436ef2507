"""The contract of a store of blobs, on each of them."""

from __future__ import annotations

import hashlib

import pytest

from holdfast.kernel.blobs import BlobDamagedError, BlobTooLargeError
from holdfast.kernel.errors import InvalidError, NotFoundError

KEY = "runs/default/019a/input"


async def keys_of(blobs, prefix=""):
    return sorted([stored.key async for stored in blobs.list(prefix)])


async def pieces(*bodies):
    for body in bodies:
        yield body


async def test_what_was_put_is_read_back(blobs):
    blob = await blobs.put(KEY, b"hello")
    assert (blob.key, blob.size_bytes, blob.sha256) == (KEY, 5, hashlib.sha256(b"hello").hexdigest())
    assert await blobs.get(KEY, sha256=blob.sha256) == b"hello"
    assert (await blobs.stat(KEY)).size_bytes == 5


async def test_an_empty_blob_is_a_blob(blobs):
    await blobs.put(KEY, b"")
    assert await blobs.get(KEY) == b""
    assert await keys_of(blobs) == [KEY]


async def test_a_later_put_replaces_the_blob(blobs):
    await blobs.put(KEY, b"first, and longer")
    await blobs.put(KEY, b"second")
    assert await blobs.get(KEY) == b"second"
    assert await keys_of(blobs) == [KEY]


async def test_a_stream_larger_than_one_part_arrives_whole_and_in_order(blobs):
    bodies = [bytes([number]) * 3_000_000 for number in range(7)]
    blob = await blobs.put(KEY, pieces(*bodies))
    assert blob.size_bytes == 21_000_000
    digest = hashlib.sha256()
    async for piece in blobs.stream(KEY):
        digest.update(piece)
    assert digest.hexdigest() == blob.sha256 == hashlib.sha256(b"".join(bodies)).hexdigest()


async def test_a_stream_that_breaks_leaves_what_was_there(blobs):
    async def broken():
        yield b"x" * 9_000_000
        raise ConnectionError("the sender went away")

    await blobs.put(KEY, b"old")
    with pytest.raises(ConnectionError, match="the sender went away"):
        await blobs.put(KEY, broken())
    assert await blobs.get(KEY) == b"old"
    assert await keys_of(blobs) == [KEY]


async def test_a_stream_over_the_cap_is_cut_and_nothing_is_kept(blobs):
    with pytest.raises(BlobTooLargeError, match="larger than"):
        await blobs.put(KEY, pieces(b"x" * 600, b"y" * 600), max_bytes=1000)
    with pytest.raises(NotFoundError, match=KEY):
        await blobs.stat(KEY)


async def test_a_large_blob_is_not_read_beyond_the_readers_cap(blobs):
    await blobs.put(KEY, b"x" * 2000)
    with pytest.raises(BlobTooLargeError):
        await blobs.get(KEY, max_bytes=1000)


async def test_what_is_not_there_is_told_by_name(blobs):
    for ask in (blobs.get, blobs.stat):
        with pytest.raises(NotFoundError, match=KEY):
            await ask(KEY)


async def test_deleting_twice_is_no_error(blobs):
    await blobs.put(KEY, b"x")
    await blobs.delete(KEY)
    await blobs.delete(KEY)
    assert await keys_of(blobs) == []


async def test_a_listing_stops_at_whole_segments(blobs):
    for key in ("runs/a/1", "runs/a/2", "runs/ab/3", "models/a/4", "runs/a/deep/5"):
        await blobs.put(key, b"x")
    assert await keys_of(blobs, "runs/a") == ["runs/a/1", "runs/a/2", "runs/a/deep/5"]
    assert await keys_of(blobs, "nobody") == []
    assert len(await keys_of(blobs)) == 5


async def test_content_is_kept_once_and_checked_by_its_key(blobs, store):
    blob = await blobs.put_content("models/default", b"weights")
    again = await blobs.put_content("models/default", b"weights")
    assert blob == again
    assert await keys_of(blobs) == [blob.key]
    await store.write(blob.key, pieces(b"weighty"))
    with pytest.raises(BlobDamagedError, match="damaged"):
        await blobs.get(blob.key)


async def test_damage_is_found_by_the_digest_in_the_row(blobs, store):
    blob = await blobs.put(KEY, b"hello")
    await store.write(KEY, pieces(b"hellO"))
    with pytest.raises(BlobDamagedError):
        await blobs.get(KEY, sha256=blob.sha256)


@pytest.mark.parametrize("key", ["", "/a", "a//b", "../etc", "a/../b", ".incoming/x", "a b", "a/\x00", "ä", "x" * 600])
async def test_a_key_that_some_store_would_not_take_is_refused_by_all(blobs, key):
    with pytest.raises(InvalidError, match="is not the key of a blob"):
        await blobs.put(key, b"x")


async def test_operations_and_bytes_are_counted(blobs, registry):
    await blobs.put(KEY, b"hello")
    await blobs.get(KEY)
    with pytest.raises(NotFoundError):
        await blobs.get("runs/none")

    def count(operation, outcome):
        return registry.get_sample_value(
            "holdfast_blobs_operations_total", {"operation": operation, "outcome": outcome}
        )

    assert (count("put", "ok"), count("get", "ok"), count("get", "not_found")) == (1, 1, 1)
    assert registry.get_sample_value("holdfast_blobs_bytes_total", {"direction": "read"}) == 5
