"""Makes a project: its folder and its first files, the same way for an empty folder and for one that is in use.

An existing folder is adopted. What is there is never overwritten: a file that differs from what would be written is
kept and told. A requirements file or a Dockerfile that is there already goes into the new project file.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
from collections.abc import Iterator
from enum import StrEnum

from ds01.domain.errors import BAD_NAME, BAD_REQUEST, BAD_WORKSPACE, DISK_FULL, Ds01Error
from ds01.domain.names import checked, nearest
from ds01.domain.project import RunDefaults
from ds01.domain.record import record
from ds01.projects import editor_files, file, kinds, plainfile, recognise
from ds01.projects.kinds import Kind
from ds01.projects.recognise import Proposal

FOLDERS = (
    ("data", "data: `raw` as it came, `processed` by you, `external` from others"),
    ("notebooks", "notebooks"),
    ("src", "the code"),
    ("scripts", "what one runs"),
    ("configs", "settings of experiments"),
    ("models", "weights"),
    ("outputs", "results"),
    ("tests", "tests"),
)
_KEPT_EMPTY = (
    "data/raw", "data/processed", "data/external", "notebooks", "configs", "models", "outputs", "tests",
)  # fmt: skip
EXAMPLE = "scripts/example.py"


class State(StrEnum):
    """How a file that would be written relates to what is there."""

    NEW = "new"
    SAME = "same"
    KEPT = "kept"


@record
class PlannedFile:
    """One file. ``path`` is relative to the project."""

    path: str
    text: str
    state: State


@record
class Wish:
    """What a new project should be."""

    name: str
    kind: Kind
    description: str = ""
    base: str = ""
    """The base that was asked for; without one it is what the folder says, else ``minimal``."""
    lean: bool = False
    bare: bool = False
    """Only the project file: the folder has everything else."""
    vscode: bool = False
    """Files for VS Code, too."""


@record
class Plan:
    """What making the project would do. ``adopted``: the folder is there already, and says what is in ``there``.

    ``note`` is what of the wish is not fulfilled, ``""`` for nothing.
    """

    wish: Wish
    folder: str
    files: tuple[PlannedFile, ...]
    adopted: bool
    there: Proposal
    note: str = ""

    @property
    def proposes(self) -> bool:
        """Whether the project file is written, so that it says what the folder had."""
        return file.OWN in self.paths(State.NEW)

    def paths(self, state: State) -> tuple[str, ...]:
        """The files in this state."""
        return tuple(item.path for item in self.files if item.state is state)


def kind(name: str) -> Kind:
    """The type of this name. Raises Ds01Error with the nearest."""
    if name in kinds.KINDS:
        return kinds.KINDS[name]
    near = nearest(name, kinds.KINDS)
    raise Ds01Error(
        BAD_NAME,
        f"There is no project type '{name}'.",
        reason=f"Did you mean '{near}'?" if near else f"There are {', '.join(kinds.KINDS)}.",
        hint="ds01 init --info",
    )


def plan(wish: Wish, home: str) -> Plan:
    """Look at what is there and say what would be written. Raises Ds01Error when the folder cannot be a project."""
    folder = os.path.join(file.workspaces(home), checked(wish.name, "project name"))
    adopted = os.path.lexists(folder)
    for path in (file.workspaces(home), folder):
        _usable(path, may_be_link=path != folder)
    there = _as_asked(wish.base, recognise.look(folder))
    files = tuple(_planned(folder, path, text) for path, text in _wanted(wish, folder, there))
    note = _base_stays(wish, folder) if wish.base and adopted and file.has_file(folder) else ""
    return Plan(wish=wish, folder=folder, files=files, adopted=adopted, there=there, note=note)


def _base_stays(wish: Wish, folder: str) -> str:
    """What is said when a project that is there has another base: its file is never overwritten."""
    try:
        base = file.load(folder).image.base
    except Ds01Error:
        return ""
    return "" if base == wish.base else f"The base stays {base}. To change it: ds01 image update {wish.name} --edit"


def _as_asked(base: str, there: Proposal) -> Proposal:
    """What a folder says, where that does not contradict the base that was asked for."""
    if base and there.dockerfile:
        raise Ds01Error(
            BAD_REQUEST, f"{there.dockerfile} says what the image is built on, so --base {base} would have no effect.",
            reason="A Dockerfile that is there is built as it is.",
            hint=f"Leave --base out, or give {there.dockerfile} another name first.",
        )  # fmt: skip
    if base and there.base and there.base != base:
        there.found = [line for line in there.found if not line.endswith(f": base {there.base}")]
        there.notes.append(f"The folder's devcontainer has the base {there.base}; {base} is used, as you asked for")
        there.base = base
    return there


def create(made: Plan) -> tuple[str, ...]:
    """Write what is missing; returns the paths written. Raises Ds01Error; what was written before stands."""
    written = []
    try:
        _folder(os.path.dirname(made.folder))
        _folder(made.folder)
        for item in made.files:
            if item.state is State.NEW:
                os.makedirs(os.path.dirname(os.path.join(made.folder, item.path)), exist_ok=True)
                plainfile.replace(os.path.join(made.folder, item.path), item.text)
                written.append(item.path)
    except OSError as error:
        raise Ds01Error(
            BAD_WORKSPACE,
            f"{error.filename} cannot be made: {(error.strerror or str(error)).lower()}.",
            reason=_stands(written),
            hint=f"ls -ld {os.path.dirname(made.folder)}",
        ) from error
    except Ds01Error as error:
        if error.kind is not DISK_FULL:
            raise
        raise Ds01Error(
            DISK_FULL, error.problem.message, reason=_stands(written), hint="Free some space, then repeat the command."
        ) from error
    return tuple(written)


def git(folder: str) -> str:
    """Make the folder a git repository as the user, unless it is in one; returns a sentence, ``""`` when done."""
    inside = subprocess.run(["git", "-C", folder, "rev-parse"], capture_output=True, check=False)
    if inside.returncode == 0:
        return "It is in a git repository already."
    made = subprocess.run(
        ["git", "init", "--quiet", "--initial-branch=main", folder], capture_output=True, text=True, check=False
    )
    return "" if made.returncode == 0 else f"git could not make a repository: {made.stderr.strip()}"


def _wanted(wish: Wish, folder: str, there: Proposal) -> Iterator[tuple[str, str]]:
    full = wish.kind.name != "blank"
    values = {
        "name": wish.name,
        "kind": wish.kind,
        "description": wish.description,
        "base": wish.base or "minimal",
        "packages": kinds.packages(wish.kind, lean=wish.lean),
        "folders": FOLDERS if full else (),
        "example": full,
        **_already(there),
    }
    if not (os.path.isdir(folder) and file.has_file(folder)):
        yield file.OWN, _rendered("ds01.toml", values)
    if wish.vscode or (full and not wish.bare):
        yield editor_files.DEVCONTAINER, editor_files.devcontainer(wish.name, os.geteuid(), _run(folder))
    if wish.vscode:
        yield from editor_files.vscode()
    if wish.bare:
        return
    yield "README.md", _rendered("README.md", values)
    yield ".gitignore", _rendered("gitignore", values)
    yield ".dockerignore", _rendered("dockerignore", values)
    if full:
        yield f"src/{package(wish.name)}/__init__.py", f'"""{wish.name}."""\n'
        yield "scripts/check_gpu.py", _rendered("check_gpu.py", values)
        yield EXAMPLE, example(wish.kind)
        yield from ((f"{path}/.gitkeep", "") for path in _KEPT_EMPTY)


def _run(folder: str) -> RunDefaults:
    """How the containers of a project run that is there already."""
    try:
        return file.load(folder).run
    except Ds01Error:
        return RunDefaults()


def example(kind_: Kind) -> str:
    """The program a project of this type starts with: some twenty lines that compute something and keep it."""
    folder = os.path.join(os.path.dirname(__file__), "templates", "examples")
    return plainfile.read(os.path.join(folder, f"{kind_.example}.py.txt"))


def package(name: str) -> str:
    """The Python package of a project."""
    module = name.replace("-", "_")
    return module if module[0].isalpha() else f"p{module}"


def _already(there: Proposal) -> dict[str, object]:
    """What a folder that is adopted says of its own image."""
    found: dict[str, object] = {
        "requirements": there.requirements, "dockerfile": there.dockerfile, "environment": there.environment,
        "ports": there.ports,
    }  # fmt: skip
    if there.requirements or there.dockerfile:
        found["packages"] = ()
    return found | ({"base": there.base} if there.base else {})


def _rendered(name: str, values: dict[str, object]) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("ds01.projects"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=select_autoescape(),
    )
    environment.filters["toml"] = _toml
    return environment.get_template(f"{name}.j2").render(values)


def _toml(text: str) -> str:
    """A TOML string: JSON's escapes are TOML's, as long as letters outside ASCII stay as they are."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _planned(folder: str, path: str, text: str) -> PlannedFile:
    """A link or a file on the way counts as the user's: nothing is written through it."""
    parts = path.split("/")
    for end in range(1, len(parts)):
        parent = os.path.join(folder, *parts[:end])
        if os.path.lexists(parent) and (os.path.islink(parent) or not os.path.isdir(parent)):
            return PlannedFile(path=path, text=text, state=State.KEPT)
    whole = os.path.join(folder, path)
    if not os.path.lexists(whole):
        return PlannedFile(path=path, text=text, state=State.NEW)
    return PlannedFile(path=path, text=text, state=State.SAME if _same(whole, text) else State.KEPT)


def _same(path: str, text: str) -> bool:
    try:
        return plainfile.read(path) == text
    except Ds01Error:
        return False


def _usable(path: str, *, may_be_link: bool) -> None:
    """A folder of one's own, or nothing yet. The folder of all projects may be a link to a larger disk."""
    if not os.path.lexists(path):
        return
    if os.path.islink(path) and not may_be_link:
        raise _unusable(path, f"it is a symbolic link to {os.readlink(path)}", "Projects are folders of their own.")
    try:
        status = os.stat(path)
    except FileNotFoundError as error:
        raise _unusable(path, "it is a symbolic link to nowhere", "Remove it.") from error
    if not stat.S_ISDIR(status.st_mode):
        raise _unusable(path, "it is a file, not a folder", "Move it away, or choose another name.")
    if status.st_uid != os.geteuid():
        raise _unusable(path, "it belongs to somebody else", "Choose another name.")
    if not os.access(path, os.W_OK | os.X_OK):
        raise _unusable(path, "you may not write in it", f"chmod u+wx {path}")


def _unusable(path: str, reason: str, hint: str) -> Ds01Error:
    return Ds01Error(BAD_WORKSPACE, f"{path} cannot hold a project: {reason}.", hint=hint)


def _folder(path: str) -> None:
    """Private from the start: sharing a project is a decision of its owner."""
    if not os.path.isdir(path):
        os.mkdir(path, 0o700)


def _stands(written: list[str]) -> str:
    return f"Written before: {', '.join(written)}." if written else "Nothing was written."
