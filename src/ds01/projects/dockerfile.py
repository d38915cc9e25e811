"""Writes the Dockerfile of a project, and tells a generated one from an edited one.

The order is the order in which things change: base, certificates and environment, Debian packages, the user, the
Python environment, packages, and the kernel that shows them to notebooks. Adding a package rebuilds these two. Every
step is an instruction with a title, so that progress and failures can be told in words; the text needs no library,
because launching computes it each time to see whether the image is stale.

The user is written straight into /etc/passwd: bases without useradd work, a uid or name that the base has already is
no obstacle (the first line wins), and a uid in the billions makes no login record grow.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from ds01.domain.caches import CACHES
from ds01.domain.digest import sha256_hex
from ds01.domain.record import made, record
from ds01.projects.packages import Entry

ENVIRONMENT = "/opt/ds01/env"
FILES = "/opt/ds01/project"
BASE_PACKAGES = "/opt/ds01/base.txt"
PIP_CACHE = "/mnt"
"""Where pip's cache is while BuildKit installs the packages: a folder that bases have, since one made for it would stay
in the image.
"""
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
CA_FILE = ".ds01/ca.pem"
"""Where the server's certificates are in a project's folder while its image is built."""
DEBIAN, PYTHON = "Debian packages", "Python packages"
"""The titles of the steps that install what the project names."""
TRUST = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO")

_HEADER = """\
# Made by DS01 from the project file: change that, and this follows at the next build.
# To take over this file, write  dockerfile = "Dockerfile"  under [image]: then it is yours, and built as it is.
"""
_SPEC_LINE, _CONTENT_LINE = "# ds01-spec: ", "# ds01-content: "
_LIST_BASE = """\
import importlib.metadata as m, re
name = lambda d: re.sub("[-_.]+", "-", d.metadata["Name"] or "").lower()
kept = {name(d) + "==" + d.version for d in m.distributions() if re.fullmatch("[0-9][0-9a-z.+!]*", d.version or "")}
print(*sorted(line for line in kept if not re.match("(|pip|setuptools|wheel)==", line)), sep=chr(10))
"""
_KEEP_BASE = """\
import re, sys
try: from packaging.requirements import Requirement
except ImportError: from pip._vendor.packaging.requirements import Requirement
name = lambda text: re.sub("[-_.]+", "-", text).lower()
asked = [r for r in map(Requirement, sys.argv[2:]) if not r.marker or r.marker.evaluate({"extra": ""})]
fits = lambda r, version: r.url is None and r.specifier.contains(version, prereleases=True)
for line in open(sys.argv[1]).read().split():
    have, version = line.split("==", 1)
    if all(fits(r, version) for r in asked if name(r.name) == have): print(line)
"""


@record
class Instruction:
    """One Dockerfile instruction; ``title`` tells people what it is for, ``""`` for one that takes no time.

    ``cached`` is the command of a ``RUN`` as it is with pip's cache; ``""`` where there is nothing to keep.
    """

    text: str
    title: str = ""
    cached: str = ""


@record
class Contents:
    """All that a generated image is made of. ``files`` are requirements files, by path in the project."""

    base: str
    apt: Sequence[str] = ()
    python: Sequence[Entry] = ()
    requirements: str = ""
    files: Sequence[str] = ()
    pinned: Sequence[str] = ()
    """Requirements with a version of the project's own: the base's must not overrule it where it does not fit."""
    asked: Sequence[Entry] = ()
    """Every line of the project, those of its requirements files as well."""
    certificates: bool = False
    environment: Mapping[str, str] = made(factory=dict)


def instructions(contents: Contents) -> tuple[Instruction, ...]:
    """The instructions of a generated Dockerfile."""
    return (
        Instruction(text=f"FROM {contents.base}", title=f"base {contents.base}"),
        *trust(contents),
        *_apt(contents.apt),
        *_user(),
        _python_environment(),
        *_packages(contents),
        *_kernel(contents),
        Instruction(text="WORKDIR /workspace"),
    )


def render(steps: Sequence[Instruction], spec: str) -> str:
    """The whole file, with the header that lets DS01 know its own work again."""
    body = "".join(f"\n# {step.title}\n{step.text}\n" if step.title else f"{step.text}\n" for step in steps)
    return f"{_HEADER}{_SPEC_LINE}{spec}\n{_CONTENT_LINE}{_digest(body)}\n{body}"


def mounted(steps: Sequence[Instruction], base: str, uid: int, gid: int) -> str:
    """The text that is sent to BuildKit, with pip's cache mounted for whoever has this uid and gid.

    pip keeps there what it compiled as well, which fits no other base (``base`` is its id), Debian package or variable
    than it was compiled with. So all of them are part of the cache's name.
    """
    lines, before = [], [base]
    for step in steps:
        if step.cached:
            name = f"ds01-pip-{_digest(json.dumps(before))[:32]}"
            mount = f"--mount=type=cache,id={name},target={PIP_CACHE},uid={uid},gid={gid}"
            lines.append(f"RUN {mount} {step.cached}")
        else:
            lines.append(step.text)
        if not step.text.startswith(("FROM ", "COPY ")):
            before.append(step.text)
    return "".join(f"{line}\n" for line in lines)


def counted(steps: Sequence[Instruction]) -> tuple[str, ...]:
    """The titles of the steps that BuildKit counts: those that make a layer."""
    return tuple(step.title for step in steps if step.text.startswith(("FROM ", "COPY ", "RUN ", "WORKDIR ")))


def is_generated(text: str) -> bool:
    """Whether DS01 wrote this file once, edited since or not."""
    return re.search(rf"^{_CONTENT_LINE}[0-9a-f]{{64}}$", text, re.MULTILINE) is not None


def is_unedited(text: str) -> bool:
    """Whether this is exactly what DS01 wrote: such a file may be written anew."""
    match = re.search(rf"^{_CONTENT_LINE}([0-9a-f]{{64}})\n", text, re.MULTILINE)
    return match is not None and text.startswith(_HEADER) and _digest(text[match.end() :]) == match[1]


def _digest(text: str) -> str:
    return sha256_hex(text.encode())


def trust(contents: Contents) -> Iterator[Instruction]:
    """The server's certificates and environment: what later steps need to reach a package index."""
    if contents.certificates:
        yield Instruction(text=_copy(CA_FILE, "/usr/local/share/ca-certificates/ds01.crt"))
        yield Instruction(
            text=f"RUN mkdir -p /etc/ssl/certs && cat /usr/local/share/ca-certificates/ds01.crt >> {CERTIFICATES}",
            title="the server's certificates",
        )
    yield _environment(contents)


def _environment(contents: Contents) -> Instruction:
    """One instruction for all variables: the Python environment first on PATH (so nothing has to be activated), the
    caches in the workspace, and what the server wants in every image, which has the last word.
    """
    values = CACHES | {"VIRTUAL_ENV": ENVIRONMENT}
    values |= dict.fromkeys(TRUST, CERTIFICATES) if contents.certificates else {}
    values |= contents.environment
    pairs = [f'PATH="{ENVIRONMENT}/bin:$PATH"', *(f"{key}={_quoted(value)}" for key, value in sorted(values.items()))]
    return Instruction(text="ENV " + " \\\n    ".join(pairs))


def _apt(names: Sequence[str]) -> Iterator[Instruction]:
    if not names:
        return
    listed = " \\\n      ".join(sorted(set(names)))
    yield Instruction(
        text="RUN export DEBIAN_FRONTEND=noninteractive \\\n"
        " && apt-get update -q \\\n"
        f" && apt-get install -q -y --no-install-recommends \\\n      {listed} \\\n"
        " && rm -rf /var/lib/apt/lists/*",
        title=DEBIAN,
    )


def _user() -> Iterator[Instruction]:
    yield Instruction(text="ARG DS01_UID=1000 DS01_GID=1000 DS01_USER=user")
    yield Instruction(
        text="RUN set -eu; shell=/bin/sh; if [ -x /bin/bash ]; then shell=/bin/bash; fi; home=/home/$DS01_USER; \\\n"
        f'    mkdir -p "$home" /workspace {FILES} /etc/profile.d; \\\n'
        f"    echo 'PATH={ENVIRONMENT}/bin:$PATH' > /etc/profile.d/ds01.sh; \\\n"
        '    if [ -d /etc/skel ]; then cp -R /etc/skel/. "$home"; fi; \\\n'
        "    touch /etc/passwd /etc/group; accounts=$(cat /etc/passwd); groups=$(cat /etc/group); known=no; \\\n"
        "    while IFS=: read -r group secret gid members; do \\\n"
        '      if [ "$gid" = "$DS01_GID" ]; then known=yes; fi; \\\n'
        "    done < /etc/group; \\\n"
        "    if [ $known = no ]; then \\\n"
        '      printf \'%s:x:%s:\\n%s\\n\' "$DS01_USER" "$DS01_GID" "$groups" > /etc/group; \\\n'
        "    fi; \\\n"
        '    if [ "$DS01_UID" != 0 ]; then \\\n'
        "      printf '%s:x:%s:%s::%s:%s\\n%s\\n' \\\n"
        '        "$DS01_USER" "$DS01_UID" "$DS01_GID" "$home" "$shell" "$accounts" > /etc/passwd; \\\n'
        "    fi; \\\n"
        '    chown -R "$DS01_UID:$DS01_GID" "$home" /workspace /opt/ds01',
        title="your account",
    )
    yield Instruction(text="USER ${DS01_UID}:${DS01_GID}")


def _python_environment() -> Instruction:
    """An environment on top of what the base brings. The base's pip serves it, where there is one: unpacking another
    takes longer than all the rest.
    """
    python = f"{ENVIRONMENT}/bin/python"
    return Instruction(
        text="RUN set -eu; \\\n"
        "    if ! command -v python3 > /dev/null; then echo 'ds01: this base has no python3' >&2; exit 1; fi; \\\n"
        f"    python3 -m venv --system-site-packages --without-pip {ENVIRONMENT}; \\\n"
        f"    if {python} -m pip --version > /dev/null 2>&1; then \\\n"
        f"      for name in pip pip3; do printf '#!/bin/sh\\nexec {python} -m pip \"$@\"\\n' \\\n"
        f"        > {ENVIRONMENT}/bin/$name; chmod 755 {ENVIRONMENT}/bin/$name; done; \\\n"
        f"    else {python} -m ensurepip --default-pip; fi; \\\n"
        f"    {listing(python)} > {BASE_PACKAGES}",
        title="the Python environment",
    )


def listing(python: str) -> str:
    """A command that lists the Python packages the base brings, one ``name==version`` a line."""
    return program(_LIST_BASE, python)


def program(text: str, python: str, *words: str) -> str:
    """A shell command that runs a Python program (``text``) with these words."""
    lines = "".join(f"      {shell_word(line)} \\\n" for line in text.splitlines())
    return " ".join([f"printf '%s\\n' \\\n{lines}    | {python} -", *map(shell_word, words)])


def _packages(contents: Contents) -> Iterator[Instruction]:
    yield from copied(contents)
    prepared, sources = wanted(contents, f"{ENVIRONMENT}/bin/python")
    if sources:
        options = f"--disable-pip-version-check --progress-bar off \\\n      {sources}"
        yield Instruction(
            text=f"RUN {prepared}pip install --no-cache-dir {options}",
            title=PYTHON,
            cached=f"{prepared}pip install --cache-dir {PIP_CACHE} {options}",
        )


def _kernel(contents: Contents) -> Iterator[Instruction]:
    """The one kernel that notebooks are offered, by the project's name. After the packages: two projects with the same
    ones share that layer.
    """
    if not contents.asked:
        return
    python = f"{ENVIRONMENT}/bin/python"
    yield Instruction(text="ARG DS01_PROJECT=project")
    there = shell_word('import importlib.util as u; raise SystemExit(not u.find_spec("ipykernel"))')
    yield Instruction(
        text=f"RUN if {python} -c {there}; then \\\n"
        f"      {python} -m ipykernel install --prefix {ENVIRONMENT} --name python3 \\\n"
        '        --display-name "$DS01_PROJECT"; \\\n'
        "    fi",
        title="the kernel for notebooks",
    )


def copied(contents: Contents) -> Iterator[Instruction]:
    """The requirements files, into the image."""
    return (Instruction(text=_copy(path, f"{FILES}/{path}")) for path in contents.files)


def wanted(contents: Contents, python: str) -> tuple[str, str]:
    """A shell line that writes down what is wanted, to stand before an installer, and the options that name it:
    ``("", "")`` when the project wants nothing.
    """
    sources, written = [], ""
    if contents.python:
        lines = "".join(f"      {shell_word(entry.text)} \\\n" for entry in contents.python)
        written = f"printf '%s\\n' \\\n{lines}      > {FILES}/packages.txt \\\n && "
        sources.append(f"-r {FILES}/packages.txt")
    if contents.requirements:
        sources.append("-r " + shell_word(f"{FILES}/{contents.requirements}"))
    if not sources:
        return "", ""
    kept, keep = _kept_from_base(contents.pinned, python)
    return written + keep, f"-c {kept} {' '.join(sources)}"


def _kept_from_base(pinned: Sequence[str], python: str) -> tuple[str, str]:
    """The constraints that keep what the base brings (a torch that fits its CUDA). Only a version the project chooses
    itself, and that the base's is not, goes before it: ``torch>=2`` keeps a torch 2.4 whatever other packages want.
    """
    if not pinned:
        return BASE_PACKAGES, ""
    kept = "/opt/ds01/kept.txt"
    return kept, f"{program(_KEEP_BASE, python, BASE_PACKAGES, *sorted(set(pinned)))} > {kept} \\\n && "


def _copy(source: str, target: str) -> str:
    return f"COPY {json.dumps([source, target])}"


def shell_word(text: str) -> str:
    """A word for the shell, whatever is in it."""
    return "'" + text.replace("'", "'\\''") + "'"


def _quoted(value: str) -> str:
    """A value of ENV: quoted, with nothing left for the builder to expand."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'
