"""Every entry of the troubleshooting page is real: its message is in the code, its code and its check exist, its
commands can be typed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ds01.cli import topics
from ds01.cli.style import Style
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


def test_the_terminal_shows_every_entry_with_what_it_says_and_types(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = topics.page("troubleshooting", Style())
    text = " ".join(" ".join(shown).split())
    for title, entry in ENTRIES.items():
        assert title in shown
        for quoted in named(entry, "Says"):
            assert quoted in text
        for command in re.findall(r"^\$ (.+)$", entry, flags=re.MULTILINE):
            assert f"    {command}" in shown
    assert not [line for line in shown if len(line) > 80 or "](" in line or "*Says" in line or "`" in line]
