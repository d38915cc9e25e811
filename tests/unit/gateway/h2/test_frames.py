"""Frames cut and counted as they come, by a second reader of them, and how many may carry nothing."""

from __future__ import annotations

from hyperframe.frame import ContinuationFrame, DataFrame, Frame, HeadersFrame, PingFrame, WindowUpdateFrame
from hypothesis import given
from hypothesis import strategies as st

from ds01.gateway.h2.frames import AT_ONCE, PREFACE_BYTES, SPARE, SPARE_A_SECOND, Counted, Cutter, Spare

UNKNOWN = b"\0\0\0\xbb\0\0\0\0\0"
EMPTY = Counted(all=AT_ONCE, empty=AT_ONCE)


def frames() -> st.SearchStrategy[Frame]:
    data = st.binary(max_size=40)
    return st.one_of(
        st.builds(DataFrame, st.just(1), data), st.builds(HeadersFrame, st.just(1), data),
        st.builds(ContinuationFrame, st.just(1), data), st.just(PingFrame(0)),
        st.just(WindowUpdateFrame(1, window_increment=1)),
    )  # fmt: skip


def carries_nothing(frame: Frame) -> bool:
    if isinstance(frame, DataFrame):
        return not frame.data
    return not isinstance(frame, HeadersFrame | ContinuationFrame)


@given(found=st.lists(frames(), max_size=60), cuts=st.lists(st.integers(1, 30)), preface=st.booleans())
def test_however_they_come_all_bytes_are_there_and_all_frames_counted(
    found: list[Frame], cuts: list[int], preface: bool
) -> None:
    left = b"P" * (PREFACE_BYTES if preface else 0) + b"".join(frame.serialize() for frame in found)
    cutter, said, counts = Cutter(preface=preface), left, list[Counted]()
    again = b""
    for size in [*cuts, len(said) + 1]:
        chunk, left = left[:size], left[size:]
        for piece, counted in cutter.pieces(chunk):
            again += piece
            counts.append(counted)
    assert again == said
    assert max((each.all for each in counts), default=0) <= AT_ONCE
    assert sum(each.all for each in counts) == len(found)
    assert sum(each.empty for each in counts) == sum(map(carries_nothing, found))
    assert sum(each.data for each in counts) == sum(isinstance(each, DataFrame) and bool(each.data) for each in found)


def test_a_few_may_come_at_once_and_then_some_a_second() -> None:
    spare = Spare(0.0)
    few = Counted(all=1, empty=1)
    assert all(spare.takes(few, 0.0) for _ in range(SPARE))
    assert not spare.takes(few, 0.0)
    calm, at = Spare(0.0), 0.0
    for _ in range(20 * SPARE):
        at += 1 / SPARE_A_SECOND
        assert calm.takes(few, at)


def test_beside_data_either_way_they_may_always_come() -> None:
    spare = Spare(0.0)
    for _ in range(SPARE):
        assert spare.takes(Counted(all=3, data=1, empty=2), 0.0)
        spare.sent()
        assert spare.takes(Counted(all=3, empty=3), 0.0)


def test_headers_are_no_reason_for_more() -> None:
    """A call that is begun and given up, again and again."""
    spare = Spare(0.0)
    assert [spare.takes(Counted(all=2, empty=1), 0.0) for _ in range(SPARE + 1)] == [True] * SPARE + [False]
