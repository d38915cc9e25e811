"""``/system/df``, which measures everybody's things, a row at a time: only what is one's own is kept.

The engine is asked in the form it had before API 1.52, which all engines know: the newer one is written of the rows
(``diskusage.py``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ds01.gateway.call import Call
from ds01.gateway.rows import Seen, own_lists
from ds01.gateway.things import Found

KINDS = {"Images": "image", "Containers": "container", "Volumes": "volume", "BuildCache": "build-cache"}
"""The lists in the answer, and as what one asks for each."""

OLD_FORM = (1, 51)
"""The newest API that answers with these lists."""


async def measured(call: Call, types: Collection[str], seen: Mapping[str, Seen]) -> Found:
    """The engine's answer with her rows alone, of the lists in ``seen``. Engines of an API before 1.42 count all,
    whichever ``types`` are asked for. Raises NoListError, UpstreamError.
    """
    target = call.target("/system/df", {"type": list(types)} if types else None, newest=OLD_FORM)
    return await own_lists(call, target, seen, None)
