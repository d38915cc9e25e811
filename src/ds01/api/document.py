"""Writes the API's OpenAPI document: ``python -m ds01.api.document > docs/reference/openapi.json``."""

from __future__ import annotations

import json
import sys
from typing import Any

from fastapi import FastAPI

from ds01.api.app import routed


def document() -> dict[str, Any]:
    """The document of this version."""
    app: FastAPI = routed()
    return app.openapi()


def text() -> str:
    """The same as it is committed."""
    return json.dumps(document(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
