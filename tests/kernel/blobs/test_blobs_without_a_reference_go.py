"""The sweep removes what nobody refers to, and nothing else."""

from __future__ import annotations

import asyncio

from holdfast.kernel.blobs import Blobs, MemoryStore, Owner, sweep, sweep_for_ever
from holdfast.kernel.errors import UnavailableError


def owner_of(prefix, *needed):
    async def find_referenced(keys):
        return [key for key in keys if key in needed]

    return Owner(prefix, find_referenced)


async def keys_of(blobs):
    return sorted([stored.key async for stored in blobs.list()])


async def test_only_old_blobs_of_the_owner_that_nothing_refers_to_are_removed(fake_clock, registry):
    blobs = Blobs(MemoryStore(clock=fake_clock), registry=registry)
    for key in ("runs/kept", "runs/lost", "models/lost"):
        await blobs.put(key, b"xx")
    await fake_clock.advance(3600)
    await blobs.put("runs/young", b"xx")
    report = await sweep(blobs, owner_of("runs", "runs/kept"), fake_clock, min_age_s=60)
    assert (report.seen, report.removed, report.removed_bytes) == (3, 1, 2)
    assert await keys_of(blobs) == ["models/lost", "runs/kept", "runs/young"]
    assert registry.get_sample_value("holdfast_blobs_swept_total", {"owner": "runs"}) == 1


async def test_a_blob_that_is_put_again_while_the_sweep_asks_stays(fake_clock):
    blobs = Blobs(MemoryStore(clock=fake_clock))
    blob = await blobs.put_content("runs", b"same")
    await fake_clock.advance(3600)

    async def put_meanwhile(_keys):
        await blobs.put_content("runs", b"same")
        return []

    report = await sweep(blobs, Owner("runs", put_meanwhile), fake_clock, min_age_s=60)
    assert report.removed == 0
    assert await keys_of(blobs) == [blob.key]


async def test_many_blobs_are_asked_for_in_batches(fake_clock):
    blobs = Blobs(MemoryStore(clock=fake_clock))
    for number in range(1203):
        await blobs.put(f"runs/{number}", b"x")
    sizes = []

    async def none_needed(keys):
        sizes.append(len(keys))
        return []

    await sweep(blobs, Owner("runs", none_needed), fake_clock, min_age_s=0)
    assert sizes == [500, 500, 203]
    assert await keys_of(blobs) == []


async def test_a_sweep_that_fails_is_tried_again_later(fake_clock):
    blobs = Blobs(MemoryStore(clock=fake_clock))
    await blobs.put("runs/lost", b"x")
    answers = [UnavailableError("the database is away"), []]

    async def answer(_keys):
        given = answers.pop(0)
        if isinstance(given, Exception):
            raise given
        return given

    blobs.own(Owner("runs", answer))
    job = asyncio.create_task(sweep_for_ever(blobs, fake_clock, every_s=60, min_age_s=0))
    await fake_clock.advance(61)
    assert await keys_of(blobs) == ["runs/lost"]
    await fake_clock.advance(60)
    job.cancel()
    assert await keys_of(blobs) == []
