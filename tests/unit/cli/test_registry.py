"""Every command keeps the rules that all commands share; one that does not is found here."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from collections.abc import Callable

import pytest

from ds01.cli import topics, tree
from ds01.cli.command import TIERS, Command, common
from ds01.cli.fields import taken_by
from ds01.cli.views import VIEWS
from tests.unit.cli.conftest import Ran, Run

COMMANDS = dict(tree.commands())
every_command = pytest.mark.parametrize("path", list(COMMANDS))


@every_command
def test_a_command_takes_exactly_what_it_declares(path: str) -> None:
    run = importlib.import_module(".".join([tree.PACKAGE, *path.split()])).run
    takes = set(inspect.signature(run).parameters) - {"call"}
    command = COMMANDS[path]
    assert takes == {argument.key for argument in command.arguments} | {option.key for option in command.options}


@every_command
def test_a_command_has_four_tiers_of_help_that_all_say_something(path: str) -> None:
    command = COMMANDS[path]
    assert command.summary
    assert command.summary[0].isupper()
    assert not command.summary.endswith(".")
    assert len(command.examples) == 5
    assert len(command.about) > 40
    assert len(command.idea) > 40
    assert command.guide
    for step in command.guide:
        if step.asks:
            taken_by(command, step.asks)


@every_command
@pytest.mark.parametrize("tier", ["--help", "--info", "--concepts"])
@pytest.mark.parametrize("columns", ["80", "40"])
def test_help_fits_the_terminal(
    ds01: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch, path: str, tier: str, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    ran = ds01(*path.split(), tier)
    assert ran.code == 0
    assert ran.err == ""
    long = [line for line in ran.out.splitlines() if len(line) > int(columns) and " " in line.strip()[:-1]]
    assert [line for line in long if not line.strip().startswith("ds01 ")] == []


@every_command
def test_guided_is_for_a_terminal_only(ds01: Callable[..., Ran], path: str) -> None:
    ran = ds01(*path.split(), "--guided")
    assert ran.code == 2
    assert "--guided needs a terminal" in ran.err


@every_command
def test_the_help_names_no_option_that_does_not_exist(path: str) -> None:
    command = COMMANDS[path]
    texts = [command.about, command.idea, *(step.text for step in command.guide)]
    texts += [option.help for option in command.options]
    for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", " ".join(texts)):
        assert option in options_of(command), option


@every_command
def test_examples_parse(path: str) -> None:
    for example, _ in COMMANDS[path].examples:
        check_typed(example)


def test_a_word_that_is_no_page_leads_to_the_pages_that_have_it(ds01: Run) -> None:
    ran = ds01("help", "teammate")
    assert ran.code == 4
    assert "There is no page about 'teammate'" in ran.err
    assert "Others tell of it: containers, python, workspaces." in ran.err
    assert topics.about("workspace")[0] == "workspaces"
    assert topics.about("xyzzy") == topics.about("a") == ()


@pytest.mark.parametrize("topic", topics.names())
def test_pages_name_only_commands_and_options_that_exist(topic: str) -> None:
    for typed in re.findall(r"`(ds01 [^`]+)`|^ {4}(ds01 .+)$", topics.source(topic), flags=re.MULTILINE):
        check_typed("".join(typed))


@every_command
def test_related_commands_and_topics_exist(path: str) -> None:
    for name in COMMANDS[path].related:
        assert tree.exists(tree.SAME.get(name, name)), name
    for topic in COMMANDS[path].topics:
        assert topic in topics.names()


@every_command
def test_what_json_prints_is_described(path: str) -> None:
    prints = COMMANDS[path].prints
    assert not prints or prints.split()[-1] in VIEWS


def test_the_registry_is_printed_for_programs(ds01: Callable[..., Ran]) -> None:
    listed = json.loads(ds01("help", "commands", "--json").out)
    assert {entry["command"] for entry in listed} == {path for path, command in COMMANDS.items() if not command.hidden}
    for entry in listed:
        assert {"--help", "--info", "--concepts", "--guided"} <= {option["name"] for option in entry["options"]}
        assert {code["code"] for code in entry["exit_codes"]} >= {0, 1, 2}


def test_every_group_says_what_it_is(ds01: Callable[..., Ran]) -> None:
    for group in tree.groups():
        for tier in ("--help", "--info", "--concepts"):
            assert ds01(*group.split(), tier).code == 0


def options_of(command: Command) -> set[str]:
    """Every option a command takes."""
    return {option.name for option in (*command.options, *common(command), *TIERS)}


def check_typed(typed: str) -> None:
    """A command line in the help must be one that works."""
    import shlex

    from ds01.cli.parse import parse

    words = shlex.split(re.split(r" (?:#|\||>+) ", typed)[0])
    assert words[0] == "ds01", typed
    found = tree.find(words[1:])
    if isinstance(found.entry, Command):
        parse(found.entry, found.typed, found.rest)
