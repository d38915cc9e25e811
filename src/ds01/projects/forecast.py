"""Reads what uv says of a set of requirements: what it would install, or why that cannot be, in a sentence.

uv explains a conflict as a proof. People need its end: which two lines disagree, and which one change mends it. What
is not certainly a conflict (a package that must be compiled, an index that did not answer) is left to the build.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ds01.domain.errors import BUILD_FAILED, Ds01Error
from ds01.domain.record import record
from ds01.projects.diagnosis import Diagnosis, no_package
from ds01.projects.packages import Entry, canonical

REFUSED = "ds01-refused"
"""What stands at the end when uv did not come to one."""
BEGINS = "ds01-resolves"
"""What stands between the base's packages, one a line, and uv's words."""
_NO_SOLUTION = "No solution found when resolving"
_UNCERTAIN = re.compile(r"wheel|building|\bbuild\b|pre-release|offline|network", re.IGNORECASE)
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_MARKED = re.compile(r"\{[^{}]*\}")
_DEPENDS = re.compile(
    rf"(?P<who>{_NAME}(?:\[[\w,-]+\])?)(?P<which>[=<>!~][^\s]*)? depends? on "
    rf"(?P<what>{_NAME})(?:\[[\w,-]+\])?(?P<spec>[=<>!~][^\s]*)"
)
_UNKNOWN_NAME = re.compile(rf"({_NAME}) was not found in the package registry")
_NO_VERSION = re.compile(rf"there (?:is|are) no versions? of ({_NAME})([=<>!~][^\s]*)")
_ONLY = re.compile(rf"only ({_NAME})([=<>!~][^\s]*) (?:is|are) available and (?:you require )?\1([=<>!~][^\s]*)")
_PYTHON = re.compile(
    r"current Python version \((?P<have>[\d.]+)\) does not satisfy (?:all of: )?Python(?P<need>[^\s]+).*?"
    r" and (?:you require )?(?P<who>[^\s]+?),? (?:depends? on Python|we can conclude)"
)


_PYTHON_OF_WHEEL = re.compile(r"(?P<who>[^\s]+) requires Python (?P<need>[<>=!~][^\s]*)")


@record
class _Need:
    """``who`` (a package with its version) needs ``name`` in the versions ``spec``."""

    who: str
    name: str
    spec: str


@record
class _Known:
    """The project's own lines, and the base's packages, by name."""

    mine: dict[str, Entry]
    base: dict[str, str]
    project: str

    def asks(self, requirement: str) -> bool:
        """Whether it is a line of the project."""
        return any(entry.requirement == requirement for entry in self.mine.values())


def installs(lines: Sequence[str]) -> tuple[str, ...] | None:
    """What it would install, as ``name==version``; None when it did not come to an end."""
    if REFUSED in lines:
        return None
    return tuple(line.strip()[2:] for line in lines if re.match(r"\s*[+~] \S+==", line))


def last_word(lines: Sequence[str]) -> str:
    """Why nothing is known, as uv says it."""
    told = [line.strip() for line in lines if line.strip() and line != REFUSED]
    return told[-1] if told else "it said nothing"


def refusal(lines: Sequence[str], asked: Sequence[Entry], project: str) -> Ds01Error | None:
    """Why this can certainly not be installed; None when it can, or when that is not certain."""
    text = _flat(lines[lines.index(BEGINS) :] if BEGINS in lines else lines)
    if _NO_SOLUTION not in text:
        return None
    proof = text.partition(_NO_SOLUTION)[2].partition("hint:")[0]
    python = _PYTHON.search(proof) or _PYTHON_OF_WHEEL.search(proof)
    known = _Known(mine={entry.name: entry for entry in asked if entry.name}, base=_base(lines), project=project)
    found = _wrong_python(python) if python else None if _UNCERTAIN.search(proof) else _read(proof, known)
    if found is None:
        return None
    return Ds01Error(
        BUILD_FAILED, f"The image was not built: {found.cause}.",
        reason="The packages were resolved before the build; nothing was changed.", hint=found.hint,
    )  # fmt: skip


def _flat(lines: Sequence[str]) -> str:
    """One line of words: without the marks some versions draw, and without conditions."""
    return _MARKED.sub("", " ".join(re.sub(r"[^ -~]", " ", " ".join(lines)).split()))


def _base(lines: Sequence[str]) -> dict[str, str]:
    """The base's packages with their versions."""
    listed = lines[: lines.index(BEGINS)] if BEGINS in lines else ()
    return {line.partition("==")[0]: line.partition("==")[2] for line in listed if "==" in line}


def _read(proof: str, known: _Known) -> Diagnosis | None:
    if (missing := _UNKNOWN_NAME.search(proof)) is not None:
        return no_package(missing[1])
    needs = [
        _Need(who=(m["who"] + (m["which"] or "")).strip(",."), name=canonical(m["what"]), spec=m["spec"].strip(",."))
        for m in _DEPENDS.finditer(proof)
    ]
    return (
        _against_base(needs, proof, known) or _against_mine(needs, known) or _each_other(needs, known)
        or _no_version(proof)
    )  # fmt: skip


def _against_base(needs: Iterable[_Need], proof: str, known: _Known) -> Diagnosis | None:
    """A package needs another version than the base brings."""
    for need in needs:
        kept = f"{need.name}=={known.base.get(need.name, '')}"
        if re.search(rf"{re.escape(kept)}(?=[,.]? |$)(?! depend)", proof) and not known.asks(kept):
            return Diagnosis(
                cause=f"{need.who} needs {need.name}{need.spec}, and the base brings {kept}, which DS01 does not"
                " replace by accident",
                hint=f"Take another version of {_bare(need.who)}, or replace {need.name} on purpose:"
                f' ds01 image update {known.project} --add "{need.name}{need.spec}"',
            )
    return None


def _against_mine(needs: Iterable[_Need], known: _Known) -> Diagnosis | None:
    """A package needs another version than the project's own line allows."""
    for need in reversed(list(needs)):
        line = known.mine.get(need.name)
        if line is not None and line.pinned and need.spec != line.requirement.removeprefix(need.name):
            return Diagnosis(
                cause=f"{need.who} needs {need.name}{need.spec}, and you ask for {line.requirement}",
                hint=f'ds01 image update {known.project} --add "{need.name}{need.spec}"',
            )
    return None


def _each_other(needs: Sequence[_Need], known: _Known) -> Diagnosis | None:
    """Two packages need different versions of a third."""
    mine = known.mine
    for index, need in enumerate(needs):
        for other in needs[index + 1 :]:
            if need.name == other.name and need.who != other.who and need.spec != other.spec:
                names = {_bare(who) for who in (need.who, other.who)}
                loose = next((mine[name].requirement for name in names if name in mine and mine[name].pinned), "")
                return Diagnosis(
                    cause=f"{need.who} needs {need.name}{need.spec}, and {other.who} needs {need.name}{other.spec}",
                    hint=f"Loosen '{loose}' in the project file." if loose else "Take another version of one of them.",
                )
    return None


def _no_version(proof: str) -> Diagnosis | None:
    only = _ONLY.search(proof)
    if only is not None:
        name, there, wanted = only[1], only[2], only[3].strip(",.")
        return Diagnosis(
            cause=f"no version of {name} fits '{name}{wanted}'; there is only {name}{there}",
            hint=f"Ask for one that is there: {name}{there}",
        )
    match = _NO_VERSION.search(proof)
    if match is None:
        return None
    return Diagnosis(
        cause=f"there is no version of {match[1]} that fits '{match[1]}{match[2].strip(',.')}'",
        hint=f"Look which there are (in a container: pip index versions {match[1]}), and ask for one of them.",
    )


def _wrong_python(match: re.Match[str]) -> Diagnosis:
    have = match.groupdict().get("have") or "another one"
    return Diagnosis(
        cause=f"{match['who']} needs Python {match['need'].strip(',.')}, and the base has {have}",
        hint="Take another version of it, or another base.",
    )


def _bare(who: str) -> str:
    return canonical(re.split(r"[=<>!~\[]", who, maxsplit=1)[0])
