"""What is in an image: its packages, and what each of its layers is for and takes.

Packages are listed by the image's own Python and Debian, in a probe that leaves nothing. An image never changes, so
what was once seen is kept in the user's cache by its id.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from typing import Any

from ds01.client.docker import Docker
from ds01.domain.errors import Ds01Error
from ds01.projects import cache, dockerfile
from ds01.projects.packages import canonical
from ds01.projects.probe import Probe, printed
from ds01.wire.images import InstalledView, LayerView, PackageChange

_LIST = """\
import importlib.metadata as m
seen = {}
for d in m.distributions():
    if d.metadata["Name"]: seen.setdefault(d.metadata["Name"].lower().replace("_", "-"), d.version)
print(*("python " + name + " " + str(version) for name, version in seen.items()), sep=chr(10))
"""
_CONDA = (
    'for file in "${CONDA_PREFIX:-/opt/conda}"/conda-meta/*.json; do '
    'if [ -e "$file" ]; then echo "conda ${file##*/}"; fi; done'
)
_DEBIAN = "if command -v dpkg-query > /dev/null; then dpkg-query -W -f='debian ${Package} ${Version}\\n'; fi"
_OURS = (
    ("apt-get install -q -y --no-install-recommends", "Debian packages"),
    ("accounts=$(cat /etc/passwd)", "your account"),
    ("-m venv --system-site-packages", "the Python environment"),
    ("pip install --no-cache-dir --disable-pip-version-check", "Python packages"),
    ("pip install --cache-dir ", "Python packages"),
    ("-m ipykernel install", "the kernel for notebooks"),
    ("/usr/local/share/ca-certificates/ds01.crt", "the server's certificates"),
)
"""How the layers that DS01 writes are known again, by their instruction."""


def packages(socket: str, reference: str, image: str, *, folder: str = "") -> tuple[InstalledView, ...]:
    """The packages of an image, sorted. ``image`` is its id, ``folder`` where they are kept. Raises Ds01Error when it
    cannot be looked into.
    """
    path = os.path.join(folder, f"{image.removeprefix('sha256:')}.json") if folder else ""
    lines = cache.kept(path)
    if lines is None:
        python = f"if command -v python3 > /dev/null; then {dockerfile.program(_LIST, 'python3')}; fi"
        probe = Probe(instructions=(f"FROM {reference}",), script=f"{python}; {_CONDA}; {_DEBIAN}")
        lines = printed(socket, probe)
        cache.keep(path, lines)
    return read(lines)


def read(lines: Iterable[str]) -> tuple[InstalledView, ...]:
    """What the probe printed. What conda installed it knows under its own name; pip's record of it is left out."""
    found: dict[tuple[str, str], InstalledView] = {}
    for line in lines:
        source, _, rest = line.partition(" ")
        name, _, version = rest.partition(" ")
        if source == "conda":
            name, version, _ = rest.removesuffix(".json").rsplit("-", 2) if rest.count("-") >= 2 else (rest, "", "")
        if source in ("python", "debian", "conda") and name:
            key = canonical(name) if source != "debian" else name
            found[source, key] = InstalledView(name=key, version=version, source=source)
    conda = {name for source, name in found if source == "conda"}
    seen = [each for (source, name), each in found.items() if source != "python" or name not in conda]
    return tuple(sorted(seen, key=lambda each: (each.source != "python", each.source, each.name)))


def difference(before: Iterable[InstalledView], after: Iterable[InstalledView]) -> tuple[PackageChange, ...]:
    """What differs, sorted as the lists are."""
    old = {(each.source, each.name): each.version for each in before}
    new = {(each.source, each.name): each.version for each in after}
    keys = sorted({key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}, key=_python_first)
    return tuple(
        PackageChange(name=name, source=source, before=old.get((source, name), ""), after=new.get((source, name), ""))
        for source, name in keys
    )


def layers(socket: str, reference: str, base: str) -> tuple[LayerView, ...]:
    """The layers from the ground up; those of ``base`` are one, and what takes no room is left out."""
    docker = Docker(socket)
    rows = docker.history(reference)[::-1]
    below = 0
    if base:
        with contextlib.suppress(Ds01Error):  # a base that is gone, or not hers to see: its layers stand for themselves
            below = len(docker.history(base))
    return titled(rows, below)


def titled(rows: Sequence[dict[str, Any]], below: int) -> tuple[LayerView, ...]:
    """The engine's rows in words; the first ``below`` of them are the base."""
    found = [LayerView(title="the base", size_bytes=sum(_size(row) for row in rows[:below]))] if below else []
    found += [LayerView(title=_title(str(row.get("CreatedBy", ""))), size_bytes=_size(row)) for row in rows[below:]]
    return tuple(layer for layer in found if layer.size_bytes)


def _size(row: dict[str, Any]) -> int:
    return int(row.get("Size") or 0)


def _title(made_by: str) -> str:
    for words, title in _OURS:
        if words in made_by:
            return title
    plain = made_by.removesuffix(" # buildkit").replace("RUN /bin/sh -c ", "RUN ")
    shown = " ".join(plain.replace("/bin/sh -c #(nop)", "").removeprefix("/bin/sh -c ").split())
    return shown if len(shown) <= 60 else f"{shown[:59]}…"


def _python_first(key: tuple[str, str]) -> tuple[bool, str, str]:
    return key[0] != "python", *key
