"""Decides whether the tables of a project file make a project, and says all that is wrong with them at once.

Every mistake carries the path of what it is about; where that stands in the file is found by whoever has the text.
Unknown keys are mistakes, because a misspelt key that is silently ignored is an experiment run with the wrong setting.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from ds01.domain import gpu_ask, quantity
from ds01.domain.errors import Ds01Error
from ds01.domain.names import corrected, is_name, nearest
from ds01.domain.project import ImageRecipe, Project, RunDefaults
from ds01.domain.record import made, record
from ds01.projects import packages
from ds01.projects.keys import TABLES
from ds01.projects.kinds import KINDS
from ds01.projects.places import Path

_REFERENCE = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d+)?/)?"
    r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*"
    r"(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?",
    re.ASCII,
)

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from typing import Any
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@record
class Mistake:
    """One thing wrong. ``path`` is where in the tables; ``at_key`` says that the key itself is the mistake."""

    path: Path
    text: str
    at_key: bool = False


@record(frozen=False)
class _Reading:
    """The tables being read and the mistakes found so far."""

    tables: Mapping[str, Any]
    mistakes: list[Mistake] = made(factory=list)

    def wrong(self, path: Path, text: str, *, at_key: bool = False) -> None:
        self.mistakes.append(Mistake(path=path, text=text, at_key=at_key))

    def get(self, table: str, key: str) -> Any:
        found = self.tables.get(table, {})
        return found.get(key) if isinstance(found, dict) else None


def read(tables: Mapping[str, Any], *, folder: str, fallback_name: str) -> tuple[Project, tuple[Mistake, ...]]:
    """The project these tables describe, and what is wrong with them; the project counts when nothing is.

    ``fallback_name`` is the folder's name, used when the file gives none.
    """
    reading = _Reading(tables=tables)
    _keys(reading)
    project = Project(
        name=_name(reading, fallback_name),
        type=_kind(reading),
        folder=folder,
        image=_image(reading),
        run=_run(reading),
        description=_text(reading, "project", "description", _no_check),
    )
    return project, tuple(reading.mistakes)


def _keys(reading: _Reading) -> None:
    for table, content in reading.tables.items():
        if table not in TABLES:
            reading.wrong((table,), _unknown(table, TABLES, "table", "[{}]"), at_key=True)
        elif not isinstance(content, dict):
            reading.wrong((table,), f"expected a table [{table}], got {_shown(content)}")
        else:
            for key in content:
                if key not in TABLES[table]:
                    reading.wrong((table, key), _unknown(key, TABLES[table], "key", "{}"), at_key=True)


def _unknown(word: str, known: Iterable[str], what: str, form: str) -> str:
    near = nearest(word, known)
    if near is not None:
        return f"unknown {what} '{form.format(word)}'; did you mean '{form.format(near)}'?"
    return f"unknown {what} '{form.format(word)}'; expected one of {', '.join(form.format(name) for name in known)}"


def _name(reading: _Reading, fallback: str) -> str:
    value = reading.get("project", "name")
    if value is None:
        if not is_name(fallback):
            reading.wrong(("project",), f"the folder's name '{fallback}' cannot be a project name; write name = \"…\"")
        return fallback
    if not isinstance(value, str):
        reading.wrong(("project", "name"), f'expected a name in quotes such as "thesis", got {_shown(value)}')
    elif not is_name(value):
        better = corrected(value)
        advice = f"; use '{better}'" if better else ""
        reading.wrong(
            ("project", "name"),
            f"'{value}' cannot be a project name (1 to 40 lower-case letters, digits and hyphens){advice}",
        )
    return str(value)


def _kind(reading: _Reading) -> str:
    def check(value: str) -> str:
        return "" if value in KINDS else _unknown(value, tuple(KINDS), "type", "{}")

    return _text(reading, "project", "type", check) or "blank"


def _image(reading: _Reading) -> ImageRecipe:
    return ImageRecipe(
        base=_text(reading, "image", "base", _check_base) or "minimal",
        python=_python(reading),
        requirements=_text(reading, "image", "requirements", _check_inside),
        apt=_list(reading, "image", "apt", _check_apt),
        dockerfile=_text(reading, "image", "dockerfile", _check_inside),
    )


def _python(reading: _Reading) -> tuple[str, ...]:
    """The package list: each line by itself, so that each place is named; then the lines against each other."""
    before = len(reading.mistakes)
    lines = _list(reading, "image", "python", _check_package)
    if len(reading.mistakes) == before:
        try:
            packages.entries(lines)
        except Ds01Error as error:
            reading.wrong(("image", "python"), _sentence(error))
    return lines


def _run(reading: _Reading) -> RunDefaults:
    return RunDefaults(
        gpus=_gpus(reading),
        memory=_text(reading, "run", "memory", _raises(quantity.size)),
        time=_text(reading, "run", "time", _raises(quantity.duration)),
        data=_list(reading, "run", "data", _check_data),
        on_stop=_text(reading, "run", "on_stop", _no_check),
        environment=_environment(reading),
        ports=_ports(reading),
    )


def _gpus(reading: _Reading) -> str | None:
    value = reading.get("run", "gpus")
    if value is None:
        return None
    path: Path = ("run", "gpus")
    if isinstance(value, bool) or not isinstance(value, int | str) or (isinstance(value, int) and value < 0):
        reading.wrong(path, f'expected a number of GPUs or a MIG profile such as "2g.20gb", got {_shown(value)}')
        return None
    problem = _raises(gpu_ask.ask)(str(value))
    if problem:
        reading.wrong(path, problem)
    return str(value)


def _environment(reading: _Reading) -> dict[str, str]:
    values = _table(reading, "env")
    for name, value in values.items():
        if not _ENV_NAME.fullmatch(name):
            reading.wrong(("run", "env", name), f"'{name}' cannot be the name of an environment variable", at_key=True)
        elif not isinstance(value, str) or "\x00" in value:
            reading.wrong(("run", "env", name), f"expected a text in quotes, got {_shown(value)}")
    return {name: str(value) for name, value in values.items()}


def _ports(reading: _Reading) -> dict[str, int]:
    values = _table(reading, "ports")
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 65536:
            reading.wrong(("run", "ports", name), f"expected a port from 1 to 65535, got {_shown(value)}")
    return {name: value for name, value in values.items() if isinstance(value, int)}


def _table(reading: _Reading, key: str) -> dict[str, Any]:
    value = reading.get("run", key)
    if value is None or isinstance(value, dict):
        return value or {}
    reading.wrong(("run", key), f"expected a table such as {{ name = … }}, got {_shown(value)}")
    return {}


def _text(reading: _Reading, table: str, key: str, check: Callable[[str], str]) -> str:
    value = reading.get(table, key)
    if value is None:
        return ""
    if not isinstance(value, str):
        reading.wrong((table, key), f"expected a text in quotes, got {_shown(value)}")
        return ""
    problem = "control characters cannot stand here" if _CONTROL.search(value) else check(value)
    if problem:
        reading.wrong((table, key), problem)
    return value


def _list(reading: _Reading, table: str, key: str, check: Callable[[str], str]) -> tuple[str, ...]:
    value = reading.get(table, key)
    if value is None:
        return ()
    if not isinstance(value, list):
        reading.wrong((table, key), f'expected a list such as ["a", "b"], got {_shown(value)}')
        return ()
    for index, item in enumerate(value):
        problem = check(item) if isinstance(item, str) else f"expected a text in quotes, got {_shown(item)}"
        if problem:
            reading.wrong((table, key, index), problem)
    return tuple(str(item) for item in value)


def _no_check(_: str) -> str:
    return ""


def _raises(parse: Callable[[str], object]) -> Callable[[str], str]:
    def check(value: str) -> str:
        try:
            parse(value)
        except ValueError as error:
            return str(error)
        return ""

    return check


def _check_base(value: str) -> str:
    if _REFERENCE.fullmatch(value):
        return ""
    return f"'{value}' is neither the name of a base (such as minimal) nor an image reference (such as python:3.12)"


def _check_package(value: str) -> str:
    try:
        packages.entry(value)
    except Ds01Error as error:
        return _sentence(error)
    return ""


def _check_apt(value: str) -> str:
    try:
        packages.apt_package(value)
    except Ds01Error as error:
        return _sentence(error)
    return ""


def _sentence(error: Ds01Error) -> str:
    return " ".join(part for part in (error.problem.message, error.problem.reason, error.problem.hint) if part)


def _check_inside(value: str) -> str:
    """A file of the project, named from its folder."""
    parts = value.split("/")
    if value.startswith("/") or ".." in parts or not value:
        return f"'{value}' must be a file in the project folder, named from there (such as requirements.txt)"
    return ""


def _check_data(value: str) -> str:
    if value.startswith(("/", "~/")) and ".." not in value.split("/"):
        return ""
    return f"'{value}' must be a folder's full path, such as /data/imagenet"


def _shown(value: object) -> str:
    """A value as the file writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    return f'"{value}"' if isinstance(value, str) else str(value)
