"""What a container holds that its image and its workspace do not: packages added by hand, and other files.

The engine's diff names every path that was added (A), changed (C) or deleted (D) against the image. That is enough to
know the packages, because every installer leaves a record with the name and version in its path; nothing has to run
in the container, so it works for stopped containers too and takes one request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

LOOKED_AT = 300_000
"""So many paths of a diff are sorted into packages and files; what is beyond counts as a file, and is not lost."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One path of the engine's diff. ``kind`` is A (added), C (changed) or D (deleted)."""

    kind: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Package:
    """A package added or upgraded by hand.

    ``source`` is pip, conda or apt; ``before`` the version the image has, ``""`` for a new one. ``requested`` is False
    for what came along as a dependency. ``direct`` came from a folder or URL and has no version to ask an index for.
    """

    name: str
    version: str
    source: str
    before: str = ""
    requested: bool = True
    direct: bool = False
    origin: str = ""
    """Where a direct one came from, as pip takes it: ``git+https://…@COMMIT``, an address; ``""`` is not known."""
    record: str = field(default="", compare=False)
    """Where its installer wrote it down."""


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What retiring a container would lose: sorted, without directories, caches and package files."""

    files: tuple[str, ...]
    packages: tuple[Package, ...]


def findings(changes: Sequence[Change], mounts: Iterable[str] = ()) -> Findings:
    """Read a diff. ``mounts`` are the container's mount targets: what is there is not in the container."""
    beyond = (change.path for change in changes[LOOKED_AT:] if change.kind != "D")
    changes = changes[:LOOKED_AT]
    packages = (*_python_packages(changes), *_apt_packages(changes))
    return Findings(
        files=tuple(sorted((*_files(changes, tuple(mounts), packages), *beyond))),
        packages=tuple(sorted(packages, key=lambda package: (package.source, package.name))),
    )


# Packages -------------------------------------------------------------------------------------------

_DIST_INFO = re.compile(
    r"(?P<root>.*)/lib/python[\d.]+/(?:site|dist)-packages/(?P<dist>[^/]+)\.dist-info(?P<rest>/.+)?"
)
_CONDA = "/conda-meta/"
"""Before ``NAME-VERSION-BUILD.json``, in the root of an environment."""
_DPKG = re.compile(r"/var/lib/dpkg/info/(?P<name>[a-z0-9][a-z0-9.+-]*)(?::[a-z0-9]+)?\.list")
_INSTALLERS = frozenset({"pip", "setuptools", "wheel", "uv"})


def canonical(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _python_packages(changes: Sequence[Change]) -> Iterator[Package]:
    conda = {package.name: package for package in _conda_packages(changes)}
    yield from conda.values()
    for package in _pip_packages(changes):
        if package.name not in conda:
            yield package


def _pip_packages(changes: Sequence[Change]) -> Iterator[Package]:
    added: dict[str, str] = {}
    removed: dict[str, str] = {}
    records: set[tuple[str, str]] = set()
    places: dict[str, str] = {}
    for change in changes:
        match = _DIST_INFO.fullmatch(change.path)
        if match is None or "-" not in match["dist"]:
            continue
        name, version = match["dist"].rsplit("-", 1)
        if change.kind == "D" and match["rest"] is None:
            removed[canonical(name)] = version
        elif change.kind == "A":
            added[canonical(name)] = version
            records.add((canonical(name), match["rest"] or ""))
            places[canonical(name)] = change.path.removesuffix(match["rest"] or "")
    for name in added.keys() - _INSTALLERS:
        yield Package(
            name=name,
            version=added[name],
            source="pip",
            before=removed.get(name, ""),
            requested=(name, "/REQUESTED") in records,
            direct=(name, "/direct_url.json") in records,
            record=places[name],
        )


def _conda_packages(changes: Sequence[Change]) -> Iterator[Package]:
    before = dict(_conda_records(changes, "D"))
    for name, version in _conda_records(changes, "A"):
        yield Package(name=name, version=version, source="conda", before=before.get(name, ""))


def _conda_records(changes: Sequence[Change], kind: str) -> Iterator[tuple[str, str]]:
    for change in changes:
        if change.kind == kind and (found := _conda_record(change.path)):
            yield canonical(found[0]), found[1]


def _conda_record(path: str) -> tuple[str, str] | None:
    """The name and version in conda's record of a package."""
    record = path.rpartition(_CONDA)[2]
    parts = record.removesuffix(".json").rsplit("-", 2)
    if record == path or "/" in record or not record.endswith(".json") or len(parts) != 3 or not all(parts):
        return None
    return parts[0], parts[1]


def _apt_packages(changes: Sequence[Change]) -> Iterator[Package]:
    for change in changes:
        if change.kind == "A" and (match := _DPKG.fullmatch(change.path)):
            yield Package(name=match["name"], version="", source="apt")


# Files ----------------------------------------------------------------------------------------------

_SYSTEM = ("/workspace", "/proc", "/sys", "/dev", "/run", "/var/run", "/var/cache", "/var/lib/apt", "/var/lib/dpkg")
_ENGINE_FILES = frozenset({
    "/.dockerenv", "/etc/group", "/etc/passwd", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/etc/mtab",
    "/sbin/docker-init", "/usr/sbin/docker-init",
})  # fmt: skip
_ALWAYS_FOLDERS = frozenset({"/tmp", "/var/tmp", "/home", "/root", "/opt", "/srv", "/etc", "/var", "/usr"})  # noqa: S108
"""Named when something in them came and went; a diff does not say what is a folder."""
_HOME = re.compile(r"/home/[^/]+")
"""Somebody's home: only root could put a file there."""

_ENVIRONMENT_FOLDERS = ("bin", "lib", "lib64", "share", "include", "etc", "man", "conda-meta", "pkgs")
_APT_FOLDERS = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib64",
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/var/lib",
    "/var/log",
)
_CACHES = re.compile(
    r"(?:^|/)(?:\.cache|__pycache__|\.ipynb_checkpoints|\.nv|\.triton|\.vscode-server|\.cursor-server|\.npm|\.ipython"
    r"|\.conda)(?:/|$)"
    r"|\.pyc$|^/tmp/(?:pip-|uv-|hsperfdata_|\.X11-unix|\.[A-Z]\w+-unix)"
    r"|(?:^|/)\.(?:bash_history|python_history|lesshst|viminfo|wget-hsts|sudo_as_admin_successful|node_repl_history)$"
    r"|/\.local/share/(?:jupyter/runtime|Trash)(?:/|$)|^/var/log/(?:apt|dpkg\.log|lastlog|faillog|wtmp|btmp)"
)


def _files(changes: Sequence[Change], mounts: tuple[str, ...], packages: Sequence[Package]) -> Iterator[str]:
    no_files = _folders(change.path for change in changes) | _ALWAYS_FOLDERS | _ENGINE_FILES
    below = _below(frozenset((*_SYSTEM, *mounts, *_package_folders(changes, packages))))
    for change in changes:
        path = change.path
        if change.kind == "D" or path in no_files or _HOME.fullmatch(path) or _CACHES.search(path):
            continue
        if not below(path):
            yield path


def _below(roots: frozenset[str]) -> Callable[[str], bool]:
    """Whether a path is one of these or below one: every folder is asked about once, however many roots there are."""
    known = {"": False}

    def below(path: str) -> bool:
        passed = []
        while path not in known and path not in roots:
            passed.append(path)
            path = path.rpartition("/")[0]
        found = path in roots or known[path]
        known.update(dict.fromkeys(passed, found))
        return found

    return below


def _folders(paths: Iterable[str]) -> set[str]:
    """Every path that another one lies below."""
    found: set[str] = set()
    for path in paths:
        parent = path.rpartition("/")[0]
        while parent and parent not in found:
            found.add(parent)
            parent = parent.rpartition("/")[0]
    return found


def _package_folders(changes: Sequence[Change], packages: Sequence[Package]) -> Iterator[str]:
    """Where installers put files: folders of environments that packages were added to, and apt's."""
    paths = [change.path for change in changes]
    roots = {match["root"] for path in paths if (match := _DIST_INFO.fullmatch(path))}
    roots |= {path.rpartition(_CONDA)[0] for path in paths if _conda_record(path)}
    for root in sorted(roots):
        yield from (f"{root}/{folder}" for folder in _ENVIRONMENT_FOLDERS)
    if any(package.source == "apt" for package in packages):
        yield from _APT_FOLDERS
