"""The committed OpenAPI document is what the API is."""

from __future__ import annotations

import json
from pathlib import Path

from ds01.api.document import document, text

COMMITTED = Path(__file__).parents[2] / "docs" / "reference" / "openapi.json"


def test_the_committed_document_is_current() -> None:
    again = "python -m ds01.api.document > docs/reference/openapi.json"
    assert COMMITTED.read_text() == text(), f"the API changed: {again}"


def test_every_operation_says_what_it_does_and_how_it_fails() -> None:
    for path, operations in document()["paths"].items():
        for method, operation in operations.items():
            assert operation.get("description"), f"{method} {path}"
            assert "ErrorBody" in json.dumps(operation["responses"]["default"]), f"{method} {path}"


def test_operations_have_names_of_their_own() -> None:
    names = [each["operationId"] for path in document()["paths"].values() for each in path.values()]
    assert len(names) == len(set(names))
