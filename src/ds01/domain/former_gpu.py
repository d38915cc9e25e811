"""Why a container that starts again does not get the GPUs it was made with."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from ds01.domain.gpu import Slot, SlotId

GONE, ILL = "not there any more", "out of service"
TAKEN, PROMISED = "in use", "kept for somebody else"


def why(
    had: Sequence[SlotId], has: Collection[SlotId], there: Iterable[Slot], ill: Collection[SlotId],
    taken: Collection[SlotId],
) -> str:  # fmt: skip
    """``Its former GPU is in use``, of the ``had`` that it ``has`` no more; empty when it has them all.

    ``ill`` are slots and GPUs out of service, ``taken`` slots that others lease. Of several reasons it is the one that
    lasts longest; what is neither is promised to somebody.
    """
    lost = [slot for slot in had if slot not in has]
    healthy = {slot.id: slot.healthy(ill) for slot in there}
    reasons = {
        GONE: [slot for slot in lost if slot not in healthy],
        ILL: [slot for slot in lost if not healthy.get(slot, True)],
        TAKEN: [slot for slot in lost if slot in taken],
        PROMISED: lost,
    }
    return next((_said(len(slots), len(had), reason) for reason, slots in reasons.items() if slots), "")


def _said(lost: int, of: int, reason: str) -> str:
    if of == 1:
        return f"Its former GPU is {reason}"
    if lost == of:
        return f"Its former GPUs are {reason}"
    return f"One of its former GPUs is {reason}" if lost == 1 else f"{lost} of its former GPUs are {reason}"
