"""Files for editors, made from the project: a devcontainer, and settings that know interpreter and project file.

The devcontainer uses the image that ``ds01 image create`` builds for whoever opens it, so the editor's container has
what ``ds01 launch`` has: the same packages, the same workspace at the same place, a GPU by the same rules.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ds01.domain.names import image_reference
from ds01.projects import keys
from ds01.projects.dockerfile import ENVIRONMENT

DEVCONTAINER = ".devcontainer/devcontainer.json"
SETTINGS = ".vscode/settings.json"
SCHEMA = ".vscode/ds01.schema.json"


def devcontainer(name: str, uid: int, *, gpus: str = "1", environment: Mapping[str, str] | None = None) -> str:
    """The devcontainer of a project; ``gpus`` is what its containers have unless a command says otherwise.

    Asked for as ``docker`` does: by ``hostRequirements`` editors ask for all there are.
    """
    found: dict[str, Any] = {
        "name": name,
        "image": image_reference(uid, name),
        "workspaceMount": "source=${localWorkspaceFolder},target=/workspace,type=bind",
        "workspaceFolder": "/workspace",
        "overrideCommand": True,
        "updateRemoteUserUID": False,
        "customizations": {
            "vscode": {
                "extensions": ["ms-python.python", "ms-toolsai.jupyter", "tamasfe.even-better-toml"],
                "settings": {"python.defaultInterpreterPath": f"{ENVIRONMENT}/bin/python"},
            }
        },
    }
    if environment:
        found["containerEnv"] = dict(environment)
    if gpus != "0":
        found["runArgs"] = ["--gpus", gpus if gpus.isdecimal() else "1"]
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def vscode() -> Iterator[tuple[str, str]]:
    """What an editor that works in the container's folder needs to know."""
    settings = {
        "python.defaultInterpreterPath": f"{ENVIRONMENT}/bin/python",
        "python.terminal.activateEnvironment": False,
        "evenBetterToml.schema.associations": {"ds01\\.toml$": "./ds01.schema.json"},
        "files.watcherExclude": {"**/data/**": True, "**/outputs/**": True, "**/.cache/**": True},
    }
    yield SETTINGS, json.dumps(settings, indent=2) + "\n"
    yield SCHEMA, json.dumps(keys.schema(), indent=2) + "\n"
