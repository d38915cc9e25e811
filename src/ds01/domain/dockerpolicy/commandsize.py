"""How long a container's command may be: the engine lists it whole, to everybody who lists containers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ds01.domain.dockerpolicy.case import Kept
from ds01.domain.dockerpolicy.verdict import malformed
from ds01.domain.dockerpolicy.weight import COMMAND, size
from ds01.domain.quantity import show_size


def check_command(config: Mapping[str, Kept], entrypoint: Sequence[str] = (), command: Sequence[str] = ()) -> None:
    """Raises RefusedError when it is longer. ``config`` is what a create says, the others are its image's: they count
    where it says nothing, as the engine puts them together.
    """
    first, rest = _words(config.get("Entrypoint")), _words(config.get("Cmd"))
    if not first and not rest:
        rest = command
    if first is None:
        first = entrypoint
    if size([*first, *(rest or ())]) > COMMAND:
        raise malformed(
            "create.command", f"The command and the entrypoint are longer than {show_size(COMMAND)} together",
            "Put what is long into a file of a folder that you mount, or of the image.",
        )  # fmt: skip


def _words(value: Kept) -> Sequence[object] | None:
    return value if isinstance(value, list) else None
