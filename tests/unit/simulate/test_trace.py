"""Traces: what is read, and what is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from ds01.domain.errors import BAD_TRACE, Ds01Error
from ds01.domain.queue.floor import WHOLE
from ds01.simulate.trace import load, read

HEADING = "job_id,user,submit_s,duration_s,gpus"


def refused(*lines: str) -> str:
    with pytest.raises(Ds01Error) as caught:
        read(lines)
    assert caught.value.kind is BAD_TRACE
    return caught.value.problem.reason


def test_jobs_are_read_in_order_of_submission() -> None:
    jobs = read([HEADING, "b,anna,20,5,1", "", "a,ben,10.5,7,8"])
    assert [(job.id, job.user, job.submit, job.duration, job.slots) for job in jobs] == [
        ("a", "ben", 10.5, 7.0, 8),
        ("b", "anna", 20.0, 5.0, 1),
    ]


def test_columns_may_come_in_any_order_and_others_are_not_looked_at() -> None:
    (job,) = read(["gpus,site,asked_s,user,job_id,duration_s,submit_s", "0.46,north,60,anna,a,30,0"])
    assert (job.amount, job.slots, job.asked) == (460_000, 1, 60.0)
    assert job.gpus == 0.46


def test_a_part_beyond_whole_gpus_is_one_more() -> None:
    (job,) = read([HEADING, "a,anna,0,1,1.5"])
    assert (job.slots, job.amount) == (2, WHOLE)


def test_an_asked_time_may_be_missing() -> None:
    (job,) = read([HEADING + ",asked_s", "a,anna,0,1,1,"])
    assert job.asked is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("a,anna,0,1", "line 2: 4 values, and the heading has 5"),
        ("a,anna,now,1,1", "line 2: submit_s is 'now', which is no number"),
        ("a,anna,-1,1,1", "line 2: submit_s is -1; it must be from 0 to ten years of seconds"),
        ("a,anna,nan,1,1", "line 2: submit_s is nan; it must be from 0 to ten years of seconds"),
        ("a,anna,0,0,1", "line 2: duration_s is 0; it must be more"),
        ("a,anna,0,1,0", "line 2: gpus is 0; it must be more than 0 and at most 100000"),
        ("a,anna,0,1,two", "line 2: gpus is 'two', which is no number"),
        ("a,anna,0,1,inf", "line 2: gpus is inf; it must be more than 0 and at most 100000"),
        ("a,,0,1,1", "line 2: user is empty"),
    ],
)
def test_a_wrong_line_is_named(line: str, said: str) -> None:
    assert refused(HEADING, line) == said


def test_more_idle_and_held_than_there_was_is_a_wrong_line() -> None:
    heading = f"{HEADING},held_s,idle_s"
    assert refused(heading, "a,anna,0,60,1,30,31") == "line 2: idle_s and held_s together are more than duration_s"
    (job,) = read([heading, "a,anna,0,60,1,20,30"])
    assert (job.held, job.idle) == (20.0, 30.0)


def test_all_wrong_lines_are_named_at_once() -> None:
    assert refused(HEADING, "a,anna,0,1,1", "a,anna,0,1,1", "b,anna,x,1,1") == (
        "line 3: job_id a is that of line 2 too; line 4: submit_s is 'x', which is no number"
    )
    assert refused(HEADING, *["a"] * 12).endswith("; and 2 more")


def test_a_heading_without_a_column_and_a_trace_without_jobs() -> None:
    assert refused("job_id,submit_s,duration_s") == "line 1: the heading has no user, gpus"
    assert refused(HEADING) == "line 2: there are no jobs"
    assert refused().startswith("line 1: the heading has no")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for name in ("missing", "binary"):
        with pytest.raises(Ds01Error) as caught:
            load(tmp_path / name)
        assert caught.value.kind is BAD_TRACE
