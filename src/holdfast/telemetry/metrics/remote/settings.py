"""Settings of remote write and remote read: `[remote_write]` in `holdfast.toml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from pydantic import ConfigDict, Field

from holdfast.kernel.settings import Section
from holdfast.kernel.units import Size


@dataclass(frozen=True, slots=True)
class RemoteWriteSettings:
    """What senders may put into one request.

    Attributes:
        max_body: largest body after decompression; before it, `web.max_body` holds.
        max_labels: most labels of one series, its name among them.
        max_label_name: longest label name, in characters.
        max_label_value: longest label value, in characters.
        known_series: series that are remembered by the bytes of their labels, each about 300 bytes.
        max_read_samples: most samples that one remote read may fetch.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    max_body: Size = 64_000_000
    max_labels: Annotated[int, Field(ge=2, le=1000)] = 64
    max_label_name: Annotated[int, Field(ge=8)] = 1024
    max_label_value: Annotated[int, Field(ge=8)] = 4096
    known_series: Annotated[int, Field(ge=1000)] = 500_000
    max_read_samples: Annotated[int, Field(ge=1000)] = 5_000_000


SECTION: Final = Section("remote_write", RemoteWriteSettings)
