"""The converter of the public list of pods, on rows made up here."""

from __future__ import annotations

from pathlib import Path

import pytest

from ds01.simulate.measure import offered
from ds01.simulate.openb import END, convert, main
from ds01.simulate.trace import load

COLUMNS = ("name", "num_gpu", "gpu_milli", "creation_time", "deletion_time", "scheduled_time")
LATE = END - 10 * 86400


def row(name: str, gpus: int = 1, milli: int = 1000, at: int = 0, length: int = 100, queued: int = 0) -> dict[str, str]:
    begin = LATE + at + queued
    values = (name, str(gpus), str(milli), str(LATE + at), str(begin + length), str(begin))
    return dict(zip(COLUMNS, values, strict=True))


def test_what_is_not_known_or_does_not_fit_is_left_out() -> None:
    rows = [
        row("one", at=0),
        row("part", milli=460, at=50),
        row("eight", gpus=8, at=60),
        row("none", gpus=0, at=70),
        row("late", at=1000, queued=500),
        row("pending") | {"scheduled_time": ""},
        row("alive") | {"deletion_time": str(END)},
        row("early") | {"creation_time": str(END - 36 * 86400)},
    ]
    jobs = convert(rows, gpus=4, load=0.9)
    assert [job.id for job in jobs] == ["one", "part", "late"]
    assert [(job.slots, job.amount, job.duration) for job in jobs] == [
        (1, 1_000_000, 100),
        (1, 460_000, 100),
        (1, 1_000_000, 100),
    ]


def test_the_load_is_what_was_asked_for() -> None:
    jobs = convert([row(str(n), at=n * 977 % 5000, length=10 + n) for n in range(200)], gpus=8, load=0.7)
    assert offered(jobs) / (8 * (jobs[-1].submit - jobs[0].submit)) == pytest.approx(0.7, rel=1e-4)


def test_users_are_the_same_for_the_same_seed() -> None:
    rows = [row(str(n), at=n) for n in range(300)]
    one, again, other = (convert(rows, gpus=8, load=1, users=5, seed=seed) for seed in (1, 1, 2))
    assert one == again != other
    counts = [sum(job.user == f"u0{number}" for job in one) for number in range(5)]
    assert counts[0] > counts[4] > 0


def test_long_runs_can_be_cut() -> None:
    jobs = convert([row("a", length=500), row("b", at=9, length=20)], gpus=1, load=1, longest=60)
    assert [job.duration for job in jobs] == [60, 20]


def test_the_program_writes_a_trace(tmp_path: Path) -> None:
    rows = [row(str(n), at=n, milli=460 + n) for n in range(9)]
    text = "\n".join([",".join(COLUMNS), *(",".join(each.values()) for each in rows)])
    (tmp_path / "pods.csv").write_text(text)
    assert main([str(tmp_path / "pods.csv"), str(tmp_path / "trace.csv"), "--gpus", "2", "--load", "0.9"]) == 0
    assert load(tmp_path / "trace.csv") == convert(rows, gpus=2, load=0.9)
