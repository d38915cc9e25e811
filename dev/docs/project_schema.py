"""docs/reference/ds01.schema.json: the JSON schema of project files, for editors."""

from __future__ import annotations

import json

from ds01.projects.keys import schema

NAME = "ds01.schema.json"


def page() -> str:
    """The schema, as `ds01 init --vscode` puts it beside the project file, too."""
    return json.dumps(schema(), indent=2) + "\n"
