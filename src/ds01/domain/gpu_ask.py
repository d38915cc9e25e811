"""What is asked for of the GPUs: how many, of which size. Read from what was typed, and told back as it is typed."""

from __future__ import annotations

from ds01.domain.record import record

MOST_MEMORY_BYTES = 1 << 50
"""No GPU has as much, and the ledger can write it down."""


@record
class GpuAsk:
    """What somebody asks for: ``count`` slots, each of ``profile`` or with at least ``memory_bytes``.

    ``profile`` is a MIG profile, ``"full"``, or None for whatever fits best.
    """

    count: int = 1
    profile: str | None = None
    memory_bytes: int = 0


def ask(text: str, memory_bytes: int = 0) -> GpuAsk:
    """What ``--gpus`` says: ``0``, ``2``, ``full`` or a MIG profile such as ``2g.20gb``.

    Raises ValueError when it is none of these, or when no GPU can have that much memory.
    """
    if not 0 <= memory_bytes <= MOST_MEMORY_BYTES:
        raise ValueError("No GPU has that much memory")
    if text.isdecimal() and len(text) <= 3:
        return GpuAsk(count=int(text), memory_bytes=memory_bytes)
    if text == "full" or (text.endswith("gb") and "g." in text):
        return GpuAsk(count=1, profile=text, memory_bytes=memory_bytes)
    raise ValueError(f"'{text}' is no number of GPUs and no MIG profile")


def flags(ask: GpuAsk) -> str:
    """What to type to ask for this: the other direction of ``ask``."""
    memory = f" --mem {ask.memory_bytes // 1024**3}G" if ask.memory_bytes else ""
    if ask.profile is None or ask.count == 0:
        return f"--gpus {ask.count}{memory}"
    return f"--gpus {ask.profile}{memory}"
