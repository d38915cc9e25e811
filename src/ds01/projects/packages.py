"""Decides what may stand in a list of packages, before anything is built.

A line is a PEP 508 requirement (optionally with ``--hash`` values), or one of pip's options that choose where
packages come from. What would not work in an image that is built without the project's folder (editable installs,
local paths) is refused here with the way that does work.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ds01.domain.errors import BAD_PACKAGE, Ds01Error
from ds01.domain.record import record

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from packaging.requirements import Requirement

OPTIONS_WITH_VALUE = (
    "--index-url", "-i", "--extra-index-url", "--find-links", "-f", "--only-binary", "--no-binary", "--trusted-host",
)  # fmt: skip
FILE_OPTIONS = ("--requirement", "-r", "--constraint", "-c")
FLAGS = ("--no-index", "--pre", "--prefer-binary", "--require-hashes")

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_VERSION = r"(?:==|!=|>=|<=|>|<)[0-9]+(?:\.[0-9]+)*"
_PLAIN = re.compile(rf"(?P<name>{_NAME})(?:\[[A-Za-z0-9-]+\])?(?P<versions>{_VERSION}(?:,{_VERSION})*)?")
"""The usual entry, recognised without loading a library: launching reads the project file each time."""
_HASH = re.compile(r"--hash=(?:sha256|sha384|sha512):[0-9a-fA-F]+")
_ADDRESS = re.compile(r"(?:[a-z]+\+)?[a-z]+://")
_REACHED = re.compile(r"(?:git\+)?https?://")
_UNREACHED = "Only https addresses can be reached while an image is built."
_OTHERWISE = "Copy the package into the workspace and install it in the container, or give its https address."
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_APT = re.compile(r"[a-z0-9][a-z0-9+.-]+(?::[a-z0-9]+)?(?:=[A-Za-z0-9.+:~-]+)?(?:/[a-z0-9-]+)?")


@record
class Entry:
    """One line of a package list. ``name`` is canonical (``scikit-learn``), ``""`` for an option.

    ``file`` is the path an ``-r`` or ``-c`` line names; ``pinned`` says that the line itself chooses a version.
    """

    text: str
    name: str = ""
    file: str = ""
    pinned: bool = False

    @property
    def requirement(self) -> str:
        """The line without its hashes: what it asks for, and when."""
        return re.split(r"\s+--", self.text, maxsplit=1)[0]


def canonical(name: str) -> str:
    """The one spelling of a package's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def entry(text: str) -> Entry:
    """Read one line. Raises Ds01Error (``package.invalid``) that says what is wrong with it."""
    line = text.strip()
    if not line or line.startswith("#") or _CONTROL.search(line):
        raise _wrong(text, "A package line is one line with a name, for example 'pandas>=2,<3'.")
    if line.startswith("-"):
        return _option(line)
    if line.startswith((".", "/", "~")) or (line.endswith((".whl", ".tar.gz")) and "@" not in line):
        raise _wrong(
            line,
            "A path points into your workspace, which is not there while an image is built.",
            "Install it in the container with pip install PATH, or name a package of the index.",
        )
    plain = _PLAIN.fullmatch(line)
    if plain is not None:
        return Entry(text=line, name=canonical(plain["name"]), pinned=plain["versions"] is not None)
    return _requirement(line)


def entries(lines: Sequence[str]) -> tuple[Entry, ...]:
    """Read a list; the same package twice is refused, because pip would refuse it later and less clearly."""
    read = tuple(entry(line) for line in lines)
    seen: dict[str, Entry] = {}
    for item in read:
        earlier = seen.setdefault(item.name, item) if item.name else item
        if earlier is not item and not _marked(earlier) and not _marked(item):
            raise Ds01Error(
                BAD_PACKAGE,
                f"'{item.name}' is listed twice: '{earlier.text}' and '{item.text}'.",
                reason="A package has one line, with all its versions: 'pandas>=2,<3'.",
                hint=f"Remove one of the two, or join them: ds01 image update --add '{item.name}>=1,<2'.",
            )
    return read


def apt_package(text: str) -> str:
    """A Debian package name, optionally ``=version`` or ``/release``. Raises Ds01Error (``package.invalid``)."""
    if _APT.fullmatch(text):
        return text
    raise Ds01Error(
        BAD_PACKAGE,
        f"'{text}' cannot be the name of a Debian package.",
        reason="Such names have lower-case letters, digits and + - . and may end in =VERSION.",
        hint=f"Use '{text.lower()}' instead." if _APT.fullmatch(text.lower()) else "",
    )


def _marked(item: Entry) -> bool:
    return ";" in item.text


def _option(line: str) -> Entry:
    word, _, value = line.replace("=", " ", 1).partition(" ") if line.startswith("--") else line.partition(" ")
    value = value.strip()
    if word in FLAGS and not value:
        return Entry(text=line)
    if word in OPTIONS_WITH_VALUE and value:
        return Entry(text=f"{word} {value}")
    if word in FILE_OPTIONS and value:
        return Entry(text=f"{word} {value}", file=value)
    if word in ("-e", "--editable"):
        raise _wrong(
            line,
            "An editable install points into your workspace, which is not there while an image is built.",
            "Code in /workspace/src is importable without it; or install it in the container with pip install -e.",
        )
    known = ", ".join(word for word in (*FILE_OPTIONS, *OPTIONS_WITH_VALUE, *FLAGS) if word.startswith("--"))
    raise _wrong(line, f"Options that may stand here: {known}.")


def _requirement(line: str) -> Entry:
    spec, hashes = _split_hashes(line)
    if _ADDRESS.match(spec):
        raise _nameless(line)
    parsed = _parse(line, spec)
    if parsed.url is not None and re.fullmatch(r"v?\d[\w.]*", parsed.url):
        raise _wrong(line, "After an @ comes an address, not a version.", _correction(spec))
    if parsed.url is not None and not _REACHED.match(parsed.url):
        raise _wrong(line, _UNREACHED, _OTHERWISE)
    text = " ".join([spec, *hashes])
    return Entry(text=text, name=canonical(parsed.name), pinned=bool(parsed.specifier) or parsed.url is not None)


def _nameless(line: str) -> Ds01Error:
    """An address alone, as pip takes it too; which package it is would be known only after fetching it."""
    if not _REACHED.match(line):
        return _wrong(line, _UNREACHED, _OTHERWISE)
    address = line.split("#")[0]
    name = re.split(r"[/@]", address.rstrip("/").partition("://")[2].removesuffix(".git"))[-1]
    return _wrong(line, "The name of the package stands before its address.", f"Use '{name} @ {address}' instead.")


def _split_hashes(line: str) -> tuple[str, list[str]]:
    spec, *hashes = re.split(r"\s+(?=--)", line)
    for item in hashes:
        if not _HASH.fullmatch(item):
            raise _wrong(line, f"'{item}' is no hash; write it like --hash=sha256:4f1c….")
    return spec, hashes


def _parse(line: str, spec: str) -> Requirement:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(spec)
    except InvalidRequirement as error:
        raise _wrong(line, _first_line(str(error)), _correction(spec)) from error


def _first_line(text: str) -> str:
    first = text.splitlines()[0]
    return first[0].upper() + first[1:] + ("" if first.endswith(".") else ".")


def _correction(spec: str) -> str:
    """What was probably meant: one equals sign, a space for an operator, a capital or an at sign for a version."""
    match = re.fullmatch(rf"({_NAME})\s*(?:=|@|\s)\s*v?(\d[\w.]*)", spec)
    return f"Use '{match[1]}=={match[2]}' instead." if match else "Write it like 'pandas>=2,<3'."


def _wrong(line: str, reason: str, hint: str = "Write it like 'pandas>=2,<3'.") -> Ds01Error:
    shown = _CONTROL.sub("?", line.strip())
    return Ds01Error(BAD_PACKAGE, f"'{shown}' cannot be read as a package.", reason=reason, hint=hint)
