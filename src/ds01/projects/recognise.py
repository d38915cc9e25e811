"""Looks at a folder that is no project yet and says what its project file should be.

What other tools keep there already is named, not copied: a second list of packages would be a second truth. Nothing is
run and nothing is changed; what DS01 has no counterpart for is told, so that nobody believes it was taken over.
"""

from __future__ import annotations

import json
import os
import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import Any

from ds01.domain.errors import Ds01Error, together
from ds01.domain.project import ImageRecipe
from ds01.domain.record import made, record
from ds01.projects import foreign, plainfile, requirements

DOCKERFILE = "Dockerfile"
LISTS = ("uv.lock", "requirements.txt", "environment.yml", "environment.yaml", "pyproject.toml")
"""Files that list packages, the most exact first."""
DEVCONTAINERS = (".devcontainer/devcontainer.json", ".devcontainer.json")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_JSON_NOISE = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/|,(?=\s*[}\]])', re.DOTALL)
_OWN = re.compile(r"ds01-u?\d+/")
"""An image of a project: DS01 wrote that devcontainer."""
_NOT_TAKEN = ("features", "postCreateCommand", "onCreateCommand", "updateContentCommand", "mounts", "dockerComposeFile")


@record(frozen=False)
class Proposal:
    """What the project file should say. ``found`` says which file became what, ``notes`` what was not taken over."""

    base: str = ""
    requirements: str = ""
    dockerfile: str = ""
    environment: dict[str, str] = made(factory=dict)
    ports: dict[str, int] = made(factory=dict)
    found: list[str] = made(factory=list)
    notes: list[str] = made(factory=list)


def look(folder: str) -> Proposal:
    """What is in this folder."""
    proposal = Proposal()
    for path in DEVCONTAINERS:
        if _is_file(folder, path):
            _devcontainer(folder, path, proposal)
            break
    if not proposal.dockerfile and _is_file(folder, DOCKERFILE):
        proposal.dockerfile = DOCKERFILE
        proposal.found.append("Dockerfile: built as it is, never edited")
    if not proposal.dockerfile:
        _packages(folder, proposal)
    if _is_file(folder, ".gitmodules"):
        proposal.notes.append("It has submodules: git submodule update --init")
    return proposal


def _packages(folder: str, proposal: Proposal) -> None:
    """The first list that can be used; what is wrong with one that cannot is told to its end, with file and line."""
    for path in LISTS:
        if not _is_file(folder, path):
            continue
        wrong = requirements.mistakes(folder, ImageRecipe(requirements=path))
        if wrong and foreign.knows(path):
            proposal.notes.append(f"{path} is not used. {_told(wrong)}")
            continue
        proposal.requirements = path
        proposal.found.append(f"{path}: its packages are installed")
        if wrong:
            proposal.notes.append(f"{path} has to be corrected before an image is built. {_told(wrong)}")
        elif foreign.knows(path) and (left_out := foreign.translate(folder, path).left_out):
            proposal.notes.append(f"The base brings, so {path} need not: {', '.join(left_out)}")
        return


def _told(wrong: Sequence[Ds01Error]) -> str:
    """All that is wrong, each with its place."""
    problem = together(wrong).problem
    return "\n".join(filter(None, [problem.message, problem.reason, problem.hint]))


def _devcontainer(folder: str, path: str, proposal: Proposal) -> None:
    try:
        config = json.loads(_JSON_NOISE.sub(lambda match: match[1] or "", plainfile.read(os.path.join(folder, path))))
    except (Ds01Error, ValueError):
        proposal.notes.append(f"{path} cannot be read")
        return
    if not isinstance(config, dict):
        return
    proposal.found.extend(_image(folder, path, config, proposal))
    for key in ("containerEnv", "remoteEnv"):
        values = config.get(key)
        for name, value in values.items() if isinstance(values, dict) else ():
            if isinstance(value, str) and "${" not in value and _VARIABLE.fullmatch(name):
                proposal.environment[name] = value
    for port in config.get("forwardPorts") or ():
        if isinstance(port, int) and 0 < port < 65536:
            proposal.ports[f"port-{port}"] = port
    if proposal.environment or proposal.ports:
        proposal.found.append(f"{path}: variables and ports")
    left = [key for key in _NOT_TAKEN if config.get(key)]
    if left:
        proposal.notes.append(f"Of {path} is left out: {', '.join(left)}; what is needed belongs in the project file")


def _image(folder: str, path: str, config: dict[str, Any], proposal: Proposal) -> Iterator[str]:
    build = config.get("build")
    named = build.get("dockerfile") if isinstance(build, dict) else config.get("dockerFile")
    if isinstance(named, str):
        inside = posixpath.normpath(posixpath.join(posixpath.dirname(path), named))
        if inside.startswith("/") or inside.split("/")[0] == "..":
            proposal.notes.append(f"{path} names a Dockerfile outside this folder: DS01 builds only what lies in it")
            return
        if _is_file(folder, inside):
            proposal.dockerfile = inside
            yield f"{inside}: built as it is, with this folder, as {path} says"
            return
    image = config.get("image")
    if isinstance(image, str) and image and "${" not in image and not _OWN.match(image):
        proposal.base = image
        yield f"{path}: base {image}"


def _is_file(folder: str, path: str) -> bool:
    whole = os.path.join(folder, path)
    return os.path.isfile(whole) and not os.path.islink(whole)
