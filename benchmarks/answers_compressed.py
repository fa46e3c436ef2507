"""How long answers of the query API take to compress with gzip, beside zlib at the level that servers commonly use."""

from __future__ import annotations

import random
import statistics
import time
import zlib
from collections.abc import Callable

import orjson

from holdfast.web.compression import compressor

PEER_LEVEL = 6  # zlib's own default, and that of Go's net/http wrappers
REPEATS = 20


def bodies() -> dict[str, bytes]:
    """Give answers of three sizes: label values, an instant selector, a day of a few series."""
    chance = random.Random(4)
    instances = [f"10.0.{number // 256}.{number % 256}:9100" for number in range(1000)]
    labels = [{"__name__": "m", "instance": one, "job": f"job{number % 10}"} for number, one in enumerate(instances)]
    vector = [{"metric": metric, "value": [1764500000.0, str(chance.randrange(10**7))]} for metric in labels[:100]]
    matrix = [
        {
            "metric": metric,
            "values": [[1764500000 + 60 * step, f"{step * 15.3 + chance.random():.3f}"] for step in range(1441)],
        }
        for metric in labels[:40]
    ]
    return {
        "1,000 label values": write(instances),
        "a vector of 100 series": write({"resultType": "vector", "result": vector}),
        "a day of 40 series": write({"resultType": "matrix", "result": matrix}),
    }


def write(data: object) -> bytes:
    """Give the answer as it is sent."""
    return orjson.dumps({"status": "success", "data": data})


def own(body: bytes) -> bytes:
    """Compress as the server does."""
    packer = compressor("gzip")
    packed: bytes = packer.compress(body) + packer.flush()
    return packed


def peer(body: bytes) -> bytes:
    """Compress with zlib."""
    packer = zlib.compressobj(PEER_LEVEL, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return packer.compress(body) + packer.flush()


def measure(pack: Callable[[bytes], bytes], body: bytes) -> tuple[float, int]:
    """Give the median of its seconds, and the size."""
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        packed = pack(body)
        times.append(time.perf_counter() - began)
    assert zlib.decompress(packed, zlib.MAX_WBITS | 16) == body
    return statistics.median(times), len(packed)


def main() -> None:
    """Compress each with both and print."""
    for name, body in bodies().items():
        (own_s, own_size), (peer_s, peer_size) = measure(own, body), measure(peer, body)
        print(
            f"{name:24} {len(body):9,} bytes   own {own_s * 1e6:8.0f} us {own_size:8,}   "
            f"zlib {peer_s * 1e6:8.0f} us {peer_size:8,}   {peer_s / own_s:5.1f} times as fast, "
            f"{own_size / peer_size:.2f} of the size"
        )


if __name__ == "__main__":
    main()
