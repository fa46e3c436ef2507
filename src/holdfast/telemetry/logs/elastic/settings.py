"""Settings of the door for Elasticsearch's senders: `[elastic]` in `holdfast.toml`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from pydantic import ConfigDict, Field

from holdfast.kernel.settings import Section

# Few values each; what differs from record to record belongs into structured metadata.
LABEL_FIELDS: Final = (
    *("service.name", "service.environment", "data_stream.namespace", "kubernetes.namespace"),
    *("kubernetes.container.name", "kubernetes.namespace_name", "kubernetes.container_name", "container.name"),
)
_VERSION: Final = re.compile(r"\d+\.\d+\.\d+")


@dataclass(frozen=True, slots=True)
class ElasticSettings:
    """How documents become records.

    Attributes:
        label_fields: fields that become labels of streams; all others become structured metadata.
        version: the version of Elasticsearch that senders are told; some refuse to talk to one older than themselves.
        max_documents: documents of one request.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    label_fields: tuple[str, ...] = LABEL_FIELDS
    version: Annotated[str, Field(pattern=_VERSION.pattern)] = "8.19.0"
    max_documents: Annotated[int, Field(ge=1)] = 50_000


SECTION: Final = Section("elastic", ElasticSettings)
