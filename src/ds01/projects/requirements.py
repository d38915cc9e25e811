"""Reads the requirements files of a project, before pip does: what they name, and what would not work in an image.

Files that include others (``-r``, ``-c``) bring them along, each from inside the project's folder. Nothing is
rewritten: pip gets the files as they are.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping

from ds01.domain.errors import BAD_PROJECT_FILE, Ds01Error, together
from ds01.domain.project import ImageRecipe
from ds01.projects import foreign, packages, plainfile
from ds01.projects.packages import Entry

_COMMENT = re.compile(r"(^|\s+)#.*$")
_MOST_FILES = 50


def gather(folder: str, first: Iterable[str], made: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    """The named files and all that they include, by path in the project. Raises Ds01Error with file and line.

    ``made`` are files that are not in the folder but were made from one that is.
    """
    found, wrong = _walk(folder, first, made or {})
    if wrong:
        raise together(wrong)
    return found


def mistakes(folder: str, image: ImageRecipe) -> tuple[Ds01Error, ...]:
    """All that is wrong in the files a project's image is made from, each with file and line."""
    try:
        first, made = _first(folder, image)
    except Ds01Error as error:
        return (error,)
    return tuple(_walk(folder, [*([first] if first else []), *included(image.python)], made)[1])


def _walk(
    folder: str, first: Iterable[str], made: Mapping[str, bytes]
) -> tuple[dict[str, bytes], list[Ds01Error]]:  # fmt: skip
    """The named files and all that they include, and what is wrong in them."""
    found: dict[str, bytes] = {}
    wrong: list[Ds01Error] = []
    waiting = [(path, "the project file") for path in first]
    while waiting:
        path, named_by = waiting.pop(0)
        if path in found:
            continue
        if len(found) == _MOST_FILES:
            wrong.append(_wrong(path, f"more than {_MOST_FILES} files include each other"))
            break
        try:
            found[path] = made[path] if path in made else _content(folder, path, named_by)
        except Ds01Error as error:
            wrong.append(error)
            continue
        for line in _read(path, found[path].decode()):
            if isinstance(line, Ds01Error):
                wrong.append(line)
            elif line.file:
                _follow(path, line.file, waiting, wrong)
    return found, wrong


def _follow(path: str, named: str, waiting: list[tuple[str, str]], wrong: list[Ds01Error]) -> None:
    try:
        waiting.append((inside(path, named), path))
    except Ds01Error as error:
        wrong.append(error)


def entries(path: str, text: str) -> Iterator[Entry]:
    """The requirements and options of one file. Raises Ds01Error (``package.invalid``) with file and line."""
    for line in _read(path, text):
        if isinstance(line, Ds01Error):
            raise line
        yield line


def _read(path: str, text: str) -> Iterator[Entry | Ds01Error]:
    """Each line of a file: what it asks for, or what is wrong with it."""
    for number, line in _logical_lines(text):
        try:
            yield packages.entry(line)
        except Ds01Error as error:
            yield error.at(f"{path}:{number}")


def inside(including: str, path: str) -> str:
    """The path, in the project, of a file that another one includes. Raises Ds01Error when it is outside."""
    whole = posixpath.normpath(posixpath.join(posixpath.dirname(including), path))
    if whole.startswith(("/", "../")) or whole == ".." or "://" in path:
        raise _wrong(path, f"{including} includes it, and it is not in the project folder")
    return whole


def of_image(folder: str, image: ImageRecipe) -> tuple[str, dict[str, bytes]]:
    """The file that pip is given for a project (``""``: none), and all files it needs, by path in the project."""
    first, made = _first(folder, image)
    return first, gather(folder, [*([first] if first else []), *included(image.python)], made)


def _first(folder: str, image: ImageRecipe) -> tuple[str, dict[str, bytes]]:
    """The file that pip is given, and what was made for that from a file of another tool."""
    if not foreign.knows(image.requirements):
        return image.requirements, {}
    translated = foreign.translate(folder, image.requirements)
    return translated.first, dict(translated.files)


def included(lines: Iterable[str]) -> list[str]:
    """The files that lines of the project file's own list name."""
    return [entry.file for entry in packages.entries(tuple(lines)) if entry.file]


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines as pip joins them: a backslash continues, comments and empty lines are dropped."""
    start, parts = 1, list[str]()
    for number, line in enumerate(text.splitlines(), start=1):
        start = number if not parts else start
        bare = _COMMENT.sub("", line)
        parts.append(bare.removesuffix("\\").strip())
        if bare.endswith("\\"):
            continue
        joined = " ".join(part for part in parts if part)
        parts = []
        if joined:
            yield start, joined
    if any(parts):
        yield start, " ".join(part for part in parts if part)


def _content(folder: str, path: str, named_by: str) -> bytes:
    whole = os.path.join(folder, path)
    if not os.path.lexists(whole):
        raise Ds01Error(
            BAD_PROJECT_FILE,
            f"There is no file {path} in {folder}.",
            reason=f"It is named by {named_by}.",
            hint="Create it, or change the line that names it.",
        )
    real = os.path.realpath(whole)
    if os.path.commonpath([real, os.path.realpath(folder)]) != os.path.realpath(folder):
        raise _wrong(path, "it leads out of the project folder")
    return plainfile.read(whole).encode()


def _wrong(path: str, reason: str) -> Ds01Error:
    return Ds01Error(
        BAD_PROJECT_FILE,
        f"{path} cannot be used for the image: {reason}.",
        hint="Copy it into the project folder and name it from there.",
    )
