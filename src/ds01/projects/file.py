"""Finds and reads a project's file: ``ds01.toml``, or ``[tool.ds01]`` in ``pyproject.toml``.

A project is a folder below ``~/workspace`` (or any folder named by path) with such a file. The file is opened as the
user, once, without following a link, and has to be a plain file: what it says is used to build and run things.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping

from ds01.domain.errors import BAD_PROJECT_FILE, NO_PROJECT, Ds01Error
from ds01.domain.names import checked, nearest
from ds01.domain.project import Project
from ds01.domain.record import record, replace
from ds01.projects import plainfile, schema, toml
from ds01.projects.schema import Mistake

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from typing import Any

OWN = "ds01.toml"
SHARED = "pyproject.toml"


@record
class ProjectText:
    """A project file as it is on disk. ``prefix`` is where DS01's tables are in it."""

    path: str
    text: str
    tables: Mapping[str, Any]
    prefix: tuple[str, ...] = ()


def workspaces(home: str) -> str:
    """The folder that holds a user's projects."""
    return os.path.join(home, "workspace")


def find(name: str, home: str) -> str:
    """The folder of the project ``name``. Raises Ds01Error (``name.invalid``, ``project.unknown``)."""
    folder = os.path.join(workspaces(home), checked(name, "project name"))
    if has_file(folder):
        return folder
    if os.path.lexists(folder):
        raise _no_file(folder, name)
    near = nearest(name, names(home))
    raise Ds01Error(
        NO_PROJECT,
        f"There is no project '{name}'.",
        reason=f"{folder} does not exist." + (f" Did you mean '{near}'?" if near else ""),
        hint=f"ds01 launch {near}" if near else f"ds01 init {name}",
    )


def names(home: str) -> tuple[str, ...]:
    """The names of a user's projects, sorted."""
    try:
        with os.scandir(workspaces(home)) as entries:
            folders = sorted(entry.name for entry in entries if not entry.name.startswith("."))
    except OSError:
        return ()
    return tuple(name for name in folders if has_file(os.path.join(workspaces(home), name)))


def enclosing(folder: str) -> str | None:
    """The nearest project folder at or above ``folder``, for commands that are typed inside a project."""
    candidate = os.path.abspath(folder)
    while not has_file(candidate):
        above = os.path.dirname(candidate)
        if above == candidate:
            return None
        candidate = above
    return candidate


def has_file(folder: str) -> bool:
    """Whether this folder is a project. A broken ds01.toml makes one too: the next step says what is wrong."""
    if os.path.lexists(os.path.join(folder, OWN)):
        return True
    with contextlib.suppress(Ds01Error, OSError):
        return os.path.lexists(os.path.join(folder, SHARED)) and bool(_shared(folder))
    return False


def load(folder: str) -> Project:
    """Read the project in ``folder``. Raises Ds01Error: ``project.unknown``, or ``project.file`` with the place."""
    return _checked(folder, read(folder))


def of_text(folder: str, text: str) -> Project:
    """The project that ``folder`` would be if its file said ``text``. Raises Ds01Error like ``load``."""
    there = read(folder)
    return _checked(
        folder, replace(there, text=text, tables=_ours(there.path, toml.parse(there.path, text), there.prefix))
    )


def _checked(folder: str, source: ProjectText) -> Project:
    whole = os.path.abspath(folder)
    project, mistakes = schema.read(source.tables, folder=whole, fallback_name=os.path.basename(whole))
    if mistakes:
        raise _mistaken(source, mistakes)
    return project


def named(name: str, home: str) -> Project:
    """Find and load. The file must agree with its folder: a copied folder would otherwise share the first one's
    image and container.
    """
    folder = find(name, home)
    project = load(folder)
    if project.name != name:
        text = f"the folder is '{name}' but the name here is '{project.name}'; write name = \"{name}\""
        raise _mistaken(read(folder), (Mistake(path=("project", "name"), text=text),))
    return project


def mistaken(folder: str, key: tuple[str, str], text: str) -> Ds01Error:
    """What is wrong with the value of one key, with its place in the project file of ``folder``."""
    return _mistaken(read(folder), (Mistake(path=key, text=text),))


def read(folder: str) -> ProjectText:
    """The project file of ``folder`` and its tables, not yet checked."""
    own = os.path.join(folder, OWN)
    if os.path.lexists(own):
        text = plainfile.read(own)
        return ProjectText(path=own, text=text, tables=toml.kept(own, text))
    shared = _shared(folder) if os.path.lexists(os.path.join(folder, SHARED)) else None
    if shared is None:
        raise _no_file(folder, os.path.basename(folder))
    return shared


def keep(folder: str) -> None:
    """Make the next ``load`` of this folder's project quick, if it is still there."""
    with contextlib.suppress(Ds01Error):
        there = read(folder)
        toml.keep(there.path, there.text)


def _shared(folder: str) -> ProjectText | None:
    path = os.path.join(folder, SHARED)
    text = plainfile.read(path)
    tables = toml.kept(path, text)
    tool = tables.get("tool", {})
    if not isinstance(tool, dict) or "ds01" not in tool:
        return None
    prefix = ("tool", "ds01")
    return ProjectText(path=path, text=text, tables=_ours(path, tables, prefix), prefix=prefix)


def _ours(path: str, tables: Any, prefix: tuple[str, ...]) -> Mapping[str, Any]:
    """DS01's part of a file's tables."""
    for key in prefix:
        tables = tables[key]
    if not isinstance(tables, dict):
        raise Ds01Error(BAD_PROJECT_FILE, f"{path}: [tool.ds01] must be a table.", hint="See: ds01 help projects")
    return tables


def _mistaken(source: ProjectText, mistakes: tuple[Mistake, ...]) -> Ds01Error:
    from ds01.projects.places import places

    where = places(source.text)
    found = []
    for mistake in mistakes:
        path = source.prefix + mistake.path
        found.append((where.key(path) if mistake.at_key else where.value(path), mistake.text))
    shown = [f"{line}:{column}: {_ended(text)}" for (line, column), text in sorted(found)]
    return Ds01Error(
        BAD_PROJECT_FILE,
        f"{source.path}:{shown[0]}",
        reason="\n".join(["Also:", *shown[1:]]) if shown[1:] else "",
        hint="Correct the file and repeat the command.",
    )


def _ended(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else text + "."


def _no_file(folder: str, name: str) -> Ds01Error:
    if not os.path.isdir(folder):
        reason = f"{folder} is not a folder."
        return Ds01Error(NO_PROJECT, f"'{name}' is no project.", reason=reason, hint="Choose another name.")
    return Ds01Error(
        NO_PROJECT,
        f"'{name}' is no project yet.",
        reason=f"{folder} has no {OWN}.",
        hint=f"ds01 init {name} adopts the folder; nothing in it is overwritten.",
    )
