"""The metadata of all records at once is that of each."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from holdfast.telemetry.logs import Attributes, Records

ROWS = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from("abcd"), st.text(max_size=2), max_size=3),
        st.sampled_from(["", "info", "error"]),
        st.sampled_from(["", "ab" * 16]),
        st.integers(0, 2),
        st.integers(0, 3),
        st.integers(0, 1),
    ),
    min_size=1,
    max_size=12,
)


@given(rows=ROWS, has_shared=st.booleans(), has_columns=st.booleans())
def test_metadata_of_all_records_is_that_of_each(rows, has_shared, has_columns):
    own, levels, traces, observed, severities, refs = zip(*rows, strict=True)
    records = Records(
        np.zeros(len(rows), np.int64),
        np.arange(len(rows)),
        [""] * len(rows),
        levels=list(levels) if has_columns else None,
        trace_ids=list(traces) if has_columns else None,
        severities=np.array(severities, np.uint8),
        observed_ns=np.array(observed, np.int64) if has_columns else None,
        attributes=Attributes.of(own),
        shared=[(), (("a", "shared"), ("z", "1"))] if has_shared else (),
        shared_refs=np.array(refs, np.int32) if has_shared else None,
    )
    assert records.all_metadata() == [records.metadata(number) for number in range(len(rows))]
