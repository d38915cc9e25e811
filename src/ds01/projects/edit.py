"""Changes a project file the way its owner would: the lines asked for, every comment kept.

An edit is worked out and checked before it is written: what comes out must be the project that was meant, or the file
stays as it is.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ds01.domain.errors import BAD_PACKAGE, BAD_PROJECT_FILE, INTERNAL, Ds01Error
from ds01.domain.names import nearest
from ds01.domain.record import record
from ds01.projects import file, packages, plainfile
from ds01.projects.packages import Entry

if TYPE_CHECKING:
    from tomlkit.items import Array

_LINE_LENGTH = 88


@record
class Edit:
    """A change of a project file, not yet written. ``changes`` are sentences for the user."""

    path: str
    before: str
    after: str
    changes: tuple[str, ...]

    def save(self) -> None:
        """Write it, unless somebody else changed the file meanwhile. Raises Ds01Error (``project.file``)."""
        if self.before == self.after:
            return
        if plainfile.read(self.path) != self.before:
            raise Ds01Error(
                BAD_PROJECT_FILE,
                f"{self.path} was changed by somebody else meanwhile.",
                reason="Nothing was written.",
                hint="Repeat the command.",
            )
        plainfile.replace(self.path, self.after)

    def undo(self) -> bool:
        """Put the file back, unless somebody else changed it meanwhile; whether that was needed and done."""
        if self.before == self.after or plainfile.read(self.path) != self.after:
            return False
        plainfile.replace(self.path, self.before)
        return True


def plan(
    folder: str,
    *,
    add: Sequence[str] = (),
    remove: Sequence[str] = (),
    add_apt: Sequence[str] = (),
    requirements: str = "",
) -> Edit:
    """What these changes make of the project file in ``folder``. Raises Ds01Error before anything is written."""
    import tomlkit

    wanted = packages.entries(add)
    apt = [packages.apt_package(name) for name in add_apt]
    file.load(folder)
    source = file.read(folder)
    document = tomlkit.parse(source.text)
    image = _table(document, (*source.prefix, "image"))
    python, system = _array(image, "python"), _array(image, "apt")
    changes = [
        *(_remove(python, system, name) for name in remove),
        *(_add(python, entry) for entry in wanted),
        *(_add_apt(system, name) for name in apt),
    ]
    changes += _requirements(image, requirements)
    for key, array in (("python", python), ("apt", system)):
        _put(image, key, array)
    after = tomlkit.dumps(document)
    _verify(source, after, tuple(str(item) for item in python), folder)
    return Edit(path=source.path, before=source.text, after=after, changes=tuple(text for text in changes if text))


def rewritten(folder: str, text: str) -> Edit:
    """The change that makes the project file say ``text``. Raises Ds01Error when that is no project."""
    source = file.read(folder)
    file.of_text(folder, text)
    lines = difflib.unified_diff(source.text.splitlines(), text.splitlines(), lineterm="", n=0)
    changes = tuple(
        f"{line[0]} {line[1:].strip()}" for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")
    )
    return Edit(path=source.path, before=source.text, after=text, changes=changes)


def restored(folder: str, image: Mapping[str, Any]) -> Edit:
    """The change that makes [image] what it was when a build was made. Raises Ds01Error when that is no project."""
    import tomlkit

    source = file.read(folder)
    document = tomlkit.parse(source.text)
    table = _table(document, (*source.prefix, "image"))
    now = file.load(folder).image
    for key, there in (("base", now.base), ("requirements", now.requirements)):
        if str(image.get(key) or "") != there:
            table[key] = str(image.get(key) or "")
    for key in ("python", "apt"):
        array = _array(table, key)
        _make(array, [str(line) for line in image.get(key) or ()])
        _put(table, key, array)
    after = tomlkit.dumps(document)
    _verify(source, after, tuple(str(line) for line in image.get("python") or ()), folder)
    return rewritten(folder, after)


def _make(array: Array, wanted: list[str]) -> None:
    """Make a list say this, where it stands: lines that stay, or whose versions change, keep their comments. From the
    end, so that what is still to do keeps its index.
    """
    there = [str(item) for item in array]
    steps = difflib.SequenceMatcher(None, there, wanted, autojunk=False).get_opcodes()
    for _, start, end, first, last in (step for step in reversed(steps) if step[0] != "equal"):
        old, new = there[start:end], wanted[first:last]
        same = 0
        while same < min(len(old), len(new)) and _about(old[same]) == _about(new[same]):
            array[start + same] = new[same]
            same += 1
        for index in reversed(range(start + same, end)):
            del array[index]
        for index, line in enumerate(new[same:], start + same):
            array.insert(index, line)


def _about(line: str) -> str:
    """The package or option a line is about."""
    return packages.canonical(re.split(r"[^A-Za-z0-9._+-]", line, maxsplit=1)[0])


def _table(document: Any, path: tuple[str, ...]) -> Any:
    import tomlkit

    table = document
    for key in path:
        if key not in table:
            table[key] = tomlkit.table()
        table = table[key]
    return table


def _array(image: Any, key: str) -> Array:
    import tomlkit

    return image[key] if key in image else tomlkit.array()


def _put(image: Any, key: str, array: Array) -> None:
    """A new list goes into its table; a list of one line that became long goes over several."""
    if key not in image:
        if len(array):
            image[key] = array
        return
    if "\n" not in array.as_string() and len(f"{key} = {array.as_string()}") > _LINE_LENGTH:
        array.multiline(True)


def _add(array: Array, entry: Entry) -> str:
    same = [index for index, line in enumerate(array) if packages.entry(str(line)) == entry]
    listed = [index for index, line in enumerate(array) if entry.name and packages.entry(str(line)).name == entry.name]
    if same or (listed and entry.text == entry.name):
        return ""
    if len(listed) > 1:
        raise Ds01Error(
            BAD_PACKAGE,
            f"'{entry.name}' is listed {len(listed)} times, for different conditions.",
            reason="DS01 cannot know which of the lines you mean.",
            hint="Change the lines in the project file yourself.",
        )
    if listed:
        old = str(array[listed[0]])
        array[listed[0]] = entry.text
        return f"{old} → {entry.text}"
    array.append(entry.text)
    return f"+ {entry.text}"


def _add_apt(array: Array, name: str) -> str:
    listed = [index for index, line in enumerate(array) if _bare_apt(str(line)) == _bare_apt(name)]
    if listed and (str(array[listed[0]]) == name or name == _bare_apt(name)):
        return ""
    if listed:
        old = str(array[listed[0]])
        array[listed[0]] = name
        return f"{old} → {name} (apt)"
    array.append(name)
    return f"+ {name} (apt)"


def _requirements(image: Any, path: str) -> list[str]:
    before = str(image.get("requirements") or "")
    if not path or before == path:
        return []
    image["requirements"] = path
    return [f"requirements: {before} → {path}" if before else f"+ requirements = {path}"]


def _remove(array: Array, system: Array, name: str) -> str:
    """Take a Python package out, or a Debian one of this name."""
    wanted = packages.canonical(name)
    known = {packages.entry(str(line)).name for line in array} - {""}
    if wanted not in known and name in {_bare_apt(str(line)) for line in system}:
        return _remove_apt(system, name)
    if wanted not in known:
        near = nearest(wanted, {*known, *(_bare_apt(str(line)) for line in system)})
        raise Ds01Error(
            BAD_PACKAGE,
            f"'{name}' is not in the project's package list.",
            reason=f"Did you mean '{near}'?" if near else f"It has: {', '.join(sorted(known)) or 'no packages'}.",
        )
    gone = [str(line) for line in array if packages.entry(str(line)).name == wanted]
    for line in gone:
        del array[[str(item) for item in array].index(line)]
    return "\n".join(f"- {line}" for line in gone)


def _remove_apt(system: Array, name: str) -> str:
    index = next(index for index, line in enumerate(system) if _bare_apt(str(line)) == name)
    line = str(system[index])
    del system[index]
    return f"- {line} (apt)"


def _bare_apt(text: str) -> str:
    return text.partition("=")[0].partition("/")[0]


def _verify(source: file.ProjectText, after: str, python: tuple[str, ...], folder: str) -> None:
    """The edited text must read as the project that was meant; otherwise the file stays as it is."""
    project = file.of_text(folder, after)
    if project.image.python != python:
        raise Ds01Error(INTERNAL, f"{source.path} could not be edited.", reason="Nothing was written.",
                        hint="Change the list in the file yourself.")  # fmt: skip
