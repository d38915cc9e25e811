"""Writes the generated reference pages that are not as the code says."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from dev.docs import FOLDER, index, pages


def main() -> int:
    """Write what differs, and name it."""
    if _write(FOLDER / index.NAME, index.page()):
        # The other pages walk the commands by their index: those of a program that has the new one.
        os.execv(sys.executable, [sys.executable, "-m", "dev.docs"])
    for path, text in pages():
        _write(path, text)
    return 0


def _write(path: Path, text: str) -> bool:
    if path.exists() and path.read_text() == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    print(f"wrote {path.name}", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
