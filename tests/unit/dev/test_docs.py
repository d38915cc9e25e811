"""The generated pages say what the code says, and every page can be found."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
from dev import docs

from ds01.config import shape
from ds01.config.rules import RULES
from ds01.domain.errors import kinds
from ds01.domain.events import EventType
from ds01.domain.limit_keys import KEYS
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
