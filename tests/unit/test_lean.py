"""What ds01d keeps in memory until it ends: nothing that only another program, or another ledger, needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ds01.lean import without

SELDOM = ("rich", "pygments", "textual", "jinja2", "alembic", "pip", "sqlalchemy.orm", "sqlalchemy.dialects.postgresql")


def test_ds01d_loads_nothing_that_it_needs_seldom_or_never() -> None:
    script = "import sys, ds01.daemon.main, ds01.daemon.wiring; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not {*SELDOM} & {*ran.stdout.split()}


def test_a_module_is_left_out_only_while_another_is_loaded() -> None:
    sys.modules.pop("this", None)
    with without("this"), pytest.raises(ImportError):
        __import__("this")
    assert "this" not in sys.modules
    before = sys.modules["json"] = __import__("json")
    with without("json"):
        assert __import__("json") is before
    assert sys.modules["json"] is before
