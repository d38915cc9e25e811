"""What a message tells somebody to type is a command, wherever in the sources it stands."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from ds01.cli import tree
from ds01.cli.command import Command

SOURCES = Path(__file__).resolve().parents[3] / "src/ds01"
TYPED = re.compile(r"(?:^|: |')ds01 (?!and ds01d)([^\n,;:.'()]*)")
"""A line to type: a whole text, what follows a colon, or what is quoted."""
VALUE = "\0"
VERBS = {word for group in tree.groups() for word in tree.listing(group)}


def texts(node: ast.AST) -> Iterator[str]:
    """The texts of a module without its docstrings; what is put into one is ``VALUE``."""
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else VALUE for part in node.values)
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)):
            yield from texts(child)


def typed(module: Path) -> Iterator[list[str]]:
    """The lines to type in a module's texts, in words, as far as they are known here."""
    for text in texts(ast.parse(module.read_text(encoding="utf-8"))):
        for line in TYPED.findall(text):
            words = line.split()
            known = next((place for place, word in enumerate(words) if word.startswith(VALUE)), len(words))
            yield [word.rstrip(VALUE) for word in words[:known]]


def is_command(words: list[str]) -> bool:
    """Whether this begins a command's line. A verb after a command that takes no name was meant as its own command.

    Raises Ds01Error where the first words are no command.
    """
    found = tree.find(words)
    verb = bool(found.rest) and found.rest[0] in VERBS
    return not verb or (isinstance(found.entry, Command) and bool(found.entry.arguments))


def test_what_a_message_types_is_a_command() -> None:
    found = [(module.name, words) for module in sorted(SOURCES.rglob("*.py")) for words in typed(module) if words]
    assert len(found) > 1000
    assert [(name, words) for name, words in found if not is_command(words)] == []


def test_a_verb_of_another_command_is_found_out() -> None:
    assert not is_command(["jobs", "show"])
    assert is_command(["job", "show"])
    assert is_command(["stop", "list"])
