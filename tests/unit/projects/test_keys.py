"""The list of keys is what the reader reads: each key's example is right, each wrong form is a mistake."""

from __future__ import annotations

from typing import Any

import pytest

from ds01.projects import keys, schema

EVERY = [(table, name, key) for table, known in keys.TABLES.items() for name, key in known.items()]
WRONG: dict[str, tuple[Any, ...]] = {
    keys.TEXT: (1, True, ["a"], {}),
    keys.TEXTS: ("a", [1], 1, {}),
    keys.GPUS: (True, -1, ["1"], {}),
    keys.VARIABLES: ("a", {"1x": "y"}, {"A": 1}, []),
    keys.PORTS: ("a", {"a": 0}, {"a": 65536}, {"a": "x"}, []),
}


def mistakes(table: str, name: str, value: Any) -> list[str]:
    return [each.text for each in schema.read({table: {name: value}}, folder="/x", fallback_name="x")[1]]


@pytest.mark.parametrize(("table", "name", "key"), EVERY)
def test_the_example_of_a_key_is_right_and_other_forms_are_not(table: str, name: str, key: keys.Key) -> None:
    assert mistakes(table, name, key.example) == []
    for value in WRONG[key.form]:
        assert mistakes(table, name, value), value


@pytest.mark.parametrize(("table", "name", "key"), EVERY)
def test_every_key_changes_the_project_it_describes(table: str, name: str, key: keys.Key) -> None:
    without, _ = schema.read({}, folder="/x", fallback_name="x")
    assert schema.read({table: {name: key.example}}, folder="/x", fallback_name="x")[0] != without or key.example in (
        "minimal",
        without.type,
    )


def test_an_editor_is_told_the_same_keys_and_forms() -> None:
    told = keys.schema()["properties"]
    assert {table: set(entry["properties"]) for table, entry in told.items()} == {
        table: set(known) for table, known in keys.TABLES.items()
    }
    assert all(entry["additionalProperties"] is False for entry in told.values())
    assert told["project"]["properties"]["type"]["enum"][0] == "ml"
