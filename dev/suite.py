"""All tests: what is timed alone, those that need no engine a file at a time on every processor, the rest in lanes.

A few parts run beside each other, because each waits for its engine most of the time, and the next begins where one is
over; the longest begins beside the tests that need none, and those that wait most before those that compute. A promise
of seconds says nothing on a machine that is busy with other tests: it goes first.
A starting engine rewrites the firewall of its network, so only one part at a time uses the host's; the others have a
network of their own, with a way out where they fetch packages.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import IO

from dev import wayout

ROOT = Path(__file__).resolve().parents[1]
QUICK = ("tests/unit", "tests/api")
ON_EVERY_PROCESSOR = ("--numprocesses", "auto", "--dist", "loadfile")
BEHIND = ("nice", "-n", "3")
"""How whatever is not the longest lane is started: that one goes first where both want the processor."""
SLOWEST = ("--durations", "15")
KILLED = "tests/engine/daemon/test_killed.py"
HARDWARE = "tests/hardware"
"""No part of it: `make test-gpus`, where there are real GPUs that nobody uses."""
CLOSED = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "-")
ENDING_SECONDS = 120
"""How long a run that is broken off may take to end its engines."""


class Network(Enum):
    """Whose network a part uses: this machine's, or one of its own, closed or with a way out."""

    HOST = auto()
    CLOSED = auto()
    WAY_OUT = auto()


@dataclass(frozen=True, kw_only=True)
class Part:
    """One run of pytest: files, folders or single tests."""

    paths: tuple[str, ...]
    without: tuple[str, ...] = ()
    network: Network = Network.CLOSED
    newer: bool = False
    """Whether the gateway's tests use Engine 26 instead of this machine's own."""

    @property
    def name(self) -> str:
        """What is said of it."""
        return f"{' '.join(self.paths)}{' on Engine 26' if self.newer else ''}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment it runs in."""
        return {**os.environ, **({"DS01_TESTS_ENGINE": "26"} if self.newer else {})}

    def command(self) -> list[str]:
        """How to run it, in the network it is run in."""
        left_out = [f"--deselect={path}" for path in self.without]
        behind = () if self.network is Network.HOST else BEHIND
        return [*behind, sys.executable, "-m", "pytest", *SLOWEST, *self.paths, *left_out]

    @contextmanager
    def place(self) -> Iterator[tuple[str, ...]]:
        """The words before the command that put it into its network. Only root makes networks."""
        if self.network is Network.HOST or os.geteuid() != 0:
            yield ()
        elif self.network is Network.CLOSED:
            yield CLOSED
        else:
            with wayout.network(f"ds01t{os.getpid()}") as within:
                yield within


def engine(name: str, *without: str) -> Part:
    """The tests of one folder below ``tests/engine``."""
    return Part(paths=(f"tests/engine/{name}",), without=without)


def newer(*names: str) -> Part:
    """Files of the gateway's, on Engine 26 as well."""
    return Part(paths=tuple(f"tests/engine/gateway/test_{name}.py" for name in names), newer=True)


ATTACKS = newer("escape", "spoofing", "ownership", "reach", "more_attacks", "gpu_attacks", "volumes", "amounts",
                "networks", "second_layer")  # fmt: skip
"""Tried on both engines; what else attacks say of Engine 26 has files of its own among the gateway's."""

IMAGES = newer("parser", "build", "buildkit", "images", "oracle")
"""The same, of requests and images."""

TIMED = tuple(
    f"tests/e2e/test_promises.py::test_{name}"
    for name in ("e3_recreating_takes_hardly_longer_than_docker", "e2_retire_frees_the_gpu_at_once",
                 "c6_a_rebuild_with_no_change_is_quick")
)  # fmt: skip
ALONE = (Part(paths=TIMED, network=Network.HOST),)
LONGEST = (Part(paths=("tests/e2e",), without=TIMED, network=Network.HOST),)
LANES = 4
"""How many parts run beside each other, and beside the longest."""

PARTS = (
    engine("gateway"),
    Part(paths=("tests/engine/projects",), network=Network.WAY_OUT),
    engine("clients"),
    engine("daemon", KILLED),
    Part(paths=(KILLED,)),
    ATTACKS,
    IMAGES,
    engine("server"),
    Part(paths=("tests/contract",)),
    engine("host"),
    engine("dev"),
    engine("client"),
    Part(paths=tuple(sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests/engine").glob("test_*.py")))),
)
"""The rest, in the order in which they begin."""


class Suite:
    """A run of parts in lanes. What a part says is shown when it is over, so that no two are mixed up."""

    def __init__(self) -> None:
        self.failed: list[str] = []
        self._running: set[subprocess.Popen[bytes]] = set()
        self._broken_off = False
        self._saying = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._waiting: deque[Part] = deque()

    def begin(self, parts: Sequence[Part], lanes: int = 1) -> None:
        """So many at a time, and those begun before go on with these as well."""
        self._waiting += parts
        for _ in range(lanes):
            thread = threading.Thread(target=self._lane)
            self._threads.append(thread)
            thread.start()

    def wait(self) -> None:
        """Return when all are over."""
        for thread in self._threads:
            thread.join()

    def break_off(self) -> None:
        """Ctrl-C for every part that runs, and none begins."""
        self._broken_off = True
        for process in tuple(self._running):
            process.send_signal(signal.SIGINT)
        for process in tuple(self._running):
            try:
                process.wait(ENDING_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()

    def _lane(self) -> None:
        while not self._broken_off:
            try:
                part = self._waiting.popleft()
            except IndexError:
                return
            try:
                self._part(part)
            except Exception:  # noqa: BLE001  a part that cannot even begin has not passed
                traceback.print_exc()
                self.failed.append(part.name)

    def _part(self, part: Part) -> None:
        begun = time.monotonic()
        print(f"{part.name}: begun, and shown when it is over", flush=True)
        with tempfile.TemporaryFile() as said, part.place() as placed:
            command = [*placed, *part.command()]
            process = subprocess.Popen(
                command, cwd=ROOT, stdout=said, stderr=said, start_new_session=True, env=part.environment
            )
            self._running.add(process)
            if self._broken_off:
                process.send_signal(signal.SIGINT)
            code = process.wait()
            self._running.discard(process)
            with self._saying:
                said.seek(0)
                self._show(part, said, code, time.monotonic() - begun)

    def _show(self, part: Part, said: IO[bytes], code: int, seconds: float) -> None:
        sys.stdout.buffer.write(said.read())
        print(f"{part.name}: {'failed' if code else 'passed'} after {seconds:.0f} s", flush=True)
        if code:
            self.failed.append(part.name)


def main() -> int:
    """Run everything; 1 when something failed, 130 when it was broken off."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    suite = Suite()
    try:
        suite.begin(ALONE)
        suite.wait()
        suite.begin(LONGEST)
        quick = subprocess.run(
            [*BEHIND, sys.executable, "-m", "pytest", *ON_EVERY_PROCESSOR, *QUICK], cwd=ROOT, check=False
        )
        if os.geteuid() == 0:
            for made in ("dev.engine26", "dev.server"):
                subprocess.run([sys.executable, "-m", made], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
            for fetched in ("dev.torch_cpu", "dev.dockerode"):  # where it cannot be, the tests that need it say so
                subprocess.run([sys.executable, "-m", fetched], cwd=ROOT, check=False, stdout=subprocess.DEVNULL)
        suite.begin(PARTS, LANES)
        suite.wait()
    except KeyboardInterrupt:
        suite.break_off()
        return 130
    failed = [*([" ".join(QUICK)] if quick.returncode else []), *suite.failed]
    print(f"failed: {', '.join(failed)}" if failed else "all parts passed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
