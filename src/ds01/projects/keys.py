"""Every table and key a project file may have: what it takes and what it is for.

The reader of the file, the JSON schema that editors complete and check with, and the reference page are made from this
one list; a key that is not in it is a mistake in every one of them.
"""

from __future__ import annotations

from ds01.domain.record import record
from ds01.projects.kinds import KINDS

TYPE_CHECKING = False  # typing is slow to import, and only type checkers need it here
if TYPE_CHECKING:
    from typing import Any

NAME_PATTERN = "^[a-z0-9][a-z0-9-]{0,39}$"
TEXT, TEXTS, GPUS = "text", "list of texts", "number or text"
VARIABLES, PORTS = "table of texts", "table of ports"


@record
class Key:
    """One key. ``form`` is what it takes, ``example`` a value of it as TOML gives it."""

    form: str
    help: str
    example: Any
    pattern: str = ""
    choices: tuple[str, ...] = ()


TABLES: dict[str, dict[str, Key]] = {
    "project": {
        "name": Key(
            form=TEXT, help="what the project is called; that of its folder when left out", example="thesis",
            pattern=NAME_PATTERN,
        ),
        "type": Key(
            form=TEXT, help="what it is for; chose the first packages", example="nlp", choices=tuple(KINDS)
        ),
        "description": Key(form=TEXT, help="what it is about, in a line", example="Cells in images"),
    },
    "image": {
        "base": Key(
            form=TEXT, help="what the image is built on: a base of this server, or an image reference",
            example="minimal",
        ),
        "python": Key(
            form=TEXTS, help="Python packages, as pip knows them, and pip's options for where they come from",
            example=["pandas>=2,<3", "requests[socks]"],
        ),
        "requirements": Key(
            form=TEXT,
            help="a file in the project folder that lists packages, installed as well: requirements.txt, uv.lock,"
            " pyproject.toml or environment.yml",
            example="requirements.txt",
        ),
        "apt": Key(form=TEXTS, help="Debian packages", example=["git-lfs"]),
        "dockerfile": Key(
            form=TEXT, help="your own Dockerfile, in the project folder: built as it is, never edited",
            example="Dockerfile",
        ),
    },
    "run": {
        "gpus": Key(
            form=GPUS, help="GPUs of a container: a number, 0 for none, or a part; one, if you may, when left out",
            example=1,
        ),
        "memory": Key(form=TEXT, help="the least memory each of its GPUs must have", example="20G"),
        "time": Key(
            form=TEXT, help="the longest a container or a job runs; your limit when left out", example="8h"
        ),
        "data": Key(
            form=TEXTS, help="folders of the server, read-only in the container: one at /data, several at /data/NAME",
            example=["/data/imagenet"],
        ),
        "ports": Key(
            form=PORTS, help="names for ports its programs listen on in the container, for ds01 tunnel",
            example={"mlflow": 5000},
        ),
        "on_stop": Key(
            form=TEXT, help="what runs in the container before DS01 stops it, to save what there is",
            example="python save_checkpoint.py",
        ),
        "env": Key(form=VARIABLES, help="environment variables", example={"WANDB_MODE": "offline"}),
    },
}  # fmt: skip
"""By table, in the order in which a file has them."""

ABOUT = {
    "project": "What the project is.",
    "image": "What its image is made of.",
    "run": "How its containers and jobs run, unless a command says otherwise.",
}


def schema() -> dict[str, Any]:
    """The JSON schema of a project file, for editors: completion, help at the cursor, mistakes as one types."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "DS01 project file",
        "description": "ds01.toml, or [tool.ds01] in pyproject.toml.",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            table: {
                "type": "object",
                "description": ABOUT[table],
                "additionalProperties": False,
                "properties": {name: _key(key) for name, key in keys.items()},
            }
            for table, keys in TABLES.items()
        },
    }


def _key(key: Key) -> dict[str, Any]:
    found: dict[str, Any] = {"description": key.help, **_FORMS[key.form], "examples": [key.example]}
    if key.pattern:
        found["pattern"] = key.pattern
    if key.choices:
        found["enum"] = list(key.choices)
    return found


_TEXT = {"type": "string"}
_FORMS: dict[str, dict[str, Any]] = {
    TEXT: _TEXT,
    TEXTS: {"type": "array", "items": _TEXT},
    GPUS: {"anyOf": [{"type": "integer", "minimum": 0}, _TEXT]},
    VARIABLES: {
        "type": "object", "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}, "additionalProperties": _TEXT
    },
    PORTS: {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1, "maximum": 65535}},
}  # fmt: skip
