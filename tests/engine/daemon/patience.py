"""Those of the kill test's crowd who wait for a GPU and take their turn, and those who book."""

from __future__ import annotations

import json
import random
import subprocess
import time
from dataclasses import dataclass, field
from typing import Any

from ds01.domain.errors import GPU_QUOTA, NOT_YET
from tests.engine.daemon.conftest import User

BROKEN = {"daemon.unreachable", "container.unknown", "request.unknown", "booking.unknown", "ledger.error"}
"""What may come of an act during which ds01d died: it was done, or it was not."""
MOST_BOOKED = 6


def ask(process: subprocess.Popen[str], act: str) -> dict[str, Any]:
    """One act of hers, and the answer."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(act + "\n")
    process.stdin.flush()
    found: dict[str, Any] = json.loads(process.stdout.readline())
    return {"verb": act, **found}


@dataclass(kw_only=True)
class Waiter:
    """Waits for one GPU, asks whether it is her turn, gives up now and then. ``state`` is what she was told."""

    user: User
    name: str
    process: subprocess.Popen[str]
    state: str = "absent"
    unsure: bool = False
    acts: int = 0
    turns: int = 0
    told: dict[str, Any] = field(default_factory=dict)

    def act(self, choice: random.Random) -> None:
        """One act and what came of it."""
        verbs = {"absent": ("wait",), "waiting": ("claim",) * 39 + ("cancel",), "running": ("retire",)}
        self.told = ask(self.process, choice.choice(verbs[self.state]))
        self.acts += 1
        self._learn()
        time.sleep(0.2)

    def _learn(self) -> None:
        code = self.told["code"]
        if code in (NOT_YET.code, GPU_QUOTA.code):
            return
        if code:
            assert code in BROKEN, self.told
            self.unsure = True
        elif self.told.get("container"):
            self.turns += self.state == "waiting"
            self.state = self.told["container"]["state"]
        else:
            self.state = "waiting" if self.told.get("place") else "absent"

    def see(self, container: Any, place: Any) -> None:
        """The truth after a restart: it must be what she was told, and becomes what she knows."""
        running = container is not None and container.state == "running"
        assert not (running and place), (self.name, self.told, container, place)
        now = "running" if running else "waiting" if place is not None else "absent"
        assert self.unsure or now == self.state, (self.name, self.told, container, place)
        self.turns += self.state == "waiting" and running
        self.state, self.unsure = now, False


@dataclass(kw_only=True)
class Booker:
    """Books a GPU for half an hour of some later day, and takes it back. ``told`` is what she was told is booked."""

    user: User
    process: subprocess.Popen[str]
    told: set[str] = field(default_factory=set)
    unsure: bool = False
    acts: int = 0

    def act(self, choice: random.Random) -> None:
        """One booking more, or one less."""
        gone = choice.choice(sorted(self.told)) if len(self.told) >= MOST_BOOKED else ""
        answer = ask(self.process, f"unbook {gone}" if gone else f"book b{self.acts} {48 + self.acts % 400}h")
        assert answer["code"] in ("", *BROKEN), answer
        self.acts += 1
        self.unsure = bool(answer["code"])
        if not self.unsure:
            self.told = self.told - {gone} if gone else self.told | {answer["booked"]}
        time.sleep(0.3)

    def see(self, booked: set[str]) -> None:
        """The truth after a restart."""
        assert self.unsure or booked == self.told, (booked, self.told)
        self.told, self.unsure = booked, False
