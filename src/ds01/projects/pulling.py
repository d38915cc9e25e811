"""How far a base is fetched: the bytes of all its layers together, from what the engine says of each.

Layers are announced one after the other, so the whole grows at the beginning; what is unpacked is counted in the bytes
it came as.
"""

from __future__ import annotations

from typing import Any

from ds01.domain.quantity import show_size

_WHOLE = ("Verifying Checksum", "Download complete", "Pull complete")


class Pulling:
    """One pull. It is told every message and says how far it is."""

    def __init__(self) -> None:
        self._sizes: dict[str, int] = {}
        self._here: dict[str, int] = {}
        self._unpacked: dict[str, int] = {}

    def heard(self, message: dict[str, Any]) -> str:
        """``120M of 3.2G``, then ``unpacking 1.1G of 3.2G``; ``""`` while no size is known."""
        layer, status = str(message.get("id", "")), message.get("status")
        now, size = _amounts(message.get("progressDetail"))
        if size and status in ("Downloading", "Extracting"):
            self._sizes[layer] = max(size, self._sizes.get(layer, 0))
            part = self._here if status == "Downloading" else self._unpacked
            part[layer] = min(now, self._sizes[layer])
        if status == "Extracting" or status in _WHOLE:
            self._here[layer] = self._sizes.get(layer, 0)
        if status == "Pull complete":
            self._unpacked[layer] = self._sizes.get(layer, 0)
        return self._told()

    def _told(self) -> str:
        whole, here = sum(self._sizes.values()), sum(self._here.values())
        if not whole:
            return ""
        if here < whole:
            return f"{show_size(here)} of {show_size(whole)}"
        return f"unpacking {show_size(sum(self._unpacked.values()))} of {show_size(whole)}"


def _amounts(detail: object) -> tuple[int, int]:
    """Now and in all; an engine that does not know says nothing, or -1."""
    if not isinstance(detail, dict):
        return 0, 0
    now, size = detail.get("current"), detail.get("total")
    return (now, size) if isinstance(now, int) and isinstance(size, int) and size > 0 else (0, 0)
