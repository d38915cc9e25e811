"""Turns the lists of other tools into pip's: ``uv.lock``, ``pyproject.toml``, conda's ``environment.yml``.

The image has one installer. What these files fix is kept: every version of a lock is a constraint, so pip takes exactly
what was locked, on whatever platform the markers ask for. What has no counterpart on the package index (a path, a
library that conda brings and the base has already) is refused with its line, or left out by a list one can read here.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ds01.domain import conda
from ds01.domain.errors import BAD_PROJECT_FILE, Ds01Error
from ds01.domain.record import made, record
from ds01.projects import packages, plainfile

FOLDER = ".ds01/image"
"""Where what was made from such a file is in the project's folder, for those who build without DS01."""

_LARGEST_BYTES = 16 * 1024 * 1024
"""A lock lists every wheel of every package."""
_PUBLIC_INDEX = "https://pypi.org/simple"
_PIN = re.compile(r"(?P<name>[\w.-]+)\s*=\s*(?P<version>\d[\w.*!+]*)(?:=\S+)?")
_BOUNDS = re.compile(r"(?P<name>[\w.-]+)\s*(?P<versions>(?:[<>=!~]=?|==).*)?")


@record
class Translated:
    """Requirements files made from another one, by path in the project; ``first`` is the one pip is given."""

    first: str
    files: Mapping[str, bytes]
    left_out: tuple[str, ...] = ()
    """What conda lists and the base brings."""


@record
class _Lists:
    lines: Sequence[str]
    pins: Sequence[str] = ()
    left_out: tuple[str, ...] = made(factory=tuple)


def knows(path: str) -> bool:
    """Whether this is the name of a file that has to be translated."""
    return _reader(path) is not None


def translate(folder: str, path: str) -> Translated:
    """Read such a file of a project. Raises Ds01Error (``project.file``, ``package.invalid``) with the place."""
    whole = os.path.join(folder, path)
    if not os.path.lexists(whole):
        raise Ds01Error(
            BAD_PROJECT_FILE, f"There is no file {path} in {folder}.", reason="It is named by the project file.",
            hint="Create it, or change the line that names it.",
        )  # fmt: skip
    reader = _reader(path)
    if reader is None:
        raise _wrong(path, "it is none of uv.lock, pyproject.toml and environment.yml")
    found = reader(path, plainfile.read(whole, largest_bytes=_LARGEST_BYTES))
    first, pins = f"{FOLDER}/{path}.txt", f"{FOLDER}/{path}.pins.txt"
    lines = [f"-c {posixpath.basename(pins)}", *found.lines] if found.pins else list(found.lines)
    files = {first: _text(path, lines)} | ({pins: _text(path, found.pins)} if found.pins else {})
    return Translated(first=first, files=files, left_out=found.left_out)


def _reader(path: str) -> Callable[[str, str], _Lists] | None:
    name = posixpath.basename(path)
    if name in ("environment.yml", "environment.yaml"):
        return _conda
    return {"uv.lock": _uv_lock, "pyproject.toml": _pyproject}.get(name)


def _text(source: str, lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\n" for line in (f"# from {source}: change that", *lines)).encode()


def _toml(path: str, text: str) -> dict[str, Any]:
    from ds01.projects.file import parse

    return parse(path, text)


# pyproject.toml ------------------------------------------------------------------------------------------


def _pyproject(path: str, text: str) -> _Lists:
    project = _toml(path, text).get("project")
    if not isinstance(project, dict):
        raise _wrong(path, "it has no [project] table with dependencies")
    lines = project.get("dependencies", [])
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise _wrong(path, "dependencies under [project] is no list of texts")
    return _Lists(lines=[packages.entry(line).text for line in lines])


# uv.lock -------------------------------------------------------------------------------------------------


def _uv_lock(path: str, text: str) -> _Lists:
    listed = _toml(path, text).get("package", [])
    if not isinstance(listed, list) or not all(isinstance(item, dict) and "name" in item for item in listed):
        raise _wrong(path, "it is no lock file of uv")
    own = [item for item in listed if _is_own(item)]
    if len(own) != 1:
        raise _wrong(path, "it locks a workspace of several packages" if own else "it locks no project in this folder")
    lines = [*_indexes(listed), *(_dependency(each) for each in own[0].get("dependencies", []))]
    return _Lists(lines=lines, pins=[_pin(path, item) for item in listed if item is not own[0]])


def _is_own(item: Mapping[str, Any]) -> bool:
    source = item.get("source", {})
    return "." in (source.get("virtual"), source.get("editable"))


def _indexes(listed: Sequence[Mapping[str, Any]]) -> list[str]:
    """Where the lock took its packages from, when that is not the public index alone."""
    used = {item.get("source", {}).get("registry") for item in listed} - {None}
    others = sorted(used - {_PUBLIC_INDEX})
    if len(others) == 1 and len(used) == 1:
        return [f"--index-url {others[0]}"]
    return [f"--extra-index-url {address}" for address in others]


def _dependency(item: Mapping[str, Any]) -> str:
    extras = f"[{','.join(item['extra'])}]" if item.get("extra") else ""
    return _marked(f"{item['name']}{extras}", item.get("marker", ""))


def _pin(path: str, item: Mapping[str, Any]) -> str:
    name, source = item["name"], item.get("source", {})
    markers = " or ".join(f"({marker})" for marker in item.get("resolution-markers", ()))
    if "registry" in source and "version" in item:
        return _marked(f"{name}=={item['version']}", markers)
    if "git" in source:
        address, _, commit = source["git"].partition("#")
        return _marked(f"{name} @ git+{address.partition('?')[0]}@{commit}", markers)
    if "url" in source:
        return _marked(f"{name} @ {source['url']}", markers)
    raise _wrong(path, f"{name} is locked to a folder, and your workspace is not there while an image is built")


def _marked(line: str, marker: str) -> str:
    return f"{line} ; {marker}" if marker else line


# environment.yml -----------------------------------------------------------------------------------------


def _conda(path: str, text: str) -> _Lists:
    lines, left_out = [], []
    for number, item, is_pip in _conda_items(path, text):
        try:
            line = _pip_line(path, item) if is_pip else _conda_line(item)
        except Ds01Error as error:
            raise Ds01Error(
                error.kind, f"{path}:{number}: {error.problem.message}", reason=error.problem.reason,
                hint=error.problem.hint,
            ) from error  # fmt: skip
        if line:
            lines.append(line)
        else:
            left_out.append(item)
    return _Lists(lines=lines, left_out=tuple(left_out))


def _conda_items(path: str, text: str) -> Iterator[tuple[int, str, bool]]:
    """The entries below ``dependencies:`` with their lines; True for those below ``pip:``.

    Only the form that conda itself writes is read. A library that understands all of YAML would be a second door.
    """
    section, pip_at = "", -1
    for number, raw in enumerate(text.splitlines(), 1):
        line = re.sub(r"(^|\s)#.*$", "", raw).rstrip()
        bare = line.strip()
        indent = len(line) - len(bare)
        if not bare or bare == "---":
            continue
        if not bare.startswith("-") and indent == 0 and ":" in bare:
            section, pip_at = bare.partition(":")[0], -1
            continue
        if section != "dependencies":
            continue
        if not bare.startswith("- "):
            raise _wrong(f"{path}:{number}", "a line below dependencies begins with '- '")
        item = bare[2:].strip().strip("\"'")
        if item == "pip:":
            pip_at = indent
            continue
        pip_at = pip_at if indent > pip_at else -1
        yield number, item, pip_at >= 0


def _pip_line(path: str, item: str) -> str:
    """A line for pip. A file it names is named from where the translation lies."""
    entry = packages.entry(item)
    if not entry.file:
        return entry.text
    option = entry.text.partition(" ")[0]
    return f"{option} {posixpath.relpath(posixpath.join(posixpath.dirname(path), entry.file), FOLDER)}"


def _conda_line(item: str) -> str:
    """What conda calls ``numpy=1.26`` as pip calls it; ``""`` for what the base brings."""
    bare = re.sub(r"^(\S+)\s+(?=\d)", r"\1=", item.rpartition("::")[2].strip())
    pin = _PIN.fullmatch(bare)
    bounds = pin or _BOUNDS.fullmatch(bare)
    if bounds is None:
        return packages.entry(item).text
    name = conda.on_the_index(bounds["name"])
    if not name:
        return ""
    if pin is None:
        return packages.entry(f"{name}{bounds['versions'] or ''}".replace(" ", "")).text
    version = pin["version"].removesuffix(".*").removesuffix("*")
    exact = version.count(".") >= 2
    return packages.entry(f"{name}=={version}" if exact else f"{name}=={version}.*").text


def _wrong(path: str, reason: str) -> Ds01Error:
    return Ds01Error(
        BAD_PROJECT_FILE, f"{path} cannot be used for the image: {reason}.",
        hint='Write the packages into the project file, or name a requirements.txt: requirements = "requirements.txt"',
    )  # fmt: skip
