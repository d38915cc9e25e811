"""Says in a sentence why a build failed, from what it printed.

One rule a line: what the tool prints, what it means here, what to do. The first that matches wins, so the causes that
produce the symptoms of others (no network, a full disk) come first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ds01.domain.errors import BUILD_FAILED, DISK_FULL, ErrorKind
from ds01.domain.names import nearest
from ds01.domain.record import record
from ds01.projects.kinds import EVERYWHERE, KINDS


@record
class Diagnosis:
    """Why it failed, and what helps. ``cause`` completes "The image did not build: …"."""

    cause: str
    hint: str
    kind: ErrorKind = BUILD_FAILED


@record
class _Rule:
    pattern: re.Pattern[str]
    say: Callable[[re.Match[str]], Diagnosis]


def diagnose(lines: Sequence[str], error: str) -> Diagnosis:
    """The likely cause; ``lines`` are what the failing step printed, ``error`` is the engine's own word."""
    text = "\n".join([*lines, error])
    for rule in _RULES:
        match = rule.pattern.search(text)
        if match is not None:
            return rule.say(match)
    return Diagnosis(
        cause=_last_word(lines, error), hint="Read the lines above; then change the project file and build again."
    )


def _last_word(lines: Sequence[str], error: str) -> str:
    said = [line.strip() for line in lines if re.match(r"\s*(?:error|E:|fatal)", line, re.IGNORECASE)]
    return (said or [line.strip() for line in lines if line.strip()] or [error])[-1].rstrip(".")


def _fixed(cause: str, hint: str, kind: ErrorKind = BUILD_FAILED) -> Callable[[re.Match[str]], Diagnosis]:
    return lambda match: Diagnosis(cause=match.expand(cause), hint=match.expand(hint), kind=kind)


def _no_package(match: re.Match[str]) -> Diagnosis:
    return no_package(_bare(match[1]))


def no_package(name: str) -> Diagnosis:
    """The index knows no package of this name."""
    known = {package for kind in KINDS.values() for package in kind.packages} | set(EVERYWHERE) | {"torch", "scipy"}
    near = nearest(name.lower(), known - {name.lower()})
    hint = f"Did you mean '{near}'?" if near else "Check its spelling."
    return Diagnosis(cause=f"there is no Python package '{name}' in the index", hint=hint)


def _no_version(match: re.Match[str]) -> Diagnosis:
    versions = [version.strip() for version in match[2].split(",")]
    there = ", ".join(versions[-6:])
    return Diagnosis(
        cause=f"no version of '{_bare(match[1])}' fits '{match[1]}'; the newest there are: {there}",
        hint=f"Ask for one of these, for example '{_bare(match[1])}=={versions[-1]}'.",
    )


def _conflict(match: re.Match[str]) -> Diagnosis:
    told = [line.strip() for line in match[1].splitlines() if line.strip()]
    if any("(constraint)" in line for line in told):
        kept = "; ".join(line.replace("The user requested (constraint)", "the base brings") for line in told)
        return Diagnosis(
            cause=f"a package would replace what the base image brings ({kept})",
            hint="Loosen the version, or replace it on purpose: list that package with a version of its own.",
        )
    return Diagnosis(
        cause=f"the packages exclude each other ({'; '.join(told)})",
        hint="Loosen one of the versions.",
    )


def _bare(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]


def _cuda(match: re.Match[str]) -> Diagnosis:
    have, made_for = (match[1], match[2]) if match[1] else (match[3], match[4])
    return Diagnosis(
        cause=f"a package is compiled with CUDA {have}, and the PyTorch of the base is made for CUDA {made_for}",
        hint="Choose a base whose CUDA fits (ds01 image bases), or a version of the package with a ready-made wheel.",
    )


def _rule(pattern: str, cause: str, hint: str, kind: ErrorKind = BUILD_FAILED) -> _Rule:
    return _Rule(pattern=re.compile(pattern, re.IGNORECASE), say=_fixed(cause, hint, kind))


_NETWORK = (
    r"retry\(total=0|temporary failure resolving|could not resolve|could not connect to|network is unreachable|"
    r"no route to host|failed to establish a new connection.*max retries"
)
_COMPILER = (
    r"failed building wheel for|subprocess-exited-with-error|metadata-generation-failed|"
    r"unable to execute '?\S*(?:gcc|g\+\+|cc|c\+\+)|failed to build installable wheels"
)
_CUDA_MISMATCH = re.compile(
    r"detected CUDA version \((?:%s\) mismatches[^\n]*?'([\d.]+)', '([\d.]+)'|"
    r"([\d.]+)\) mismatches the version that was used to compile\s*PyTorch\s*\(([\d.]+)\))"
)
_RULES = (
    _rule(r"no space left on device|disk quota exceeded", "the disk is full",
          "Remove images you no longer need (ds01 image list), or tell your admin.", DISK_FULL),
    _rule(r"certificate[ _]verify[ _]failed|x509: certificate",
          "the package index shows a certificate that the image does not trust",
          "Ask your admin to name the lab's certificates in limits.yaml: images.ca"),
    _rule(r"lookup ([\w.-]+).*(?:no such host|server misbehaving|i/o timeout)|tls handshake timeout|dial tcp",
          "the image registry cannot be reached from this server",
          "A base that is here already builds without it: write  base = \"minimal\"  under [image]."),
    _rule(r"pull access denied for ([\w./-]+)|(?:manifest for|repository) ([\w.:/-]+) not found|manifest unknown",
          "there is no such base image, or it needs a login", "Check  base  under [image] in the project file."),
    _rule(_NETWORK, "the package index cannot be reached (no network in the build)",
          "Try again later; what was built before stays. If it stays so, tell your admin."),
    _rule(r"do not match the hashes", "a downloaded package does not have the hash the requirements name",
          "Somebody changed the package or the file: check it, then write the right --hash."),
    _rule(r"in --require-hashes mode, all requirements must (?:have|be)[^\n]*",
          "with hashes, every package (also those it needs) must have a version and a hash",
          "Make the file complete, for example with: uv pip compile --generate-hashes"),
    _Rule(pattern=re.compile(r"satisfies the requirement (\S+) \(from versions: none\)"), say=_no_package),
    _Rule(pattern=re.compile(r"satisfies the requirement (\S+) \(from versions: ([^)]+)\)"), say=_no_version),
    _Rule(pattern=re.compile(r"the conflict is caused by:\n((?:[ \t]+\S.*\n|\n)+)", re.IGNORECASE), say=_conflict),
    _rule(r"cannot install (.+) because these package versions have conflicting dependencies",
          r"\1 exclude each other", "Loosen one of the versions."),
    _rule(r"package '?(\S+?)'? requires a different python: (\S+) not in '([^']+)'",
          r"\1 needs Python \3, the base has \2", "Choose another version of it, or another base."),
    _Rule(pattern=_CUDA_MISMATCH, say=_cuda),
    _rule(r"CUDA_HOME environment variable is not set|nvcc(?:'|:)? (?:was )?not found",
          "a package compiles CUDA code, and the base has no CUDA compiler",
          "Choose a version of it that has a ready-made wheel, or a base with the compiler (those called -devel)."),
    _rule(r"modulenotfounderror: no module named '([\w.]+)'[\s\S]*getting requirements to build wheel did not",
          r"a package asks for '\1' while it is built, and pip builds every package by itself",
          "Choose a version of it that has a ready-made wheel, or name the wheel: 'NAME @ https://…whl'."),
    _rule(r"fatal error: ([\w./+-]+\.h(?:pp)?): no such file or directory",
          r"a package is compiled and needs '\1', which the base does not have",
          "Add the Debian package with that file (often lib…-dev): ds01 image update --add-apt NAME-dev"),
    _rule(r"cannot find command '(git|hg|svn)'", r"a package comes from a repository, and the base has no \1",
          r"ds01 image update --add-apt \1"),
    _rule(_COMPILER, "a package has no ready-made wheel for this Python and could not be compiled",
          "Choose another version of it, or add a compiler: ds01 image update --add-apt build-essential"),
    _rule(r"unable to locate package (\S+)", r"there is no Debian package '\1'",
          "Check the name under  apt  in the project file."),
    _rule(r"version '([^']+)' for '([^']+)' was not found", r"Debian has no version \1 of '\2'",
          "Leave the version out, or choose one that is there."),
    _rule(r"apt-get: not found", "the base is no Debian or Ubuntu, so it cannot install  apt  packages",
          "Remove  apt  from the project file, or choose another base."),
    _rule(r"ds01: this base has no python3", "the base has no Python",
          "Choose a base with Python (minimal), or write your own Dockerfile and name it under [image]."),
    _rule(r"ensurepip is not available|no module named '?(?:venv|ensurepip)",
          "the base's Python cannot make environments", "Add  apt = [\"python3-venv\"]  to the project file."),
    _rule(r"(?:copy|add) failed: (?:file not found in build context[^:]*|[^:]*): ?(?:stat )?([^:\n]+)",
          r"the Dockerfile copies a file that was not sent: \1",
          "Check the path, and that .dockerignore does not name it."),
    _rule(r"(?:dockerfile parse error|unknown instruction|syntax error)[^\n]*", r"\g<0>", "Correct that line."),
    _rule(r"returned a non-zero code: 137", "it ran out of memory",
          "Build with fewer packages at once, or ask your admin."),
)  # fmt: skip
