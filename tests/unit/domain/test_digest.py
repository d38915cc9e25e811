"""The hash is the one everybody else computes, also where Python's own code for it is missing."""

from __future__ import annotations

import hashlib
import importlib
import sys

import pytest

from ds01.domain import digest


@pytest.mark.parametrize("content", [b"", b"abc", b"x" * 100_000])
def test_it_is_sha_256(content: bytes) -> None:
    assert digest.sha256_hex(content) == hashlib.sha256(content).hexdigest()


def test_without_pythons_own_it_is_that_of_hashlib(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_sha256", "_sha2"):
        monkeypatch.setitem(sys.modules, name, None)
    try:
        assert importlib.reload(digest).sha256_hex(b"abc") == hashlib.sha256(b"abc").hexdigest()
    finally:
        monkeypatch.undo()
        importlib.reload(digest)
