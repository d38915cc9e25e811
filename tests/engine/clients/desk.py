"""Where a user works: a folder of hers, and commands as she types them there."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from dev import people

from tests.engine.clients.conftest import run
from tests.engine.gateway.ground import IMAGE, Ground, User

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Desk:
    """One user's folder, the same as anybody else's but for what is in ``who``."""

    user: User
    folder: Path

    def __call__(self, *words: str, **extra: str) -> people.Done:
        return run(self.user, self.folder, *words, **extra)

    def ok(self, *words: str, **extra: str) -> str:
        done = self(*words, **extra)
        assert done.code == 0, done.err or done.out
        return done.out.strip()

    def docker(self, *words: str, kit: str = "0") -> str:
        """With the builder of this number; the old engine's own command builds with its BuildKit."""
        return self.ok("docker", *words, DOCKER_BUILDKIT=kit)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def names(self, *filters: str) -> set[str]:
        return set(self.docker("images", "--format", "{{.Repository}}:{{.Tag}}", *filters).split())


def tagged(place: Ground) -> set[str]:
    """Every name the engine has but the base, as root sees it."""
    every = {ref for row in place.root("GET", "/images/json").json for ref in row["RepoTags"] or ()}
    return every - {"<none>:<none>", f"{IMAGE}:latest"}


def at_once(*works: Callable[[], T]) -> list[T]:
    """What becomes of all of them at once; the first that fails is told."""
    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(lambda work: work(), works))
