"""The engine's build stream, told as steps."""

from __future__ import annotations

import itertools

from ds01.projects.buildlog import BuildEvent, BuildLog


def told(messages: list[dict[str, object]], titles: tuple[str, ...] = ()) -> tuple[BuildLog, list[BuildEvent]]:
    events: list[BuildEvent] = []
    ticks = itertools.count()
    log = BuildLog(titles, events.append, lambda: float(next(ticks)))
    for message in messages:
        log.read(message)
    log.end()
    return log, events


STREAM: list[dict[str, object]] = [
    {"stream": "Step 1/3 : FROM x"},
    {"stream": "\n"},
    {"stream": " ---> 0123456789ab\n"},
    {"stream": "Step 2/3 : RUN pip install six"},
    {"stream": "\n"},
    {"stream": " ---> Running in 0123456789ab\n"},
    {"stream": "Collec"},
    {"stream": "ting six\n\x1b[91mwarn"},
    {"stream": "ing\x1b[0m\n 10%\r 20%\r100%\n"},
    {"stream": "Removing intermediate container 0123456789ab\n"},
    {"stream": "Step 3/3 : WORKDIR /workspace\n ---> Using cache\n"},
    {"aux": {"ID": "sha256:abc"}},
    {"stream": "Successfully built abc\n"},
]


def test_steps_output_and_bookkeeping_are_told_apart() -> None:
    log, events = told(STREAM, ("base x", "Python packages"))
    assert [(e.state, e.step, e.title, e.text) for e in events] == [
        ("begin", 1, "base x", ""),
        ("done", 1, "base x", ""),
        ("begin", 2, "Python packages", ""),
        ("log", 2, "Python packages", "Collecting six"),
        ("log", 2, "Python packages", "warning"),
        ("log", 2, "Python packages", "100%"),
        ("done", 2, "Python packages", ""),
        ("begin", 3, "", ""),
        ("done", 3, "", ""),
    ]
    assert log.image_id == "sha256:abc"
    assert [e.cached for e in events if e.state == "done"] == [False, False, True]
    assert all(e.seconds > 0 for e in events if e.state == "done")


def test_an_own_dockerfile_is_told_in_its_own_words() -> None:
    _, events = told(STREAM)
    assert events[0].title == "FROM x"
    assert events[2].title == "RUN pip install six"


def test_a_failed_step_is_not_done() -> None:
    log, events = told([*STREAM[:8], {"error": "The command returned a non-zero code: 1", "errorDetail": {}}])
    assert log.error == "The command returned a non-zero code: 1"
    assert list(log.lines) == ["Collecting six", "warn"]
    assert [e.state for e in events][-1] == "log"


def test_layers_of_a_base_are_told_once_per_change() -> None:
    messages: list[dict[str, object]] = [
        {"status": "Downloading", "id": "a"},
        {"status": "Downloading", "id": "a"},
        {"status": "Pull complete", "id": "a"},
    ]  # fmt: skip
    _, events = told(messages)
    assert [e.text for e in events] == ["a: Downloading", "a: Pull complete"]


def layer(name: str, status: str, now: int = 0, size: int = 0) -> dict[str, object]:
    """What the engine says of a layer."""
    return {"id": name, "status": status, "progressDetail": {"current": now, "total": size} if size else {}}


def test_a_base_that_is_fetched_is_told_in_bytes() -> None:
    mib = 1024**2
    messages: list[dict[str, object]] = [
        {"stream": "Step 1/1 : FROM far\n"},
        {"status": "Pulling from far", "id": "latest"},
        layer("a", "Pulling fs layer"),
        layer("a", "Downloading", mib, 4 * mib),
        layer("b", "Downloading", mib, 16 * mib),
        layer("a", "Downloading", 3 * mib, 4 * mib),
        layer("a", "Download complete"),
        layer("b", "Verifying Checksum"),
        layer("a", "Extracting", 2 * mib, 4 * mib),
        layer("a", "Pull complete"),
        layer("b", "Pull complete"),
    ]
    _, events = told(messages, ("the base",))
    assert [event.text for event in events if event.state == "pull"] == [
        "1M of 4M", "2M of 20M", "4M of 20M", "5M of 20M", "unpacking 0B of 20M", "unpacking 2M of 20M",
        "unpacking 4M of 20M", "unpacking 20M of 20M",
    ]  # fmt: skip
    assert {event.title for event in events} == {"the base"}


def test_a_pull_whose_size_nobody_knows_is_told_by_its_layers_alone() -> None:
    _, events = told([{"id": "a", "status": "Downloading", "progressDetail": {"current": 5, "total": -1}}])
    assert [(event.state, event.text) for event in events] == [("log", "a: Downloading")]
