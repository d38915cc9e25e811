"""Writes the Dockerfile of a project, and tells a generated one from an edited one.

The order is the order in which things change: base, certificates and environment, Debian packages, the user, the
Python environment, packages. Adding a package rebuilds one layer. Every step is an instruction with a title, so that
progress and failures can be told in words; the text needs no library, because launching computes it each time to see
whether the image is stale.

The user is written straight into /etc/passwd: bases without useradd work, a uid or name that the base has already is
no obstacle (the first line wins), and a uid in the billions makes no login record grow.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence

from ds01.domain.caches import CACHES
from ds01.domain.record import made, record
from ds01.projects.packages import Entry

ENVIRONMENT = "/opt/ds01/env"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
CA_FILE = ".ds01/ca.pem"
"""Where the server's certificates are in a project's folder while its image is built."""
TRUST = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO")

_FILES = "/opt/ds01/project"
_BASE_PACKAGES = "/opt/ds01/base.txt"
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


@record
class Instruction:
    """One Dockerfile instruction; ``title`` tells people what it is for, ``""`` for one that takes no time."""

    text: str
    title: str = ""


@record
class Contents:
    """All that a generated image is made of. ``files`` are requirements files, by path in the project."""

    base: str
    apt: Sequence[str] = ()
    python: Sequence[Entry] = ()
    requirements: str = ""
    files: Sequence[str] = ()
    pinned: Sequence[str] = ()
    """Names whose version the project chooses itself, which the base's version must not overrule."""
    certificates: bool = False
    environment: Mapping[str, str] = made(factory=dict)


def instructions(contents: Contents) -> tuple[Instruction, ...]:
    """The instructions of a generated Dockerfile."""
    return (
        Instruction(text=f"FROM {contents.base}", title=f"base {contents.base}"),
        *_trust(contents),
        *_apt(contents.apt),
        *_user(),
        _python_environment(),
        *_packages(contents),
        Instruction(text="WORKDIR /workspace"),
    )


def render(steps: Sequence[Instruction], spec: str) -> str:
    """The whole file, with the header that lets DS01 know its own work again."""
    body = "".join(f"\n# {step.title}\n{step.text}\n" if step.title else f"{step.text}\n" for step in steps)
    return f"{_HEADER}{_SPEC_LINE}{spec}\n{_CONTENT_LINE}{_digest(body)}\n{body}"


def is_generated(text: str) -> bool:
    """Whether DS01 wrote this file once, edited since or not."""
    return re.search(rf"^{_CONTENT_LINE}[0-9a-f]{{64}}$", text, re.MULTILINE) is not None


def is_unedited(text: str) -> bool:
    """Whether this is exactly what DS01 wrote: such a file may be written anew."""
    match = re.search(rf"^{_CONTENT_LINE}([0-9a-f]{{64}})\n", text, re.MULTILINE)
    return match is not None and text.startswith(_HEADER) and _digest(text[match.end() :]) == match[1]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _trust(contents: Contents) -> Iterator[Instruction]:
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
        title="Debian packages",
    )


def _user() -> Iterator[Instruction]:
    yield Instruction(text="ARG DS01_UID=1000 DS01_GID=1000 DS01_USER=user")
    yield Instruction(
        text="RUN set -eu; shell=/bin/sh; if [ -x /bin/bash ]; then shell=/bin/bash; fi; home=/home/$DS01_USER; \\\n"
        f'    mkdir -p "$home" /workspace {_FILES} /etc/profile.d; \\\n'
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
        f"    {_listing()} > {_BASE_PACKAGES}",
        title="the Python environment",
    )


def _listing() -> str:
    """A command that lists the Python packages the base brings, one ``name==version`` a line."""
    program = "".join(f"      {shell_word(line)} \\\n" for line in _LIST_BASE.splitlines())
    return f"printf '%s\\n' \\\n{program}    | {ENVIRONMENT}/bin/python -"


def _packages(contents: Contents) -> Iterator[Instruction]:
    for path in contents.files:
        yield Instruction(text=_copy(path, f"{_FILES}/{path}"))
    sources = []
    written = ""
    if contents.python:
        lines = "".join(f"      {shell_word(entry.text)} \\\n" for entry in contents.python)
        written = f"printf '%s\\n' \\\n{lines}      > {_FILES}/packages.txt \\\n && "
        sources.append(f"-r {_FILES}/packages.txt")
    if contents.requirements:
        sources.append("-r " + shell_word(f"{_FILES}/{contents.requirements}"))
    if sources:
        kept, keep = _kept_from_base(contents.pinned)
        yield Instruction(
            text=f"RUN {written}{keep}pip install --no-cache-dir --disable-pip-version-check --progress-bar off \\\n"
            f"      -c {kept} {' '.join(sources)}",
            title="Python packages",
        )


def _kept_from_base(pinned: Sequence[str]) -> tuple[str, str]:
    """The constraints that keep what the base brings (a torch that fits its CUDA), but for what the project pins."""
    if not pinned:
        return _BASE_PACKAGES, ""
    names = "|".join(re.escape(name) for name in sorted(set(pinned)))
    kept = "/opt/ds01/kept.txt"
    return kept, f"{{ grep -vE '^({names})==' {_BASE_PACKAGES} || true; }} > {kept} \\\n && "


def _copy(source: str, target: str) -> str:
    return f"COPY {json.dumps([source, target])}"


def shell_word(text: str) -> str:
    """A word for the shell, whatever is in it."""
    return "'" + text.replace("'", "'\\''") + "'"


def _quoted(value: str) -> str:
    """A value of ENV: quoted, with nothing left for the builder to expand."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'
