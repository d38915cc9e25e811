"""Every dependency has its reason written down, and nothing is listed that is not there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]


def declared(group: list[str]) -> set[str]:
    return {re.split(r"[<>=\[;]", line)[0] for line in group}


def test_every_dependency_has_a_reason_and_every_reason_a_dependency() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    page = (CHECKOUT / "docs/explanation/dependencies.md").read_text()
    rows = re.findall(r"^\| ([a-z][^|]*) \|", page, re.MULTILINE)
    listed = {name.strip() for row in rows for name in row.split(",")} - {"package", "uv"}
    assert listed == declared(project["project"]["dependencies"]) | declared(project["dependency-groups"]["dev"])
