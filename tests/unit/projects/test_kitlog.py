"""BuildKit's build stream, told as the same steps. The streams are of real builds, on both engines."""

from __future__ import annotations

import base64
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds01.domain.dockerpolicy.protobuf import Field, of, render
from ds01.projects.buildlog import BuildEvent
from ds01.projects.diagnosis import diagnose
from ds01.projects.kitlog import KitLog

LOGS = Path(__file__).parent / "logs"
TITLES = ("base x", "", "Python packages", "your account", "")
ENGINES = pytest.mark.parametrize("engine", ["20.10", "26"])


def told(messages: list[dict[str, Any]], titles: tuple[str, ...] = ()) -> tuple[KitLog, list[BuildEvent]]:
    events: list[BuildEvent] = []
    ticks = itertools.count()
    log = KitLog(titles, events.append, lambda: float(next(ticks)))
    for message in messages:
        log.read(message)
    log.end()
    return log, events


def recorded(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((LOGS / f"buildkit_{name}.json").read_text())
    return found


@ENGINES
def test_steps_output_and_times_are_told(engine: str) -> None:
    log, events = told(recorded(f"{engine}_built"), TITLES)
    assert [(e.state, e.step, e.of, e.title) for e in events if e.state != "log"] == [
        (state, step, 5, TITLES[step - 1]) for step in range(1, 6) for state in ("begin", "done")
    ]
    printed = [e.text for e in events if e.state == "log" and e.step == 3]
    assert printed[0] == "total 8"
    assert "err" in printed
    assert printed[-1] == "127.0.0.1\tsomebody"
    assert [e.text for e in events if e.state == "log" and e.step == 4][-1] == "hi"
    assert log.image_id.startswith("sha256:")
    assert log.error == ""
    assert all(e.seconds > 0 for e in events if e.state == "done" and e.step in (3, 4))


@ENGINES
def test_what_was_done_before_is_told_as_such(engine: str) -> None:
    log, events = told(recorded(f"{engine}_cached"), TITLES)
    assert [e.cached for e in events if e.state == "done"][1:] == [True] * 4
    assert [e.step for e in events if e.state == "done"] == [1, 2, 3, 4, 5]
    assert log.image_id.startswith("sha256:")


@ENGINES
def test_a_failed_step_is_not_done_and_ends_in_known_words(engine: str) -> None:
    log, events = told(recorded(f"{engine}_failed"), ("base x", "Debian packages"))
    assert log.error == "The command '/bin/sh -c echo out; exit 3' returned a non-zero code: 3"
    assert (list(log.lines), log.title, log.image_id) == (["out"], "Debian packages", "")
    assert [e.state for e in events][-2:] == ["begin", "log"]


@pytest.mark.parametrize(
    "error",
    ["executor failed running [/bin/sh -c pip install x]: exit code: 137",
     'process "/bin/sh -c pip install x" did not complete successfully: exit code: 137'],
)  # fmt: skip
def test_a_step_without_memory_is_diagnosed(error: str) -> None:
    log, _ = told([{"error": error, "errorDetail": {"message": error}}])
    assert diagnose((), log.error).cause == "it ran out of memory"


def test_steps_are_called_by_their_words_where_their_number_is_another() -> None:
    _, events = told(recorded("26_failed"), TITLES)
    assert [e.title for e in events if e.state == "begin"] == [
        "FROM docker.io/ds01/tiny:latest", "RUN echo out; exit 3",
    ]  # fmt: skip


def trace(*found: Field) -> dict[str, Any]:
    return {"id": "moby.buildkit.trace", "aux": base64.b64encode(render(found)).decode()}


def part(step: int, *, started: bool = True, completed: bool = False) -> Field:
    times = [of(5, render([of(1, 7)]))] if started else []
    times += [of(6, render([of(1, 9), of(2, 500_000_000)]))] if completed else []
    return of(1, render([of(1, f"d{step}"), of(3, f"[ {step}/10] RUN x"), *times]))


def printed(step: int, text: str | bytes) -> Field:
    return of(3, render([of(1, f"d{step}"), of(3, 1), of(4, text)]))


def test_lines_come_in_pieces_and_bare_of_what_steers_a_terminal() -> None:
    _, events = told([
        trace(part(1), printed(1, "10%\r 20%\r100%\nCollec")),
        trace(printed(1, b"ting \x1b[91msix\x1b[0m\xff\nlast"), printed(9, "of nobody\n"), part(1, completed=True)),
    ])  # fmt: skip
    assert [e.text for e in events if e.state == "log"] == ["100%", "Collecting six\ufffd", "last"]
    assert [(e.state, e.seconds) for e in events][-1] == ("done", 2.5)


def test_what_a_program_prints_is_no_word_of_the_builders() -> None:
    _, events = told([trace(part(1), printed(1, "Step 9/9 : FROM x\n ---> Using cache\nSuccessfully built x\n"))])
    assert [(e.state, e.step) for e in events] == [("begin", 1), *[("log", 1)] * 3]


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_what_cannot_be_read_is_nothing(junk: bytes | str) -> None:
    aux = junk if isinstance(junk, str) else base64.b64encode(junk).decode()
    log, _ = told([{"id": "moby.buildkit.trace", "aux": aux}])
    assert (log.image_id, log.error) == ("", "")


@given(st.data())
def test_a_stream_cut_short_or_changed_breaks_nothing(data: st.DataObject) -> None:
    messages = recorded("20.10_built")
    for message in messages:
        if message.get("id") == "moby.buildkit.trace":
            raw = bytearray(base64.b64decode(message["aux"]))
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
            message["aux"] = base64.b64encode(raw).decode()
    told(messages, TITLES)
