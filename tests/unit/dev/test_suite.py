"""The run of all tests: it leaves none out, says what failed, and ends when it is told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from dev.programs import until
from dev.promises import PROMISES
from dev.suite import ALONE, HARDWARE, LONGEST, PARTS, QUICK, ROOT, TIMED, Network, Part, Suite


def within(file: Path, paths: tuple[str, ...]) -> bool:
    return any(file.is_relative_to(ROOT / path) for path in paths)


def test_every_test_is_in_one_part() -> None:
    parts = [Part(paths=QUICK), *(part for part in (*LONGEST, *PARTS) if not part.newer)]
    for file in (ROOT / "tests").rglob("test_*.py"):
        found = [part for part in parts if within(file, part.paths) and not within(file, part.without)]
        assert len(found) == (not within(file, (HARDWARE,))), file


def test_attacks_are_tried_on_both_engines() -> None:
    again = [part for part in PARTS if part.newer]
    assert {part.environment["DS01_TESTS_ENGINE"] for part in again} == {"26"}
    paths = [path for part in again for path in part.paths]
    assert all((ROOT / path).is_file() for path in paths)
    tried = {path.name for path in (ROOT / "tests/engine/gateway").glob("test_*attacks.py")}
    assert {
        f"test_{name}.py" for name in ("escape", "spoofing", "ownership", "reach", "parser", "second_layer")
    } | tried <= {Path(path).name for path in paths}


def test_what_is_timed_is_there_and_runs_once() -> None:
    for timed in TIMED:
        file, _, name = timed.partition("::")
        assert file == "tests/e2e/test_promises.py"
        assert name in {f"test_{promise.check.__name__}" for promise in PROMISES}
        assert [part for part in (*ALONE, *LONGEST, *PARTS) if timed in part.paths] == list(ALONE)
        assert all(timed in part.without for part in LONGEST)


def test_the_hosts_network_is_used_by_one_at_a_time() -> None:
    assert [part.network for part in PARTS if part.network is Network.HOST] == []


def test_what_failed_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "test_good.py", tmp_path / "test_bad.py"
    good.write_text("def test_it():\n    assert True\n")
    bad.write_text("def test_it():\n    assert not 'the reason'\n")
    suite = Suite()
    suite.begin([Part(paths=(str(file),), network=Network.HOST) for file in (good, bad)], 2)
    suite.wait()
    assert suite.failed == [str(bad)]
    said = capfd.readouterr().out
    assert "the reason" in said
    assert f"{good}: passed" in said


class Nowhere(Part):
    """A part for which there is no place."""

    @contextmanager
    def place(self) -> Iterator[tuple[str, ...]]:
        raise OSError("no network can be made")
        yield ()


def test_one_that_cannot_begin_has_failed_and_the_next_is_tried(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    good = tmp_path / "test_good.py"
    good.write_text("def test_it():\n    assert True\n")
    suite = Suite()
    suite.begin([Nowhere(paths=("nowhere",)), Part(paths=(str(good),), network=Network.HOST)])
    suite.wait()
    assert suite.failed == ["nowhere"]
    said = capfd.readouterr()
    assert "no network can be made" in said.err
    assert f"{good}: passed" in said.out


def test_broken_off_it_ends_what_runs_and_begins_nothing(tmp_path: Path) -> None:
    long, later = tmp_path / "test_long.py", tmp_path / "test_later.py"
    long.write_text(f"import time\n\ndef test_it():\n    open('{tmp_path}/runs', 'w').close()\n    time.sleep(600)\n")
    later.write_text(f"open('{tmp_path}/later', 'w').close()\n")
    suite = Suite()
    suite.begin([Part(paths=(str(file),), network=Network.HOST) for file in (long, later)])
    running = threading.Thread(target=suite.wait)
    running.start()
    assert until((tmp_path / "runs").exists, 60)
    suite.break_off()
    running.join(60)
    assert not running.is_alive()
    assert suite.failed == [str(long)]
    assert not (tmp_path / "later").exists()


def test_who_is_done_goes_on_with_what_came_later(tmp_path: Path) -> None:
    first, later = tmp_path / "test_first.py", tmp_path / "test_later.py"
    first.write_text(
        "import time\nfrom pathlib import Path\n\ndef test_it():\n"
        f"    while not Path('{tmp_path}/begun').exists():\n        time.sleep(0.05)\n"
    )
    later.write_text(f"def test_it():\n    open('{tmp_path}/done', 'w').close()\n")
    suite = Suite()
    suite.begin([Part(paths=(str(first),), network=Network.HOST)])
    suite.begin([Part(paths=(str(later),), network=Network.HOST)], 0)
    (tmp_path / "begun").touch()
    suite.wait()
    assert (tmp_path / "done").exists()
    assert suite.failed == []
