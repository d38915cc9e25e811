"""Which requests there are. A request without a route is refused; nothing is passed because nobody thought of it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from ds01.domain.dockerpolicy.query import Rules
from ds01.domain.dockerpolicy.verdict import RefusedError, malformed, not_allowed

if TYPE_CHECKING:
    from ds01.gateway.call import Call

OLDEST = (1, 24)
"""Before this, engines took a configuration with a start."""

JSON_CAP = 64 * 1024
CREATE_CAP = 1024 * 1024
_PATH = re.compile(r"/(?:[A-Za-z0-9._:@~-]+(?:/[A-Za-z0-9._:@~-]+)*)?")
_ASKED = re.compile(r"/(?:[A-Za-z0-9._:@~ -]+(?:/[A-Za-z0-9._:@~ -]+)*)?")
"""What may be asked for: names of networks have blanks. In what goes to the engine there are none."""
_DOTS = re.compile(r"/\.{1,2}(?:/|$)")
_VERSION = re.compile(r"/v(0|[1-9]\d?)\.(0|[1-9]\d?)(?=/)")
_LIKE_A_VERSION = re.compile(r"/[vV]\d[^/]*(/|$)")
_ESCAPED = re.compile(r"%([0-9A-Fa-f]{2})")
CONTAINER = r"(?P<container>[A-Za-z0-9][A-Za-z0-9_. -]*)"
IMAGE = r"(?P<image>[A-Za-z0-9][A-Za-z0-9_.:@/ -]*)"
NETWORK = r"(?P<network>[A-Za-z0-9][A-Za-z0-9_. -]*)"
VOLUME = r"(?P<volume>[A-Za-z0-9][A-Za-z0-9_. -]*)"
EXEC = r"(?P<exec>[A-Za-z0-9][A-Za-z0-9_.-]*)"


class BodyKind(Enum):
    """What a request's body is."""

    NONE = "none"
    JSON = "json"
    STREAM = "stream"


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why a known request is not served: ``what`` is a noun phrase."""

    rule: str
    what: str
    advice: str = ""


@dataclass(frozen=True, kw_only=True)
class Route:
    """One kind of request. ``name`` is what the record calls it."""

    name: str
    method: str
    path: str
    handler: Callable[[Call], Awaitable[None]]
    query: Rules = field(default_factory=Rules)
    body: BodyKind = BodyKind.NONE
    cap: int = JSON_CAP
    recorded: bool = False
    """Whether it goes on the record, as all does that changes something or takes much out: it is refused while records
    cannot be written.
    """
    frees: bool = False
    """Whether it only gives something back: it is done also while nothing can be written down, its record waits."""
    open: bool = False
    """Whether anybody may ask, also root and accounts this server does not know: it tells nothing of anybody."""
    refusal: Refusal | None = None
    """Set: nothing of the request is looked at, it is refused."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A target in canonical form. ``version`` None: the client named none."""

    path: str
    query: str
    version: tuple[int, int] | None


def target(raw: str) -> Target:
    """Read a request's target. Raises RefusedError when its path can be spelled in another way."""
    path, _, query = raw.partition("?")
    if " " in path:
        raise _crooked()
    path = _ESCAPED.sub(_unescaped, path)
    _check(path, _ASKED)
    match = _VERSION.match(path)
    if match is None:
        if _LIKE_A_VERSION.match(path):
            raise malformed("path.version", "The API version is malformed")
        return Target(path=path, query=query, version=None)
    return Target(path=path[match.end() :], query=query, version=(int(match[1]), int(match[2])))


def check_path(path: str) -> None:
    """Refuse a path for the engine that another reader could take for another one."""
    _check(path, _PATH)


def _check(path: str, known: re.Pattern[str]) -> None:
    if not known.fullmatch(path) or _DOTS.search(path):
        raise _crooked()


def _crooked() -> RefusedError:
    return malformed(
        "path.canonical", "The path is not in its simplest form, so others may read it as another one",
        "Write it with single slashes, without '.' and '..', and without a slash at its end.",
    )  # fmt: skip


def _unescaped(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    if not re.fullmatch(r"[A-Za-z0-9._:@~ -]", character):
        raise malformed("path.escape", "The path contains an escaped character that no name has")
    return character


def check_version(version: tuple[int, int] | None, newest: tuple[int, int]) -> tuple[int, int]:
    """The version to speak to the engine."""
    if version is None:
        return newest
    if version < OLDEST:
        raise malformed(
            "path.version.old",
            f"client version {version[0]}.{version[1]} is too old. Minimum supported API version is 1.24",
            "Please upgrade your client to a newer version.",
        )
    if version > newest:
        raise malformed(
            "path.version.new",
            f"client version {version[0]}.{version[1]} is too new. Maximum supported API version is "
            f"{newest[0]}.{newest[1]}",
        )
    return version


class Table:
    """All routes, to be looked up by method and path. The first one in the table that fits is meant."""

    def __init__(self, routes: Sequence[Route]) -> None:
        """Those whose path ends in a word are not tried for another one."""
        every = [(route, re.compile(route.path)) for route in routes]
        words = {(route.method, _last_word(route.path)) for route in routes}
        self._routes = {
            (method, word): [one for one in every if one[0].method == method and _last_word(one[0].path) in ("", word)]
            for method, word in words | {(method, "") for method, _ in words}
        }  # fmt: skip

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """The route of a request and the names in its path."""
        tried = self._routes.get((method, path.rpartition("/")[2])) or self._routes.get((method, ""))
        for route, pattern in tried or ():
            match = pattern.fullmatch(path)
            if match is not None:
                return route, match.groupdict()
        raise not_allowed("route.unknown", f"{method} {path}", "DS01 does not serve this part of the Docker API.")


def _last_word(path: str) -> str:
    """What a path ends in, when that is a word and no name."""
    last = path.rpartition("/")[2]
    return last if re.fullmatch("[a-z_]+", last) else ""
