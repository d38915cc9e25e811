"""Files for editors, made from the project: a devcontainer, and settings that know interpreter and project file.

The devcontainer uses the image that ``ds01 image create`` builds for whoever opens it, so the editor's container has
what ``ds01 launch`` has: the same packages, the same workspace and data at the same places, a GPU by the same rules. It
carries the hash of its own content. While that fits nobody edited it, and DS01 writes it anew when [run] changes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping

from ds01.domain.binds import data_targets
from ds01.domain.digest import sha256_hex
from ds01.domain.errors import Ds01Error
from ds01.domain.names import image_reference
from ds01.domain.project import Project, RunDefaults
from ds01.projects import plainfile
from ds01.projects.dockerfile import ENVIRONMENT

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from typing import Any

DEVCONTAINER = ".devcontainer/devcontainer.json"
SETTINGS = ".vscode/settings.json"
SCHEMA = ".vscode/ds01.schema.json"


def devcontainer(name: str, uid: int, run: RunDefaults) -> str:
    """The devcontainer of a project whose containers run as ``run`` says."""
    found: dict[str, Any] = {
        "name": name,
        "image": image_reference(uid, name),
        "workspaceMount": "source=${localWorkspaceFolder},target=/workspace,type=bind",
        "workspaceFolder": "/workspace",
        "overrideCommand": True,
        "updateRemoteUserUID": False,
        **_run(run),
        "customizations": {
            "vscode": {
                "extensions": ["ms-python.python", "ms-toolsai.jupyter", "tamasfe.even-better-toml"],
                "settings": {"python.defaultInterpreterPath": f"{ENVIRONMENT}/bin/python"},
            }
        },
    }
    found["customizations"]["ds01"] = {"content": _digest(found)}
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def renew(project: Project) -> bool:
    """Write the devcontainer anew where it is DS01's, unedited, and behind; whether it was. One that cannot be read or
    written stays as it is: nobody launches a container for its sake.
    """
    path = os.path.join(project.folder, DEVCONTAINER)
    if not os.path.isfile(path) or os.path.islink(os.path.dirname(path)):
        return False
    made = devcontainer(project.name, os.geteuid(), project.run)
    try:
        there = plainfile.read(path)
        if there == made or not is_unedited(there):
            return False
        plainfile.replace(path, made)
    except Ds01Error:
        return False
    return True


def is_unedited(text: str) -> bool:
    """Whether this devcontainer says exactly what DS01 wrote."""
    try:
        found = json.loads(text)
        said = found["customizations"].pop("ds01")["content"]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return False
    return bool(said == _digest(found))


def _run(run: RunDefaults) -> dict[str, Any]:
    """What [run] says, in the words of a devcontainer; what is not said there is left out."""
    folders = [os.path.abspath(os.path.expanduser(folder)) for folder in run.data]
    said = {
        "runArgs": _gpus(run),
        "mounts": [_mount(*pair) for pair in zip(folders, data_targets(folders), strict=True)],
        "containerEnv": dict(run.environment),
        "forwardPorts": sorted(run.ports.values()),
        "portsAttributes": {str(port): {"label": name} for name, port in run.ports.items()},
    }
    return {key: value for key, value in said.items() if value}


def _gpus(run: RunDefaults) -> list[str]:
    """Asked for as ``docker`` does: by ``hostRequirements`` editors ask for all there are, and name no part of one. The
    gateway reads memory and MIG profile as options of the request.
    """
    gpus = run.gpus or "1"
    if gpus == "0":
        return []
    count, profile = (gpus, "") if gpus.isdecimal() else ("1", f"profile={gpus}")
    options = ",".join(filter(None, [profile, run.memory and f"memory={run.memory}"]))
    if not options:
        return ["--gpus", count]
    return ["--gpus", f"count={count},{_cell(f'options={options}')}"]


def _mount(source: str, target: str) -> str:
    """A line of ``docker --mount``: a row of a table, in which a comma in a path is no separator."""
    return ",".join(map(_cell, (f"source={source}", f"target={target}", "type=bind", "readonly")))


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(sign in text for sign in ',"') else text


def _digest(found: Mapping[str, Any]) -> str:
    customizations = {key: value for key, value in found["customizations"].items() if key != "ds01"}
    text = json.dumps({**found, "customizations": customizations}, ensure_ascii=True)
    return sha256_hex(text.encode())


def vscode() -> Iterator[tuple[str, str]]:
    """What an editor that works in the container's folder needs to know."""
    settings = {
        "python.defaultInterpreterPath": f"{ENVIRONMENT}/bin/python",
        "python.terminal.activateEnvironment": False,
        "evenBetterToml.schema.associations": {"ds01\\.toml$": "./ds01.schema.json"},
        "files.watcherExclude": {"**/data/**": True, "**/outputs/**": True, "**/.cache/**": True},
    }
    yield SETTINGS, json.dumps(settings, indent=2) + "\n"
    from ds01.projects import keys  # only a new project needs them

    yield SCHEMA, json.dumps(keys.schema(), indent=2) + "\n"
