"""How often Python looks for garbage in programs that keep a lot: seldom.

Nearly everything DS01 keeps is free of circles, so looking through all of it finds nothing, and a pass over ten
thousand who wait took a third longer for it.
"""

from __future__ import annotations

import gc

_ALLOCATED, _YOUNG, _MIDDLE = 50_000, 20, 50


def look_seldom() -> None:
    """What is there now is looked at no more, what comes seldom. For the whole process, once it is built up."""
    gc.freeze()
    gc.set_threshold(_ALLOCATED, _YOUNG, _MIDDLE)
