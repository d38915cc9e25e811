"""Every entry of the troubleshooting page is real: its message is in the code, its code and its check exist, its
commands can be typed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from ds01.cli import topics, tree
from ds01.domain import errors
from ds01.services import doctor
from tests.unit.cli.test_registry import check_typed

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/howto/troubleshooting.md").read_text()
ENTRIES = dict(
    re.findall(r"^### (.+)\n((?:(?!^##).*\n)*)", PAGE, flags=re.MULTILINE),
)
SOURCE = "\n".join(path.read_text() for path in sorted((ROOT / "src").rglob("*")) if path.suffix in (".py", ".j2"))
NOT_OURS = {"ModuleNotFoundError"}
"""What Python says itself."""


def named(text: str, word: str) -> list[str]:
    """The quoted words of the sentence that begins with this."""
    sentences = re.findall(rf"\*{word}:\*((?:\s*`[^`]+`[^`.*]*)+)", text)
    return [" ".join(quoted.split()) for sentence in sentences for quoted in re.findall(r"`([^`]+)`", sentence)]


def test_there_are_entries() -> None:
    assert len(ENTRIES) > 15
    assert len(named(PAGE, "Says")) > 10


@pytest.mark.parametrize("entry", list(ENTRIES))
def test_an_entry_is_something_ds01_says_or_checks_and_its_commands_can_be_typed(entry: str) -> None:
    text = ENTRIES[entry]
    says, codes, checks = (named(text, word) for word in ("Says", "Code", "Check"))
    commands = re.findall(r"^\$ (ds01 .+)$", text, flags=re.MULTILINE)
    assert says or codes or checks, "nothing that DS01 says or looks at leads here"
    for said in set(says) - NOT_OURS:
        assert said in SOURCE, said
    assert {check.replace("_", "-") for check in checks} <= set(doctor.every())
    assert set(codes) <= {kind.code for kind in vars(errors).values() if isinstance(kind, errors.ErrorKind)}
    for command in commands:
        check_typed(command)


HELP = dict(re.findall(r"^- ([^:]+): (.+)$", topics.source("troubleshooting"), flags=re.MULTILINE))


def kinds(text: str) -> set[str]:
    """The commands that are named, without whose container it is."""
    typed = re.findall(r"(?:`|^\$ )(ds01 [^`\n]+)", text, flags=re.MULTILINE)
    return {tree.find(shlex.split(line)[1:]).path for line in typed}


@pytest.mark.parametrize("title", list(HELP))
def test_the_short_page_in_the_terminal_says_the_same(title: str) -> None:
    entry = ENTRIES[title.replace("`", "")]
    assert kinds(HELP[title]) <= kinds(entry)
    assert len(HELP) > 8
