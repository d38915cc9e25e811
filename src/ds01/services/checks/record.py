"""Is the ledger's record whole, and as DS01 wrote it?"""

from __future__ import annotations

from ds01.domain.errors import Ds01Error
from ds01.services.checks import Check, Finding, failed, ok
from ds01.services.world import World


async def _run(world: World) -> Finding:
    try:
        wrong = await world.ledger.verify()
    except Ds01Error as error:
        return failed(f"The ledger cannot be read: {error.problem.message}", error.problem.hint)
    if wrong:
        return failed(
            "The ledger is not as DS01 wrote it.",
            f"cp -a {world.paths.state} elsewhere, and ask who changed it; what runs is rebuilt from labels when the"
            " ledger is moved away.",
            wrong,
        )
    return ok("The ledger is whole, and its events are as they were written.")


CHECK = Check(about="the ledger is whole and nobody changed it", run=_run)
