"""The engine's own file, ``daemon.json``: what DS01 puts into it beside what the admin has there, and takes out again.

The engine refuses keys it does not know, so nothing can be explained in the file itself: the plan does. Keys are found
whatever their case, as the engine finds them.
"""

from __future__ import annotations

import copy
import json
import re
from typing import Any

from ds01.domain.engine_versions import builder_closes
from ds01.domain.errors import INSTALL_BLOCKED, Ds01Error
from ds01.install.machine import Found
from ds01.install.paths import DAEMON_JSON
from ds01.runc.launcher import RUNTIME

CLEANS = ("builder", "GC", "Enabled")
"""Whether the engine cleans the build cache by itself: before 28.3 it does not, unless it is told to. What the admin
says of it stays."""

_NEWEST = "999"
"""A version that is newer than every engine: it knows every key."""

_FOREIGN = {
    "hosts": "names the engine's sockets itself, and systemd passes it one",
    "cgroup-parent": "puts every container below one cgroup, and DS01 puts each below its owner's",
    "userns-remap": "gives every container other users, and DS01 decides that for each",
}
"""Keys that somebody else set, and what they do."""


def text_of(found: Found | None, command: str) -> str | None:
    """The text of the file that is there, None when there is none.

    Raises Ds01Error for a link or a folder: what it leads to is somebody's, and in its place would be a file without
    the admin's keys. ``command`` is what then comes next.
    """
    if found is not None and (found.link or found.folder):
        what = f"a link to {found.link}" if found.link else "a folder"
        raise Ds01Error(
            INSTALL_BLOCKED, f"{DAEMON_JSON} is {what}, and DS01 writes only to a file.",
            hint=f"Put the file itself there, then: {command}",
        )  # fmt: skip
    return found.text if found else None


def merged(text: str | None, guard: str, engine: str) -> str:
    """The file with DS01's keys. ``text`` is the file as it is, None when there is none; ``engine`` its version.

    Raises Ds01Error when the file cannot be read, or says something that cannot go together with DS01.
    """
    data = _read(text)
    for name, does in _FOREIGN.items():
        if data.get(_key(data, name)):
            raise _blocked(f"{DAEMON_JSON} has '{name}', which {does}.", f"Take '{name}' out")
    runtime = data.get(_key(data, "default-runtime"), "runc")
    if runtime not in ("runc", "io.containerd.runc.v2", RUNTIME):
        raise _blocked(
            f"{DAEMON_JSON} makes '{runtime}' the default runtime: every container would get what it gives.",
            "Take 'default-runtime' out ('runtimes' may stay)",
        )
    for way, value in _ours(guard, engine).items():
        _put(data, way, value)
    if _get(data, CLEANS) is None:
        _put(data, CLEANS, True)
    return _written(data, text)


def taken_out(text: str, before: str | None, guard: str) -> str | None:
    """The file without DS01's keys; ``before`` is what the file was. None: nothing is left of it.

    What the admin added since stays. What DS01 changed is as it was before; what was changed again since stays, too.
    """
    data, then, now = _read(text), _read(before), json.loads(merged(before, guard, _NEWEST))
    for way in (*_ours(guard, _NEWEST), CLEANS):
        if _get(data, way) == _get(now, way):
            _put(data, way, _get(then, way))
    for way in (("builder", "Entitlements"), CLEANS[:-1], ("builder",), ("runtimes",)):
        if _get(data, way) == {} and _get(then, way) is None:
            _put(data, way, None)
    return _written(data, text) if data or before is not None else None


def _ours(guard: str, engine: str) -> dict[tuple[str, ...], Any]:
    """What is DS01's in the file."""
    closed: dict[tuple[str, ...], Any] = {("builder", "Entitlements", name): False for name in builder_closes(engine)}
    return {("default-runtime",): RUNTIME, ("runtimes", RUNTIME): {"path": f"{guard}/runc"}, **closed}


def _read(text: str | None) -> dict[str, Any]:
    try:
        data = json.loads(text or "{}", object_pairs_hook=_once)
    except ValueError as error:
        raise _blocked(f"{DAEMON_JSON} cannot be read: {error}.", "Correct it") from error
    if not isinstance(data, dict):
        raise _blocked(f"{DAEMON_JSON} cannot be read: it is no object.", "Correct it")
    return data


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name.casefold() for name, _ in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"'{twice}' is there twice")
    return dict(pairs)


def _key(data: dict[str, Any], name: str) -> str:
    """The key as it is written in the file."""
    return next((key for key in data if key.casefold() == name.casefold()), name)


def _get(data: dict[str, Any], way: tuple[str, ...]) -> Any:
    found: Any = data
    for name in way:
        found = found.get(_key(found, name)) if isinstance(found, dict) else None
    return found


def _put(data: dict[str, Any], way: tuple[str, ...], value: Any) -> None:
    """Set it, or with None take it out."""
    *above, last = way
    for name in above:
        key = _key(data, name)
        if not isinstance(data.get(key), dict):
            if value is None:
                return
            data[key] = {}
        data = data[key]
    if value is None:
        data.pop(_key(data, last), None)
    else:
        data[_key(data, last)] = copy.deepcopy(value)


def _written(data: dict[str, Any], like: str | None) -> str:
    """As JSON, indented like the file was."""
    indent = re.search(r"^([ \t]+)\S", like or "", re.MULTILINE)
    return json.dumps(data, indent=indent[1] if indent else 2, ensure_ascii=False) + "\n"


def _blocked(message: str, todo: str) -> Ds01Error:
    return Ds01Error(INSTALL_BLOCKED, message, hint=f"{todo}, then: ds01 install")
