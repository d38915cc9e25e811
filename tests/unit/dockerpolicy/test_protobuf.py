"""Protocol buffers on the wire: one reading, or a refusal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds01.domain.dockerpolicy import protobuf
from ds01.domain.dockerpolicy.protobuf import BYTES, FIXED32, FIXED64, VARINT, Field
from ds01.domain.dockerpolicy.verdict import RefusedError

FIELD = st.one_of(
    st.builds(Field, number=st.integers(1, 2**29 - 1), kind=st.just(VARINT), value=st.integers(0, 2**64 - 1)),
    st.builds(Field, number=st.integers(1, 2**29 - 1), kind=st.just(BYTES), value=st.binary(max_size=300)),
    st.builds(Field, number=st.integers(1, 2**29 - 1), kind=st.just(FIXED64), value=st.integers(0, 2**64 - 1)),
    st.builds(Field, number=st.integers(1, 2**29 - 1), kind=st.just(FIXED32), value=st.integers(0, 2**32 - 1)),
)


@given(st.lists(FIELD, max_size=20))
def test_what_is_written_is_read_again(found: list[Field]) -> None:
    assert protobuf.fields(protobuf.render(found)) == found


@given(st.binary(max_size=200))
def test_any_bytes_are_read_in_one_way_or_refused(data: bytes) -> None:
    try:
        found = protobuf.fields(data)
    except RefusedError:
        return
    assert protobuf.render(found) == data, "a second spelling of the same message was accepted"


@pytest.mark.parametrize(
    "data",
    [b"\x08", b"\x08\x80", b"\x08\x80\x00", b"\x0a\x05abc", b"\x0b", b"\x0c", b"\x00\x01", b"\x0f",
     b"\x08" + b"\xff" * 10 + b"\x01", b"\x0d\x00", b"\x88\x00\x01", b"\x08\x01" * 5000],
)  # fmt: skip
def test_p18_broken_messages_are_refused(data: bytes) -> None:
    with pytest.raises(RefusedError):
        protobuf.fields(data)


def test_p3_a_field_or_a_key_given_twice_is_refused() -> None:
    with pytest.raises(RefusedError):
        protobuf.text([protobuf.of(1, "a"), protobuf.of(1, "b")], 1)
    with pytest.raises(RefusedError):
        protobuf.mapping([*protobuf.of_mapping(7, {"a": "1"}), *protobuf.of_mapping(7, {"a": "2"})], 7)
    assert protobuf.mapping(protobuf.of_mapping(7, {"a": "1", "b": ""}), 7) == {"a": "1", "b": ""}


def test_p18_an_entry_of_a_map_has_a_key_and_a_value_and_little_else() -> None:
    entry = [protobuf.of(1, "key"), protobuf.of(2, "value")]
    more = [*entry, *(protobuf.of(3, 0) for _ in range(protobuf.ENTRY_FIELDS))]
    assert protobuf.mapping([protobuf.of(7, protobuf.render(entry))], 7) == {"key": "value"}
    with pytest.raises(RefusedError, match="too many fields"):
        protobuf.mapping([protobuf.of(7, protobuf.render(more))], 7)
