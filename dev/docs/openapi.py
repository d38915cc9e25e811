"""docs/reference/openapi.json: ds01d's control API, as its routes declare it."""

from __future__ import annotations

from ds01.api.document import text

NAME = "openapi.json"


def page() -> str:
    """The document."""
    return text()
