"""Turns the lists of other tools into pip's: ``uv.lock``, ``pyproject.toml``, conda's ``environment.yml``.

The image has one installer. What these files fix is kept: every version of a lock is a constraint, so pip takes exactly
what was locked, on whatever platform the markers ask for. What has no counterpart on the package index (a path, a
library that conda brings and the base has already) is refused with its line, or left out by a list one can read here.
A file is read to its end: whoever corrects it wants to know all that is wrong with it, not the first thing.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache

from ds01.domain import conda
from ds01.domain.errors import BAD_PROJECT_FILE, Ds01Error, together
from ds01.domain.record import record
from ds01.projects import packages, plainfile
from ds01.projects.places import Path, places

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from typing import Any, TypeVar

    _Item = TypeVar("_Item")

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
class _CondaItem:
    number: int
    text: str = ""
    is_pip: bool = False


@record
class _Lists:
    lines: Sequence[str]
    pins: Sequence[str] = ()
    left_out: tuple[str, ...] = ()
    wrong: Sequence[Ds01Error] = ()


def knows(path: str) -> bool:
    """Whether this is the name of a file that has to be translated."""
    return _reader(path) is not None


def translate(folder: str, path: str) -> Translated:
    """Read such a file of a project. Raises Ds01Error (``project.file``, ``package.invalid``): all mistakes, each with
    its place.
    """
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
    if found.wrong:
        raise together(found.wrong)
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
    from ds01.projects.toml import parse

    return parse(path, text)


def _lines(path: str, text: str) -> Callable[[Path], str]:
    """Says where a value of a TOML file stands (``pyproject.toml:7``); looked up once, and only for a mistake."""
    where = cache(lambda: places(text))
    return lambda key: f"{path}:{where().value(key)[0]}"


def _each(items: Iterable[_Item], read: Callable[[_Item], str]) -> tuple[list[str], list[Ds01Error]]:
    """What is made of each item, and what is wrong with those nothing is made of."""
    lines, wrong = [], []
    for item in items:
        try:
            lines.append(read(item))
        except Ds01Error as error:
            wrong.append(error)
    return lines, wrong


# pyproject.toml ------------------------------------------------------------------------------------------


def _pyproject(path: str, text: str) -> _Lists:
    project = _toml(path, text).get("project")
    if not isinstance(project, dict):
        raise _wrong(path, "it has no [project] table with dependencies")
    line, key = _lines(path, text), ("project", "dependencies")
    listed = project.get("dependencies", [])
    if not isinstance(listed, list):
        raise _wrong(line(key), 'dependencies is no list of texts such as ["pandas>=2,<3"]')
    dynamic = project.get("dynamic")
    if isinstance(dynamic, list) and "dependencies" in dynamic:
        raise _wrong(
            line(("project", "dynamic")),
            "its dependencies are worked out by the program that builds it, and only a list can be read",
        )

    def entry(index: int) -> str:
        if not isinstance(listed[index], str):
            raise _wrong(line((*key, index)), 'a dependency is a text in quotes such as "pandas>=2,<3"')
        try:
            return packages.entry(listed[index]).text
        except Ds01Error as error:
            raise error.at(line((*key, index))) from error

    lines, wrong = _each(range(len(listed)), entry)
    return _Lists(lines=lines, wrong=wrong)


# uv.lock -------------------------------------------------------------------------------------------------


def _uv_lock(path: str, text: str) -> _Lists:
    listed = _toml(path, text).get("package", [])
    if not isinstance(listed, list) or not all(isinstance(item, dict) and "name" in item for item in listed):
        raise _wrong(path, "it is no lock file of uv")
    own = [item for item in listed if _is_own(item)]
    if len(own) != 1:
        raise _wrong(path, "it locks a workspace of several packages" if own else "it locks no project in this folder")
    lines = [*_indexes(listed), *(_dependency(each) for each in own[0].get("dependencies", []))]
    line = _lines(path, text)

    def pin(index: int) -> str:
        made = _pin(listed[index])
        if made:
            return made
        raise _wrong(
            line(("package", index)),
            f"{listed[index]['name']} is locked to a folder, and your workspace is not there while an image is built",
        )

    pins, wrong = _each((index for index, item in enumerate(listed) if item is not own[0]), pin)
    return _Lists(lines=lines, pins=pins, wrong=wrong)


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


def _pin(item: Mapping[str, Any]) -> str:
    """The version a package is locked to; ``""`` when it is locked to a folder."""
    name, source = item["name"], item.get("source", {})
    markers = " or ".join(f"({marker})" for marker in item.get("resolution-markers", ()))
    if "registry" in source and "version" in item:
        return _marked(f"{name}=={item['version']}", markers)
    if "git" in source:
        address, _, commit = source["git"].partition("#")
        return _marked(f"{name} @ git+{address.partition('?')[0]}@{commit}", markers)
    if "url" in source:
        return _marked(f"{name} @ {source['url']}", markers)
    return ""


def _marked(line: str, marker: str) -> str:
    return f"{line} ; {marker}" if marker else line


# environment.yml -----------------------------------------------------------------------------------------


def _conda(path: str, text: str) -> _Lists:
    left_out = []

    def read(item: _CondaItem) -> str:
        if not item.text:
            raise _wrong(f"{path}:{item.number}", "a line below dependencies begins with '- '")
        try:
            line = _pip_line(path, item.text) if item.is_pip else _conda_line(item.text)
        except Ds01Error as error:
            raise error.at(f"{path}:{item.number}") from error
        if not line:
            left_out.append(item.text)
        return line

    lines, wrong = _each(_conda_items(text), read)
    return _Lists(lines=[line for line in lines if line], left_out=tuple(left_out), wrong=wrong)


def _conda_items(text: str) -> Iterator[_CondaItem]:
    """The entries below ``dependencies:``; ``text`` is ``""`` for a line that is none.

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
            yield _CondaItem(number=number)
            continue
        item = bare[2:].strip().strip("\"'")
        if item == "pip:":
            pip_at = indent
            continue
        pip_at = pip_at if indent > pip_at else -1
        yield _CondaItem(number=number, text=item, is_pip=pip_at >= 0)


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
