"""What somebody is told whose GPU failed."""

from __future__ import annotations

from ds01.domain.lifecycle.words import ways


def title(name: str, slots: str) -> str:
    """One line."""
    return f"the GPU of {name} failed (GPU {slots})"


def text(name: str, why: str, *, job: bool) -> str:
    """What the driver says, what becomes of her programs, and how to go on."""
    said = f"The driver says: {why}. Nobody is placed on it until it works again."
    if job:
        return f"{said} When the job ends by it, it starts again on another GPU.\n\n" + "\n".join(
            ways([(f"ds01 why {name}", "the whole story")])
        )
    ways_on = [
        (f"ds01 stop {name}", "give it up; your files stay"),
        (f"ds01 start {name}", "go on with another GPU, with everything in it"),
    ]
    return f"{said} Nothing was stopped: save what you can.\n\n" + "\n".join(ways(ways_on))
