"""Writes the generated reference pages that are not as the code says."""

from __future__ import annotations

import sys

from dev.docs import pages


def main() -> int:
    """Write what differs, and name it."""
    for path, text in pages():
        if not path.exists() or path.read_text() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            print(f"wrote {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
