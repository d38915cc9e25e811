"""The generated pages say what the code says, and every page can be found."""

import re
import shlex
import textwrap
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from dev import docs

from ds01.cli import tree
from ds01.cli.command import Command
from ds01.cli.main import called_as
from ds01.cli.names import programs
from ds01.cli.parse import parse
from ds01.config import shape
from ds01.config.limits import read
from ds01.config.rules import RULES
from ds01.domain.container import Door
from ds01.domain.errors import kinds
from ds01.domain.events import EventType
from ds01.domain.limit_keys import KEYS
from ds01.domain.limits import effective
from ds01.domain.people import Uid, User
from ds01.wire.status import EventView

PAGES = {path.name: (path, text) for path, text in docs.pages()}


@pytest.mark.parametrize("name", PAGES)
def test_the_committed_pages_are_current(name: str) -> None:
    path, text = PAGES[name]
    assert path.read_text(encoding="utf-8") == text, "run 'make docs' and commit what it writes"


def test_every_limit_and_rule_and_setting_has_its_line() -> None:
    page = PAGES["limits.md"][1]
    models = (shape.GroupExtras, shape.Exemption, shape.Gpus, shape.Images, shape.Base, shape.Docker, shape.File)
    settings = [field.alias or name for model in models for name, field in model.model_fields.items()]
    for name in (*KEYS, *RULES, *settings):
        assert re.search(rf"^\| `{re.escape(name)}` \| \S", page, re.MULTILINE), name


def test_every_error_has_its_section_at_the_anchor_that_errors_link_to() -> None:
    page = PAGES["errors.md"][1]
    for kind in kinds():
        assert f"\n### {kind.code}\n\n{kind.title}. {kind.remedy}\n" in page
        assert f"(#{kind.code.replace('.', '')})" in page
        assert kind.remedy.endswith(".")


def test_every_event_has_its_section_with_an_example() -> None:
    page = PAGES["events.md"][1]
    for kind in EventType:
        assert re.search(rf"\n### {re.escape(kind.value)}\n\n.+\n\n> [^\n{{}}]+[.?]\n", page), kind
    for field in fields(EventView):
        assert f"| `{field.name}` |" in page


ROOT = Path(__file__).resolve().parents[3]
INDEX = ROOT / "docs/index.md"
WRITTEN = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\((?!https?://)([^)#]+)")


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()]
    assert broken == []


def test_every_page_is_in_the_index() -> None:
    linked = {(INDEX.parent / link).resolve() for link in LINK.findall(INDEX.read_text(encoding="utf-8"))}
    pages = {path for path in (ROOT / "docs").rglob("*.*") if path != INDEX}
    assert sorted(str(path) for path in pages - linked) == []


BLOCK = re.compile(r"^(?: {4})?```(\w*)\n(.*?)^(?: {4})?```", re.MULTILINE | re.DOTALL)
PROMPT = re.compile(r"\s*(?:[$#] )?(?:sudo (?:-\w+ )*)?")
ENDS = {"&&", "||", "|", ";", ">", ">>", "<", "&"}
"""What ends a command line of a shell."""
SHELLS = ("", "console", "bash", "sh")
DRAWN = re.compile("[─│└┌┐┘]")


def typed(block: str) -> Iterator[list[str]]:
    """The command lines of DS01 in a block, in words; one that a narrow screen has broken is put together."""
    lines = block.splitlines()
    while lines:
        line = PROMPT.sub("", lines.pop(0), count=1)
        if line.split(" ")[0] not in programs() or DRAWN.search(line):
            continue
        while (words := split(line)) is None and lines:
            line = line.removesuffix("\\") + lines.pop(0)
        yield from commands(words or line.split())


def split(line: str) -> list[str] | None:
    """The words of a shell's line without what is a remark; None where it goes on in the next one."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        return None if line.endswith("\\") else list(lexer)
    except ValueError:
        return None


def commands(words: list[str]) -> Iterator[list[str]]:
    """Each command of a line that is one of DS01's programs."""
    command: list[str] = []
    for word in [*words, ";"]:
        if word not in ENDS:
            command.append(word)
            continue
        if command and command[0] in programs():
            yield command
        command = []


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_types_can_be_typed(page: Path) -> None:
    for language, block in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language not in SHELLS:
            continue
        for program, *words in typed(block):
            found = tree.find([*called_as(program), *words])
            if isinstance(found.entry, Command):
                parse(found.entry, found.typed, found.rest)


def test_what_is_typed_is_found_in_a_page() -> None:
    block = "$ sudo ds01 admin backup  # a copy\nout\n$ ds01 exec a -- sh -c 'x;\n y' && container-list | less\n"
    assert list(typed(block)) == [
        ["ds01", "admin", "backup"], ["ds01", "exec", "a", "--", "sh", "-c", "x; y"], ["container-list"]
    ]  # fmt: skip
    found = [line for page in WRITTEN for _, block in BLOCK.findall(page.read_text()) for line in typed(block)]
    assert len(found) > 300


SETTINGS = [
    (page, block)
    for page in WRITTEN
    for language, block in BLOCK.findall(page.read_text(encoding="utf-8"))
    if language == "yaml"
]


@pytest.mark.parametrize(("page", "block"), SETTINGS, ids=[page.name for page, _ in SETTINGS])
def test_what_a_page_writes_into_the_limits_file_can_be_read(page: Path, block: str) -> None:
    read(textwrap.dedent(block), page.name)


def test_the_limits_of_a_class_are_what_its_page_says() -> None:
    (block,) = [block for page, block in SETTINGS if page.name == "teach-a-class.md" and "ml101" in block]
    policy = read(block, "limits.yaml").policy
    now = datetime(2026, 11, 1, tzinfo=UTC)
    pupil = User(uid=Uid(2001), gid=2001, login="alice", home="/home/alice", groups=frozenset({"ml101"}))
    exempt = replace(pupil, login="h.baker@lab.lan")
    found, baker = (effective(policy, user, Door.DS01, now) for user in (pupil, exempt))
    assert (found.gpus_max, found.gpus_per_container, found.containers) == (Fraction(1), 1, 2)
    assert [found.idle, found.runtime, found.lead] == [timedelta(minutes=20), timedelta(hours=4), timedelta(minutes=10)]
    assert found.container_hold == timedelta(days=14)
    assert (baker.runtime, baker.idle) == (None, found.idle)
    later = effective(policy, exempt, Door.DS01, now + timedelta(days=60))
    assert later.runtime == found.runtime
    assert effective(policy, replace(pupil, groups=frozenset()), Door.DS01, now).idle == timedelta(minutes=30)
