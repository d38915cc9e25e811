"""Can the ledger be written? A grant that cannot be written is not given."""

from __future__ import annotations

from ds01.domain.errors import Ds01Error
from ds01.ports.ledger import Books
from ds01.services.checks import Check, Finding, failed, ok
from ds01.services.world import World


async def _run(world: World) -> Finding:
    now = world.clock.now().isoformat()

    def note(books: Books) -> None:
        books.put_note("doctor.at", now)

    try:
        await world.ledger.write(note)
    except Ds01Error as error:
        return failed(
            f"The ledger cannot be written: {error.problem.message}",
            f"Look at its disk and its owner: df -h {world.paths.state}; ls -ld {world.paths.state}. Reading"
            " and running containers go on.",
        )
    return ok("The ledger can be written.")


CHECK = Check(about="the ledger can be written", run=_run)
