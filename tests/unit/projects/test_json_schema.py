"""The JSON schema that editors are given and the reader of project files say the same of a file.

The schema knows forms and keys; what a text has to say (a version, a duration) the reader judges alone. So what the
reader takes the schema takes too, and a key that one does not know the other refuses.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from ds01.projects import keys, kinds, scaffold, schema
from ds01.projects.scaffold import Wish
from tests.unit.projects.test_file import FULL, MISTAKEN
from tests.unit.projects.test_keys import WRONG

CHECKOUT = Path(__file__).resolve().parents[3]
EDITOR = Draft7Validator(keys.schema())


def editor_takes(tables: Mapping[str, Any]) -> bool:
    return EDITOR.is_valid(tables)


def reader_takes(tables: Mapping[str, Any]) -> bool:
    return not schema.read(tables, folder="/x", fallback_name="x")[1]


def written() -> list[str]:
    """Every project file, or part of one, that the docs show."""
    pages = [*CHECKOUT.glob("docs/**/*.md"), *CHECKOUT.glob("src/ds01/cli/pages/*.md"), CHECKOUT / "README.md"]
    blocks = [block for page in pages for block in re.findall(r"^```toml\n(.*?)^```", page.read_text(), re.M | re.S)]
    return [block for block in blocks if set(tomllib.loads(block)) & set(keys.TABLES)]


def test_the_schema_is_one_by_its_own_metaschema() -> None:
    Draft7Validator.check_schema(keys.schema())


@pytest.mark.parametrize("text", [FULL, "", *written()])
def test_what_is_shown_as_right_is_right_for_editor_and_reader(text: str) -> None:
    tables = tomllib.loads(text)
    assert [error.message for error in EDITOR.iter_errors(tables)] == []
    assert reader_takes(tables)


def test_the_docs_show_project_files() -> None:
    assert len(written()) >= 3


@pytest.mark.parametrize("kind", kinds.KINDS)
def test_the_file_of_a_new_project_is_right_for_its_editor(tmp_path: Path, kind: str) -> None:
    plan = scaffold.plan(Wish(name="thesis", kind=kinds.KINDS[kind], description='"a"'), str(tmp_path))
    assert editor_takes(tomllib.loads(plan.files[0].text))


PARSED = [(text, said) for text, _, said in MISTAKEN if "not TOML" not in said]
OF_CONTENT = (
    "neither the name of a base", "control characters", "Use 'numpy==1' instead", "listed twice", "Use 'git' instead",
    "in the project folder", "no MIG profile", "write it like", "full path",
)  # fmt: skip
"""Mistakes in what a text says, where a text belongs."""


@pytest.mark.parametrize(("text", "said"), PARSED)
def test_an_editor_marks_every_mistake_of_form_and_of_keys(text: str, said: str) -> None:
    tables = tomllib.loads(text)
    assert not reader_takes(tables)
    assert editor_takes(tables) is said.startswith(OF_CONTENT)


@pytest.mark.parametrize(("table", "name"), [(table, name) for table, known in keys.TABLES.items() for name in known])
def test_of_each_key_both_take_the_example_and_refuse_what_has_another_form(table: str, name: str) -> None:
    key = keys.TABLES[table][name]
    for value, right in [(key.example, True), *((wrong, False) for wrong in WRONG[key.form])]:
        tables = {table: {name: value}}
        assert (editor_takes(tables), reader_takes(tables)) == (right, right), value


KNOWN = {name for known in keys.TABLES.values() for name in known}
WORDS = st.one_of(st.sampled_from(sorted(KNOWN | set(keys.TABLES))), st.text(max_size=8))
VALUES = st.recursive(
    st.one_of(
        st.sampled_from([key.example for known in keys.TABLES.values() for key in known.values()]),
        st.booleans(), st.integers(-2, 70_000), st.floats(allow_nan=False), st.text(max_size=8), st.dates(),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=6,
)  # fmt: skip


@given(st.dictionaries(WORDS, st.one_of(st.dictionaries(WORDS, VALUES, max_size=4), VALUES), max_size=3))
def test_what_the_reader_takes_every_editor_takes(tables: dict[str, Any]) -> None:
    assert editor_takes(tables) or not reader_takes(tables)


@given(st.sampled_from(sorted(keys.TABLES)), st.data())
def test_what_the_reader_takes_of_one_key_every_editor_takes(table: str, data: st.DataObject) -> None:
    """One key at a time: most of what is made up has a mistake somewhere, and that would hide the others."""
    name = data.draw(st.sampled_from(sorted(keys.TABLES[table])))
    tables = {table: {name: data.draw(VALUES)}}
    assert editor_takes(tables) or not reader_takes(tables)


@given(st.sampled_from([*sorted(keys.TABLES), ""]), st.text(max_size=12), VALUES)
def test_a_key_that_nobody_knows_is_refused_by_both(table: str, word: str, value: Any) -> None:
    known = keys.TABLES[table] if table else keys.TABLES
    if word in known:
        return
    tables = {table: {word: value}} if table else {word: value}
    assert (editor_takes(tables), reader_takes(tables)) == (False, False)
