"""The words of a command line become values; every mistake is a sentence. click is asked for a second opinion."""

from __future__ import annotations

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds01.cli.command import Argument, Command, Option, flag
from ds01.cli.parse import Parsed, parse
from ds01.domain.errors import Ds01Error

OWN = (
    Option("--gpus", "N", "how many", short="-g", reads="gpus"),
    Option("--env", "K=V", "a variable", short="-e", many=True),
    Option("--size", "S", "a size", reads="size"),
    flag("--force", "at once", short="-f"),
    flag("--all", "everything", short="-a"),
)


def command(*arguments: Argument, options: tuple[Option, ...] = OWN) -> Command:
    return Command(
        summary="Test", arguments=arguments, options=options, examples=(), about="", idea="", guide=(), prints="Name",
        asks=True, changes=True,
    )  # fmt: skip


NAME = command(Argument("name", "the name", required=False), Argument("more", "the rest", required=False, many=True))
EXEC = command(Argument("name", "the container"), Argument("command", "what to run", rest=True))


def read(*words: str, of: Command = NAME) -> Parsed:
    return parse(of, "test", words)


@pytest.mark.parametrize(
    ("words", "gpus"),
    [
        (["--gpus", "2"], "2"), (["--gpus=2"], "2"), (["-g", "2"], "2"), (["-g2"], "2"), (["-fg2"], "2"),
        (["x", "--gpus", "0"], "0"), (["--gpus", "1", "--gpus", "full"], "full"), ([], None),
    ],
)  # fmt: skip
def test_options_are_read_in_every_usual_form(words: list[str], gpus: str | None) -> None:
    assert read(*words).values["gpus"] == gpus


def test_an_option_may_be_given_again_where_that_makes_sense() -> None:
    assert read("-e", "A=1", "--env=B=2").values["env"] == ("A=1", "B=2")
    assert read().values["env"] == ()


def test_flags_are_there_or_not() -> None:
    parsed = read("-fa")
    assert parsed.values["force"] is True
    assert parsed.values["all_"] is True
    assert read().values["force"] is False


def test_values_are_read_as_what_they_are() -> None:
    assert read("--size", "1.5G").values["size"] == 3 * 1024**3 // 2


def test_two_dashes_end_the_options() -> None:
    assert read("x", "--", "--force", "-g").values == {
        "name": "x", "more": ("--force", "-g"), "gpus": None, "env": (), "size": None, "force": False, "all_": False,
    }  # fmt: skip


def test_the_command_of_exec_keeps_its_own_options() -> None:
    parsed = read("-e", "A=1", "thesis", "python", "train.py", "--gpus", "x", "-f", "--json", of=EXEC)
    assert parsed.values["name"] == "thesis"
    assert parsed.values["command"] == ("python", "train.py", "--gpus", "x", "-f", "--json")
    assert parsed.values["force"] is False
    assert parsed.common["json"] is False


def test_options_of_exec_may_stand_behind_the_name() -> None:
    assert read("thesis", "-f", "--", "ls", "-f", of=EXEC).values["command"] == ("ls", "-f")
    assert read("thesis", "-f", "ls", "-f", of=EXEC).values["force"] is True


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--gpus"], "'--gpus' needs a value: --gpus N."),
        (["--gpus", "--force"], "'--gpus' needs a value: --gpus N."),
        (["--gpus", "many"], "'many' cannot be used for '--gpus'."),
        (["--force=1"], "'--force' takes no value."),
        (["--forse"], "'--forse' is no option of 'ds01 test'."),
        (["-x"], "'-x' is no option of 'ds01 test'."),
        (["--color", "blue"], "'blue' is not one of auto, always, never for '--color'."),
    ],
)
def test_a_mistake_is_a_sentence(words: list[str], said: str) -> None:
    with pytest.raises(Ds01Error) as caught:
        read(*words)
    assert str(caught.value) == said
    assert caught.value.problem.hint


def test_a_missing_argument_is_named() -> None:
    with pytest.raises(Ds01Error, match="NAME is missing: the container"):
        read(of=EXEC)


def test_help_works_whatever_else_is_wrong() -> None:
    assert read("--help", of=EXEC).tier == "help"
    assert read("a", "b", "--info", of=command()).tier == "info"


WORDS = st.sampled_from(
    [
        "x",
        "y",
        "--gpus",
        "--gpus=1",
        "-g",
        "-g2",
        "2",
        "-f",
        "--force",
        "-fa",
        "-e",
        "--env",
        "A=1",
        "-eB=2",
        "--",
        "-a",
    ]
)


@click.command(add_help_option=False)
@click.option("-g", "--gpus")
@click.option("-e", "--env", multiple=True)
@click.option("-f", "--force", is_flag=True)
@click.option("-a", "--all", "all_", is_flag=True)
@click.argument("name", required=False)
@click.argument("more", nargs=-1)
def oracle(**_: object) -> None:
    """The same options, read by click."""


@given(st.lists(WORDS, max_size=7))
def test_click_reads_the_same(words: list[str]) -> None:
    """Where click takes an option's name for another option's value, we ask for the value: not compared."""
    options = (Option("--gpus", "N", "", short="-g"), *OWN[1:2], *OWN[3:])
    ours = command(*NAME.arguments, options=options)
    try:
        context = oracle.make_context("test", list(words))
    except click.UsageError:
        with pytest.raises(Ds01Error):
            read(*words, of=ours)
        return
    values = _read_or_why(words, ours)
    assert values == context.params or values == "needs a value"


def _read_or_why(words: list[str], of: Command) -> object:
    try:
        return read(*words, of=of).values
    except Ds01Error as error:
        return "needs a value" if "needs a value" in str(error) else str(error)
