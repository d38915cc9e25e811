"""What a good refusal is: the right exit code, a sentence that names the matter, and nothing of Python's."""

from __future__ import annotations

from dev.people import Done


def refused(done: Done, code: int, *words: str, lines: int = 12) -> str:
    """Check it; returns what was said. ``lines``: a failed build also shows the end of its log."""
    said = done.err.strip() or done.out.strip()
    assert done.code == code, f"exit code {done.code}, not {code}: {said}"
    assert "Traceback" not in done.err + done.out, said
    first = said.splitlines()[0] if said else ""
    assert first, "it said nothing"
    assert len(said.splitlines()) <= lines, f"more than a sentence, a reason and a hint:\n{said}"
    for word in words:
        assert word.lower() in said.lower(), f"{word!r} is not in: {said}"
    return said
